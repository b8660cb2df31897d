/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The oracle: a program over one whole sequence, in double, each operator written as its definition in program.h reads.
 */
#include "backend-lab.h"

#include "quant.h"

#include <math.h>

typedef struct {
  Lab *lab;
  const struct wlp_program *program;
  enum wlp_type cache_type;
  const gint32 *tokens;
  guint n;
  double **values; /* [n][width] */
  double *output;
  guint n_output;
} Oracle;

static guint32
width_of (const Oracle *o, wlp_value value)
{
  return o->program->values[value].width;
}

static const struct wlp_shape *
shape_of (const Oracle *o, wlp_weight weight)
{
  return &g_array_index (o->lab->sources, struct wlp_weight_source, weight).shape;
}

/* The whole weight as floats; NULL: there is none. */
static float *
floats_of (const Oracle *o, wlp_weight weight)
{
  const struct wlp_weight_source *source;
  gsize n;
  float *floats;

  if (weight == WLP_NONE)
    return NULL;
  source = &g_array_index (o->lab->sources, struct wlp_weight_source, weight);
  n      = source->shape.ne[0] * source->shape.ne[1] * source->shape.ne[2];
  floats = g_new (float, n);
  g_assert_cmpint (wlq_dequantize_row (source->shape.type, source->map, n, floats), ==, 0);
  return floats;
}

static void
do_embed (Oracle *o, const struct wlp_op *op, guint t, double *y)
{
  for (guint j = 0; j < 3; j++) {
    g_autofree float *w = floats_of (o, op->weight[j]);
    const guint width   = width_of (o, op->out[0]);
    const guint row     = j == 0 ? (guint)o->tokens[t] : (j == 1 ? t : 0);
    const double scale  = j == 0 && op->p.embed.scale != 0 ? (double)op->p.embed.scale : 1.0;

    for (guint i = 0; w != NULL && i < width; i++)
      y[i] = (j == 0 ? 0 : y[i]) + w[row * width + i] * scale;
  }
}

static void
do_norm (Oracle *o, const struct wlp_op *op, const double *x, double *y)
{
  g_autofree float *gain  = floats_of (o, op->weight[0]);
  g_autofree float *bias  = floats_of (o, op->weight[1]);
  const guint width       = width_of (o, op->out[0]);
  const guint group       = op->p.norm.group != 0 ? op->p.norm.group : width;
  const gboolean own_gain = gain != NULL && shape_of (o, op->weight[0])->ne[1] > 1;
  const gboolean own_bias = bias != NULL && shape_of (o, op->weight[1])->ne[1] > 1;

  for (guint g = 0; g < width; g += group) {
    double mean = 0, square = 0;

    for (guint i = 0; i < group && op->p.norm.kind == WLP_NORM_LAYER; i++)
      mean += x[g + i] / group;
    for (guint i = 0; i < group; i++)
      square += (x[g + i] - mean) * (x[g + i] - mean) / group;
    for (guint i = 0; i < group; i++)
      y[g + i] =
          (x[g + i] - mean) / sqrt (square + (double)op->p.norm.eps) * (gain != NULL ? gain[own_gain ? g + i : i] : 1)
          + (bias != NULL ? bias[own_bias ? g + i : i] : 0);
  }
}

static void
do_linear (Oracle *o, const struct wlp_op *op)
{
  const struct wlp_linear_params *p = &op->p.linear;
  const struct wlp_shape *shape     = shape_of (o, op->weight[0]);
  g_autofree float *w               = floats_of (o, op->weight[0]);
  g_autofree float *bias            = floats_of (o, op->weight[1]);
  const guint64 k = shape->ne[0], n_rows = p->n_rows != 0 ? p->n_rows : shape->ne[1], slots = MAX (p->n_used, 1);

  for (guint t = 0; t < o->n; t++)
    for (guint s = 0; s < slots; s++)
      for (guint64 r = 0; r < n_rows; r++) {
        const guint64 expert = p->n_used != 0 ? (guint64)o->values[op->in[1]][t * slots + s] : 0;
        const guint64 row    = expert * shape->ne[1] + p->first_row + r;
        const double *x      = o->values[op->in[0]] + t * width_of (o, op->in[0]) + (p->per_slot ? s * k : 0);
        double sum           = 0;

        for (guint64 i = 0; i < k; i++)
          sum += w[row * k + i] * x[i];
        o->values[op->out[0]][(t * slots + s) * n_rows + r] = sum + (bias != NULL ? bias[row] : 0);
      }
}

