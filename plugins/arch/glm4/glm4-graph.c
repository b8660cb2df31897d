/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GLM-4 (arXiv 2406.12793) in its version of 2025, GLM-4-0414 and GLM-Z1:
 *
 *   x = embedding
 *   for each layer:  x += rms (out (attention (rope (q (n)), rope (k (n)), v (n)))),                n = rms (x)
 *                    x += rms (down (silu (gate) * up)), [gate, up] = ffn_up (n) [2 * n_ff],  n = rms (x)
 *   logits = output (rms (x))
 *
 * Rope turns a part of a head.  q, k and v may have biases.
 *
 * Sizes in brackets are widths of values.  The builder checks every name, shape and width and keeps the first error, so
 * nothing is checked here.
 */
#include "glm4-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct glm4_params *p;
  uint32_t cache;
  wlp_weight rope_factors[2];
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, n->p->dims.n_embd, 0, n->p->norm_eps);
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
  return wlp_layer_glu_fused (&n->layer, WLP_ACT_SILU, x, n->p->dims.n_embd, n->p->dims.n_ff);
}

void
glm4_graph_describe (struct wlp_builder *b, const struct glm4_params *p)
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
    x = wlp_add (b, x, norm (&n, "post_attention_norm", attention (&n, norm (&n, "attn_norm", x))));
    x = wlp_add (b, x, norm (&n, "post_ffw_norm", feed_forward (&n, norm (&n, "ffn_norm", x))));
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
