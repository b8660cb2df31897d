/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One row for each sequence of the batch (or each wanted row), through a classification head where there is one.
 */
#include "cpu-math.h"
#include "cpu-ops.h"

#include <string.h>

struct pool {
  struct wlp_model *model;
  const struct cpu_node *node;
  uint32_t width;
  float *row; /* [width], the thread's */
};

/* The mean over the tokens of a sequence, added in their order; its first or last token. */
static void
pool_sequence (const struct pool *pool, uint32_t sequence)
{
  struct wlp_model *model       = pool->model;
  const struct wlp_batch *batch = model->run.batch;
  const uint32_t kind           = pool->node->op->p.pool.kind;
  const uint32_t n              = model->run.n_of_seq[sequence];
  uint32_t token, i;

  memset (pool->row, 0, pool->width * sizeof (float));
  for (token = 0; token < batch->n_tokens; token++) {
    const float *x = cpu_run_row (model, pool->node->reads[0], CPU_DOMAIN_TOKENS, token);

    if (batch->sequence[token] != sequence)
      continue;
    if (kind == WLP_POOL_MEAN)
      for (i = 0; i < pool->width; i++)
        pool->row[i] += x[i];
    else if (model->run.ordinal[token] == (kind == WLP_POOL_LAST ? n - 1 : 0))
      memcpy (pool->row, x, pool->width * sizeof (float));
  }
  if (kind == WLP_POOL_MEAN)
    for (i = 0; i < pool->width; i++)
      pool->row[i] /= (float)n;
}

static float
dot (const float *w, const float *x, uint32_t n)
{
  float lanes[CPU_LANES] = { 0.0f };
  uint32_t i;

  for (i = 0; i < n; i++)
    lanes[i % CPU_LANES] += w[i] * x[i];
  return cpu_lanes_sum (lanes);
}

static void
write_output (const struct pool *pool, uint32_t row)
{
  const struct cpu_node *node = pool->node;
  const uint32_t n_out        = pool->model->program->output_width;
  float *out                  = pool->model->run.batch->output + (size_t)row * n_out;
  uint32_t i;

  if (node->weights[0] == NULL) {
    memcpy (out, pool->row, n_out * sizeof (float));
    return;
  }
  for (i = 0; i < n_out; i++) {
    out[i] = dot (node->weights[0] + (size_t)i * pool->width, pool->row, pool->width);
    if (node->weights[1] != NULL)
      out[i] += node->weights[1][i];
  }
}

void
cpu_step_pool (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct cpu_node *node   = cpu_plan_node (&model->plan, step, 0);
  const struct wlp_batch *batch = model->run.batch;
  const bool by_row             = node->op->p.pool.kind == WLP_POOL_NONE;
  struct cpu_range range        = cpu_share (by_row ? batch->n_rows : batch->n_sequences, thread, model->run.n_threads);
  struct pool pool              = { model, node, model->program->values[node->op->in[0]].width, NULL };

  pool.row = (float *)(void *)(model->scratch + thread * model->scratch_bytes);
  for (; range.first < range.end; range.first++) {
    const uint32_t row = (uint32_t)range.first;

    if (by_row)
      memcpy (pool.row, cpu_run_row (model, node->reads[0], CPU_DOMAIN_ROWS, row), pool.width * sizeof (float));
    else
      pool_sequence (&pool, row);
    write_output (&pool, row);
  }
}
