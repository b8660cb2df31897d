/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Does an operator make sense, and can it run here?  Behind these checks nothing in the backend reads or writes out of
 * bounds, whatever the program says.
 */
#include "cpu-model.h"

#include <errno.h>
#include <math.h>

#define MAX_GROUPS_OF_EXPERTS 1024u

struct check {
  const struct wlp_program *program;
  const struct wlp_op *op;
  const struct wlp_weight_source *sources;
  struct wlp_error *error;
};

static const char *
op_name (uint32_t kind)
{
  static const char *const names[] = {
    [WLP_OP_EMBED]      = "embed",
    [WLP_OP_NORM]       = "norm",
    [WLP_OP_LINEAR]     = "linear",
    [WLP_OP_ROPE]       = "rope",
    [WLP_OP_ATTENTION]  = "attention",
    [WLP_OP_GLU]        = "glu",
    [WLP_OP_ACTIVATE]   = "activate",
    [WLP_OP_ADD]        = "add",
    [WLP_OP_MUL]        = "mul",
    [WLP_OP_SCALE]      = "scale",
    [WLP_OP_SOFTCAP]    = "softcap",
    [WLP_OP_MOE_ROUTE]  = "moe-route",
    [WLP_OP_MOE_SUM]    = "moe-sum",
    [WLP_OP_LOGITS]     = "logits",
    [WLP_OP_POOL]       = "pool",
    [WLP_OP_CLAMP]      = "clamp",
    [WLP_OP_STATE_CONV] = "state-conv",
  };

  return kind < sizeof names / sizeof names[0] && names[kind] != NULL ? names[kind] : "unknown";
}

static int
refuse (const struct check *c, const char *what)
{
  return wlp_error_set (c->error, -EINVAL, "operator %s of layer %d: %s", op_name (c->op->kind), (int)c->op->layer,
                        what);
}

/* The width of a value, 0 where there is none or it has another type. */
static uint64_t
width_of (const struct check *c, wlp_value value, uint32_t type)
{
  if (value >= c->program->n_values || c->program->values[value].type != type)
    return 0;
  return c->program->values[value].width;
}

static uint64_t
in_width (const struct check *c, unsigned i)
{
  return width_of (c, c->op->in[i], WLP_TYPE_F32);
}

static uint64_t
out_width (const struct check *c)
{
  return width_of (c, c->op->out[0], WLP_TYPE_F32);
}

/* 0 where weight @i is absent or a supported type whose bytes are all there. */
static int
check_weight (const struct check *c, unsigned i)
{
  const struct wlp_weight_source *source;
  uint64_t row_bytes, n_bytes;
  unsigned d;

  if (c->op->weight[i] == WLP_NONE)
    return 0;
  if (c->op->weight[i] >= c->program->n_weights)
    return refuse (c, "a weight's number is out of range");
  source = &c->sources[c->op->weight[i]];
  if (source->shape.n_dims < 1 || source->shape.n_dims > WLP_MAX_DIMS)
    return refuse (c, "a weight has no shape");
  if (!wlq_is_supported (source->shape.type))
    return wlp_error_set (c->error, -ENOTSUP, "%s has type %s, which the cpu backend cannot compute with",
                          c->program->weights[c->op->weight[i]].name, wlq_type_name (source->shape.type));
  if (wlq_row_bytes (source->shape.type, source->shape.ne[0], &row_bytes) != 0)
    return refuse (c, "the rows of a weight are no whole blocks");
  n_bytes = row_bytes;
  for (d = 1; d < source->shape.n_dims; d++)
    if (__builtin_mul_overflow (n_bytes, source->shape.ne[d], &n_bytes))
      return refuse (c, "a weight is too large");
  return n_bytes == 0 || n_bytes > source->n_bytes ? refuse (c, "a weight is longer than its bytes") : 0;
}

static uint64_t
extent (const struct check *c, unsigned i, unsigned d)
{
  const struct wlp_shape *shape = &c->sources[c->op->weight[i]].shape;

  return d < shape->n_dims ? shape->ne[d] : 1;
}

static uint64_t
n_elements (const struct check *c, unsigned i)
{
  return extent (c, i, 0) * extent (c, i, 1) * extent (c, i, 2) * extent (c, i, 3);
}

