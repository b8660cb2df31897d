/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Nemotron-4 (arXiv 2402.16819) and Minitron (2407.14679):
 *
 *   x = embedding
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),  n = layer norm (x)
 *                    x += down (relu (up (n))^2),                               n = layer norm (x)
 *   logits = output (layer norm (x))
 *
 * Rope turns a part of a head.  Files hold the gain of a norm with the 1 that the paper adds to it.  Sizes in brackets
 * are widths of values.
 */
#include "nemotron-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct nemotron_params *p;
  uint32_t cache;
  wlp_weight rope_factors[2];
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
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope_by_context (n->layer.b, qkv[i], n->rope_factors, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  return wlp_layer_mlp (&n->layer, WLP_ACT_RELU2, x, n->p->dims.n_embd, n->p->dims.n_ff);
}

void
nemotron_graph_describe (struct wlp_builder *b, const struct nemotron_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.cache = wlp_attention_cache (b, &p->dims, p->dims.n_layer, 0);
  wlp_rope_factors (b, &p->rope, n.rope_factors);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = wlp_add (b, x, attention (&n, norm (&n, "attn_norm", x)));
    x = wlp_add (b, x, feed_forward (&n, norm (&n, "ffn_norm", x)));
  }
  x = wlp_output_norm (b, WLP_NORM_LAYER, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
