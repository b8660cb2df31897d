/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OLMo (arXiv 2402.00838): layer norms without gain and bias; queries, keys and values may be clamped:
 *
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),  n = norm (x)
 *                    x += down (silu (gate (n)) * up (n)),                      n = norm (x)
 *
 * OLMoE (2409.02060): the same with RMS norms, one over all heads of q and of k, and experts.
 *
 * OLMo 2 (2501.00656) and 3 (2512.13961): norms stand behind the parts, not before them:
 *
 *   for each layer:  x += rms (out (attention (rope (rms (q (x))), rope (rms (k (x))), v (x))))
 *                    x += rms (down (silu (gate (x)) * up (x)))
 *
 * Sizes in brackets are widths of values.
 */
#include "olmo-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct olmo_params *p;
  struct wlp_window_caches caches;
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x, uint32_t width)
{
  if (n->p->kind == OLMO_1)
    return wlp_norm (n->layer.b, WLP_NORM_LAYER, x, WLP_NONE, WLP_NONE, 0, n->p->norm_eps);
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, width, 0, n->p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (struct network *n, wlp_value x)
{
  const struct olmo_params *p              = n->p;
  const struct wlp_dims *d                 = &p->dims;
  const int is_windowed                    = p->windows.is_windowed[n->layer.number];
  const struct wlp_attention_params params = wlp_window_caches_next (&n->caches, d, is_windowed);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; p->clamp > 0 && i < 3; i++)
    qkv[i] = wlp_clamp (n->layer.b, qkv[i], -p->clamp, p->clamp);
  if (p->kind != OLMO_1) {
    qkv[0] = norm (n, "attn_q_norm", qkv[0], d->n_head * d->head_dim_k);
    qkv[1] = norm (n, "attn_k_norm", qkv[1], d->n_head_kv * d->head_dim_k);
  }
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &p->rope[is_windowed]);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;

  if (n->p->kind == OLMO_E)
    return wlp_layer_moe (&n->layer, WLP_ACT_SILU, x, d->n_embd, &n->p->experts, WLP_GATING_SOFTMAX, 0);
  return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, d->n_embd, d->n_ff);
}

static wlp_value
describe_layer (struct network *n, wlp_value x)
{
  struct wlp_builder *b = n->layer.b;
  uint32_t width        = n->p->dims.n_embd;

  if (n->p->kind == OLMO_2) {
    x = wlp_add (b, x, norm (n, "post_attention_norm", attention (n, x), width));
    return wlp_add (b, x, norm (n, "post_ffw_norm", feed_forward (n, x), width));
  }
  x = wlp_add (b, x, attention (n, norm (n, "attn_norm", x, width)));
  return wlp_add (b, x, feed_forward (n, norm (n, "ffn_norm", x, width)));
}

void
olmo_graph_describe (struct wlp_builder *b, const struct olmo_params *p)
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
  b->ops->layer (b, WLP_NONE);
  x = p->kind == OLMO_1 ? norm (&n, "", x, 0) : wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