static double
yarn_dimension (const struct wlp_rope_params *p, double turns)
{
  return p->n_dims * log (p->n_ctx_orig / (turns * 2 * G_PI)) / (2 * log ((double)p->base));
}

static void
do_rope (Oracle *o, const struct wlp_op *op, guint t, const double *x, double *y)
{
  const struct wlp_rope_params *p = &op->p.rope;
  const gboolean is_long          = op->weight[1] != WLP_NONE && LAB_MAX_POSITIONS > p->n_ctx_orig;
  g_autofree float *factors       = floats_of (o, op->weight[is_long ? 1 : 0]);
  const guint width = width_of (o, op->out[0]), pairs = p->n_dims / 2;
  const double interpolate = p->freq_scale != 0 ? (double)p->freq_scale : 1;
  const double magnitude   = p->attn_factor != 0 ? (double)p->attn_factor : 1;

  memcpy (y, x, width * sizeof *y);
  for (guint h = 0; h < width; h += p->head_dim)
    for (guint i = 0; i < pairs; i++) {
      const guint a   = h + (p->kind == WLP_ROPE_NORM ? 2 * i : i);
      const guint b   = p->kind == WLP_ROPE_NORM ? a + 1 : a + pairs;
      double whole    = t * pow ((double)p->base, -2.0 * i / p->n_dims) / (factors != NULL ? factors[i] : 1);
      double angle    = whole * interpolate;
      const double lo = floor (yarn_dimension (p, p->beta_fast)), hi = ceil (yarn_dimension (p, p->beta_slow));

      if (p->ext_factor != 0) {
        const double start = MAX (lo, 0), end = MIN (hi, p->n_dims - 1);
        const double ramp = CLAMP ((i - start) / MAX (0.001, end - start), 0, 1);
        const double mix  = (1 - ramp) * (double)p->ext_factor;

        angle = angle * (1 - mix) + whole * mix;
      }
      y[a] = (x[a] * cos (angle) - x[b] * sin (angle)) * magnitude;
      y[b] = (x[a] * sin (angle) + x[b] * cos (angle)) * magnitude;
    }
}

/* What the cache keeps of a value, 32 at a time. */
static void
round_to_cache (enum wlp_type type, const double *x, guint n, double *y)
{
  g_autofree float *floats = g_new (float, n);
  g_autofree guint8 *row   = g_malloc (n * 4);

  for (guint i = 0; i < n; i++)
    floats[i] = (float)x[i];
  if (type == WLP_TYPE_Q8_0) {
    g_assert_cmpint (wlq_quantize_row_q8_0 (floats, n, row), ==, 0);
    g_assert_cmpint (wlq_dequantize_row (type, row, n, floats), ==, 0);
  }
  for (guint i = 0; i < n; i++)
    y[i] = type == WLP_TYPE_F16 ? wlq_f16_to_f32 (wlq_f32_to_f16 (floats[i])) : floats[i];
}

static gboolean
sees (const struct wlp_attention_params *p, guint query, guint key)
{
  if (p->causal)
    return key <= query && (p->window == 0 || query - key < p->window);
  return p->window == 0 || (query > key ? query - key : key - query) <= p->window / 2;
}

