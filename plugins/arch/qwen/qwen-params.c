/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "qwen-params.h"

/* Where the file does not say it, the experts that are used are as wide together as a dense layer. */
static void
read_experts (struct wlp_keys *keys, struct qwen_params *p)
{
  uint32_t n_used = wlp_keys_u32 (keys, "expert_used_count", WLP_KEY_REQUIRED, 1, 65536);

  p->experts = wlp_keys_experts_required (keys, &p->dims);
  if (keys->code == 0)
    p->experts.n_ff = wlp_keys_u32_or (keys, "expert_feed_forward_length", p->dims.n_ff / n_used, WLP_KEY_MAX_WIDTH);
}

/* Hunyuan (arXiv 2411.02265) norms what has turned; its base may be given before it was grown for a longer context. */
static void
read_hunyuan (struct wlp_keys *keys, struct qwen_params *p)
{
  const float alpha = wlp_keys_f32 (keys, "rope.scaling.alpha", 0);
  const float size  = (float)p->dims.head_dim_k;

  p->has_head_norms    = 1;
  p->norms_follow_rope = 1;
  if (alpha > 0 && size > 2)
    p->rope.base *= powf (alpha, size / (size - 2));
}

int
qwen_params_read (const struct wlp_metadata *metadata, struct qwen_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys  = { metadata, error, 0 };
  struct qwen_params *p = ret_params;
  int is_2moe           = wlp_keys_architecture_is (&keys, "qwen2moe");
  int is_3moe = wlp_keys_architecture_is (&keys, "qwen3moe") || wlp_keys_architecture_is (&keys, "qwen3vlmoe");

  *p          = (struct qwen_params){ 0 };
  p->dims     = wlp_keys_dims (&keys);
  p->rope     = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->pooling  = wlp_keys_pooling (&keys, WLP_POOL_NONE);
  p->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  p->has_head_norms =
      is_3moe || wlp_keys_architecture_is (&keys, "qwen3") || wlp_keys_architecture_is (&keys, "qwen3vl");
  p->shares_sum_to_1 = is_3moe;
  p->second_norm     = wlp_keys_architecture_is (&keys, "seed_oss") ? "post_attention_norm" : "ffn_norm";
  if (is_2moe || is_3moe)
    read_experts (&keys, p);
  if (is_2moe)
    p->n_ff_shared = wlp_keys_u32_or (&keys, "expert_shared_feed_forward_length", p->dims.n_ff, WLP_KEY_MAX_WIDTH);
  if (wlp_keys_architecture_is (&keys, "hunyuan-dense"))
    read_hunyuan (&keys, p);
  return keys.code;
}
