/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"

#include "quant-half.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const struct fake_weight *
weight_of (const struct wlp_model *model, const struct wlp_op *op, int slot)
{
  return op->weight[slot] != WLP_NONE ? &model->weights[op->weight[slot]] : NULL;
}

static const struct wlp_shape *
shape_of (const struct wlp_model *model, const struct wlp_op *op, int slot)
{
  return &model->plan.program->weights[op->weight[slot]].shape;
}

static const int32_t *
ids_of (const struct wlp_model *model, wlp_value value, uint32_t token)
{
  return (const int32_t *)(const void *)fake_row (model, value, token);
}

static int
run_embed (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  const struct wlp_batch *batch         = model->batch;
  const struct fake_weight *positions   = weight_of (model, op, 1);
  const struct fake_weight *token_types = weight_of (model, op, 2);
  uint32_t width                        = fake_width (model, op->out[0]);
  float scale                           = op->p.embed.scale != 0 ? op->p.embed.scale : 1;

  for (uint32_t t = 0; t < batch->n_tokens; t++) {
    float *out       = fake_row (model, op->out[0], t);
    uint64_t at      = (uint64_t)batch->positions[(uint64_t)t * batch->n_positions];
    const float *row = batch->tokens != NULL ? model->weights[op->weight[0]].data + (uint64_t)batch->tokens[t] * width
                                             : batch->embeddings + (uint64_t)t * width;

    if (positions != NULL && at >= shape_of (model, op, 1)->ne[1])
      return wlp_error_set (error, -EINVAL, "there is no embedding for position %llu", (unsigned long long)at);
    for (uint32_t i = 0; i < width; i++) {
      out[i] = batch->tokens != NULL ? row[i] * scale : row[i];
      if (positions != NULL)
        out[i] += positions->data[at * width + i];
      if (token_types != NULL)
        out[i] += token_types->data[i];
    }
  }
  return 0;
}

static void
norm_group (const struct wlp_norm_params *p, const float *x, uint32_t n, const float *gain, const float *bias,
            float *out)
{
  double mean     = 0;
  double variance = 0;

  for (uint32_t i = 0; p->kind == WLP_NORM_LAYER && i < n; i++)
    mean += x[i];
  mean /= n;
  for (uint32_t i = 0; i < n; i++)
    variance += (x[i] - mean) * (x[i] - mean);
  variance /= n;
  for (uint32_t i = 0; i < n; i++) {
    double y = (x[i] - mean) / sqrt (variance + p->eps);

    y *= gain != NULL ? gain[i] : 1;
    out[i] = (float)(y + (bias != NULL ? bias[i] : 0));
  }
}

static void
run_norm (struct wlp_model *model, const struct wlp_op *op)
{
  const struct wlp_norm_params *p = &op->p.norm;
  const struct fake_weight *gain  = weight_of (model, op, 0);
  const struct fake_weight *bias  = weight_of (model, op, 1);
  uint32_t width                  = fake_width (model, op->in[0]);
  uint32_t group                  = p->group != 0 ? p->group : width;

  /* a gain of the whole width has a row for each group */
  for (uint32_t t = 0; t < model->batch->n_tokens; t++)
    for (uint32_t i = 0; i < width; i += group)
      norm_group (p, fake_row (model, op->in[0], t) + i, group,
                  gain != NULL ? gain->data + (gain->n == width ? i : 0) : NULL,
                  bias != NULL ? bias->data + (bias->n == width ? i : 0) : NULL, fake_row (model, op->out[0], t) + i);
}

static void
multiply (const float *weights, const float *bias, const float *x, uint64_t n_in, uint64_t n_rows, float *out)
{
  for (uint64_t r = 0; r < n_rows; r++) {
    double sum = 0;

    for (uint64_t i = 0; i < n_in; i++)
      sum += (double)weights[r * n_in + i] * x[i];
    out[r] = (float)(sum + (bias != NULL ? bias[r] : 0));
  }
}

