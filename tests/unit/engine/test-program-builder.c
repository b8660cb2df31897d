/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every rule of program.h, each broken once; and a sound description.
 */
#include "run/program-builder.h"
#include "wly-error.h"

#include <math.h>
#include <string.h>

#define N_EMBD  8
#define N_VOCAB 20

static const struct {
  const char *name;
  guint32 n_dims;
  guint64 ne[4];
} tensors[] = {
  { "tokens", 2, { N_EMBD, N_VOCAB, 1, 1 } }, { "positions", 2, { N_EMBD, 16, 1, 1 } },
  { "gain", 1, { N_EMBD, 1, 1, 1 } },         { "square", 2, { N_EMBD, N_EMBD, 1, 1 } },
  { "half", 2, { N_EMBD, 4, 1, 1 } },         { "fused", 2, { N_EMBD, 24, 1, 1 } },
  { "fused-bias", 1, { 24, 1, 1, 1 } },       { "experts", 3, { N_EMBD, 6, 5, 1 } },
  { "router", 2, { N_EMBD, 5, 1, 1 } },       { "factors", 1, { 2, 1, 1, 1 } },
  { "output", 2, { N_EMBD, N_VOCAB, 1, 1 } }, { "short-output", 2, { N_EMBD, N_VOCAB - 1, 1, 1 } },
  { "taps", 2, { 3, N_EMBD, 1, 1 } },
};

static gboolean
lookup (gpointer user_data, const char *name, struct wlp_weight_source *ret_source, const char **ret_name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tensors); i++) {
    if (strcmp (tensors[i].name, name) != 0)
      continue;
    ret_source->shape.n_dims = tensors[i].n_dims;
    memcpy (ret_source->shape.ne, tensors[i].ne, sizeof tensors[i].ne);
    *ret_name = tensors[i].name;
    return TRUE;
  }
  return FALSE;
}

/* ---- a small network ---- */

static wlp_weight
named (struct wlp_builder *b, const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (tensors); i++)
    if (strcmp (tensors[i].name, name) == 0)
      return b->ops->weight (b, name, 0, tensors[i].n_dims, tensors[i].ne);
  g_assert_not_reached ();
}

static const struct wlp_limits sound_limits = {
  .n_vocab = N_VOCAB, .n_embd = N_EMBD, .n_layer = 1, .n_ctx_train = 16, .causal = 1
};
static const struct wlp_cache_group sound_group = {
  .kind = WLP_CACHE_PAGED, .n_layers = 1, .key_width = 4, .value_width = 4, .head_dim_k = 4, .head_dim_v = 4
};
static const struct wlp_attention_params sound_attention = {
  .n_head = 2, .n_head_kv = 1, .head_dim_k = 4, .head_dim_v = 4, .causal = 1, .scale = 0.5f
};
static const struct wlp_rope_params sound_rope = {
  .kind = WLP_ROPE_NORM, .head_dim = 4, .n_dims = 4, .base = 10000, .freq_scale = 1
};

/* What comes before the operator in question. */
static wlp_value
begin (struct wlp_builder *b)
{
  b->ops->limits (b, &sound_limits);
  b->ops->cache_group (b, &sound_group);
  return wlp_embed (b, named (b, "tokens"), 1);
}

static wlp_value
attend (struct wlp_builder *b, wlp_value x, const struct wlp_attention_params *params)
{
  return wlp_attention (b, wlp_linear (b, x, named (b, "square"), WLP_NONE),
                        wlp_linear (b, x, named (b, "half"), WLP_NONE), wlp_linear (b, x, named (b, "half"), WLP_NONE),
                        WLP_NONE, params);
}

/* And behind it. */
static void
end (struct wlp_builder *b, wlp_value x)
{
  wlp_logits (b, wlp_linear (b, attend (b, x, &sound_attention), named (b, "output"), WLP_NONE));
}

