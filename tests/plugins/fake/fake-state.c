/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operators with a state: token after token, the state comes from the cache and goes back to it.
 */
#include "fake.h"

#include <errno.h>
#include <string.h>

static uint32_t
position_of (const struct wlp_batch *batch, uint32_t token)
{
  return (uint32_t)batch->positions[(uint64_t)token * batch->n_positions];
}

/* The next token of the same sequence; n_tokens: there is none. */
static uint32_t
next_of (const struct wlp_batch *batch, uint32_t token)
{
  uint32_t sequence = batch->sequence[token];

  while (++token < batch->n_tokens && batch->sequence[token] != sequence)
    ;
  return token;
}

/* The state behind @position - 1 into model->head. */
static int
load_state (struct wlp_model *model, const struct wlp_state_conv_params *p, const struct wlp_sequence *sequence,
            uint32_t position, uint32_t n, struct wlp_error *error)
{
  if (position == 0) {
    memset (model->head, 0, n * sizeof (float));
    return 0;
  }
  if (!fake_cache_load (sequence->caches[p->group], sequence->blocks[p->group][(position - 1) / WLP_BLOCK_POSITIONS],
                        p->group_layer, 0, 0, model->head))
    return wlp_error_set (error, -EINVAL, "there is no state behind position %u", position - 1);
  return 0;
}

static void
convolve_token (struct wlp_model *model, const struct wlp_op *op, uint32_t token)
{
  uint32_t width    = op->p.state_conv.width;
  uint32_t n        = fake_width (model, op->in[0]);
  const float *x    = fake_row (model, op->in[0], token);
  float *out        = fake_row (model, op->out[0], token);
  float *past       = model->head; /* [width - 1][n] */
  const float *taps = model->weights[op->weight[0]].data;
  const float *bias = op->weight[1] != WLP_NONE ? model->weights[op->weight[1]].data : NULL;

  for (uint32_t i = 0; i < n; i++) {
    double sum = bias != NULL ? bias[i] : 0;

    for (uint32_t j = 0; j + 1 < width; j++)
      sum += (double)taps[i * width + j] * past[j * n + i];
    out[i] = (float)(sum + (double)taps[i * width + width - 1] * x[i]);
  }
  memmove (past, past + n, (width - 2) * n * sizeof (float));
  memcpy (past + (width - 2) * n, x, n * sizeof (float));
}

static int
convolve_sequence (struct wlp_model *model, const struct wlp_op *op, uint32_t first, struct wlp_error *error)
{
  const struct wlp_state_conv_params *p = &op->p.state_conv;
  const struct wlp_batch *batch         = model->batch;
  const struct wlp_sequence *sequence   = &batch->sequences[batch->sequence[first]];
  uint32_t n_state                      = (p->width - 1) * fake_width (model, op->in[0]);
  int code                              = load_state (model, p, sequence, position_of (batch, first), n_state, error);

  for (uint32_t t = first; code == 0 && t < batch->n_tokens; t = next_of (batch, t)) {
    uint32_t position = position_of (batch, t);

    convolve_token (model, op, t);
    if ((position + 1) % WLP_BLOCK_POSITIONS == 0 || next_of (batch, t) == batch->n_tokens)
      fake_cache_store (sequence->caches[p->group], sequence->blocks[p->group][position / WLP_BLOCK_POSITIONS],
                        p->group_layer, 0, 0, model->head);
  }
  return code;
}

int
fake_state_conv_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  const struct wlp_batch *batch = model->batch;
  int code                      = 0;

  for (uint32_t t = 0; code == 0 && t < batch->n_tokens; t++) {
    uint32_t before = t;

    while (before > 0 && batch->sequence[before - 1] != batch->sequence[t])
      before--;
    if (before == 0)
      code = convolve_sequence (model, op, t, error);
  }
  return code;
}