static int
run_linear (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  const struct wlp_linear_params *p = &op->p.linear;
  const uint64_t *ne                = shape_of (model, op, 0)->ne;
  const struct fake_weight *bias    = weight_of (model, op, 1);
  uint64_t n_rows                   = p->n_rows != 0 ? p->n_rows : ne[1];
  uint32_t n_slots                  = p->n_used != 0 ? p->n_used : 1;

  for (uint32_t t = 0; t < model->batch->n_tokens; t++) {
    for (uint32_t s = 0; s < n_slots; s++) {
      uint64_t expert = p->n_used != 0 ? (uint64_t)ids_of (model, op->in[1], t)[s] : 0;
      uint64_t first  = expert * ne[1] + p->first_row;

      if (expert >= ne[2])
        return wlp_error_set (error, -EINVAL, "there is no expert %llu", (unsigned long long)expert);
      multiply (weight_of (model, op, 0)->data + first * ne[0], bias != NULL ? bias->data + first : NULL,
                fake_row (model, op->in[0], t) + (p->per_slot ? s * ne[0] : 0), ne[0], n_rows,
                fake_row (model, op->out[0], t) + s * n_rows);
    }
  }
  return 0;
}

static double
gelu_half (double x)
{
  double y = wlq_f16_to_f32 (wlq_f32_to_f16 ((float)x));

  y = 0.5 * y * (1 + tanh (0.79788456080286535588 * (y + 0.044715 * y * y * y)));
  if (x <= -10 || x >= 10)
    return x < 0 ? 0 : x;
  return wlq_f16_to_f32 (wlq_f32_to_f16 ((float)y));
}

static double
activate (uint32_t act, double x)
{
  switch (act) {
  case WLP_ACT_SILU:
    return x / (1 + exp (-x));
  case WLP_ACT_GELU:
    return 0.5 * x * (1 + erf (x / sqrt (2)));
  case WLP_ACT_GELU_TANH:
    return 0.5 * x * (1 + tanh (0.79788456080286535588 * (x + 0.044715 * x * x * x)));
  case WLP_ACT_GELU_HALF:
    return gelu_half (x);
  case WLP_ACT_RELU:
    return x > 0 ? x : 0;
  case WLP_ACT_RELU2:
    return x > 0 ? x * x : 0;
  case WLP_ACT_TANH:
    return tanh (x);
  default:
    return 1 / (1 + exp (-x));
  }
}

static double
gate (uint32_t act, double g, double up)
{
  if (act != WLP_ACT_SWIGLU_OAI)
    return activate (act, g) * up;
  g  = fmin (g, 7);
  up = fmax (-7, fmin (up, 7));
  return g / (1 + exp (-1.702 * g)) * (up + 1);
}

static double
element (const struct wlp_op *op, double x, double y)
{
  switch (op->kind) {
  case WLP_OP_GLU:
    return gate (op->p.glu.act, x, y);
  case WLP_OP_ACTIVATE:
    return activate (op->p.glu.act, x);
  case WLP_OP_ADD:
    return x + y;
  case WLP_OP_MUL:
    return x * y;
  case WLP_OP_SCALE:
    return x * op->p.scale.scale;
  case WLP_OP_CLAMP:
    return fmin (fmax (x, op->p.clamp.low), op->p.clamp.high);
  default:
    return op->p.scale.scale * tanh (x / op->p.scale.scale);
  }
}

/* Operators on each element by itself; the second input may be the second half of the first. */
static void
run_elements (struct wlp_model *model, const struct wlp_op *op)
{
  uint32_t width = fake_width (model, op->out[0]);
  int is_one     = op->kind == WLP_OP_MUL && fake_width (model, op->in[1]) == 1;

  for (uint32_t t = 0; t < model->batch->n_tokens; t++) {
    const float *x = fake_row (model, op->in[0], t);
    const float *y = op->in[1] != WLP_NONE ? fake_row (model, op->in[1], t) : op->kind == WLP_OP_GLU ? x + width : x;
    float *out     = fake_row (model, op->out[0], t);

    for (uint32_t i = 0; i < width; i++)
      out[i] = (float)element (op, x[i], y[is_one ? 0 : i]);
  }
}

