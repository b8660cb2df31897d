/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Command R (C4AI, 2024; the network is that of "Cohere" in transformers):
 *
 *   x = embedding
 *   for each layer:  n = layer norm (x) without bias
 *                    x += out (attention (rope (q (n)), rope (k (n)), v (n))) + down (silu (gate (n)) * up (n))
 *   logits = embeddings (layer norm (x)) * logit_scale
 *
 * Command R+ norms each head of q and k with a gain of its own.  Command R7B and A (arXiv 2504.00698, "cohere2") have
 * rope on layers with a window only, each fourth sees all and has none.  Sizes in brackets are widths of values.
 */
#include "command-r-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct command_r_params *p;
  struct wlp_window_caches caches;
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
attention (struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const int is_windowed                    = n->p->windows.is_windowed[n->layer.number];
  const struct wlp_attention_params params = wlp_window_caches_next (&n->caches, d, is_windowed);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  qkv[0] = head_norm (n, "attn_q_norm.weight", qkv[0], d->n_head);
  qkv[1] = head_norm (n, "attn_k_norm.weight", qkv[1], d->n_head_kv);
  for (int i = 0; i < 2 && (is_windowed || !n->p->is_2); i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

static wlp_value
describe_layer (struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;
  wlp_value normed         = wlp_layer_norm (&n->layer, WLP_NORM_LAYER, "attn_norm", x, d->n_embd, 0, n->p->norm_eps);

  x = wlp_add (n->layer.b, x, attention (n, normed));
  return wlp_add (n->layer.b, x, wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", normed, d->n_embd, d->n_ff));
}

void
command_r_graph_describe (struct wlp_builder *b, const struct command_r_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.caches = wlp_window_caches_make (b, &p->dims, &p->windows);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = describe_layer (&n, x);
  }
  x = wlp_output_norm (b, WLP_NORM_LAYER, x, &p->dims, p->norm_eps);
  x = wlp_output_scores (b, x, &p->dims, tokens);
  wlp_logits (b, p->logit_scale != 1 ? wlp_scale (b, x, p->logit_scale) : x);
}
