/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Phi-1.5 and Phi-2 (arXiv 2309.05463), "phi2":
 *
 *   for each layer:  n = layer norm (x)
 *                    x += out (attention (rope (q (n)), rope (k (n)), v (n))) + down (gelu (up (n)))
 *   logits = output (layer norm (x))
 *
 * Phi-3 (arXiv 2404.14219) to Phi-4 (2412.08905), "phi3":
 *
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),           n = rms (x)
 *                    x += down (silu (gate) * up), [gate, up] = ffn_up (n) [2 * n_ff],   n = rms (x)
 *   logits = output (rms (x))
 *
 * Phi-3.5-MoE, "phimoe", has experts in the place of the second part, and biases behind the norms.
 *
 * Sizes in brackets are widths of values.
 */
#include "phi-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct phi_params *p;
  struct wlp_window_caches caches;
  wlp_weight rope_factors[2];
};

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;
  const struct wlp_attention_params params =
      wlp_window_caches_next (&n->caches, d, n->p->windows.is_windowed[n->layer.number]);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; i < 2; i++)
    qkv[i] = wlp_rope_by_context (n->layer.b, qkv[i], n->rope_factors, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

static wlp_value
parallel_layer (struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;
  wlp_value normed         = wlp_layer_norm (&n->layer, WLP_NORM_LAYER, "attn_norm", x, d->n_embd, 0, n->p->norm_eps);
  wlp_value attended       = attention (n, normed);

  return wlp_add (
      n->layer.b, x,
      wlp_add (n->layer.b, attended, wlp_layer_mlp (&n->layer, WLP_ACT_GELU_HALF, normed, d->n_embd, d->n_ff)));
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;

  if (n->p->experts.n_expert > 0)
    return wlp_layer_moe (&n->layer, WLP_ACT_SILU, x, d->n_embd, &n->p->experts, WLP_GATING_SOFTMAX, 1);
  return wlp_layer_glu_fused (&n->layer, WLP_ACT_SILU, x, d->n_embd, d->n_ff);
}

static wlp_value
serial_layer (struct network *n, wlp_value x)
{
  struct wlp_builder *b    = n->layer.b;
  const struct wlp_dims *d = &n->p->dims;
  wlp_value y              = wlp_layer_norm (&n->layer, WLP_NORM_RMS, "attn_norm", x, d->n_embd, 0, n->p->norm_eps);

  x = wlp_add (b, x, attention (n, y));
  y = wlp_layer_norm (&n->layer, WLP_NORM_RMS, "ffn_norm", x, d->n_embd, 0, n->p->norm_eps);
  return wlp_add (b, x, feed_forward (n, y));
}

void
phi_graph_describe (struct wlp_builder *b, const struct phi_params *p)
{
  const enum wlp_norm kind = p->is_parallel ? WLP_NORM_LAYER : WLP_NORM_RMS;
  struct network n         = { .layer = { .b = b }, .p = p };
  wlp_weight tokens        = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.caches = wlp_window_caches_make (b, &p->dims, &p->windows);
  wlp_rope_factors (b, &p->rope, n.rope_factors);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = p->is_parallel ? parallel_layer (&n, x) : serial_layer (&n, x);
  }
  x = wlp_output_norm (b, kind, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
