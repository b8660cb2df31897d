/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Llama (arXiv 2302.13971, 2307.09288), Mistral (2310.06825) and Mixtral (2401.04088):
 *
 *   x = embedding
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),  n = rms (x)
 *                    x += down (silu (gate (n)) * up (n)),                      n = rms (x)
 *   logits = output (rms (x))
 *
 * Sizes in brackets are widths of values; of weights, the inner extent comes first.
 */
#include "llama-graph.h"

struct layer {
  struct wlp_builder *b;
  const struct llama_params *p;
  uint32_t number;
  uint32_t group; /* of the cache */
  wlp_weight rope_factors;
};

/* ---- weights of a layer: "blk.3.attn_q.weight" ---- */

static wlp_weight
matrix (const struct layer *layer, const char *what, uint64_t n_in, uint64_t n_out)
{
  char name[64];

  snprintf (name, sizeof name, "blk.%u.%s.weight", layer->number, what);
  return wlp_weight_2d (layer->b, name, WLP_WEIGHT_REQUIRED, n_in, n_out);
}

static wlp_weight
experts (const struct layer *layer, const char *what, uint64_t n_in, uint64_t n_out)
{
  char name[64];

  snprintf (name, sizeof name, "blk.%u.%s.weight", layer->number, what);
  return wlp_weight_3d (layer->b, name, WLP_WEIGHT_REQUIRED, n_in, n_out, layer->p->n_expert);
}

/* x [n_in] -> W x + b [n_out]; the bias is there where the file has one. */
static wlp_value
linear (const struct layer *layer, const char *what, wlp_value x, uint64_t n_in, uint64_t n_out)
{
  char name[64];

  snprintf (name, sizeof name, "blk.%u.%s.bias", layer->number, what);
  return wlp_linear (layer->b, x, matrix (layer, what, n_in, n_out),
                     wlp_weight_1d (layer->b, name, WLP_WEIGHT_OPTIONAL, n_out));
}

static wlp_value
norm (const struct layer *layer, const char *what, wlp_value x)
{
  char name[64];

  snprintf (name, sizeof name, "blk.%u.%s.weight", layer->number, what);
  return wlp_norm (layer->b, WLP_NORM_RMS, x, wlp_weight_1d (layer->b, name, WLP_WEIGHT_REQUIRED, layer->p->n_embd),
                   WLP_NONE, 0, layer->p->norm_eps);
}

/* ---- parts of a layer ---- */

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct layer *layer, wlp_value x)
{
  const struct llama_params *p                = layer->p;
  const struct wlp_attention_params attending = {
    .group       = layer->group,
    .group_layer = layer->number,
    .n_head      = p->n_head,
    .n_head_kv   = p->n_head_kv,
    .head_dim_k  = p->head_dim_k,
    .head_dim_v  = p->head_dim_v,
    .causal      = 1,
    .scale       = p->attention_scale,
  };
  uint64_t n_heads = (uint64_t)p->n_head * p->head_dim_v;
  wlp_value q      = linear (layer, "attn_q", x, p->n_embd, (uint64_t)p->n_head * p->head_dim_k);
  wlp_value k      = linear (layer, "attn_k", x, p->n_embd, (uint64_t)p->n_head_kv * p->head_dim_k);
  wlp_value v      = linear (layer, "attn_v", x, p->n_embd, (uint64_t)p->n_head_kv * p->head_dim_v);

  q = wlp_rope (layer->b, q, layer->rope_factors, &p->rope);
  k = wlp_rope (layer->b, k, layer->rope_factors, &p->rope);
  return linear (layer, "attn_output", wlp_attention (layer->b, q, k, v, WLP_NONE, &attending), n_heads, p->n_embd);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct layer *layer, wlp_value x)
{
  const struct llama_params *p = layer->p;
  wlp_value gate               = linear (layer, "ffn_gate", x, p->n_embd, p->n_ff);
  wlp_value up                 = linear (layer, "ffn_up", x, p->n_embd, p->n_ff);

  return linear (layer, "ffn_down", wlp_glu (layer->b, WLP_ACT_SILU, gate, up), p->n_ff, p->n_embd);
}

