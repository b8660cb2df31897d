/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SmallThinker (arXiv 2507.20984), made for machines without an accelerator: which experts a layer will need is known
 * before its attention.
 *
 *   x = embedding
 *   for each layer:  scores = router (x)
 *                    x += out (attention (rope (q (n)), rope (k (n)), v (n))),       n = rms (x)
 *                    x += experts (n) by scores, each down (relu (gate (n)) * up (n)),  n = rms (x)
 *   logits = output (rms (x))
 *
 * Where there are layers with a window, the others have no rope.
 *
 * Sizes in brackets are widths of values.  The builder checks every name, shape and width and keeps the first error, so
 * nothing is checked here.
 */
#include "smallthinker-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct smallthinker_params *p;
  struct wlp_window_caches caches;
  wlp_weight rope_factors[2];
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
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; i < 2 && (is_windowed || n->p->windows.window == 0); i++)
    qkv[i] = wlp_rope_by_context (n->layer.b, qkv[i], n->rope_factors, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

static wlp_value
describe_layer (struct network *n, wlp_value x)
{
  const struct smallthinker_params *p = n->p;
  struct wlp_builder *b               = n->layer.b;
  wlp_value scores = wlp_layer_linear (&n->layer, "ffn_gate_inp", x, p->dims.n_embd, p->experts.n_expert);

  x = wlp_add (b, x, attention (n, norm (n, "attn_norm", x)));
  return wlp_add (b, x,
                  wlp_layer_moe_scored (&n->layer, WLP_ACT_RELU, norm (n, "ffn_norm", x), scores, p->dims.n_embd,
                                        &p->experts, p->gating, 1));
}

void
smallthinker_graph_describe (struct wlp_builder *b, const struct smallthinker_params *p)
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