/* An optional weight that holds exactly @n floats. */
static bool
is_vector (const struct check *c, unsigned i, uint64_t n)
{
  return c->op->weight[i] == WLP_NONE || n_elements (c, i) == n;
}

static int
check_embed (const struct check *c)
{
  unsigned i;

  if (c->op->weight[0] == WLP_NONE || out_width (c) == 0)
    return refuse (c, "no token embeddings");
  for (i = 0; i < 3; i++)
    if (c->op->weight[i] != WLP_NONE && extent (c, i, 0) != out_width (c))
      return refuse (c, "the embeddings are not as wide as the value");
  return 0;
}

static int
check_norm (const struct check *c)
{
  const struct wlp_norm_params *p = &c->op->p.norm;
  const uint64_t group            = p->group != 0 ? p->group : out_width (c);
  unsigned i;

  if (p->kind != WLP_NORM_RMS && p->kind != WLP_NORM_LAYER)
    return refuse (c, "unknown kind");
  if (group == 0 || in_width (c, 0) != out_width (c) || out_width (c) % group != 0)
    return refuse (c, "the widths do not fit");
  for (i = 0; i < 2; i++)
    if (!is_vector (c, i, group) && !is_vector (c, i, out_width (c)))
      return refuse (c, "gain or bias does not fit the width");
  return 0;
}

static int
check_linear (const struct check *c)
{
  const struct wlp_linear_params *p = &c->op->p.linear;
  const uint64_t slots              = p->n_used != 0 ? p->n_used : 1;
  uint64_t n_rows, end;

  if (c->op->weight[0] == WLP_NONE)
    return refuse (c, "no weight");
  n_rows = p->n_rows != 0 ? p->n_rows : extent (c, 0, 1);
  if (__builtin_add_overflow (p->first_row, n_rows, &end) || end > extent (c, 0, 1) || n_rows > UINT32_MAX)
    return refuse (c, "the rows are outside the weight");
  if (in_width (c, 0) != extent (c, 0, 0) * (p->n_used != 0 && p->per_slot ? slots : 1))
    return refuse (c, "the input is not as wide as the weight's rows");
  if (out_width (c) != n_rows * slots)
    return refuse (c, "the output is not as wide as the weight has rows");
  if (p->n_used != 0 && width_of (c, c->op->in[1], WLP_TYPE_I32) != p->n_used)
    return refuse (c, "there is not one expert id for each slot");
  if (p->n_used == 0 && extent (c, 0, 2) != 1)
    return refuse (c, "the weight has an expert axis, the operator has not");
  return is_vector (c, 1, extent (c, 0, 1) * extent (c, 0, 2)) ? 0 : refuse (c, "the bias does not fit the weight");
}

static int
check_rope (const struct check *c)
{
  const struct wlp_rope_params *p = &c->op->p.rope;
  unsigned i;

  if (p->kind > WLP_ROPE_MROPE)
    return refuse (c, "unknown kind");
  if (p->head_dim == 0 || p->n_dims == 0 || p->n_dims % 2 != 0 || p->n_dims > p->head_dim)
    return refuse (c, "the dimensions that rotate do not fit the head");
  if (in_width (c, 0) != out_width (c) || out_width (c) == 0 || out_width (c) % p->head_dim != 0)
    return refuse (c, "the width is no whole number of heads");
  if (!(p->base > 0.0f) || !isfinite (p->base) || (p->ext_factor != 0.0f && p->n_ctx_orig == 0))
    return refuse (c, "base or original context is missing");
  if (p->kind == WLP_ROPE_MROPE && c->program->limits.n_positions > 1
      && (uint64_t)p->sections[0] + p->sections[1] + p->sections[2] + p->sections[3] == 0)
    return refuse (c, "no sections");
  for (i = 0; i < 2; i++)
    if (c->op->weight[i] != WLP_NONE && n_elements (c, i) < p->n_dims / 2)
      return refuse (c, "too few factors");
  return 0;
}

