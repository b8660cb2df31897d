/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A causal convolution with its past in the cache.  The threads share the channels, each goes through the tokens of a
 * sequence in their order.
 */
#include "cpu-ops.h"

#include <string.h>

struct conv {
  struct wlp_model *model;
  const struct cpu_node *node;
  const struct wlp_state_conv_params *params;
  uint32_t n;     /* channels */
  uint32_t first; /* first .. end - 1 are this thread's */
  uint32_t end;
  const float *past[CPU_STATE_MAX_WIDTH]; /* the rows before the token, the oldest first; NULL: zeros */
};

/* The state of a sequence in the block of @position: [width - 1][n]. */
static float *
state_of (const struct conv *conv, uint32_t sequence, uint32_t position)
{
  const struct wlp_sequence *seq = &conv->model->run.batch->sequences[sequence];
  struct wlp_cache *cache        = seq->caches[conv->params->group];
  const uint32_t block           = seq->blocks[conv->params->group][position / WLP_BLOCK_POSITIONS];

  return (float *)(void *)(cache->memory + block * cache->layout.block_bytes
                           + conv->params->group_layer * cache->layout.layer_bytes);
}

static void
begin (struct conv *conv, uint32_t sequence)
{
  const uint32_t position = conv->model->run.first_of_seq[sequence];
  const float *state      = position > 0 ? state_of (conv, sequence, position - 1) : NULL;
  uint32_t j;

  for (j = 0; j + 1 < conv->params->width; j++)
    conv->past[j] = state != NULL ? state + (size_t)j * conv->n : NULL;
}

static void
convolve (struct conv *conv, const float *x, float *y)
{
  const uint32_t width = conv->params->width;
  const float *taps    = conv->node->weights[0];
  const float *bias    = conv->node->weights[1];
  uint32_t i, j;

  for (i = conv->first; i < conv->end; i++) {
    float sum = bias != NULL ? bias[i] : 0.0f;

    for (j = 0; j + 1 < width; j++)
      sum += taps[(size_t)i * width + j] * (conv->past[j] != NULL ? conv->past[j][i] : 0.0f);
    y[i] = sum + taps[(size_t)i * width + width - 1] * x[i];
  }
  for (j = 0; j + 2 < width; j++)
    conv->past[j] = conv->past[j + 1];
  conv->past[width - 2] = x;
}

/* The rows that are kept may lie in the very state that is written, but no row in the place of an earlier one. */
static void
keep (struct conv *conv, uint32_t sequence, uint32_t position)
{
  float *state         = state_of (conv, sequence, position);
  const size_t n_bytes = (conv->end - conv->first) * sizeof (float);
  uint32_t j;

  for (j = 0; j + 1 < conv->params->width; j++) {
    float *to = state + (size_t)j * conv->n;

    if (conv->past[j] == NULL)
      memset (to + conv->first, 0, n_bytes);
    else
      memmove (to + conv->first, conv->past[j] + conv->first, n_bytes);
    conv->past[j] = to;
  }
}

static void
run_sequence (struct conv *conv, uint32_t sequence)
{
  struct wlp_model *model       = conv->model;
  const struct wlp_batch *batch = model->run.batch;
  uint32_t left                 = model->run.n_of_seq[sequence], token;

  begin (conv, sequence);
  for (token = 0; left > 0; token++) {
    uint32_t position;

    if (batch->sequence[token] != sequence)
      continue;
    left--;
    position = (uint32_t)batch->positions[(size_t)token * batch->n_positions];
    convolve (conv, cpu_run_row (model, conv->node->reads[0], CPU_DOMAIN_TOKENS, token),
              cpu_run_row (model, conv->node->writes[0], CPU_DOMAIN_TOKENS, token));
    if (left == 0 || (position + 1) % WLP_BLOCK_POSITIONS == 0)
      keep (conv, sequence, position);
  }
}

void
cpu_step_state (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct cpu_node *node  = cpu_plan_node (&model->plan, step, 0);
  const uint32_t n             = model->program->values[node->op->in[0]].width;
  const struct cpu_range range = cpu_share (n, thread, model->run.n_threads);
  struct conv conv             = { model, node, &node->op->p.state_conv, n, 0, 0, { NULL } };
  uint32_t sequence;

  conv.first = (uint32_t)range.first;
  conv.end   = (uint32_t)range.end;
  for (sequence = 0; conv.first < conv.end && sequence < model->run.batch->n_sequences; sequence++)
    run_sequence (&conv, sequence);
}