static void
attend (Oracle *o, const struct wlp_op *op, guint t, guint h, const double *keys, const double *values, float *sinks)
{
  const struct wlp_attention_params *p = &op->p.attention;
  const guint kv = h / (p->n_head / p->n_head_kv), dk = p->head_dim_k, dv = p->head_dim_v;
  const double *q          = o->values[op->in[0]] + ((gsize)t * p->n_head + h) * dk;
  double *y                = o->values[op->out[0]] + ((gsize)t * p->n_head + h) * dv;
  g_autofree double *score = g_new (double, o->n);
  double max = sinks != NULL ? sinks[h] : -INFINITY, sum, slope = 0;
  guint power = 1;

  while (2 * power <= p->n_head)
    power *= 2;
  if (p->alibi != 0)
    slope = h < power ? pow (2, -(double)p->alibi / power * (h + 1))
                      : pow (2, -(double)p->alibi / 2 / power * (2 * (h - power) + 1));
  for (guint i = 0; i < o->n; i++) {
    score[i] = 0;
    for (guint d = 0; d < dk; d++)
      score[i] += q[d] * keys[((gsize)i * p->n_head_kv + kv) * dk + d];
    score[i] *= (double)p->scale;
    if (p->temperature != 0)
      score[i] *= 1 + (double)p->temperature * log (1 + floor ((double)t / p->temperature_step));
    if (p->softcap != 0)
      score[i] = (double)p->softcap * tanh (score[i] / (double)p->softcap);
    score[i] -= slope * fabs ((double)t - i);
    if (sees (p, t, i))
      max = MAX (max, score[i]);
  }
  sum = sinks != NULL ? exp (sinks[h] - max) : 0;
  memset (y, 0, dv * sizeof *y);
  for (guint i = 0; i < o->n; i++) {
    const double weight = sees (p, t, i) ? exp (score[i] - max) : 0;

    sum += weight;
    for (guint d = 0; d < dv; d++)
      y[d] += weight * values[((gsize)i * p->n_head_kv + kv) * dv + d];
  }
  for (guint d = 0; d < dv; d++)
    y[d] /= sum;
}

static void
do_attention (Oracle *o, const struct wlp_op *op)
{
  const struct wlp_attention_params *p = &op->p.attention;
  const guint k_width = width_of (o, op->in[1]), v_width = width_of (o, op->in[2]);
  const enum wlp_type type  = p->group != WLP_NONE ? o->cache_type : WLP_TYPE_F32;
  g_autofree double *keys   = g_new (double, (gsize)o->n *k_width);
  g_autofree double *values = g_new (double, (gsize)o->n *v_width);
  g_autofree float *sinks   = floats_of (o, op->weight[0]);

  for (guint t = 0; t < o->n; t++) {
    round_to_cache (type, o->values[op->in[1]] + (gsize)t * k_width, k_width, keys + (gsize)t * k_width);
    round_to_cache (type, o->values[op->in[2]] + (gsize)t * v_width, v_width, values + (gsize)t * v_width);
  }
  for (guint t = 0; t < o->n; t++)
    for (guint h = 0; h < p->n_head; h++)
      attend (o, op, t, h, keys, values, sinks);
}

static double
act (guint32 kind, double x)
{
  switch (kind) {
  case WLP_ACT_SILU:
    return x / (1 + exp (-x));
  case WLP_ACT_GELU:
    return 0.5 * x * (1 + erf (x / G_SQRT2));
  case WLP_ACT_GELU_TANH:
    return 0.5 * x * (1 + tanh (sqrt (2 / G_PI) * (x + 0.044715 * x * x * x)));
  case WLP_ACT_RELU:
    return MAX (x, 0);
  case WLP_ACT_RELU2:
    return MAX (x, 0) * MAX (x, 0);
  case WLP_ACT_TANH:
    return tanh (x);
  case WLP_ACT_GELU_HALF:
    if (fabs (x) >= 10)
      return MAX (x, 0);
    return wlq_f16_to_f32 (wlq_f32_to_f16 ((float)act (WLP_ACT_GELU_TANH, wlq_f16_to_f32 (wlq_f32_to_f16 ((float)x)))));
  case WLP_ACT_SIGMOID:
    return 1 / (1 + exp (-x));
  default:
    g_assert_not_reached ();
  }
}

static double
glu (guint32 kind, double gate, double up)
{
  if (kind != WLP_ACT_SWIGLU_OAI)
    return act (kind, gate) * up;
  gate = MIN (gate, 7);
  return gate / (1 + exp (-1.702 * gate)) * (CLAMP (up, -7, 7) + 1);
}