static int
check_cache_group (const struct check *c)
{
  const struct wlp_attention_params *p = &c->op->p.attention;
  const struct wlp_cache_group *group;

  if (p->group == WLP_NONE)
    return 0;
  if (p->group >= c->program->n_groups || p->group >= WLP_MAX_GROUPS)
    return refuse (c, "the cache group is out of range");
  group = &c->program->groups[p->group];
  if (group->kind != WLP_CACHE_PAGED && group->kind != WLP_CACHE_WINDOW)
    return refuse (c, "the cache group holds no keys and values");
  if (p->group_layer >= group->n_layers || group->head_dim_k != p->head_dim_k || group->head_dim_v != p->head_dim_v
      || group->key_width != (uint64_t)p->n_head_kv * p->head_dim_k
      || group->value_width != (uint64_t)p->n_head_kv * p->head_dim_v)
    return refuse (c, "the cache group has another shape");
  if (group->kind == WLP_CACHE_WINDOW && (p->window == 0 || !p->causal || p->window > group->window))
    return refuse (c, "it sees more than the window of its cache group");
  return 0;
}

static int
check_attention (const struct check *c)
{
  const struct wlp_attention_params *p = &c->op->p.attention;

  if (p->n_head == 0 || p->n_head_kv == 0 || p->n_head % p->n_head_kv != 0 || p->head_dim_k == 0 || p->head_dim_v == 0)
    return refuse (c, "the head counts do not fit");
  if (in_width (c, 0) != (uint64_t)p->n_head * p->head_dim_k
      || in_width (c, 1) != (uint64_t)p->n_head_kv * p->head_dim_k
      || in_width (c, 2) != (uint64_t)p->n_head_kv * p->head_dim_v
      || out_width (c) != (uint64_t)p->n_head * p->head_dim_v)
    return refuse (c, "the widths do not fit the heads");
  if (!is_vector (c, 0, p->n_head))
    return refuse (c, "there is not one sink for each head");
  if (p->temperature != 0.0f && p->temperature_step == 0)
    return refuse (c, "its temperature has no step");
  return check_cache_group (c);
}

static int
check_state_conv (const struct check *c)
{
  const struct wlp_state_conv_params *p = &c->op->p.state_conv;
  const struct wlp_cache_group *group;

  if (p->width < 2 || p->width > CPU_STATE_MAX_WIDTH)
    return refuse (c, "the width is out of range");
  if (in_width (c, 0) == 0 || in_width (c, 0) != out_width (c))
    return refuse (c, "the widths do not fit");
  if (c->op->weight[0] == WLP_NONE || extent (c, 0, 0) != p->width || !is_vector (c, 0, p->width * in_width (c, 0))
      || !is_vector (c, 1, in_width (c, 0)))
    return refuse (c, "the taps or the bias do not fit the width");
  if (p->group >= c->program->n_groups || p->group >= WLP_MAX_GROUPS)
    return refuse (c, "the cache group is out of range");
  group = &c->program->groups[p->group];
  if (group->kind != WLP_CACHE_STATE || p->group_layer >= group->n_layers
      || group->key_width != (p->width - 1) * in_width (c, 0))
    return refuse (c, "the cache group holds no such state");
  return 0;
}

static int
check_glu (const struct check *c)
{
  const uint32_t act   = c->op->p.glu.act;
  const uint64_t parts = c->op->in[1] == WLP_NONE ? 2 : 1;

  if (act < WLP_ACT_SILU || act > WLP_ACT_GELU_HALF)
    return refuse (c, "unknown activation");
  if (in_width (c, 0) != out_width (c) * parts || out_width (c) == 0
      || (parts == 1 && in_width (c, 1) != out_width (c)))
    return refuse (c, "the widths do not fit");
  return 0;
}

static int
check_element (const struct check *c)
{
  const bool binary = c->op->kind == WLP_OP_ADD || c->op->kind == WLP_OP_MUL;

  if (out_width (c) == 0 || in_width (c, 0) != out_width (c))
    return refuse (c, "the widths do not fit");
  if (binary && in_width (c, 1) != out_width (c) && !(c->op->kind == WLP_OP_MUL && in_width (c, 1) == 1))
    return refuse (c, "the widths do not fit");
  if (c->op->kind == WLP_OP_ACTIVATE
      && (c->op->p.glu.act < WLP_ACT_SILU || c->op->p.glu.act > WLP_ACT_GELU_HALF
          || c->op->p.glu.act == WLP_ACT_SWIGLU_OAI))
    return refuse (c, "unknown activation");
  if (c->op->kind == WLP_OP_SOFTCAP && !(c->op->p.scale.scale > 0.0f))
    return refuse (c, "the cap is not positive");
  if (c->op->kind == WLP_OP_CLAMP && !(c->op->p.clamp.low <= c->op->p.clamp.high))
    return refuse (c, "the range is empty");
  return 0;
}