static void
describe_sound (struct wlp_builder *b)
{
  wlp_value x = begin (b);
  wlp_value ids;
  wlp_value moe;

  b->ops->layer (b, 3);
  x   = wlp_norm (b, WLP_NORM_RMS, x, named (b, "gain"), WLP_NONE, 0, 1e-5f);
  x   = wlp_rope (b, x, named (b, "factors"), &sound_rope);
  x   = wlp_linear_rows (b, x, named (b, "fused"), named (b, "fused-bias"), 16, 8);
  ids = wlp_moe_route (b, wlp_linear (b, x, named (b, "router"), WLP_NONE), WLP_NONE,
                       &(struct wlp_route_params){ .gating = WLP_GATING_SOFTMAX, .n_used = 3 });
  moe = wlp_moe_sum (b, wlp_linear_experts (b, x, ids, named (b, "experts"), WLP_NONE, 3, 0), ids + 1);
  moe = wlp_softcap (b, wlp_scale (b, moe, 2), 30);
  moe = wlp_activate (b, WLP_ACT_GELU, wlp_mul (b, moe, moe));
  g_assert_cmpuint (moe, !=, WLP_NONE);
  x = wlp_glu (b, WLP_ACT_SILU, x, wlp_add (b, x, x));
  b->ops->layer (b, WLP_NONE);
  end (b, x);
}

static void
test_sound (void)
{
  g_autoptr (WlyProgramBuilder) builder = wly_program_builder_new (lookup, NULL);
  const struct wlp_op *ops;
  const struct wlp_value_info *values;

  describe_sound (&builder->base);
  g_assert_no_error (builder->error);
  g_assert_true (wly_program_builder_finish (builder));
  ops    = (const struct wlp_op *)(const void *)builder->ops->data;
  values = (const struct wlp_value_info *)(const void *)builder->values->data;
  g_assert_cmpuint (builder->output_width, ==, N_VOCAB);
  g_assert_cmpuint (builder->limits.n_positions, ==, 1);
  g_assert_cmpuint (ops[0].kind, ==, WLP_OP_EMBED);
  g_assert_cmpuint (ops[0].layer, ==, WLP_NONE);
  g_assert_cmpuint (ops[1].layer, ==, 3);
  /* routing: ids, then weights */
  g_assert_cmpuint (ops[5].kind, ==, WLP_OP_MOE_ROUTE);
  g_assert_cmpuint (ops[5].out[1], ==, ops[5].out[0] + 1);
  g_assert_cmpuint (values[ops[5].out[0]].type, ==, WLP_TYPE_I32);
  g_assert_cmpuint (values[ops[5].out[1]].type, ==, WLP_TYPE_F32);
  g_assert_cmpuint (values[ops[6].out[0]].width, ==, 3 * 6);
  g_assert_cmpuint (values[ops[7].out[0]].width, ==, 6);
  /* the last operator is the output, and gives nothing on */
  g_assert_cmpuint (ops[builder->ops->len - 1].out[0], ==, WLP_NONE);
}

/* The same tensor is one weight, however often it is asked for. */
static void
test_weights (void)
{
  g_autoptr (WlyProgramBuilder) builder = wly_program_builder_new (lookup, NULL);
  struct wlp_builder *b                 = &builder->base;
  wlp_weight first                      = named (b, "tokens");

  g_assert_cmpuint (wlp_weight_1d (b, "no-such", WLP_WEIGHT_OPTIONAL, 5), ==, WLP_NONE);
  g_assert_no_error (builder->error);
  g_assert_cmpuint (named (b, "gain"), ==, first + 1);
  g_assert_cmpuint (named (b, "tokens"), ==, first);
  g_assert_cmpuint (builder->weights->len, ==, 2);
  /* a trailing extent of 1 is no difference */
  g_assert_cmpuint (wlp_weight_2d (b, "gain", 0, N_EMBD, 1), ==, first + 1);
}

/* ---- what is refused ---- */

static void
bad_missing (struct wlp_builder *b)
{
  wlp_weight_2d (b, "blk.0.attn_q.weight", 0, 7, 9);
}

static void
bad_shape (struct wlp_builder *b)
{
  wlp_weight_2d (b, "half", 0, N_EMBD, 5);
}

static void
bad_optional_shape (struct wlp_builder *b)
{
  wlp_weight_2d (b, "half", WLP_WEIGHT_OPTIONAL, N_EMBD, 5);
}