static void
do_route (Oracle *o, const struct wlp_op *op, guint t)
{
  const struct wlp_route_params *p = &op->p.route;
  const guint n                    = width_of (o, op->in[0]);
  const double *x                  = o->values[op->in[0]] + (gsize)t * n;
  double *ids = o->values[op->out[0]] + (gsize)t * p->n_used, *weights = o->values[op->out[1]] + (gsize)t * p->n_used;
  g_autofree float *bias     = floats_of (o, op->weight[0]);
  g_autofree double *score   = g_new (double, n);
  g_autofree double *choice  = g_new (double, n);
  g_autofree gboolean *taken = g_new0 (gboolean, n);
  double sum                 = 0;

  for (guint i = 0; i < n; i++)
    sum += exp (x[i]);
  for (guint i = 0; i < n; i++) {
    score[i]  = p->gating == WLP_GATING_SOFTMAX ? exp (x[i]) / sum
                                                : (p->gating == WLP_GATING_SIGMOID ? act (WLP_ACT_SIGMOID, x[i]) : x[i]);
    choice[i] = score[i] + (bias != NULL ? bias[i] : 0);
  }
  if (p->n_groups > 1) { /* drop the groups whose two best are not among the best */
    const guint size          = n / p->n_groups;
    g_autofree double *groups = g_new (double, p->n_groups);

    for (guint g = 0; g < p->n_groups; g++) {
      double best = -INFINITY;

      for (guint i = 0; i < size; i++)
        for (guint j = 0; j < i; j++)
          best = MAX (best, choice[g * size + i] + choice[g * size + j]);
      groups[g] = best;
    }
    for (guint g = 0; g < p->n_groups; g++) {
      guint better = 0;

      for (guint j = 0; j < p->n_groups; j++)
        better += groups[j] > groups[g];
      for (guint i = 0; i < size && better >= p->n_groups_used; i++)
        taken[g * size + i] = TRUE;
    }
  }
  sum = 0;
  for (guint s = 0; s < p->n_used; s++) {
    guint best = n;

    for (guint i = 0; i < n; i++)
      if (!taken[i] && (best == n || choice[i] > choice[best]))
        best = i;
    taken[best] = TRUE;
    ids[s]      = best;
    weights[s]  = p->gating == WLP_GATING_SOFTMAX_CHOSEN ? exp (score[best]) : score[best];
    sum += weights[s];
  }
  for (guint s = 0; s < p->n_used; s++)
    weights[s] = weights[s] / (p->normalise || p->gating == WLP_GATING_SOFTMAX_CHOSEN ? sum : 1)
                 * (p->scale != 0 ? (double)p->scale : 1);
}

static void
do_pool (Oracle *o, const struct wlp_op *op)
{
  const guint width = width_of (o, op->in[0]), n_out = o->program->output_width;
  const double *x        = o->values[op->in[0]];
  g_autofree float *head = floats_of (o, op->weight[0]);
  g_autofree float *bias = floats_of (o, op->weight[1]);
  g_autofree double *row = g_new0 (double, width);

  for (guint i = 0; i < width; i++) {
    for (guint t = 0; t < o->n && op->p.pool.kind == WLP_POOL_MEAN; t++)
      row[i] += x[(gsize)t * width + i] / o->n;
    if (op->p.pool.kind == WLP_POOL_LAST)
      row[i] = x[(gsize)(o->n - 1) * width + i];
    else if (op->p.pool.kind != WLP_POOL_MEAN)
      row[i] = x[i];
  }
  o->n_output = 1;
  for (guint r = 0; r < n_out; r++) {
    o->output[r] = head == NULL ? row[r] : (bias != NULL ? bias[r] : 0);
    for (guint i = 0; head != NULL && i < width; i++)
      o->output[r] += head[r * width + i] * row[i];
  }
}

static void
do_state_conv (Oracle *o, const struct wlp_op *op, guint t, double *y)
{
  const guint width = op->p.state_conv.width, n = width_of (o, op->in[0]);
  const double *x        = o->values[op->in[0]];
  g_autofree float *taps = floats_of (o, op->weight[0]);
  g_autofree float *bias = floats_of (o, op->weight[1]);

  for (guint i = 0; i < n; i++) {
    y[i] = bias != NULL ? bias[i] : 0;
    for (guint j = 0; j < width; j++)
      if (t + j + 1 >= width)
        y[i] += taps[i * width + j] * x[(gsize)(t + j + 1 - width) * n + i];
  }
}

