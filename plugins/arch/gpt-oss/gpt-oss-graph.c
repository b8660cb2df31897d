/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gpt-oss (arXiv 2508.10925):
 *
 *   x = embedding
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n), sinks)),  n = rms (x)
 *                    x += experts (n),                                                 n = rms (x)
 *   logits = output (rms (x))
 *
 * Every linear layer of a layer has a bias.  A sink takes its part of the softmax of a head and gives nothing.  Experts
 * are chosen by their scores, and share by the softmax over those that were chosen; their GLU is clamped.
 */
#include "gpt-oss-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct gpt_oss_params *p;
  struct wlp_window_caches caches;
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, n->p->dims.n_embd, 0, n->p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const int is_windowed                    = n->p->windows.is_windowed[n->layer.number];
  const struct wlp_attention_params params = wlp_window_caches_next (&n->caches, d, is_windowed);
  wlp_weight sinks = wlp_layer_weight (&n->layer, "attn_sinks.weight", WLP_WEIGHT_REQUIRED, d->n_head, 0, 0);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &n->p->rope[is_windowed]);
  return wlp_layer_attend (&n->layer, d, qkv, sinks, &params);
}

void
gpt_oss_graph_describe (struct wlp_builder *b, const struct gpt_oss_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.caches = wlp_window_caches_make (b, &p->dims, &p->windows);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = wlp_add (b, x, attention (&n, norm (&n, "attn_norm", x)));
    x = wlp_add (b, x,
                 wlp_layer_moe (&n.layer, WLP_ACT_SWIGLU_OAI, norm (&n, "post_attention_norm", x), p->dims.n_embd,
                                &p->experts, WLP_GATING_SOFTMAX_CHOSEN, 0));
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
