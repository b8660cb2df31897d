/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * BERT (arXiv 1810.04805), an encoder: every token sees all of its text, nothing is kept in a cache.
 *
 *   x = norm (embedding + position + type 0)
 *   for each layer:  x = norm (x + out (attention (q (x), k (x), v (x))))
 *                    x = norm (x + down (gelu (up (x))))
 *   pooled: the first token, the mean, …; a model that ranks gives a score: output (tanh (dense (first token)))
 *
 * Nomic's (2402.01613) has rope in the place of learned positions, and down (silu (gate (x)) * up (x)); its second
 * version (2502.07972) has no gate, but experts in every second layer.  All norms are layer norms.  Sizes in brackets
 * are widths of values.
 */
#include "bert-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct bert_params *p;
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_LAYER, part, x, n->p->dims.n_embd, 0, n->p->norm_eps);
}

/* [n_embd] */
static wlp_value
embeddings (struct wlp_builder *b, const struct bert_params *p)
{
  const struct wlp_dims *d = &p->dims;
  wlp_weight positions     = WLP_NONE;
  wlp_weight types         = WLP_NONE;
  wlp_weight gain          = wlp_weight_1d (b, "token_embd_norm.weight", WLP_WEIGHT_REQUIRED, d->n_embd);
  wlp_weight bias          = wlp_weight_1d (b, "token_embd_norm.bias", WLP_WEIGHT_REQUIRED, d->n_embd);
  wlp_value x;

  if (!p->has_rope)
    positions = wlp_weight_2d (b, "position_embd.weight", WLP_WEIGHT_REQUIRED, d->n_embd, d->n_ctx);
  if (p->n_types > 0)
    types = wlp_weight_2d (b, "token_types.weight", WLP_WEIGHT_REQUIRED, d->n_embd, p->n_types);
  x = wlp_embed_all (b, wlp_token_embeddings (b, d), positions, types);
  return wlp_norm (b, WLP_NORM_LAYER, x, gain, bias, 0, p->norm_eps);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const struct wlp_attention_params params = wlp_layer_encoder_attention (d, 0);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  for (int i = 0; n->p->has_rope && i < 2; i++)
    qkv[i] = wlp_rope (n->layer.b, qkv[i], WLP_NONE, &n->p->rope);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> what the chosen experts make of it, each without a gate [n_embd] */
static wlp_value
experts (const struct network *n, wlp_value x)
{
  const struct wlp_experts *e           = &n->p->experts;
  const struct wlp_route_params routing = { .gating = WLP_GATING_SOFTMAX, .n_used = e->n_used, .scale = e->scale };
  const uint64_t n_embd                 = n->p->dims.n_embd;
  struct wlp_builder *b                 = n->layer.b;
  wlp_value ids =
      wlp_moe_route (b, wlp_layer_linear (&n->layer, "ffn_gate_inp", x, n_embd, e->n_expert), WLP_NONE, &routing);

  x = wlp_layer_experts (&n->layer, "ffn_up_exps", x, ids, n_embd, e->n_ff, e, 0);
  x = wlp_activate (b, WLP_ACT_GELU_HALF, x);
  x = wlp_layer_experts (&n->layer, "ffn_down_exps", x, ids, e->n_ff, n_embd, e, 1);
  return wlp_moe_sum (b, x, ids + 1);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d = &n->p->dims;

  if (n->p->moe_step != 0 && n->layer.number % n->p->moe_step == 1)
    return experts (n, x);
  if (n->p->has_gate)
    return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, d->n_embd, d->n_ff);
  return wlp_layer_mlp (&n->layer, WLP_ACT_GELU_HALF, x, d->n_embd, d->n_ff);
}

static wlp_value
describe_layer (const struct network *n, wlp_value x)
{
  wlp_value y;

  x = norm (n, "attn_output_norm", wlp_add (n->layer.b, x, attention (n, x)));
  y = feed_forward (n, x);
  return norm (n, "layer_output_norm", wlp_add (n->layer.b, x, y));
}

/* x [n_embd] of each token -> one row of each text.  The head of a model that ranks has a hidden layer or not. */
static void
pool (struct wlp_builder *b, const struct bert_params *p, wlp_value x)
{
  const uint64_t n  = p->dims.n_embd;
  wlp_weight head   = WLP_NONE;
  wlp_weight bias   = WLP_NONE;
  wlp_weight hidden = WLP_NONE;

  if (p->pooling == WLP_POOL_RANK) {
    hidden = wlp_weight_2d (b, "cls.weight", WLP_WEIGHT_OPTIONAL, n, n);
    head   = wlp_weight_2d (b, "cls.output.weight", WLP_WEIGHT_REQUIRED, n, p->n_scores);
    bias   = wlp_weight_1d (b, "cls.output.bias", WLP_WEIGHT_OPTIONAL, p->n_scores);
  }
  if (hidden != WLP_NONE)
    x = wlp_activate (b, WLP_ACT_TANH,
                      wlp_linear (b, x, hidden, wlp_weight_1d (b, "cls.bias", WLP_WEIGHT_OPTIONAL, n)));
  wlp_pool (b, p->pooling, x, head, bias);
}

void
bert_graph_describe (struct wlp_builder *b, const struct bert_params *p)
{
  struct network n = { .layer = { .b = b }, .p = p };
  wlp_value x;

  wlp_dims_limits_of (b, &p->dims, p->pooling, 0);
  x = embeddings (b, p);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = describe_layer (&n, x);
  }
  b->ops->layer (b, WLP_NONE);
  pool (b, p, x);
}