static void
bad_first_error (struct wlp_builder *b)
{
  b->ops->fail (b, "the first one");
  wlp_weight_1d (b, "missing", 0, 3);
  b->ops->fail (b, "the second one");
}

static void
bad_norm_group (struct wlp_builder *b)
{
  wlp_norm (b, WLP_NORM_RMS, begin (b), WLP_NONE, WLP_NONE, 3, 1e-5f);
}

static void
bad_norm_gain (struct wlp_builder *b)
{
  wlp_norm (b, WLP_NORM_RMS, begin (b), named (b, "factors"), WLP_NONE, 0, 1e-5f);
}

static void
bad_norm_eps (struct wlp_builder *b)
{
  wlp_norm (b, WLP_NORM_LAYER, begin (b), WLP_NONE, WLP_NONE, 0, NAN);
}

static void
bad_norm_kind (struct wlp_builder *b)
{
  wlp_norm (b, (enum wlp_norm)7, begin (b), WLP_NONE, WLP_NONE, 0, 1e-5f);
}

static void
bad_linear_width (struct wlp_builder *b)
{
  wlp_value x = wlp_linear (b, begin (b), named (b, "half"), WLP_NONE);

  b->ops->layer (b, 11);
  wlp_linear (b, x, named (b, "square"), WLP_NONE);
}

static void
bad_linear_rows (struct wlp_builder *b)
{
  wlp_linear_rows (b, begin (b), named (b, "fused"), WLP_NONE, 20, 5);
}

static void
bad_linear_rows_overflow (struct wlp_builder *b)
{
  wlp_linear_rows (b, begin (b), named (b, "fused"), WLP_NONE, 2, G_MAXUINT64);
}

static void
bad_linear_bias (struct wlp_builder *b)
{
  wlp_linear (b, begin (b), named (b, "fused"), named (b, "gain"));
}

static void
bad_linear_experts (struct wlp_builder *b)
{
  wlp_linear (b, begin (b), named (b, "experts"), WLP_NONE);
}

static void
bad_expert_ids (struct wlp_builder *b)
{
  wlp_value x = begin (b);

  wlp_linear_experts (b, x, x, named (b, "experts"), WLP_NONE, 3, 0);
}

static void
bad_expert_count (struct wlp_builder *b)
{
  wlp_value x   = begin (b);
  wlp_value ids = wlp_moe_route (b, wlp_linear (b, x, named (b, "router"), WLP_NONE), WLP_NONE,
                                 &(struct wlp_route_params){ .gating = WLP_GATING_SIGMOID, .n_used = 3 });

  wlp_linear_experts (b, x, ids, named (b, "experts"), WLP_NONE, 2, 0);
}

static void
bad_integers (struct wlp_builder *b)
{
  wlp_value ids =
      wlp_moe_route (b, begin (b), WLP_NONE, &(struct wlp_route_params){ .gating = WLP_GATING_SIGMOID, .n_used = 8 });

  wlp_scale (b, ids, 2);
}

static void
bad_route (struct wlp_builder *b)
{
  wlp_moe_route (b, begin (b), WLP_NONE, &(struct wlp_route_params){ .gating = WLP_GATING_SOFTMAX, .n_used = 9 });
}

static void
bad_route_groups (struct wlp_builder *b)
{
  wlp_moe_route (
      b, begin (b), WLP_NONE,
      &(struct wlp_route_params){ .gating = WLP_GATING_SIGMOID, .n_used = 3, .n_groups = 4, .n_groups_used = 1 });
}

static void
bad_rope_head (struct wlp_builder *b)
{
  struct wlp_rope_params rope = sound_rope;

  rope.head_dim = 3;
  wlp_rope (b, begin (b), WLP_NONE, &rope);
}

static void
bad_rope_dims (struct wlp_builder *b)
{
  struct wlp_rope_params rope = sound_rope;

  rope.n_dims = 6;
  wlp_rope (b, begin (b), WLP_NONE, &rope);
}

static void
bad_rope_base (struct wlp_builder *b)
{
  struct wlp_rope_params rope = sound_rope;

  rope.base = 0;
  wlp_rope (b, begin (b), WLP_NONE, &rope);
}

static void
bad_rope_factors (struct wlp_builder *b)
{
  wlp_rope (b, begin (b), named (b, "gain"), &sound_rope);
}

