/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sugar for architecture plugins: the parts that layers of many networks are made of, by their names in GGUF files
 * ("blk.3.attn_q.weight").  Sizes in brackets are widths of values; of weights, the inner extent comes first.
 */
#pragma once

#include "arch-keys.h"
#include "arch.h"

#ifdef __cplusplus
extern "C" {
#endif

struct wlp_layer {
  struct wlp_builder *b;
  uint32_t number;
};

/* ---- weights ---- */

/* The tensor "blk.NUMBER.@what", "attn_norm.weight", of one to three extents; 0: no such extent. */
static inline wlp_weight
wlp_layer_weight (const struct wlp_layer *layer, const char *what, uint32_t flags, uint64_t ne0, uint64_t ne1,
                  uint64_t ne2)
{
  const uint64_t ne[3] = { ne0, ne1, ne2 };
  char name[96];

  snprintf (name, sizeof name, "blk.%u.%s", layer->number, what);
  return layer->b->ops->weight (layer->b, name, flags, ne1 == 0 ? 1 : ne2 == 0 ? 2 : 3, ne);
}

/* "@part.weight" or "@part.bias" */
static inline const char *
wlp_layer_join (const char *part, const char *kind, char name[64])
{
  snprintf (name, 64, "%s.%s", part, kind);
  return name;
}

/* ---- operators with their weights ---- */

/* x [n_in] -> W x + b [n_out]; the bias is there where the file has one. */
static inline wlp_value
wlp_layer_linear (const struct wlp_layer *layer, const char *part, wlp_value x, uint64_t n_in, uint64_t n_out)
{
  char name[64];
  wlp_weight weight =
      wlp_layer_weight (layer, wlp_layer_join (part, "weight", name), WLP_WEIGHT_REQUIRED, n_in, n_out, 0);
  wlp_weight bias = wlp_layer_weight (layer, wlp_layer_join (part, "bias", name), WLP_WEIGHT_OPTIONAL, n_out, 0, 0);

  return wlp_linear (layer->b, x, weight, bias);
}

/* The same by the experts @ids: [n_in], or with @per_slot [n_used * n_in], -> [n_used * n_out]. */
static inline wlp_value
wlp_layer_experts (const struct wlp_layer *layer, const char *part, wlp_value x, wlp_value ids, uint64_t n_in,
                   uint64_t n_out, const struct wlp_experts *experts, uint32_t per_slot)
{
  char name[64];
  wlp_weight weight = wlp_layer_weight (layer, wlp_layer_join (part, "weight", name), WLP_WEIGHT_REQUIRED, n_in, n_out,
                                        experts->n_expert);
  wlp_weight bias =
      wlp_layer_weight (layer, wlp_layer_join (part, "bias", name), WLP_WEIGHT_OPTIONAL, n_out, experts->n_expert, 0);

  return wlp_linear_experts (layer->b, x, ids, weight, bias, experts->n_used, per_slot);
}

/* Groups of @group values each by itself with the same gain; 0: all @width. */
static inline wlp_value
wlp_layer_norm (const struct wlp_layer *layer, enum wlp_norm kind, const char *part, wlp_value x, uint32_t width,
                uint32_t group, float eps)
{
  const uint64_t n = group != 0 ? group : width;
  char name[64];
  wlp_weight gain = wlp_layer_weight (layer, wlp_layer_join (part, "weight", name), WLP_WEIGHT_REQUIRED, n, 0, 0);
  wlp_weight bias = wlp_layer_weight (layer, wlp_layer_join (part, "bias", name), WLP_WEIGHT_OPTIONAL, n, 0, 0);

  return wlp_norm (layer->b, kind, x, gain, bias, group, eps);
}

/* ---- parts of a layer ---- */

/* x [n_embd] -> q, k, v: of one fused tensor where the file has it, else of three. */
static inline void
wlp_layer_qkv (const struct wlp_layer *layer, const struct wlp_dims *dims, wlp_value x, wlp_value ret_qkv[3])
{
  const uint64_t n_q = (uint64_t)dims->n_head * dims->head_dim_k;
  const uint64_t n_k = (uint64_t)dims->n_head_kv * dims->head_dim_k;
  const uint64_t n_v = (uint64_t)dims->n_head_kv * dims->head_dim_v;
  wlp_weight fused = wlp_layer_weight (layer, "attn_qkv.weight", WLP_WEIGHT_OPTIONAL, dims->n_embd, n_q + n_k + n_v, 0);
  wlp_weight bias;

  if (fused == WLP_NONE) {
    ret_qkv[0] = wlp_layer_linear (layer, "attn_q", x, dims->n_embd, n_q);
    ret_qkv[1] = wlp_layer_linear (layer, "attn_k", x, dims->n_embd, n_k);
    ret_qkv[2] = wlp_layer_linear (layer, "attn_v", x, dims->n_embd, n_v);
    return;
  }
  bias       = wlp_layer_weight (layer, "attn_qkv.bias", WLP_WEIGHT_OPTIONAL, n_q + n_k + n_v, 0, 0);
  ret_qkv[0] = wlp_linear_rows (layer->b, x, fused, bias, 0, n_q);
  ret_qkv[1] = wlp_linear_rows (layer->b, x, fused, bias, n_q, n_k);
  ret_qkv[2] = wlp_linear_rows (layer->b, x, fused, bias, n_q + n_k, n_v);
}

/* Attention as most networks have it: causal, over all of layer @group_layer of @group, scaled by the size of a head.
 */
static inline struct wlp_attention_params
wlp_layer_attention (const struct wlp_dims *dims, uint32_t group, uint32_t group_layer)
{
  struct wlp_attention_params p;

  memset (&p, 0, sizeof p);
  p.group       = group;
  p.group_layer = group_layer;
  p.n_head      = dims->n_head;
  p.n_head_kv   = dims->n_head_kv;
  p.head_dim_k  = dims->head_dim_k;
  p.head_dim_v  = dims->head_dim_v;
  p.causal      = 1;
  p.scale       = 1 / sqrtf ((float)dims->head_dim_k);
  return p;
}

/* Attention of an encoder: a token sees all of its text, or as far as half of @window (0: all) to both sides. */
static inline struct wlp_attention_params
wlp_layer_encoder_attention (const struct wlp_dims *dims, uint32_t window)
{
  struct wlp_attention_params p = wlp_layer_attention (dims, WLP_NONE, 0);

  p.causal = 0;
  p.window = window;
  return p;
}

/* q, k, v -> out (attention (q, k, v)) [n_embd]; @sinks may be WLP_NONE. */
static inline wlp_value
wlp_layer_attend (const struct wlp_layer *layer, const struct wlp_dims *dims, const wlp_value qkv[3], wlp_weight sinks,
                  const struct wlp_attention_params *params)
{
  const uint64_t n_heads = (uint64_t)dims->n_head * dims->head_dim_v;
  wlp_value heads        = wlp_attention (layer->b, qkv[0], qkv[1], qkv[2], sinks, params);

  return wlp_layer_linear (layer, "attn_output", heads, n_heads, dims->n_embd);
}

/* x [n_embd] -> down (act (gate (x)) * up (x)) [n_embd]; the parts are ffn_gate@suffix and so on. */
static inline wlp_value
wlp_layer_glu (const struct wlp_layer *layer, enum wlp_act act, const char *suffix, wlp_value x, uint64_t n_embd,
               uint64_t n_ff)
{
  char part[32];
  wlp_value gate;
  wlp_value up;

  snprintf (part, sizeof part, "ffn_gate%s", suffix);
  gate = wlp_layer_linear (layer, part, x, n_embd, n_ff);
  snprintf (part, sizeof part, "ffn_up%s", suffix);
  up = wlp_layer_linear (layer, part, x, n_embd, n_ff);
  snprintf (part, sizeof part, "ffn_down%s", suffix);
  return wlp_layer_linear (layer, part, wlp_glu (layer->b, act, gate, up), n_ff, n_embd);
}

/* The same where ffn_up holds the rows of gate, then those of up. */
static inline wlp_value
wlp_layer_glu_fused (const struct wlp_layer *layer, enum wlp_act act, wlp_value x, uint64_t n_embd, uint64_t n_ff)
{
  wlp_value both = wlp_layer_linear (layer, "ffn_up", x, n_embd, 2 * n_ff);

  return wlp_layer_linear (layer, "ffn_down", wlp_glu (layer->b, act, both, WLP_NONE), n_ff, n_embd);
}

/* x [n_embd] -> down (act (up (x))) [n_embd] */
static inline wlp_value
wlp_layer_mlp (const struct wlp_layer *layer, enum wlp_act act, wlp_value x, uint64_t n_embd, uint64_t n_ff)
{
  wlp_value up = wlp_layer_linear (layer, "ffn_up", x, n_embd, n_ff);

  return wlp_layer_linear (layer, "ffn_down", wlp_activate (layer->b, act, up), n_ff, n_embd);
}

/* x [n_embd] -> the weighted sum of what the experts chosen by @scores [n_expert] make of it [n_embd];
 * exp_probs_b.bias, where the file has it, counts for the choice only. */
static inline wlp_value
wlp_layer_moe_scored (const struct wlp_layer *layer, enum wlp_act act, wlp_value x, wlp_value scores, uint32_t n_embd,
                      const struct wlp_experts *experts, enum wlp_gating gating, int normalise)
{
  struct wlp_route_params routing;
  wlp_weight bias = wlp_layer_weight (layer, "exp_probs_b.bias", WLP_WEIGHT_OPTIONAL, experts->n_expert, 0, 0);
  wlp_value ids;
  wlp_value gate;
  wlp_value up;
  wlp_value down;

  memset (&routing, 0, sizeof routing);
  routing.gating    = gating;
  routing.n_used    = experts->n_used;
  routing.normalise = normalise != 0;
  routing.scale     = experts->scale;
  ids               = wlp_moe_route (layer->b, scores, bias, &routing);
  gate              = wlp_layer_experts (layer, "ffn_gate_exps", x, ids, n_embd, experts->n_ff, experts, 0);
  up                = wlp_layer_experts (layer, "ffn_up_exps", x, ids, n_embd, experts->n_ff, experts, 0);
  down = wlp_layer_experts (layer, "ffn_down_exps", wlp_glu (layer->b, act, gate, up), ids, experts->n_ff, n_embd,
                            experts, 1);
  return wlp_moe_sum (layer->b, down, ids + 1);
}

/* The same with the scores that ffn_gate_inp makes of x. */
static inline wlp_value
wlp_layer_moe (const struct wlp_layer *layer, enum wlp_act act, wlp_value x, uint32_t n_embd,
               const struct wlp_experts *experts, enum wlp_gating gating, int normalise)
{
  wlp_value scores = wlp_layer_linear (layer, "ffn_gate_inp", x, n_embd, experts->n_expert);

  return wlp_layer_moe_scored (layer, act, x, scores, n_embd, experts, gating, normalise);
}

/* ---- the network ---- */

/* Factors of rope for all layers: [0] is used up to the original context (or always), [1] for a longer one. */
static inline void
wlp_rope_factors (struct wlp_builder *b, const struct wlp_rope_params *rope, wlp_weight ret_factors[2])
{
  const uint64_t n = rope->n_dims / 2;

  ret_factors[0] = wlp_weight_1d (b, "rope_freqs.weight", WLP_WEIGHT_OPTIONAL, n);
  ret_factors[1] = WLP_NONE;
  if (ret_factors[0] != WLP_NONE)
    return;
  ret_factors[0] = wlp_weight_1d (b, "rope_factors_short.weight", WLP_WEIGHT_OPTIONAL, n);
  ret_factors[1] = wlp_weight_1d (b, "rope_factors_long.weight", WLP_WEIGHT_OPTIONAL, n);
}

/* The cache of @n_layers layers of attention; @window 0: of all positions. */
static inline uint32_t
wlp_attention_cache (struct wlp_builder *b, const struct wlp_dims *dims, uint32_t n_layers, uint32_t window)
{
  struct wlp_cache_group group;

  memset (&group, 0, sizeof group);
  group.kind        = window != 0 ? WLP_CACHE_WINDOW : WLP_CACHE_PAGED;
  group.n_layers    = n_layers;
  group.key_width   = dims->n_head_kv * dims->head_dim_k;
  group.value_width = dims->n_head_kv * dims->head_dim_v;
  group.head_dim_k  = dims->head_dim_k;
  group.head_dim_v  = dims->head_dim_v;
  group.window      = window;
  return b->ops->cache_group (b, &group);
}

/* The cache of @n_layers layers with a recurrent state of @width values each. */
static inline uint32_t
wlp_state_cache (struct wlp_builder *b, uint32_t n_layers, uint32_t width)
{
  struct wlp_cache_group group;

  memset (&group, 0, sizeof group);
  group.kind      = WLP_CACHE_STATE;
  group.n_layers  = n_layers;
  group.key_width = width;
  return b->ops->cache_group (b, &group);
}

/* Where the layers of a network with windows keep their keys: those that see a window share one group, the others
 * another one. */
struct wlp_window_caches {
  uint32_t group[2]; /* by is_windowed */
  uint32_t n_layers[2];
  uint32_t window;
};

static inline struct wlp_window_caches
wlp_window_caches_make (struct wlp_builder *b, const struct wlp_dims *dims, const struct wlp_windows *windows)
{
  struct wlp_window_caches caches;
  uint32_t n[2] = { 0, 0 };

  for (uint32_t i = 0; i < dims->n_layer; i++)
    n[windows->is_windowed[i] != 0]++;
  memset (&caches, 0, sizeof caches);
  caches.window   = windows->window;
  caches.group[0] = n[0] > 0 ? wlp_attention_cache (b, dims, n[0], 0) : WLP_NONE;
  caches.group[1] = n[1] > 0 ? wlp_attention_cache (b, dims, n[1], windows->window) : WLP_NONE;
  return caches;
}

/* The attention of the next layer, in order. */
static inline struct wlp_attention_params
wlp_window_caches_next (struct wlp_window_caches *caches, const struct wlp_dims *dims, int is_windowed)
{
  const int which               = is_windowed != 0;
  struct wlp_attention_params p = wlp_layer_attention (dims, caches->group[which], caches->n_layers[which]++);

  p.window = which ? caches->window : 0;
  return p;
}

static inline void
wlp_dims_limits_of (struct wlp_builder *b, const struct wlp_dims *dims, uint32_t pooling, int causal)
{
  struct wlp_limits limits;

  memset (&limits, 0, sizeof limits);
  limits.n_vocab     = dims->n_vocab;
  limits.n_embd      = dims->n_embd;
  limits.n_layer     = dims->n_layer;
  limits.n_ctx_train = dims->n_ctx;
  limits.n_positions = 1;
  limits.pooling     = pooling;
  limits.causal      = causal != 0;
  b->ops->limits (b, &limits);
}

static inline void
wlp_dims_limits (struct wlp_builder *b, const struct wlp_dims *dims, uint32_t pooling)
{
  wlp_dims_limits_of (b, dims, pooling, 1);
}

static inline wlp_weight
wlp_token_embeddings (struct wlp_builder *b, const struct wlp_dims *dims)
{
  return wlp_weight_2d (b, "token_embd.weight", WLP_WEIGHT_REQUIRED, dims->n_embd, dims->n_vocab);
}

/* x [n_embd] -> [n_embd]: the norm behind the last layer. */
static inline wlp_value
wlp_output_norm (struct wlp_builder *b, enum wlp_norm kind, wlp_value x, const struct wlp_dims *dims, float eps)
{
  wlp_weight gain = wlp_weight_1d (b, "output_norm.weight", WLP_WEIGHT_REQUIRED, dims->n_embd);
  wlp_weight bias = wlp_weight_1d (b, "output_norm.bias", WLP_WEIGHT_OPTIONAL, dims->n_embd);

  b->ops->layer (b, WLP_NONE);
  return wlp_norm (b, kind, x, gain, bias, 0, eps);
}

/* x [n_embd] -> scores of all tokens [n_vocab].  Tied embeddings: @tokens serve where the file has no output matrix. */
static inline wlp_value
wlp_output_scores (struct wlp_builder *b, wlp_value x, const struct wlp_dims *dims, wlp_weight tokens)
{
  wlp_weight output = wlp_weight_2d (b, "output.weight", WLP_WEIGHT_OPTIONAL, dims->n_embd, dims->n_vocab);
  wlp_weight bias   = wlp_weight_1d (b, "output.bias", WLP_WEIGHT_OPTIONAL, dims->n_vocab);

  return wlp_linear (b, x, output != WLP_NONE ? output : tokens, bias);
}

#ifdef __cplusplus
}
#endif
