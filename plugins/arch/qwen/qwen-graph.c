/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Qwen 2 (arXiv 2407.10671), Qwen 2.5 and Qwen 3 (2505.09388):
 *
 *   x = embedding
 *   for each layer:  x += out (attention (rope (norm (q (n))), rope (norm (k (n))), v (n))),  n = rms (x)
 *                    x += down (silu (gate (n)) * up (n)),                                    n = rms (x)
 *   logits = output (rms (x))
 *
 * Qwen 2 has biases for q, k and v, Qwen 3 a norm for each head of q and k.  With experts, those of Qwen 2 stand beside
 * one that sees every token and is weighted by a sigmoid.  Seed-OSS is as Qwen 2; Hunyuan is as Qwen 3, but norms q and
 * k behind rope.  Sizes in brackets are widths of values.
 */
#include "qwen-graph.h"

struct network {
  struct wlp_layer layer; /* the one that is described */
  const struct qwen_params *p;
  uint32_t cache;
  wlp_weight rope_factors[2];
};

static wlp_value
norm (const struct network *n, const char *part, wlp_value x, uint32_t width, uint32_t group)
{
  return wlp_layer_norm (&n->layer, WLP_NORM_RMS, part, x, width, group, n->p->norm_eps);
}

/* q or k -> the same, normed and turned, in the order of the family. */
static wlp_value
norm_and_turn (const struct network *n, const char *part, wlp_value x)
{
  const struct qwen_params *p = n->p;

  if (p->has_head_norms && !p->norms_follow_rope)
    x = norm (n, part, x, 0, p->dims.head_dim_k);
  x = wlp_rope_by_context (n->layer.b, x, n->rope_factors, &p->rope);
  return p->norms_follow_rope ? norm (n, part, x, 0, p->dims.head_dim_k) : x;
}

/* x [n_embd] -> [n_embd] */
static wlp_value
attention (const struct network *n, wlp_value x)
{
  const struct wlp_dims *d                 = &n->p->dims;
  const struct wlp_attention_params params = wlp_layer_attention (d, n->cache, n->layer.number);
  wlp_value qkv[3];

  wlp_layer_qkv (&n->layer, d, x, qkv);
  qkv[0] = norm_and_turn (n, "attn_q_norm", qkv[0]);
  qkv[1] = norm_and_turn (n, "attn_k_norm", qkv[1]);
  return wlp_layer_attend (&n->layer, d, qkv, WLP_NONE, &params);
}

/* x [n_embd] -> [n_embd] */
static wlp_value
feed_forward (const struct network *n, wlp_value x)
{
  const struct qwen_params *p = n->p;
  struct wlp_builder *b       = n->layer.b;
  wlp_value experts;
  wlp_value shared;
  wlp_value share; /* [1] */

  if (p->experts.n_expert == 0)
    return wlp_layer_glu (&n->layer, WLP_ACT_SILU, "", x, p->dims.n_embd, p->dims.n_ff);
  experts =
      wlp_layer_moe (&n->layer, WLP_ACT_SILU, x, p->dims.n_embd, &p->experts, WLP_GATING_SOFTMAX, p->shares_sum_to_1);
  if (p->n_ff_shared == 0)
    return experts;
  share  = wlp_layer_linear (&n->layer, "ffn_gate_inp_shexp", x, p->dims.n_embd, 1);
  shared = wlp_layer_glu (&n->layer, WLP_ACT_SILU, "_shexp", x, p->dims.n_embd, p->n_ff_shared);
  return wlp_add (b, experts, wlp_mul (b, shared, wlp_activate (b, WLP_ACT_SIGMOID, share)));
}

/* x [n_embd] of each token -> the share of the first of two answers, "yes", behind the last token [1]: the softmax over
 * two scores is a sigmoid of their difference. */
static void
rank (struct wlp_builder *b, const struct qwen_params *p, wlp_value x)
{
  wlp_weight head = wlp_weight_2d (b, "cls.output.weight", WLP_WEIGHT_REQUIRED, p->dims.n_embd, 2);
  wlp_weight bias = wlp_weight_1d (b, "cls.output.bias", WLP_WEIGHT_OPTIONAL, 2);
  wlp_value no    = wlp_linear_rows (b, x, head, bias, 1, 1);

  x = wlp_add (b, wlp_linear_rows (b, x, head, bias, 0, 1), wlp_scale (b, no, -1));
  wlp_pool (b, WLP_POOL_LAST, wlp_activate (b, WLP_ACT_SIGMOID, x), WLP_NONE, WLP_NONE);
}

void
qwen_graph_describe (struct wlp_builder *b, const struct qwen_params *p)
{
  struct network n  = { .layer = { .b = b }, .p = p };
  wlp_weight tokens = wlp_token_embeddings (b, &p->dims);
  wlp_value x;

  wlp_dims_limits (b, &p->dims, p->pooling);
  n.cache = wlp_attention_cache (b, &p->dims, p->dims.n_layer, 0);
  wlp_rope_factors (b, &p->rope, n.rope_factors);

  x = wlp_embed (b, tokens, 1);
  for (; n.layer.number < p->dims.n_layer; n.layer.number++) {
    b->ops->layer (b, n.layer.number);
    x = wlp_add (b, x, attention (&n, norm (&n, "attn_norm", x, p->dims.n_embd, 0)));
    x = wlp_add (b, x, feed_forward (&n, norm (&n, p->second_norm, x, p->dims.n_embd, 0)));
  }
  x = wlp_output_norm (b, WLP_NORM_RMS, x, &p->dims, p->norm_eps);
  if (p->pooling == WLP_POOL_RANK)
    rank (b, p, x);
  else if (p->pooling != WLP_POOL_NONE)
    wlp_pool (b, p->pooling, x, WLP_NONE, WLP_NONE);
  else
    wlp_logits (b, wlp_output_scores (b, x, &p->dims, tokens));
}
