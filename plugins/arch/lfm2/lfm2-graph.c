/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * LFM2 (arXiv 2511.23404), a hybrid: most layers mix tokens by a short gated convolution, the others by attention.
 *
 *   x = embedding
 *   for each layer:  x += mix (n),                          n = rms (x)
 *                    x += down (silu (gate (n)) * up (n)),  n = rms (x); or experts
 *   logits = output (rms (x))
 *
 *   mix (n) = out (attention (rope (rms (q (n))), rope (rms (k (n))), v (n)))
 *   or        out (c * convolution (b * z)),  [b, c, z] = in (n)
 *
 * Sizes in brackets are widths of values.
 */
#include "lfm2-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct lfm2_params *p;
  uint32_t cache;       /* of keys and values */
  uint32_t state;       /* of convolutions */
  uint32_t n_attention; /* so far */
  uint32_t n_conv;
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
  const struct wlp_dims *d           = &n->p->dims;
  struct wlp_attention_params params = wlp_layer_attention (d, n->cache, n->n_attention++);
  wlp_value qkv[3];

  params.window = n->p->window;
  wlp_layer_qkv (&n->layer, d, x, qkv);
  qkv[0] = wlp_rope (n->layer.b, norm (n, "attn_q_norm", qkv[0], d->head_dim_k), WLP_NONE, &n->p->rope);
  qkv[1] = wlp_rope (n->layer.b, norm (n, "attn_k_norm", qkv[1], d->head_dim_k), WLP_NONE, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
convolution (struct network *n, wlp_value x)
{
  const struct wlp_layer *layer             = &n->layer;
  const uint64_t n_embd                     = n->p->dims.n_embd;
  const struct wlp_state_conv_params params = { n->state, n->n_conv++, n->p->conv_width };
  wlp_weight in   = wlp_layer_weight (layer, "shortconv.in_proj.weight", WLP_WEIGHT_REQUIRED, n_embd, 3 * n_embd, 0);
  wlp_weight taps = wlp_layer_weight (layer, "shortconv.conv.weight", WLP_WEIGHT_REQUIRED, n->p->conv_width, n_embd, 0);
  wlp_value part[3];

  for (int i = 0; i < 3; i++)
    part[i] = wlp_linear_rows (layer->b, x, in, WLP_NONE, (uint64_t)i * n_embd, n_embd);
  x = wlp_state_conv (layer->b, wlp_mul (layer->b, part[0], part[2]), taps, WLP_NONE, &params);
  return wlp_layer_linear (layer, "shortconv.out_proj", wlp_mul (layer->b, part[1], x), n_embd, n_embd);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct lfm2_params *p = n->p;

  if (n->layer.number < p->n_dense)
    return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, p->dims.n_embd, p->dims.n_ff);
  return wlp_layer_moe (&n->layer, WLP_ACT_SILU, x, p->dims.n_embd, &p->experts, p->gating, 1);
}

void
lfm2_graph_describe (struct wlp_builder *b, const struct lfm2_params *p)
{
  const struct wlp_dims *d = &p->dims;
  const uint32_t n_conv    = d->n_layer - p->n_attention;
  struct network n         = { .layer = { .b = b }, .p = p };
  wlp_weight tokens        = wlp_token_embeddings (b, d);
  wlp_weight gain          = wlp_weight_1d (b, "token_embd_norm.weight", WLP_WEIGHT_REQUIRED, d->n_embd);
  wlp_value x;

  wlp_dims_limits (b, d, WLP_POOL_NONE);
  n.cache = p->n_attention > 0 ? wlp_attention_cache (b, d, p->n_attention, p->window) : WLP_NONE;
  n.state = n_conv > 0 ? wlp_state_cache (b, n_conv, (p->conv_width - 1) * d->n_embd) : WLP_NONE;

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < d->n_layer; n.layer.number++) {
    wlp_value y;

    b->ops->layer (b, n.layer.number);
    y = norm (&n, "attn_norm", x, 0);
    x = wlp_add (b, x, p->has_attention[n.layer.number] ? attention (&n, y) : convolution (&n, y));
    x = wlp_add (b, x, feed_forward (&n, norm (&n, "ffn_norm", x, 0)));
  }
  b->ops->layer (b, WLP_NONE);
  /* the norm behind the last layer goes by the name that others use for the embeddings' */
  x = wlp_norm (b, WLP_NORM_RMS, x, gain, WLP_NONE, 0, p->norm_eps);
  wlp_logits (b, wlp_output_scores (b, x, d, tokens));
}
