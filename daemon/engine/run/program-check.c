/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The rules of plugins/abi/woolly-plugin/program.h, operator by operator.
 */
#include "program-builder.h"

#include <math.h>

/* One operator on its way through the checks. */
typedef struct {
  WlyProgramBuilder *builder;
  const struct wlp_op *op;
  const char *name;
  guint32 in[WLP_MAX_INPUTS]; /* widths, 0: none */
  struct wlp_value_info *out;
} Check;

typedef struct {
  guint32 kind;
  const char *name;
  guint n_in;     /* inputs it must have */
  guint n_in_max; /* and may have */
  guint n_weights;
  guint n_weights_max;
  gboolean (*check) (Check *check);
} Rule;

/* ---- helpers ---- */

static gboolean check_fail (Check *check, const char *format, ...) G_GNUC_PRINTF (2, 3);

static gboolean
check_fail (Check *check, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  if (check->op->layer == WLP_NONE)
    wly_program_builder_fail (check->builder, "Operator %s: %s", check->name, text);
  else
    wly_program_builder_fail (check->builder, "Operator %s of layer %u: %s", check->name, check->op->layer, text);
  return FALSE;
}

static const struct wlp_weight_info *
weight_info (const Check *check, guint slot)
{
  wlp_weight weight = check->op->weight[slot];

  if (weight == WLP_NONE)
    return NULL;
  return &g_array_index (check->builder->weights, struct wlp_weight_info, weight);
}

/* Weight @slot, where there is one, has these extents; 0: any. */
static gboolean
weight_is (Check *check, guint slot, guint64 ne0, guint64 ne1, guint64 ne2)
{
  const struct wlp_weight_info *info = weight_info (check, slot);
  const guint64 wanted[WLP_MAX_DIMS] = { ne0, ne1, ne2, 1 };

  for (guint i = 0; info != NULL && i < WLP_MAX_DIMS; i++) {
    g_autofree char *found = NULL;

    if (wanted[i] == 0 || info->shape.ne[i] == wanted[i])
      continue;
    found = wly_program_shape_text (info->shape.n_dims, info->shape.ne);
    return check_fail (check, "tensor %s has the shape %s; extent %u should be %" G_GUINT64_FORMAT, info->name, found,
                       i, wanted[i]);
  }
  return TRUE;
}

static gboolean
gives (Check *check, guint output, guint64 width, enum wlp_type type)
{
  if (width == 0 || width > WLY_PROGRAM_MAX_WIDTH)
    return check_fail (check, "a result %" G_GUINT64_FORMAT " values wide cannot be", width);
  check->out[output].width = (guint32)width;
  check->out[output].type  = type;
  return TRUE;
}

static gboolean
is_finite (Check *check, const char *what, double value)
{
  return isfinite (value) || check_fail (check, "%s is not a finite number", what);
}

static gboolean
is_between (Check *check, const char *what, guint64 value, guint64 least, guint64 most)
{
  return (value >= least && value <= most)
         || check_fail (check, "%s is %" G_GUINT64_FORMAT "; it may be %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT,
                        what, value, least, most);
}

static gboolean
input_is (Check *check, guint input, const char *what, guint64 width)
{
  return check->in[input] == width
         || check_fail (check, "%s is %u values wide; it should be %" G_GUINT64_FORMAT, what, check->in[input], width);
}

/* ---- one for each kind ---- */

static gboolean
check_embed (Check *check)
{
  guint64 n_embd = weight_info (check, 0)->shape.ne[0];

  return weight_is (check, 0, 0, 0, 1) && weight_is (check, 1, n_embd, 0, 1) && weight_is (check, 2, n_embd, 0, 1)
         && is_finite (check, "scale", check->op->p.embed.scale) && gives (check, 0, n_embd, WLP_TYPE_F32);
}

/* The same for all groups, or a row for each. */
static gboolean
norm_weight_is (Check *check, guint slot, guint32 group)
{
  const struct wlp_weight_info *info = weight_info (check, slot);

  return weight_is (check, slot, group, info != NULL && info->shape.ne[1] != 1 ? check->in[0] / group : 1, 1);
}

