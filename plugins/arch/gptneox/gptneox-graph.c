/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * gptneox: GPT-NeoX-20B (arXiv 2204.06745), Pythia (arXiv 2304.01373) and what is built like them.
 *
 *   x = embedding
 *   for each layer, a (n) = out (attention (rope (q (n)), rope (k (n)), v (n))),  f (n) = down (gelu (up (n))):
 *     parallel:    x += a (norm1 (x)) + f (norm2 (x)), both of the same x
 *     sequential:  x += a (norm1 (x)), then x += f (norm2 (x))
 *   logits = output (norm (x))
 *
 * Norms are LayerNorm, everything but the output has a bias, and q, k and v are one tensor.  Rope turns a part of a
 * head only (a quarter of it, mostly).  gelu is by tanh, as the family was trained, and in half precision, as its files
 * are run.
 *
 * Sizes in brackets are widths of values.  The builder checks every name, shape and width and keeps the first error, so
 * nothing is checked here.
 */
#include "gptneox-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct gptneox_params *p;
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
  return wlp_layer_mlp (&n->layer, WLP_ACT_GELU_HALF, x, n->p->dims.n_embd, n->p->dims.n_ff);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
layer (const struct network *n, wlp_value x)
{
  const wlp_value y = wlp_add (n->layer.b, x, attention (n, norm (n, "attn_norm", x)));

  return wlp_add (n->layer.b, y, feed_forward (n, norm (n, "ffn_norm", n->p->is_parallel ? x : y)));
}

void
gptneox_graph_describe (struct wlp_builder *b, const struct gptneox_params *p)
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
    x = layer (&n, x);
  }
  x = wlp_output_norm (b, WLP_NORM_LAYER, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
