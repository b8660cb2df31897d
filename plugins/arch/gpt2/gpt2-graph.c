/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GPT-2 (Radford et al., 2019), StarCoder (arXiv 2305.06161) and StarCoder 2 (2402.19173):
 *
 *   x = embedding + position
 *   for each layer:  x += out (attention (q (n), k (n), v (n))),  n = layer norm (x)
 *                    x += down (gelu (up (n))),                   n = layer norm (x)
 *   logits = output (layer norm (x))
 *
 * Every linear layer of a layer has a bias.  StarCoder has one head of keys and values, StarCoder 2 rope in the place
 * of learned positions.  Sizes in brackets are widths of values.
 */
#include "gpt2-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct gpt2_params *p;
  uint32_t cache;
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_LAYER, part, x, n->p->dims.n_embd, 0, n->p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const struct wlp_attention_params params = wlp_layer_attention (d, n->cache, n->layer.number);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; n->p->has_rope && i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

void
gpt2_graph_describe (struct wlp_builder *b, const struct gpt2_params *p)
{
  const struct wlp_dims *d = &p->dims;
  struct network n         = { .layer = { .b = b }, .p = p };
  wlp_weight tokens        = wlp_token_embeddings (b, d);
  wlp_weight positions     = WLP_NONE;
  wlp_value x;

  wlp_dims_limits (b, d, WLP_POOL_NONE);
  n.cache = wlp_attention_cache (b, d, d->n_layer, 0);
  if (!p->has_rope)
    positions = wlp_weight_2d (b, "position_embd.weight", WLP_WEIGHT_REQUIRED, d->n_embd, d->n_ctx);

  x = wlp_embed_all (b, tokens, positions, WLP_NONE);
  for (; n.layer.number < d->n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = wlp_add (b, x, attention (&n, norm (&n, "attn_norm", x)));
    x = wlp_add (b, x, wlp_layer_mlp (&n.layer, WLP_ACT_GELU_HALF, norm (&n, "ffn_norm", x), d->n_embd, d->n_ff));
  }
  x = wlp_output_norm (b, WLP_NORM_LAYER, x, d, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, d, tokens));
}
