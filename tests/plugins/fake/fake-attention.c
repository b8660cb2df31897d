/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One query and what it may see. */
struct query {
  struct wlp_model *model;
  const struct wlp_op *op;
  uint32_t token;
  const struct wlp_sequence *sequence;
  int64_t position;
  uint64_t n_keys;
};

static int64_t
position_of (const struct wlp_batch *batch, uint32_t token)
{
  return batch->positions[(uint64_t)token * batch->n_positions];
}

static int
is_seen (const struct query *query, int64_t key_position)
{
  const struct wlp_attention_params *p = &query->op->p.attention;

  if (p->causal && key_position > query->position)
    return 0;
  if (p->window == 0)
    return 1;
  if (!p->causal)
    return llabs (key_position - query->position) <= (int64_t)p->window / 2;
  return key_position > query->position - (int64_t)p->window;
}

/* Largest position of the query's sequence in the batch. */
static int64_t
last_position (const struct query *query)
{
  const struct wlp_batch *batch = query->model->batch;
  int64_t last                  = query->position;

  for (uint32_t t = 0; t < batch->n_tokens; t++)
    if (batch->sequence[t] == batch->sequence[query->token] && position_of (batch, t) > last)
      last = position_of (batch, t);
  return last;
}

/* Key (which 0) or value row at a position; NULL: nothing was written there. */
static const float *
cached_row (const struct query *query, int64_t position, int which)
{
  const struct wlp_attention_params *p = &query->op->p.attention;
  uint32_t block                       = query->sequence->blocks[p->group][position / WLP_BLOCK_POSITIONS];

  if (!fake_cache_load (query->sequence->caches[p->group], block, p->group_layer,
                        (uint32_t)(position % WLP_BLOCK_POSITIONS), which, query->model->head))
    return NULL;
  return query->model->head;
}

/* The same from the batch alone. */
static const float *
batch_row (const struct query *query, int64_t position, int which)
{
  const struct wlp_batch *batch = query->model->batch;

  for (uint32_t t = 0; t < batch->n_tokens; t++)
    if (batch->sequence[t] == batch->sequence[query->token] && position_of (batch, t) == position)
      return fake_row (query->model, query->op->in[1 + which], t);
  return NULL;
}

static const float *
find_row (const struct query *query, int64_t position, int which)
{
  return query->op->p.attention.group != WLP_NONE ? cached_row (query, position, which)
                                                  : batch_row (query, position, which);
}

static double
alibi_slope (const struct wlp_attention_params *p, uint32_t head)
{
  uint32_t n = 1;

  while (2 * n <= p->n_head)
    n *= 2;
  if (head < n)
    return pow (pow (2, -(double)p->alibi / n), head + 1.0);
  return pow (pow (2, -(double)p->alibi / 2 / n), 2.0 * (head - n) + 1);
}

static double
score_of (const struct query *query, uint32_t head, const float *key, int64_t key_position)
{
  const struct wlp_attention_params *p = &query->op->p.attention;
  const float *q = fake_row (query->model, query->op->in[0], query->token) + (uint64_t)head * p->head_dim_k;
  double score   = 0;

  key += (uint64_t)(head / (p->n_head / p->n_head_kv)) * p->head_dim_k;
  for (uint32_t i = 0; i < p->head_dim_k; i++)
    score += (double)q[i] * key[i];
  score *= p->scale;
  if (p->temperature != 0)
    score *= 1 + p->temperature * log (1 + (double)(query->position / p->temperature_step));
  if (p->softcap != 0)
    score = p->softcap * tanh (score / p->softcap);
  if (p->alibi != 0)
    score -= alibi_slope (p, head) * (double)llabs (query->position - key_position);
  return score;
}

/* -EINVAL: the sequence has a hole. */
static int
fill_scores (const struct query *query, struct wlp_error *error)
{
  const struct wlp_attention_params *p = &query->op->p.attention;

  for (uint64_t k = 0; k < query->n_keys; k++) {
    const float *key = is_seen (query, (int64_t)k) ? find_row (query, (int64_t)k, 0) : NULL;

    if (key == NULL && is_seen (query, (int64_t)k) && p->group != WLP_NONE)
      return wlp_error_set (error, -EINVAL, "position %llu of sequence %u was never written", (unsigned long long)k,
                            query->model->batch->sequence[query->token]);
    for (uint32_t h = 0; h < p->n_head; h++)
      query->model->scores[h * query->n_keys + k] = key != NULL ? score_of (query, h, key, (int64_t)k) : -INFINITY;
  }
  return 0;
}

/* Scores to probabilities, a head at a time. */
static void
softmax_scores (const struct query *query)
{
  const struct wlp_op *op         = query->op;
  const struct fake_weight *sinks = op->weight[0] != WLP_NONE ? &query->model->weights[op->weight[0]] : NULL;

  for (uint32_t h = 0; h < op->p.attention.n_head; h++) {
    double *scores = query->model->scores + h * query->n_keys;
    double largest = sinks != NULL ? sinks->data[h] : -INFINITY;
    double sum     = 0;

    for (uint64_t k = 0; k < query->n_keys; k++)
      largest = fmax (largest, scores[k]);
    for (uint64_t k = 0; k < query->n_keys; k++)
      sum += scores[k] = exp (scores[k] - largest);
    if (sinks != NULL)
      sum += exp (sinks->data[h] - largest);
    for (uint64_t k = 0; k < query->n_keys; k++)
      scores[k] /= sum;
  }
}