static void
bad_rope_sections (struct wlp_builder *b)
{
  struct wlp_rope_params rope = sound_rope;
  struct wlp_limits limits    = sound_limits;
  wlp_value x                 = begin (b);

  limits.n_positions = 2;
  b->ops->limits (b, &limits);
  rope.kind        = WLP_ROPE_MROPE;
  rope.sections[0] = 1;
  rope.sections[1] = 1;
  end (b, wlp_rope (b, x, WLP_NONE, &rope));
}

static void
bad_heads (struct wlp_builder *b)
{
  struct wlp_attention_params params = sound_attention;

  params.n_head_kv = 3;
  attend (b, begin (b), &params);
}

static void
bad_query (struct wlp_builder *b)
{
  struct wlp_attention_params params = sound_attention;

  params.n_head = 4;
  attend (b, begin (b), &params);
}

static void
bad_temperature (struct wlp_builder *b)
{
  struct wlp_attention_params params = sound_attention;

  params.temperature = 0.1f;
  attend (b, begin (b), &params);
}

static void
bad_cache_group (struct wlp_builder *b)
{
  struct wlp_attention_params params = sound_attention;

  params.group = 1;
  attend (b, begin (b), &params);
}

static void
bad_cache_layer (struct wlp_builder *b)
{
  struct wlp_attention_params params = sound_attention;

  params.group_layer = 1;
  attend (b, begin (b), &params);
}

static void
bad_cache_twice (struct wlp_builder *b)
{
  end (b, attend (b, begin (b), &sound_attention));
}

static void
bad_cache_unused (struct wlp_builder *b)
{
  struct wlp_cache_group two = sound_group;
  wlp_value x;

  two.n_layers = 2;
  b->ops->cache_group (b, &two);
  x = begin (b);
  end (b, x);
}

static void
bad_cache_heads (struct wlp_builder *b)
{
  struct wlp_cache_group group = sound_group;

  group.key_width = 6;
  b->ops->cache_group (b, &group);
}

static void
bad_value (struct wlp_builder *b)
{
  wlp_add (b, begin (b), 77);
}

static void
bad_add (struct wlp_builder *b)
{
  wlp_value x = begin (b);

  wlp_add (b, x, wlp_linear (b, x, named (b, "half"), WLP_NONE));
}

static void
bad_weight (struct wlp_builder *b)
{
  wlp_linear (b, begin (b), 99, WLP_NONE);
}

static void
bad_extra_weight (struct wlp_builder *b)
{
  struct wlp_op op = wlp_op_make (WLP_OP_SCALE, begin (b));

  op.weight[0] = 0;
  b->ops->op (b, &op);
}

static void
bad_activation (struct wlp_builder *b)
{
  wlp_activate (b, WLP_ACT_SWIGLU_OAI, begin (b));
}

static void
bad_softcap (struct wlp_builder *b)
{
  wlp_softcap (b, begin (b), 0);
}

/* Behind begin(), group 1: two rows of N_EMBD values, in as many layers. */
static void
convolve (struct wlp_builder *b, guint32 n_layers, guint32 width, const char *taps, guint32 group, guint32 layer)
{
  const struct wlp_cache_group states = { .kind = WLP_CACHE_STATE, .n_layers = n_layers, .key_width = 2 * N_EMBD };
  const struct wlp_state_conv_params params = { .group = group, .group_layer = layer, .width = width };
  wlp_value x                               = begin (b);

  b->ops->cache_group (b, &states);
  x = wlp_state_conv (b, x, named (b, taps), WLP_NONE, &params);
  wlp_state_conv (b, x, named (b, taps), WLP_NONE, &params);
}

static void
bad_state_width (struct wlp_builder *b)
{
  convolve (b, 1, 1, "taps", 1, 0);
}

static void
bad_state_taps (struct wlp_builder *b)
{
  convolve (b, 1, 3, "square", 1, 0);
}

static void
bad_state_group (struct wlp_builder *b)
{
  convolve (b, 1, 3, "taps", 2, 0);
}

static void
bad_state_kind (struct wlp_builder *b)
{
  convolve (b, 1, 3, "taps", 0, 0);
}