static void
run_moe_sum (struct wlp_model *model, const struct wlp_op *op)
{
  uint32_t width   = fake_width (model, op->out[0]);
  uint32_t n_slots = fake_width (model, op->in[1]);

  for (uint32_t t = 0; t < model->batch->n_tokens; t++) {
    const float *x       = fake_row (model, op->in[0], t);
    const float *weights = fake_row (model, op->in[1], t);
    float *out           = fake_row (model, op->out[0], t);

    for (uint32_t i = 0; i < width; i++) {
      double sum = 0;

      for (uint32_t s = 0; s < n_slots; s++)
        sum += (double)weights[s] * x[s * width + i];
      out[i] = (float)sum;
    }
  }
}

/* ---- outputs ---- */

static void
run_logits (struct wlp_model *model, const struct wlp_op *op)
{
  const struct wlp_batch *batch = model->batch;
  uint32_t width                = fake_width (model, op->in[0]);

  for (uint32_t i = 0; i < batch->n_rows; i++)
    memcpy (batch->output + (uint64_t)i * width, fake_row (model, op->in[0], batch->rows[i]), width * sizeof (float));
}

static void
pool_sequence (const struct wlp_model *model, const struct wlp_op *op, uint32_t sequence, double *sums)
{
  const struct wlp_batch *batch = model->batch;
  uint32_t width                = fake_width (model, op->in[0]);
  uint32_t n                    = 0;

  for (uint32_t t = 0; t < batch->n_tokens; t++) {
    const float *x = fake_row (model, op->in[0], t);

    if (batch->sequence[t] != sequence)
      continue;
    n++;
    for (uint32_t i = 0; i < width; i++) {
      if (op->p.pool.kind == WLP_POOL_MEAN)
        sums[i] = (n > 1 ? sums[i] : 0) + x[i];
      else if (n == 1 || op->p.pool.kind == WLP_POOL_LAST)
        sums[i] = x[i];
    }
  }
  for (uint32_t i = 0; op->p.pool.kind == WLP_POOL_MEAN && n > 0 && i < width; i++)
    sums[i] /= n;
}

/* Scratch: the scores of attention are not in use any more, and the row of a key holds the pooled row. */
static int
run_pool (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  const struct wlp_batch *batch  = model->batch;
  const struct fake_weight *head = weight_of (model, op, 0);
  const struct fake_weight *bias = weight_of (model, op, 1);
  int is_each                    = op->p.pool.kind == WLP_POOL_NONE;
  uint32_t width                 = fake_width (model, op->in[0]);
  uint32_t n_out                 = model->plan.program->output_width;

  if (width > FAKE_MAX_ROW || width > model->n_scores)
    return wlp_error_set (error, -EINVAL, "rows of %u values are too wide to pool", width);
  for (uint32_t i = 0; i < (is_each ? batch->n_rows : batch->n_sequences); i++) {
    float *out = batch->output + (uint64_t)i * n_out;

    if (is_each)
      memcpy (model->head, fake_row (model, op->in[0], batch->rows[i]), width * sizeof (float));
    else
      pool_sequence (model, op, i, model->scores);
    for (uint32_t j = 0; !is_each && j < width; j++)
      model->head[j] = (float)model->scores[j];
    if (head != NULL)
      multiply (head->data, bias != NULL ? bias->data : NULL, model->head, width, n_out, out);
    else
      memcpy (out, model->head, width * sizeof (float));
  }
  return 0;
}

int
fake_op_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error)
{
  int code = 0;

  switch (op->kind) {
  case WLP_OP_EMBED:
    return run_embed (model, op, error);
  case WLP_OP_NORM:
    run_norm (model, op);
    break;
  case WLP_OP_LINEAR:
    return run_linear (model, op, error);
  case WLP_OP_ROPE:
    fake_rope_run (model, op);
    break;
  case WLP_OP_ATTENTION:
    return fake_attention_run (model, op, error);
  case WLP_OP_MOE_ROUTE:
    fake_route_run (model, op);
    break;
  case WLP_OP_MOE_SUM:
    run_moe_sum (model, op);
    break;
  case WLP_OP_LOGITS:
    run_logits (model, op);
    break;
  case WLP_OP_POOL:
    return run_pool (model, op, error);
  case WLP_OP_STATE_CONV:
    return fake_state_conv_run (model, op, error);
  default:
    run_elements (model, op);
  }
  return code;
}
