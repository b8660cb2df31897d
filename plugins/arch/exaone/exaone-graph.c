/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * EXAONE 3 and 3.5 (arXiv 2408.03541, 2412.04862), "exaone":
 *
 *   for each layer:  x += out (attention (rope (q (n)), rope (k (n)), v (n))),  n = rms (x)
 *                    x += down (silu (gate (n)) * up (n)),                      n = rms (x)
 *
 * EXAONE 4 (2507.11407), "exaone4", has its norms behind the parts, and norms each head of q and k:
 *
 *   for each layer:  x += rms (out (attention (rope (rms (q (x))), rope (rms (k (x))), v (x))))
 *                    x += rms (down (silu (gate (x)) * up (x)))
 *
 * Its largest model sees a window on three of four layers, which alone have rope.  Then logits = output (rms (x)).
 *
 * Sizes in brackets are widths of values.  The builder checks every name, shape and width and keeps the first error, so
 * nothing is checked here.
 */
#include "exaone-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct exaone_params *p;
  struct wlp_window_caches caches;
  wlp_weight rope_factors[2];
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
  const struct wlp_dims *d                 = &n->p->dims;
  const int is_windowed                    = n->p->windows.is_windowed[n->layer.number];
  const struct wlp_attention_params params = wlp_window_caches_next (&n->caches, d, is_windowed);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  if (n->p->is_4) {
    qkv[0] = norm (n, "attn_q_norm", qkv[0], d->head_dim_k);
    qkv[1] = norm (n, "attn_k_norm", qkv[1], d->head_dim_k);
  }
  for (int i = 0; i < 2 && (is_windowed || n->p->windows.window == 0); i++)
    qkv[i] = wlp_rope_by_context (n->layer.b, qkv[i], n->rope_factors, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, n->p->dims.n_embd, n->p->dims.n_ff);
}

static wlp_value
describe_layer (struct network *n, wlp_value x)
{
  struct wlp_builder *b = n->layer.b;

  if (n->p->is_4) {
    x = wlp_add (b, x, norm (n, "post_attention_norm", attention (n, x), 0));
    return wlp_add (b, x, norm (n, "post_ffw_norm", feed_forward (n, x), 0));
  }
  x = wlp_add (b, x, attention (n, norm (n, "attn_norm", x, 0)));
  return wlp_add (b, x, feed_forward (n, norm (n, "ffn_norm", x, 0)));
}

void
exaone_graph_describe (struct wlp_builder *b, const struct exaone_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, WLP_POOL_NONE);
  n.caches = wlp_window_caches_make (b, &p->dims, &p->windows);
  wlp_rope_factors (b, &p->rope, n.rope_factors);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = describe_layer (&n, x);
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