static void
do_row (Oracle *o, const struct wlp_op *op, guint t)
{
  const guint width   = op->out[0] != WLP_NONE ? width_of (o, op->out[0]) : 0;
  const guint a_width = op->in[0] != WLP_NONE ? width_of (o, op->in[0]) : 0;
  const guint b_width = op->in[1] != WLP_NONE ? width_of (o, op->in[1]) : 0;
  const double *a     = op->in[0] != WLP_NONE ? o->values[op->in[0]] + (gsize)t * a_width : NULL;
  const double *b     = op->in[1] != WLP_NONE ? o->values[op->in[1]] + (gsize)t * b_width : NULL;
  double *y           = op->out[0] != WLP_NONE ? o->values[op->out[0]] + (gsize)t * width : NULL;

  if (op->kind == WLP_OP_EMBED)
    do_embed (o, op, t, y);
  else if (op->kind == WLP_OP_NORM)
    do_norm (o, op, a, y);
  else if (op->kind == WLP_OP_ROPE)
    do_rope (o, op, t, a, y);
  else if (op->kind == WLP_OP_MOE_ROUTE)
    do_route (o, op, t);
  else if (op->kind == WLP_OP_STATE_CONV)
    do_state_conv (o, op, t, y);
  else if (op->kind == WLP_OP_LOGITS)
    memcpy (o->output + (gsize)t * a_width, a, a_width * sizeof *a);
  for (guint i = 0; i < width; i++) {
    if (op->kind == WLP_OP_GLU)
      y[i] = glu (op->p.glu.act, a[i], b != NULL ? b[i] : a[width + i]);
    else if (op->kind == WLP_OP_ACTIVATE)
      y[i] = act (op->p.glu.act, a[i]);
    else if (op->kind == WLP_OP_ADD)
      y[i] = a[i] + b[i];
    else if (op->kind == WLP_OP_MUL)
      y[i] = a[i] * b[b_width == 1 ? 0 : i];
    else if (op->kind == WLP_OP_SCALE)
      y[i] = a[i] * (double)op->p.scale.scale;
    else if (op->kind == WLP_OP_SOFTCAP)
      y[i] = (double)op->p.scale.scale * tanh (a[i] / (double)op->p.scale.scale);
    else if (op->kind == WLP_OP_CLAMP)
      y[i] = CLAMP (a[i], (double)op->p.clamp.low, (double)op->p.clamp.high);
    else if (op->kind == WLP_OP_MOE_SUM) {
      y[i] = 0;
      for (guint s = 0; s < b_width; s++)
        y[i] += a[s * width + i] * b[s];
    }
  }
}

double *
lab_oracle (Lab *lab, const LabSetup *setup, const gint32 *tokens, guint n)
{
  Oracle o = { .lab = lab, .program = &lab->program, .cache_type = setup->cache_type, .tokens = tokens, .n = n };

  if (lab->program.version == 0)
    lab_finish (lab);
  o.values = g_new0 (double *, lab->program.n_values);
  o.output = g_new0 (double, (gsize)n * lab->program.output_width);
  for (guint v = 0; v < lab->program.n_values; v++)
    o.values[v] = g_new0 (double, (gsize)n * lab->program.values[v].width);
  for (guint i = 0; i < lab->program.n_ops; i++) {
    const struct wlp_op *op = &lab->program.ops[i];

    if (op->kind == WLP_OP_LINEAR)
      do_linear (&o, op);
    else if (op->kind == WLP_OP_ATTENTION)
      do_attention (&o, op);
    else if (op->kind == WLP_OP_POOL)
      do_pool (&o, op);
    else
      for (guint t = 0; t < n; t++)
        do_row (&o, op, t);
  }
  for (guint v = 0; v < lab->program.n_values; v++)
    g_free (o.values[v]);
  g_free (o.values);
  return o.output;
}
