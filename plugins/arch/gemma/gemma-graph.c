/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Gemma (arXiv 2403.08295), Gemma 2 (2408.00118) and Gemma 3 (2503.19786):
 *
 *   x = embedding * sqrt (n_embd)
 *   for each layer:  x += post (out (attention (rope (norm (q (n))), rope (norm (k (n))), v (n)))),  n = rms (x)
 *                    x += post (down (gelu (gate (n)) * up (n))),                                    n = rms (x)
 *   logits = cap (output (rms (x)))
 *
 * EmbeddingGemma is Gemma 3 without causality, its mean over the tokens goes through two linear layers.  The post norms
 * come with Gemma 2, the norms of q and k with Gemma 3.  Files hold the gain of a norm with the 1 that the papers add
 * to it.  Sizes in brackets are widths of values.
 */
#include "gemma-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct gemma_params *p;
  struct wlp_window_caches caches;
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x, uint32_t group)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, n->p->dims.n_embd, group, n->p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (struct network *n, wlp_value x)
{
  const struct gemma_params *p       = n->p;
  const struct wlp_dims *d           = &p->dims;
  const int is_windowed              = p->windows.is_windowed[n->layer.number];
  struct wlp_attention_params params = p->is_encoder
                                           ? wlp_layer_encoder_attention (d, is_windowed ? p->windows.window : 0)
                                           : wlp_window_caches_next (&n->caches, d, is_windowed);
  wlp_value qkv[3];

  params.scale   = p->attention_scale;
  params.softcap = p->attention_cap;
  wlp_layer_qkv (&n->layer, d, x, qkv);
  if (p->has_head_norms) {
    qkv[0] = norm (n, "attn_q_norm", qkv[0], d->head_dim_k);
    qkv[1] = norm (n, "attn_k_norm", qkv[1], d->head_dim_k);
  }
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &p->rope[is_windowed]);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

static wlp_value
describe_layer (struct network *n, wlp_value x)
{
  struct wlp_builder *b    = n->layer.b;
  const struct wlp_dims *d = &n->p->dims;
  wlp_value y              = attention (n, norm (n, "attn_norm", x, 0));

  if (n->p->has_post_norms)
    y = norm (n, "post_attention_norm", y, 0);
  x = wlp_add (b, x, y);
  y = wlp_layer_glu (&n->layer, WLP_ACT_GELU_HALF, "", norm (n, "ffn_norm", x, 0), d->n_embd, d->n_ff);
  if (n->p->has_post_norms)
    y = norm (n, "post_ffw_norm", y, 0);
  return wlp_add (b, x, y);
}

/* x [n_embd] of each token -> one row of each text.  The linear layers that the mean goes through have no bias, so they
 * may as well be applied to each token before it. */
static void
pool (struct wlp_builder *b, const struct gemma_params *p, wlp_value x)
{
  const uint64_t n_embd = p->dims.n_embd;

  if (p->n_dense > 0) {
    x = wlp_linear (b, x, wlp_weight_2d (b, "dense_2.weight", WLP_WEIGHT_REQUIRED, n_embd, p->n_dense), WLP_NONE);
    x = wlp_linear (b, x, wlp_weight_2d (b, "dense_3.weight", WLP_WEIGHT_REQUIRED, p->n_dense, n_embd), WLP_NONE);
  }
  wlp_pool (b, p->pooling, x, WLP_NONE, WLP_NONE);
}

void
gemma_graph_describe (struct wlp_builder *b, const struct gemma_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits_of (b, &p->dims, p->pooling, !p->is_encoder);
  if (!p->is_encoder)
    n.caches = wlp_window_caches_make (b, &p->dims, &p->windows);

  x = wlp_embed (b, tokens, sqrtf ((float)p->dims.n_embd));
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = describe_layer (&n, x);
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  if (p->pooling != WLP_POOL_NONE) {
    pool (b, p, x);
    return;
  }
  x = wlp_output_scores (b, x, &p->dims, tokens);
  wlp_logits (b, p->logit_cap != 0 ? wlp_softcap (b, x, p->logit_cap) : x);
}
