/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Llama (arXiv 2302.13971, 2307.09288), Mistral (2310.06825) and Mixtral (2401.04088), and those that add factors:
 *
 *   x = embedding * embedding_scale
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))) * residual_scale,  n = rms (x)
 *                    x += down (silu (gate (n)) * up (n)) * residual_scale,                      n = rms (x)
 *   logits = output (rms (x)) * logit_scale
 *
 * Arcee's AFM has down (relu (up (n))^2) in the place of the second part.
 *
 * Sizes in brackets are widths of values.
 */
#include "llama-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct llama_params *p;
  uint32_t cache;
  wlp_weight rope_factors[2];
};

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct network *n, wlp_value x)
{
  const struct wlp_layer *layer      = &n->layer;
  const struct llama_params *p       = n->p;
  struct wlp_attention_params params = wlp_layer_attention (&p->dims, n->cache, layer->number);
  wlp_value qkv[3];

  params.scale            = p->attention_scale;
  params.temperature      = p->temperature;
  params.temperature_step = p->rope.n_ctx_orig;
  wlp_layer_qkv (layer, &p->dims, x, qkv);
  if (p->nope_step == 0 || (layer->number + 1) % p->nope_step != 0)
    for (int i = 0; i < 2; i++)
      qkv[i] = wlp_rope_by_context (layer->b, qkv[i], n->rope_factors, &p->rope);
  return wlp_layer_attend (layer, &p->dims, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd]; experts' shares sum to 1, a shared expert adds to what they make. */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct llama_params *p = n->p;
  wlp_value y;

  if (!p->has_gate)
    return wlp_layer_mlp (&n->layer, WLP_ACT_RELU2, x, p->dims.n_embd, p->dims.n_ff);
  if (p->experts.n_expert == 0 || n->layer.number < p->n_dense || (n->layer.number + 1) % p->moe_step != 0)
    return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, p->dims.n_embd, p->dims.n_ff);
  y = wlp_layer_moe (&n->layer, WLP_ACT_SILU, x, p->dims.n_embd, &p->experts, WLP_GATING_SOFTMAX, 1);
  if (p->n_ff_shared == 0)
    return y;
  return wlp_add (n->layer.b, y, wlp_layer_glu (&n->layer, WLP_ACT_SILU, "_shexp", x, p->dims.n_embd, p->n_ff_shared));
}

/* x + y * residual_scale */
static wlp_value
add_part (const struct network *n, wlp_value x, wlp_value y)
{
  if (n->p->residual_scale != 1)
    y = wlp_scale (n->layer.b, y, n->p->residual_scale);
  return wlp_add (n->layer.b, x, y);
}

static wlp_value
norm (const struct network *n, const char *part, wlp_value x)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, n->p->dims.n_embd, 0, n->p->norm_eps);
}

void
llama_graph_describe (struct wlp_builder *b, const struct llama_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, p->pooling);
  n.cache = wlp_attention_cache (b, &p->dims, p->dims.n_layer, 0);
  wlp_rope_factors (b, &p->rope, n.rope_factors);

  x = wlp_embed (b, tokens, p->embedding_scale);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = add_part (&n, x, attention (&n, norm (&n, "attn_norm", x)));
    x = add_part (&n, x, feed_forward (&n, norm (&n, "ffn_norm", x)));
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  if (p->pooling != WLP_POOL_NONE) {
    wlp_pool (b, p->pooling, x, WLP_NONE, WLP_NONE);
    return;
  }
  x = wlp_output_scores (b, x, &p->dims, tokens);
  wlp_logits (b, p->logit_scale != 1 ? wlp_scale (b, x, p->logit_scale) : x);
}