static void
bad_state_layer (struct wlp_builder *b)
{
  convolve (b, 1, 3, "taps", 1, 1);
}

static void
bad_state_size (struct wlp_builder *b)
{
  convolve (b, 1, N_EMBD, "square", 1, 0);
}

static void
bad_state_twice (struct wlp_builder *b)
{
  convolve (b, 1, 3, "taps", 1, 0);
}

static void
bad_state_unused (struct wlp_builder *b)
{
  const struct wlp_cache_group states = { .kind = WLP_CACHE_STATE, .n_layers = 1, .key_width = 2 * N_EMBD };
  struct wlp_attention_params params  = sound_attention;

  params.group = 0;
  attend (b, begin (b), &params);
  b->ops->cache_group (b, &states);
  wlp_logits (b, wlp_linear (b, 0, named (b, "output"), WLP_NONE));
}

static void
bad_kind (struct wlp_builder *b)
{
  struct wlp_op op = wlp_op_make (WLP_OP_STATE_SCAN, begin (b));

  b->ops->op (b, &op);
}

static void
bad_no_output (struct wlp_builder *b)
{
  begin (b);
}

static void
bad_two_outputs (struct wlp_builder *b)
{
  wlp_value x = begin (b);

  end (b, x);
  wlp_logits (b, x);
}

static void
bad_n_logits (struct wlp_builder *b)
{
  wlp_value x = begin (b);

  wlp_logits (b, wlp_linear (b, attend (b, x, &sound_attention), named (b, "short-output"), WLP_NONE));
}

static void
bad_no_limits (struct wlp_builder *b)
{
  wlp_logits (b, wlp_embed (b, named (b, "tokens"), 1));
}

static void
bad_limits (struct wlp_builder *b)
{
  struct wlp_limits limits = sound_limits;

  limits.n_vocab = 0;
  b->ops->limits (b, &limits);
}

static void
bad_vocabulary (struct wlp_builder *b)
{
  struct wlp_limits limits = sound_limits;
  wlp_value x              = begin (b);

  limits.n_vocab = N_VOCAB + 1;
  b->ops->limits (b, &limits);
  end (b, x);
}

static void
bad_positions (struct wlp_builder *b)
{
  struct wlp_limits limits = sound_limits;
  struct wlp_op op         = wlp_op_make (WLP_OP_EMBED, WLP_NONE);

  begin (b);
  limits.n_ctx_train = 17;
  b->ops->limits (b, &limits);
  op.weight[0] = named (b, "tokens");
  op.weight[1] = named (b, "positions");
  end (b, b->ops->op (b, &op));
}

