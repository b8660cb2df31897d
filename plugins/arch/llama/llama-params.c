/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "llama-params.h"

/* Granite (arXiv 2408.13359) names four factors; a dense network may be without rope, which rope.scaling.finetuned
 * says. */
static void
read_granite (struct wlp_keys *keys, struct llama_params *p)
{
  p->n_ff_shared     = wlp_keys_u32 (keys, "expert_shared_feed_forward_length", 0, 0, WLP_KEY_MAX_WIDTH);
  p->embedding_scale = wlp_keys_f32_or (keys, "embedding_scale", 1);
  p->residual_scale  = wlp_keys_f32_or (keys, "residual_scale", 1);
  p->logit_scale     = 1 / wlp_keys_f32_or (keys, "logit_scale", 1);
  if (wlp_keys_architecture_is (keys, "granite") && !wlp_keys_bool (keys, "rope.scaling.finetuned", 1))
    p->nope_step = 1;
}

/* MiniCPM (arXiv 2404.06395); early files name no factors, there they are those of the first models. */
static void
read_minicpm (struct wlp_keys *keys, struct llama_params *p)
{
  p->embedding_scale = wlp_keys_f32_or (keys, "embedding_scale", 12);
  p->residual_scale  = wlp_keys_f32_or (keys, "residual_scale", 1.4f / sqrtf ((float)p->dims.n_layer));
  p->logit_scale     = 1 / wlp_keys_f32_or (keys, "logit_scale", (float)p->dims.n_embd / 256);
}

/* ERNIE 4.5 (the technical report of 2025): the first layers have no experts, whose width is told by itself. */
static void
read_ernie_moe (struct wlp_keys *keys, struct llama_params *p)
{
  p->n_ff_shared  = wlp_keys_u32 (keys, "expert_shared_feed_forward_length", 0, 0, WLP_KEY_MAX_WIDTH);
  p->n_dense      = wlp_keys_u32 (keys, "leading_dense_block_count", 0, 0, p->dims.n_layer);
  p->moe_step     = wlp_keys_u32_or (keys, "interleave_moe_layer_step", 1, WLP_KEY_MAX_LAYERS);
  p->experts.n_ff = wlp_keys_u32_or (keys, "expert_feed_forward_length", p->dims.n_ff, WLP_KEY_MAX_WIDTH);
}

int
llama_params_read (const struct wlp_metadata *metadata, struct llama_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys   = { metadata, error, 0 };
  struct llama_params *p = ret_params;

  *p              = (struct llama_params){ .embedding_scale = 1, .residual_scale = 1, .logit_scale = 1, .moe_step = 1 };
  p->dims         = wlp_keys_dims (&keys);
  p->experts      = wlp_keys_experts (&keys, &p->dims);
  p->experts.n_ff = p->dims.n_ff;
  p->rope         = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NORM);
  p->pooling      = wlp_keys_pooling (&keys, WLP_POOL_NONE);
  p->norm_eps     = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  p->attention_scale = wlp_keys_f32_or (&keys, "attention.scale", 1 / sqrtf ((float)p->dims.head_dim_k));
  p->has_gate        = !wlp_keys_architecture_is (&keys, "arcee");
  p->temperature     = wlp_keys_f32 (&keys, "attention.temperature_scale", 0);
  if (wlp_keys_architecture_is (&keys, "granite") || wlp_keys_architecture_is (&keys, "granitemoe"))
    read_granite (&keys, p);
  else if (wlp_keys_architecture_is (&keys, "minicpm"))
    read_minicpm (&keys, p);
  else if (wlp_keys_architecture_is (&keys, "ernie4_5-moe"))
    read_ernie_moe (&keys, p);
  else if (wlp_keys_architecture_is (&keys, "smollm3"))
    p->nope_step = 4;
  if (p->pooling == WLP_POOL_RANK)
    wlp_keys_fail (&keys, -ENOTSUP, "a model of this family that ranks is not known");
  return keys.code;
}