/* The sums of a head run over positions in order. */
static void
sum_values (const struct query *query, double *sums)
{
  const struct wlp_attention_params *p = &query->op->p.attention;
  float *out                           = fake_row (query->model, query->op->out[0], query->token);
  uint64_t width                       = (uint64_t)p->n_head * p->head_dim_v;

  memset (sums, 0, width * sizeof *sums);
  for (uint64_t k = 0; k < query->n_keys; k++) {
    const float *value = is_seen (query, (int64_t)k) ? find_row (query, (int64_t)k, 1) : NULL;

    for (uint64_t i = 0; value != NULL && i < width; i++) {
      uint64_t head = i / p->head_dim_v;
      uint64_t kv   = head / (p->n_head / p->n_head_kv);

      sums[i] += query->model->scores[head * query->n_keys + k] * value[kv * p->head_dim_v + i % p->head_dim_v];
    }
  }
  for (uint64_t i = 0; i < width; i++)
    out[i] = (float)sums[i];
}

static void
store_keys (struct wlp_model *model, const struct wlp_op *op)
{
  const struct wlp_batch *batch = model->batch;

  for (uint32_t t = 0; t < batch->n_tokens; t++) {
    const struct wlp_sequence *sequence = &batch->sequences[batch->sequence[t]];
    uint32_t group                      = op->p.attention.group;
    uint32_t position                   = (uint32_t)position_of (batch, t);
    uint32_t block                      = sequence->blocks[group][position / WLP_BLOCK_POSITIONS];

    for (int which = 0; which < 2; which++)
      fake_cache_store (sequence->caches[group], block, op->p.attention.group_layer, position % WLP_BLOCK_POSITIONS,
                        which, fake_row (model, op->in[1 + which], t));
  }
}

int
fake_attention_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  const struct wlp_batch *batch = model->batch;

  if (op->p.attention.group != WLP_NONE)
    store_keys (model, op);
  for (uint32_t t = 0; t < batch->n_tokens; t++) {
    struct query query = { model, op, t, &batch->sequences[batch->sequence[t]], position_of (batch, t), 0 };
    int code;

    query.n_keys = (uint64_t)(op->p.attention.causal ? query.position : last_position (&query)) + 1;
    code         = fill_scores (&query, error);
    if (code != 0)
      return code;
    softmax_scores (&query);
    sum_values (&query, model->sums);
  }
  return 0;
}

/* ---- rope ---- */

static double
ramp_dimension (const struct wlp_rope_params *p, double n_turns)
{
  return p->n_dims * log (p->n_ctx_orig / (n_turns * 2 * M_PI)) / (2 * log (p->base));
}

/* Angle of pair @i for each unit of position. */
static double
pair_frequency (const struct wlp_rope_params *p, uint32_t i, double factor)
{
  double scale        = p->freq_scale != 0 ? p->freq_scale : 1;
  double extrapolated = pow (p->base, -2.0 * i / p->n_dims) / factor;
  double low;
  double high;
  double ramp;

  if (p->ext_factor == 0)
    return extrapolated * scale;
  low  = fmax (0, floor (ramp_dimension (p, p->beta_fast)));
  high = fmin (p->n_dims - 1.0, ceil (ramp_dimension (p, p->beta_slow)));
  ramp = 1 - fmin (1, fmax (0, (i - low) / fmax (0.001, high - low)));
  ramp *= p->ext_factor;
  return extrapolated * scale * (1 - ramp) + extrapolated * ramp;
}

/* Which of a token's positions turns pair @i. */
static uint32_t
pair_position (const struct wlp_rope_params *p, uint32_t n_positions, uint32_t i)
{
  uint32_t n       = p->sections[0] + p->sections[1] + p->sections[2] + p->sections[3];
  uint32_t section = 0;

  if (p->kind != WLP_ROPE_MROPE || n_positions == 1)
    return 0;
  for (i %= n; i >= p->sections[section]; section++)
    i -= p->sections[section];
  return section + 1;
}

static void
rotate_head (const struct wlp_rope_params *p, const struct fake_weight *factors, const struct wlp_batch *batch,
             uint32_t token, float *head)
{
  double scale = p->attn_factor != 0 ? p->attn_factor : 1;

  for (uint32_t i = 0; i < p->n_dims / 2; i++) {
    uint32_t which = pair_position (p, batch->n_positions, i);
    double angle   = pair_frequency (p, i, factors != NULL ? factors->data[i] : 1)
                   * batch->positions[(uint64_t)token * batch->n_positions + which];
    uint32_t a = p->kind == WLP_ROPE_NORM ? 2 * i : i;
    uint32_t b = p->kind == WLP_ROPE_NORM ? 2 * i + 1 : i + p->n_dims / 2;
    double x   = head[a];
    double y   = head[b];

    head[a] = (float)((x * cos (angle) - y * sin (angle)) * scale);
    head[b] = (float)((x * sin (angle) + y * cos (angle)) * scale);
  }
}

void
fake_rope_run (struct wlp_model *model, const struct wlp_op *op)
{
  uint64_t n_steps                  = ((uint64_t)model->plan.max_positions + WLP_CONTEXT_STEP - 1) / WLP_CONTEXT_STEP;
  int is_long                       = op->weight[1] != WLP_NONE && n_steps * WLP_CONTEXT_STEP > op->p.rope.n_ctx_orig;
  wlp_weight number                 = op->weight[is_long ? 1 : 0];
  const struct fake_weight *factors = number != WLP_NONE ? &model->weights[number] : NULL;
  uint32_t width                    = fake_width (model, op->in[0]);

  for (uint32_t t = 0; t < model->batch->n_tokens; t++) {
    float *out = fake_row (model, op->out[0], t);

    memcpy (out, fake_row (model, op->in[0], t), width * sizeof (float));
    for (uint32_t h = 0; h < width; h += op->p.rope.head_dim)
      rotate_head (&op->p.rope, factors, model->batch, t, out + h);
  }
}