static const struct {
  const char *name;
  void (*describe) (struct wlp_builder *b);
  const char *says[3];
} cases[] = {
  { "missing", bad_missing, { "blk.0.attn_q.weight", "missing", "[7, 9]" } },
  { "shape", bad_shape, { "half", "[8, 4]", "[8, 5]" } },
  { "optional-shape", bad_optional_shape, { "half", "[8, 4]", "[8, 5]" } },
  { "first-error", bad_first_error, { "the first one" } },
  { "norm-group", bad_norm_group, { "norm", "groups of 3" } },
  { "norm-gain", bad_norm_gain, { "norm", "factors", "[2]" } },
  { "norm-eps", bad_norm_eps, { "epsilon" } },
  { "norm-kind", bad_norm_kind, { "kind", "7" } },
  { "linear-width", bad_linear_width, { "layer 11", "square", "4 values wide" } },
  { "linear-rows", bad_linear_rows, { "rows 20 + 5", "fused", "24" } },
  { "linear-rows-overflow", bad_linear_rows_overflow, { "rows 2 + ", "fused" } },
  { "linear-bias", bad_linear_bias, { "gain", "[8]", "24" } },
  { "linear-experts", bad_linear_experts, { "experts", "extent 2" } },
  { "expert-ids", bad_expert_ids, { "input 1", "type" } },
  { "expert-count", bad_expert_count, { "list of experts" } },
  { "integers", bad_integers, { "scale", "type" } },
  { "route", bad_route, { "experts to use", "9" } },
  { "route-groups", bad_route_groups, { "1 of 4 groups" } },
  { "rope-head", bad_rope_head, { "heads of 3" } },
  { "rope-dims", bad_rope_dims, { "6 of 4" } },
  { "rope-base", bad_rope_base, { "base 0" } },
  { "rope-factors", bad_rope_factors, { "gain", "2" } },
  { "rope-sections", bad_rope_sections, { "Section 1", "no position" } },
  { "heads", bad_heads, { "3 key-value heads", "2 heads" } },
  { "query", bad_query, { "the query", "16" } },
  { "temperature", bad_temperature, { "temperature of 0.1", "positions" } },
  { "cache-group", bad_cache_group, { "no cache group 1" } },
  { "cache-layer", bad_cache_layer, { "layer 1 of cache group 0" } },
  { "cache-twice", bad_cache_twice, { "written twice" } },
  { "cache-unused", bad_cache_unused, { "layer 1 of cache group 0" } },
  { "cache-heads", bad_cache_heads, { "whole heads" } },
  { "value", bad_value, { "add", "input 1" } },
  { "add", bad_add, { "add", "second input", "8" } },
  { "weight", bad_weight, { "linear", "tensor 0" } },
  { "extra-weight", bad_extra_weight, { "tensor too many" } },
  { "activation", bad_activation, { "activation" } },
  { "softcap", bad_softcap, { "cap of 0" } },
  { "state-width", bad_state_width, { "state-conv", "width is 1" } },
  { "state-taps", bad_state_taps, { "square", "extent 0 should be 3" } },
  { "state-group", bad_state_group, { "no cache group 2" } },
  { "state-kind", bad_state_kind, { "cache group 0 holds no state" } },
  { "state-layer", bad_state_layer, { "layer 1 of cache group 1" } },
  { "state-size", bad_state_size, { "no state of 7 rows of 8" } },
  { "state-twice", bad_state_twice, { "written twice" } },
  { "state-unused", bad_state_unused, { "layer 0 of cache group 1" } },
  { "kind", bad_kind, { "operator number 33" } },
  { "no-output", bad_no_output, { "no output" } },
  { "two-outputs", bad_two_outputs, { "output already" } },
  { "n-logits", bad_n_logits, { "19 logits", "20" } },
  { "no-limits", bad_no_limits, { "limits" } },
  { "limits", bad_limits, { "0 tokens in the vocabulary" } },
  { "vocabulary", bad_vocabulary, { "20 rows", "21 rows" } },
  { "positions", bad_positions, { "16 positions", "17" } },
};

static void
test_refused (gconstpointer data)
{
  guint at                              = GPOINTER_TO_UINT (data);
  g_autoptr (WlyProgramBuilder) builder = wly_program_builder_new (lookup, NULL);

  cases[at].describe (&builder->base);
  g_assert_false (wly_program_builder_finish (builder));
  g_assert_error (builder->error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
  for (guint i = 0; i < G_N_ELEMENTS (cases[at].says) && cases[at].says[i] != NULL; i++)
    if (strstr (builder->error->message, cases[at].says[i]) == NULL)
      g_error ("\"%s\" does not say \"%s\"", builder->error->message, cases[at].says[i]);
}

/* Behind the first error nothing happens, and every call gives WLP_NONE. */
static void
test_after_error (void)
{
  g_autoptr (WlyProgramBuilder) builder = wly_program_builder_new (lookup, NULL);
  struct wlp_builder *b                 = &builder->base;

  b->ops->fail (b, "100 % wrong");
  g_assert_cmpuint (named (b, "tokens"), ==, WLP_NONE);
  g_assert_cmpuint (begin (b), ==, WLP_NONE);
  g_assert_cmpuint (b->ops->cache_group (b, &sound_group), ==, WLP_NONE);
  g_assert_cmpuint (builder->ops->len, ==, 0);
  g_assert_cmpstr (builder->error->message, ==, "100 % wrong");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/program-builder/sound", test_sound);
  g_test_add_func ("/engine/program-builder/weights", test_weights);
  g_test_add_func ("/engine/program-builder/after-error", test_after_error);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/engine/program-builder/refused/", cases[i].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_refused);
  }
  return g_test_run ();
}
