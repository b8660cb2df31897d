/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * StableLM (arXiv 2402.17834):
 *
 *   x = embedding
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),  n = layer norm (x)
 *                    x += down (silu (gate (m)) * up (m)),                      m = layer norm (x)
 *   logits = output (layer norm (x))
 *
 * StableLM 2 12B has no second norm (m = n), and norms each head of q and k with a gain of its own.  Sizes in brackets
 * are widths of values.
 */
#include "stablelm-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct stablelm_params *p;
  uint32_t cache;
};

/* x [n_head * head_dim] -> the same; where the file has no such norm, x itself. */
static wlp_value
head_norm (const struct network *n, const char *what, wlp_value x, uint32_t n_head)
{
  const uint32_t size = n->p->dims.head_dim_k;
  wlp_weight gain     = wlp_layer_weight (&n->layer, what, WLP_WEIGHT_OPTIONAL, size, n_head, 0);

  return gain == WLP_NONE ? x : wlp_norm (n->layer.b, WLP_NORM_LAYER, x, gain, WLP_NONE, size, n->p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const struct wlp_attention_params params = wlp_layer_attention (d, n->cache, n->layer.number);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  qkv[0] = head_norm (n, "attn_q_norm.weight", qkv[0], d->n_head);
  qkv[1] = head_norm (n, "attn_k_norm.weight", qkv[1], d->n_head_kv);
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

static wlp_value
describe_layer (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;
  struct wlp_builder *b    = n->layer.b;
  wlp_value normed         = wlp_layer_norm (&n->layer, WLP_NORM_LAYER, "attn_norm", x, d->n_embd, 0, n->p->norm_eps);
  wlp_weight second        = wlp_layer_weight (&n->layer, "ffn_norm.weight", WLP_WEIGHT_OPTIONAL, d->n_embd, 0, 0);

  x = wlp_add (b, x, attention (n, normed));
  if (second != WLP_NONE)
    normed = wlp_layer_norm (&n->layer, WLP_NORM_LAYER, "ffn_norm", x, d->n_embd, 0, n->p->norm_eps);
  return wlp_add (b, x, wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", normed, d->n_embd, d->n_ff));
}

void
stablelm_graph_describe (struct wlp_builder *b, const struct stablelm_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.cache = wlp_attention_cache (b, &p->dims, p->dims.n_layer, 0);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = describe_layer (&n, x);
  }
  x = wlp_output_norm (b, WLP_NORM_LAYER, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
