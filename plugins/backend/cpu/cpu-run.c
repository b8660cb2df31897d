/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The running of a batch: all threads walk through the steps, and meet behind each.
 */
#include "cpu-ops.h"

#include <errno.h>
#include <stdlib.h>

static void
step_rows (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  struct cpu_range range = cpu_share (cpu_run_rows (model, step->domain), thread, cpu_n_threads (model));
  uint32_t i;

  for (; range.first < range.end; range.first++)
    for (i = 0; i < step->n_nodes; i++)
      cpu_row_node (model, &model->plan.nodes[model->plan.order[step->first_node + i]], (uint32_t)range.first);
}

static void
run_step (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  switch (step->kind) {
  case CPU_STEP_ROWS:
    step_rows (model, step, thread);
    break;
  case CPU_STEP_LINEAR:
    cpu_step_linear (model, step, thread);
    break;
  case CPU_STEP_GROUP:
    cpu_step_group (model, step, thread);
    break;
  case CPU_STEP_EXPERTS:
    cpu_step_experts (model, step, thread);
    break;
  case CPU_STEP_ATTENTION:
    cpu_step_attention (model, step, thread);
    break;
  case CPU_STEP_POOL:
    cpu_step_pool (model, step, thread);
    break;
  case CPU_STEP_STATE:
    cpu_step_state (model, step, thread);
    break;
  }
}

static void
settle_step (struct wlp_model *model, const struct cpu_step *step)
{
  uint32_t i;

  if (step->kind != CPU_STEP_LINEAR && step->kind != CPU_STEP_EXPERTS)
    return;
  for (i = 0; i < step->n_nodes; i++)
    cpu_panels_settle (model, &model->plan.matrices[model->plan.nodes[model->plan.order[step->first_node + i]].matrix]);
}

/* Thread 0 looks at the clock, and at cancel between layers; the others learn of it behind the barrier. */
static void
run_thread (void *data, unsigned thread)
{
  struct wlp_model *model       = data;
  const struct wlp_batch *batch = model->run.batch;
  const struct cpu_plan *plan   = &model->plan;
  uint64_t start                = thread == 0 ? cpu_now_ns () : 0, end;
  uint32_t i;

  for (i = 0; i < plan->n_steps; i++) {
    const struct cpu_step *step = &plan->steps[i];

    if (thread == 0 && batch->cancel != NULL && (i == 0 || step->layer != plan->steps[i - 1].layer)
        && __atomic_load_n (batch->cancel, __ATOMIC_RELAXED) != 0)
      model->run.stop = 1;
    if (i == 0 || step->layer != plan->steps[i - 1].layer)
      cpu_pool_barrier (model->backend->pool);
    if (model->run.stop)
      return;
    run_step (model, step, thread);
    cpu_pool_barrier (model->backend->pool);
    if (thread == 0) {
      settle_step (model, step);
      end = cpu_now_ns ();
      cpu_profile_add (model, step, end - start);
      start = end;
    }
  }
}

int
cpu_run_batch (struct wlp_model *model, struct wlp_error *error)
{
  cpu_panels_begin (model);
  cpu_pool_run (model->backend->pool, run_thread, model);
  return model->run.stop ? wlp_error_set (error, -ECANCELED, "the batch was stopped between layers") : 0;
}

static size_t
align_page (size_t n)
{
  return (n + 4095) / 4096 * 4096;
}

static size_t
scratch_bytes_of (struct wlp_model *model)
{
  size_t most = cpu_linear_scratch_bytes (model), n;
  uint32_t i;

  model->tile_tokens = 32;
  for (i = 0; i < model->plan.n_nodes; i++) {
    const struct cpu_node *node = &model->plan.nodes[i];

    n = 0;
    if (node->kind == CPU_NODE_ATTENTION) {
      n = cpu_attention_scratch_bytes (&node->op->p.attention);
      if (cpu_attention_tile_tokens (&node->op->p.attention) < model->tile_tokens)
        model->tile_tokens = cpu_attention_tile_tokens (&node->op->p.attention);
    } else if (node->kind == CPU_NODE_POOL) {
      n = (size_t)model->program->values[node->op->in[0]].width * sizeof (float);
    }
    most = n > most ? n : most;
  }
  return align_page (most);
}

/* All that a batch needs is there before the first one comes. */
int
cpu_run_init (struct wlp_model *model, struct wlp_error *error)
{
  const uint64_t n_tokens = model->request.max_tokens, n_sequences = model->request.max_sequences;
  struct cpu_run *run    = &model->run;
  const unsigned threads = cpu_n_threads (model);
  unsigned d;

  model->scratch_bytes = scratch_bytes_of (model);
  model->scratch       = model->services->alloc (model->services->host, model->scratch_bytes * threads, 4096);
  run->ordinal         = calloc (n_tokens, sizeof run->ordinal[0]);
  run->n_of_seq        = calloc (n_sequences, sizeof run->n_of_seq[0]);
  run->first_of_seq    = calloc (n_sequences, sizeof run->first_of_seq[0]);
  run->last_of_seq     = calloc (n_sequences, sizeof run->last_of_seq[0]);
  run->scratch_of_seq  = calloc (n_sequences, sizeof run->scratch_of_seq[0]);
  run->cursor          = calloc (n_sequences, sizeof run->cursor[0]);
  for (d = CPU_DOMAIN_ROWS; d <= CPU_DOMAIN_TOKENS; d++) {
    run->queries[d].order = calloc (n_tokens, sizeof run->queries[d].order[0]);
    run->queries[d].tiles = calloc (n_tokens, sizeof run->queries[d].tiles[0]);
    if (run->queries[d].order == NULL || run->queries[d].tiles == NULL)
      return wlp_error_set (error, -ENOMEM, "no memory for batches of %llu tokens", (unsigned long long)n_tokens);
  }
  model->state_bytes = n_tokens * (3 * sizeof (uint32_t) + 2 * sizeof (struct cpu_tile)) + n_sequences * 5 * 4;
  if (model->scratch == NULL || run->ordinal == NULL || run->n_of_seq == NULL || run->first_of_seq == NULL
      || run->last_of_seq == NULL || run->scratch_of_seq == NULL || run->cursor == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for batches of %llu tokens", (unsigned long long)n_tokens);
  return 0;
}

void
cpu_run_finish (struct wlp_model *model)
{
  struct cpu_run *run = &model->run;
  unsigned d;

  if (model->scratch != NULL)
    model->services->free (model->services->host, model->scratch, model->scratch_bytes * cpu_n_threads (model));
  free (run->ordinal);
  free (run->n_of_seq);
  free (run->first_of_seq);
  free (run->last_of_seq);
  free (run->scratch_of_seq);
  free (run->cursor);
  for (d = CPU_DOMAIN_ROWS; d <= CPU_DOMAIN_TOKENS; d++) {
    free (run->queries[d].order);
    free (run->queries[d].tiles);
  }
}