/* The same by the n_expert_used experts that a token is sent to, their shares summing to 1. */
static wlp_value
expert_feed_forward (const struct layer *layer, wlp_value x)
{
  const struct llama_params *p          = layer->p;
  const uint32_t n                      = p->n_expert_used;
  const struct wlp_route_params routing = {
    .gating    = WLP_GATING_SOFTMAX,
    .n_used    = n,
    .normalise = 1,
    .scale     = p->expert_scale,
  };
  wlp_value scores = wlp_linear (layer->b, x, matrix (layer, "ffn_gate_inp", p->n_embd, p->n_expert), WLP_NONE);
  wlp_value ids    = wlp_moe_route (layer->b, scores, WLP_NONE, &routing);
  wlp_value gate =
      wlp_linear_experts (layer->b, x, ids, experts (layer, "ffn_gate_exps", p->n_embd, p->n_ff), WLP_NONE, n, 0);
  wlp_value up =
      wlp_linear_experts (layer->b, x, ids, experts (layer, "ffn_up_exps", p->n_embd, p->n_ff), WLP_NONE, n, 0);
  wlp_value hidden = wlp_glu (layer->b, WLP_ACT_SILU, gate, up);
  wlp_value down =
      wlp_linear_experts (layer->b, hidden, ids, experts (layer, "ffn_down_exps", p->n_ff, p->n_embd), WLP_NONE, n, 1);

  return wlp_moe_sum (layer->b, down, ids + 1);
}

static wlp_value
describe_layer (const struct layer *layer, wlp_value x)
{
  wlp_value n;

  layer->b->ops->layer (layer->b, layer->number);
  x = wlp_add (layer->b, x, attention (layer, norm (layer, "attn_norm", x)));
  n = norm (layer, "ffn_norm", x);
  return wlp_add (layer->b, x, layer->p->n_expert > 0 ? expert_feed_forward (layer, n) : feed_forward (layer, n));
}

/* ---- the network ---- */

void
llama_graph_describe (struct wlp_builder *builder, const struct llama_params *p)
{
  const struct wlp_limits limits = {
    .n_vocab     = p->n_vocab,
    .n_embd      = p->n_embd,
    .n_layer     = p->n_layer,
    .n_ctx_train = p->n_ctx,
    .n_positions = 1,
    .causal      = 1,
  };
  const struct wlp_cache_group group = {
    .kind        = WLP_CACHE_PAGED,
    .n_layers    = p->n_layer,
    .key_width   = p->n_head_kv * p->head_dim_k,
    .value_width = p->n_head_kv * p->head_dim_v,
    .head_dim_k  = p->head_dim_k,
    .head_dim_v  = p->head_dim_v,
  };
  struct layer layer = { .b = builder, .p = p };
  wlp_weight tokens  = wlp_weight_2d (builder, "token_embd.weight", WLP_WEIGHT_REQUIRED, p->n_embd, p->n_vocab);
  wlp_weight output  = wlp_weight_2d (builder, "output.weight", WLP_WEIGHT_OPTIONAL, p->n_embd, p->n_vocab);
  wlp_value x;

  builder->ops->limits (builder, &limits);
  layer.group        = builder->ops->cache_group (builder, &group);
  layer.rope_factors = wlp_weight_1d (builder, "rope_freqs.weight", WLP_WEIGHT_OPTIONAL, p->rope.n_dims / 2);

  x = wlp_embed (builder, tokens, 1);
  for (layer.number = 0; layer.number < p->n_layer; layer.number++)
    x = describe_layer (&layer, x);
  builder->ops->layer (builder, WLP_NONE);
  x = wlp_norm (builder, WLP_NORM_RMS, x, wlp_weight_1d (builder, "output_norm.weight", WLP_WEIGHT_REQUIRED, p->n_embd),
                WLP_NONE, 0, p->norm_eps);
  /* tied embeddings: where the file has no output matrix, the embeddings serve */
  wlp_logits (builder, wlp_linear (builder, x, output != WLP_NONE ? output : tokens, WLP_NONE));
}