static gboolean
check_norm (Check *check)
{
  const struct wlp_norm_params *p = &check->op->p.norm;
  guint32 group                   = p->group != 0 ? p->group : check->in[0];

  if (check->in[0] % group != 0)
    return check_fail (check, "groups of %u do not divide %u values", group, check->in[0]);
  if (!isfinite (p->eps) || p->eps < 0)
    return check_fail (check, "epsilon %g cannot be", p->eps);
  return is_between (check, "kind", p->kind, WLP_NORM_RMS, WLP_NORM_LAYER) && norm_weight_is (check, 0, group)
         && norm_weight_is (check, 1, group) && gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_linear_rows (Check *check, guint64 n_out, guint64 *ret_n_rows)
{
  const struct wlp_linear_params *p = &check->op->p.linear;

  *ret_n_rows = p->n_rows != 0 ? p->n_rows : n_out;
  if (p->first_row > n_out || *ret_n_rows > n_out - p->first_row)
    return check_fail (
        check, "rows %" G_GUINT64_FORMAT " + %" G_GUINT64_FORMAT " lie outside tensor %s of %" G_GUINT64_FORMAT " rows",
        p->first_row, *ret_n_rows, weight_info (check, 0)->name, n_out);
  return TRUE;
}

static gboolean
check_linear (Check *check)
{
  const struct wlp_linear_params *p  = &check->op->p.linear;
  const struct wlp_weight_info *info = weight_info (check, 0);
  guint64 n_in                       = info->shape.ne[0];
  guint64 n_slots                    = MAX (p->n_used, 1);
  gboolean has_ids                   = check->op->in[1] != WLP_NONE;
  guint64 n_rows;

  if (n_in > WLY_PROGRAM_MAX_WIDTH || n_slots > WLY_PROGRAM_MAX_WIDTH)
    return check_fail (check, "tensor %s is too wide", info->name);
  if (has_ids != (p->n_used > 0) || (p->per_slot && !has_ids))
    return check_fail (check, "expert ids and the number of experts to use go together");
  if (!check_linear_rows (check, info->shape.ne[1], &n_rows) || !weight_is (check, 0, 0, 0, has_ids ? 0 : 1)
      || !weight_is (check, 1, info->shape.ne[1], info->shape.ne[2], 1))
    return FALSE;
  if (check->in[0] != (p->per_slot ? n_slots * n_in : n_in))
    return check_fail (check, "the input is %u values wide, but tensor %s takes %" G_GUINT64_FORMAT, check->in[0],
                       info->name, p->per_slot ? n_slots * n_in : n_in);
  if (has_ids
      && (!input_is (check, 1, "the list of experts", p->n_used)
          || !is_between (check, "experts to use", p->n_used, 1, info->shape.ne[2])))
    return FALSE;
  return is_between (check, "rows", n_rows, 1, WLY_PROGRAM_MAX_WIDTH)
         && gives (check, 0, n_slots * n_rows, WLP_TYPE_F32);
}

static gboolean
check_rope (Check *check)
{
  const struct wlp_rope_params *p = &check->op->p.rope;
  guint64 n_sections              = 0;

  if (p->head_dim == 0 || check->in[0] % p->head_dim != 0)
    return check_fail (check, "heads of %u do not divide %u values", p->head_dim, check->in[0]);
  if (p->n_dims == 0 || p->n_dims % 2 != 0 || p->n_dims > p->head_dim)
    return check_fail (check, "%u of %u dimensions of a head cannot rotate", p->n_dims, p->head_dim);
  if (!isfinite (p->base) || p->base <= 0 || !isfinite (p->freq_scale) || p->freq_scale < 0)
    return check_fail (check, "base %g and frequency scale %g cannot be", p->base, p->freq_scale);
  for (guint i = 0; i < 4; i++)
    n_sections += p->sections[i];
  if (p->kind == WLP_ROPE_MROPE && (n_sections == 0 || n_sections > p->n_dims / 2))
    return check_fail (check, "sections of %" G_GUINT64_FORMAT " pairs do not fit %u dimensions", n_sections,
                       p->n_dims);
  if ((p->ext_factor != 0 || check->op->weight[1] != WLP_NONE) && p->n_ctx_orig == 0)
    return check_fail (check, "YaRN and factors for long contexts need the original context length");
  return is_between (check, "kind", p->kind, WLP_ROPE_NORM, WLP_ROPE_MROPE)
         && is_finite (check, "extrapolation factor", p->ext_factor)
         && is_finite (check, "attention factor", p->attn_factor) && is_finite (check, "fast beta", p->beta_fast)
         && is_finite (check, "slow beta", p->beta_slow) && weight_is (check, 0, p->n_dims / 2, 1, 1)
         && weight_is (check, 1, p->n_dims / 2, 1, 1) && gives (check, 0, check->in[0], WLP_TYPE_F32);
}

/* Keys and values go to a layer of a group that holds just their width, and that no other attention writes. */
static gboolean
check_attention_group (Check *check)
{
  const struct wlp_attention_params *p = &check->op->p.attention;
  const struct wlp_cache_group *group;
  gpointer *written;

  if (p->group >= check->builder->groups->len)
    return check_fail (check, "there is no cache group %u", p->group);
  group = &g_array_index (check->builder->groups, struct wlp_cache_group, p->group);
  if (group->kind == WLP_CACHE_STATE || p->group_layer >= group->n_layers)
    return check_fail (check, "layer %u of cache group %u holds no keys", p->group_layer, p->group);
  if (group->key_width != check->in[1] || group->value_width != check->in[2] || group->head_dim_k != p->head_dim_k)
    return check_fail (check, "keys and values of %u and %u do not fit cache group %u, which is %u and %u wide",
                       check->in[1], check->in[2], p->group, group->key_width, group->value_width);
  if (group->kind == WLP_CACHE_WINDOW && (p->window == 0 || p->window > group->window))
    return check_fail (check, "cache group %u keeps the last %u positions only", p->group, group->window);
  written = &g_ptr_array_index (check->builder->written[p->group], p->group_layer);
  if (*written != NULL)
    return check_fail (check, "layer %u of cache group %u is written twice", p->group_layer, p->group);
  *written = check->builder;
  return TRUE;
}

static gboolean
check_attention (Check *check)
{
  const struct wlp_attention_params *p = &check->op->p.attention;

  if (p->n_head == 0 || p->n_head_kv == 0 || p->n_head % p->n_head_kv != 0)
    return check_fail (check, "%u key-value heads do not divide %u heads", p->n_head_kv, p->n_head);
  if (!is_between (check, "size of a head", p->head_dim_k, 1, WLY_PROGRAM_MAX_WIDTH)
      || !is_between (check, "size of a value head", p->head_dim_v, 1, WLY_PROGRAM_MAX_WIDTH)
      || !input_is (check, 0, "the query", (guint64)p->n_head * p->head_dim_k)
      || !input_is (check, 1, "the key", (guint64)p->n_head_kv * p->head_dim_k)
      || !input_is (check, 2, "the value", (guint64)p->n_head_kv * p->head_dim_v))
    return FALSE;
  if (p->group != WLP_NONE && !check_attention_group (check))
    return FALSE;
  if (p->temperature != 0 && p->temperature_step == 0)
    return check_fail (check, "a temperature of %g needs the positions that it grows with", p->temperature);
  return is_finite (check, "scale", p->scale) && is_finite (check, "temperature", p->temperature)
         && is_finite (check, "softcap", p->softcap) && is_finite (check, "ALiBi", p->alibi)
         && weight_is (check, 0, p->n_head, 1, 1) && gives (check, 0, (guint64)p->n_head * p->head_dim_v, WLP_TYPE_F32);
}

/* Each layer of a state group is written by one operator. */
static gboolean
check_state_conv (Check *check)
{
  const struct wlp_state_conv_params *p = &check->op->p.state_conv;
  const struct wlp_cache_group *group;
  gpointer *written;

  if (!is_between (check, "width", p->width, 2, WLY_PROGRAM_MAX_STATE_WIDTH)
      || !weight_is (check, 0, p->width, check->in[0], 1) || !weight_is (check, 1, check->in[0], 1, 1))
    return FALSE;
  if (p->group >= check->builder->groups->len)
    return check_fail (check, "there is no cache group %u", p->group);
  group = &g_array_index (check->builder->groups, struct wlp_cache_group, p->group);
  if (group->kind != WLP_CACHE_STATE || p->group_layer >= group->n_layers
      || group->key_width != (guint64)(p->width - 1) * check->in[0])
    return check_fail (check, "layer %u of cache group %u holds no state of %u rows of %u values", p->group_layer,
                       p->group, p->width - 1, check->in[0]);
  written = &g_ptr_array_index (check->builder->written[p->group], p->group_layer);
  if (*written != NULL)
    return check_fail (check, "layer %u of cache group %u is written twice", p->group_layer, p->group);
  *written = check->builder;
  return gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_glu (Check *check)
{
  if (check->op->in[1] == WLP_NONE && check->in[0] % 2 != 0)
    return check_fail (check, "%u values are not a gate and its like", check->in[0]);
  if (check->op->in[1] != WLP_NONE && !input_is (check, 1, "the second input", check->in[0]))
    return FALSE;
  return is_between (check, "activation", check->op->p.glu.act, WLP_ACT_SILU, WLP_ACT_GELU_HALF)
         && gives (check, 0, check->op->in[1] == WLP_NONE ? check->in[0] / 2 : check->in[0], WLP_TYPE_F32);
}

static gboolean
check_activate (Check *check)
{
  if (check->op->p.glu.act == WLP_ACT_SWIGLU_OAI)
    return check_fail (check, "activation %u needs a gate", check->op->p.glu.act);
  return is_between (check, "activation", check->op->p.glu.act, WLP_ACT_SILU, WLP_ACT_GELU_HALF)
         && gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_two (Check *check)
{
  if (check->op->kind == WLP_OP_MUL && check->in[1] == 1)
    return gives (check, 0, check->in[0], WLP_TYPE_F32);
  return input_is (check, 1, "the second input", check->in[0]) && gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_scale (Check *check)
{
  if (check->op->kind == WLP_OP_SOFTCAP && !(check->op->p.scale.scale > 0))
    return check_fail (check, "a cap of %g cannot be", check->op->p.scale.scale);
  return is_finite (check, "scale", check->op->p.scale.scale) && gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_clamp (Check *check)
{
  const struct wlp_clamp_params *p = &check->op->p.clamp;

  if (!(p->low <= p->high))
    return check_fail (check, "%g to %g is no range", p->low, p->high);
  return gives (check, 0, check->in[0], WLP_TYPE_F32);
}

static gboolean
check_route (Check *check)
{
  const struct wlp_route_params *p = &check->op->p.route;
  guint32 n_expert                 = check->in[0];

  if (!is_between (check, "experts to use", p->n_used, 1, n_expert)
      || !is_between (check, "gating", p->gating, WLP_GATING_SOFTMAX, WLP_GATING_SOFTMAX_CHOSEN))
    return FALSE;
  if (p->n_groups > 0
      && (n_expert % p->n_groups != 0 || p->n_groups_used == 0 || p->n_groups_used > p->n_groups
          || p->n_used > n_expert / p->n_groups * p->n_groups_used))
    return check_fail (check, "%u of %u groups cannot give %u of %u experts", p->n_groups_used, p->n_groups, p->n_used,
                       n_expert);
  return is_finite (check, "scale", p->scale) && weight_is (check, 0, n_expert, 1, 1)
         && gives (check, 0, p->n_used, WLP_TYPE_I32) && gives (check, 1, p->n_used, WLP_TYPE_F32);
}

static gboolean
check_moe_sum (Check *check)
{
  if (check->in[0] % check->in[1] != 0)
    return check_fail (check, "%u weights do not divide %u values", check->in[1], check->in[0]);
  return gives (check, 0, check->in[0] / check->in[1], WLP_TYPE_F32);
}

static gboolean
check_output (Check *check)
{
  guint64 width = check->in[0];

  if (check->builder->output_width != 0)
    return check_fail (check, "the network has an output already");
  if (check->op->kind == WLP_OP_POOL) {
    if (!is_between (check, "kind", check->op->p.pool.kind, WLP_POOL_NONE, WLP_POOL_RANK)
        || !weight_is (check, 0, width, 0, 1))
      return FALSE;
    if (check->op->weight[0] != WLP_NONE)
      width = weight_info (check, 0)->shape.ne[1];
    if (!weight_is (check, 1, width, 1, 1) || !is_between (check, "outputs", width, 1, WLY_PROGRAM_MAX_WIDTH))
      return FALSE;
  }
  check->builder->output_width = (guint32)width;
  return TRUE;
}

static const Rule rules[] = {
  { WLP_OP_EMBED, "embed", 0, 0, 1, 3, check_embed },
  { WLP_OP_NORM, "norm", 1, 1, 0, 2, check_norm },
  { WLP_OP_LINEAR, "linear", 1, 2, 1, 2, check_linear },
  { WLP_OP_ROPE, "rope", 1, 1, 0, 2, check_rope },
  { WLP_OP_ATTENTION, "attention", 3, 3, 0, 1, check_attention },
  { WLP_OP_GLU, "glu", 1, 2, 0, 0, check_glu },
  { WLP_OP_ACTIVATE, "activate", 1, 1, 0, 0, check_activate },
  { WLP_OP_ADD, "add", 2, 2, 0, 0, check_two },
  { WLP_OP_MUL, "mul", 2, 2, 0, 0, check_two },
  { WLP_OP_SCALE, "scale", 1, 1, 0, 0, check_scale },
  { WLP_OP_SOFTCAP, "softcap", 1, 1, 0, 0, check_scale },
  { WLP_OP_CLAMP, "clamp", 1, 1, 0, 0, check_clamp },
  { WLP_OP_MOE_ROUTE, "moe-route", 1, 1, 0, 1, check_route },
  { WLP_OP_MOE_SUM, "moe-sum", 2, 2, 0, 0, check_moe_sum },
  { WLP_OP_LOGITS, "logits", 1, 1, 0, 0, check_output },
  { WLP_OP_POOL, "pool", 1, 1, 0, 2, check_output },
  { WLP_OP_STATE_CONV, "state-conv", 1, 1, 1, 2, check_state_conv },
};

static const Rule *
find_rule (guint32 kind)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (rules[i].kind == kind)
      return &rules[i];
  return NULL;
}

const char *
wly_program_op_name (guint32 kind)
{
  const Rule *rule = find_rule (kind);

  return rule != NULL ? rule->name : "of an unknown kind";
}

/* ---- inputs ---- */

/* The list of experts is the one input of integers. */
static guint32
wanted_type (const struct wlp_op *op, guint input)
{
  return op->kind == WLP_OP_LINEAR && input == 1 ? WLP_TYPE_I32 : WLP_TYPE_F32;
}

static gboolean
check_inputs (Check *check, const Rule *rule)
{
  const GArray *values = check->builder->values;

  for (guint i = 0; i < WLP_MAX_INPUTS; i++) {
    wlp_value value = check->op->in[i];

    if (value == WLP_NONE && i >= rule->n_in)
      continue;
    if (i >= rule->n_in_max)
      return check_fail (check, "it has an input too many");
    if (value >= values->len)
      return check_fail (check, "input %u is not a value that was computed before", i);
    check->in[i] = g_array_index (values, struct wlp_value_info, value).width;
    if (g_array_index (values, struct wlp_value_info, value).type != wanted_type (check->op, i))
      return check_fail (check, "input %u is of the wrong type", i);
  }
  return TRUE;
}

static gboolean
check_weights (Check *check, const Rule *rule)
{
  for (guint i = 0; i < WLP_MAX_WEIGHTS; i++) {
    wlp_weight weight = check->op->weight[i];

    if (weight == WLP_NONE && i >= rule->n_weights)
      continue;
    if (i >= rule->n_weights_max)
      return check_fail (check, "it has a tensor too many");
    if (weight >= check->builder->weights->len)
      return check_fail (check, "tensor %u is not one of the program's", i);
  }
  return TRUE;
}

gboolean
wly_program_check_op (WlyProgramBuilder *builder, const struct wlp_op *op,
                      struct wlp_value_info ret_outputs[WLP_MAX_OUTPUTS])
{
  const Rule *rule = find_rule (op->kind);
  Check check      = { builder, op, wly_program_op_name (op->kind), { 0 }, ret_outputs };

  if (rule == NULL)
    return check_fail (&check, "this version knows no operator number %u", op->kind);
  return check_inputs (&check, rule) && check_weights (&check, rule) && rule->check (&check);
}