static int
check_route (const struct check *c)
{
  const struct wlp_route_params *p = &c->op->p.route;
  const uint64_t n_experts         = in_width (c, 0);

  if (p->gating < WLP_GATING_SOFTMAX || p->gating > WLP_GATING_SOFTMAX_CHOSEN)
    return refuse (c, "unknown gating");
  if (p->n_used == 0 || p->n_used > n_experts || n_experts > INT32_MAX
      || width_of (c, c->op->out[0], WLP_TYPE_I32) != p->n_used
      || width_of (c, c->op->out[1], WLP_TYPE_F32) != p->n_used)
    return refuse (c, "the number of experts does not fit");
  if (!is_vector (c, 0, n_experts))
    return refuse (c, "there is not one bias for each expert");
  if (p->n_groups > 1
      && (p->n_groups > MAX_GROUPS_OF_EXPERTS || n_experts % p->n_groups != 0 || p->n_groups_used == 0
          || p->n_groups_used > p->n_groups || n_experts / p->n_groups * p->n_groups_used < p->n_used))
    return refuse (c, "the groups of experts do not fit");
  return 0;
}

static int
check_output (const struct check *c)
{
  uint64_t width = in_width (c, 0);

  if (c->op->kind == WLP_OP_POOL) {
    if (c->op->p.pool.kind > WLP_POOL_RANK)
      return refuse (c, "unknown kind");
    if (c->op->weight[0] != WLP_NONE) {
      if (extent (c, 0, 0) != width || extent (c, 0, 2) != 1 || !is_vector (c, 1, extent (c, 0, 1)))
        return refuse (c, "the head does not fit the value");
      width = extent (c, 0, 1);
    }
  }
  return width != 0 && width == c->program->output_width ? 0 : refuse (c, "the value is not as wide as the output");
}

/* Experts are chosen by a router alone, so that an id can be trusted. */
static int
check_ids (const struct check *c)
{
  uint32_t i;

  for (i = 0; i < c->program->n_ops; i++)
    if (c->program->ops[i].kind == WLP_OP_MOE_ROUTE && c->program->ops[i].out[0] == c->op->in[1]
        && c->program->ops[i].in[0] < c->program->n_values
        && c->program->values[c->program->ops[i].in[0]].width == extent (c, 0, 2))
      return 0;
  return refuse (c, "the expert ids come from no router of as many experts");
}

int
cpu_check_op (const struct wlp_program *program, const struct wlp_op *op, const struct wlp_weight_source *sources,
              struct wlp_error *error)
{
  const struct check c = { program, op, sources, error };
  int status;
  unsigned i;

  for (i = 0; i < WLP_MAX_WEIGHTS; i++)
    if ((status = check_weight (&c, i)) != 0)
      return status;
  switch (op->kind) {
  case WLP_OP_EMBED:
    return check_embed (&c);
  case WLP_OP_NORM:
    return check_norm (&c);
  case WLP_OP_LINEAR:
    status = check_linear (&c);
    return status == 0 && op->p.linear.n_used != 0 ? check_ids (&c) : status;
  case WLP_OP_ROPE:
    return check_rope (&c);
  case WLP_OP_ATTENTION:
    return check_attention (&c);
  case WLP_OP_STATE_CONV:
    return check_state_conv (&c);
  case WLP_OP_GLU:
    return check_glu (&c);
  case WLP_OP_ACTIVATE:
  case WLP_OP_ADD:
  case WLP_OP_MUL:
  case WLP_OP_SCALE:
  case WLP_OP_SOFTCAP:
  case WLP_OP_CLAMP:
    return check_element (&c);
  case WLP_OP_MOE_ROUTE:
    return check_route (&c);
  case WLP_OP_MOE_SUM:
    if (out_width (&c) == 0 || in_width (&c, 1) == 0 || in_width (&c, 0) != in_width (&c, 1) * out_width (&c))
      return refuse (&c, "the widths do not fit");
    return 0;
  case WLP_OP_LOGITS:
  case WLP_OP_POOL:
    return check_output (&c);
  default:
    return wlp_error_set (error, -ENOTSUP, "the cpu backend has no operator %u", op->kind);
  }
}
