/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gemma-params.h"

/* Heads are as wide as their keys; the largest models scale as if they shared n_embd. */
static float
attention_scale (struct wlp_keys *keys, const struct wlp_dims *d, uint32_t n_layer_of_largest)
{
  const uint32_t width = d->n_layer == n_layer_of_largest ? d->n_embd / d->n_head : d->head_dim_k;

  return wlp_keys_f32_or (keys, "attention.scale", 1 / sqrtf ((float)width));
}

static void
read_gemma2 (struct wlp_keys *keys, struct gemma_params *p)
{
  wlp_keys_windows (keys, p->dims.n_layer, 4096, 2, &p->windows);
  p->has_post_norms  = 1;
  p->attention_scale = attention_scale (keys, &p->dims, 46);
  p->attention_cap   = wlp_keys_f32 (keys, "attn_logit_softcapping", 50);
  p->logit_cap       = wlp_keys_f32 (keys, "final_logit_softcapping", 30);
  p->rope[1].base    = wlp_keys_f32 (keys, "rope.freq_base_swa", p->rope[0].base);
}

/* Scaling, also that of YaRN, is for the layers that see far. */
static void
read_gemma3 (struct wlp_keys *keys, struct gemma_params *p)
{
  wlp_keys_windows (keys, p->dims.n_layer, 0, 6, &p->windows);
  p->has_post_norms     = 1;
  p->has_head_norms     = 1;
  p->attention_scale    = attention_scale (keys, &p->dims, 62);
  p->logit_cap          = wlp_keys_f32 (keys, "final_logit_softcapping", 0);
  p->rope[1].base       = wlp_keys_f32 (keys, "rope.freq_base_swa", 10000);
  p->rope[1].freq_scale = 1;
  if (p->rope[1].ext_factor != 0)
    p->rope[1].attn_factor = wlp_keys_f32 (keys, "rope.scaling.attn_factor", 1);
  p->rope[1].ext_factor = 0;
}

/* EmbeddingGemma (arXiv 2509.20354) is Gemma 3 as an encoder, with two linear layers behind the mean. */
static void
read_embedding (struct wlp_keys *keys, struct gemma_params *p)
{
  read_gemma3 (keys, p);
  p->is_encoder = 1;
  p->pooling    = wlp_keys_pooling (keys, WLP_POOL_MEAN);
  p->n_dense    = wlp_keys_rows (keys, "dense_2.weight");
}

int
gemma_params_read (const struct wlp_metadata *metadata, struct gemma_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys   = { metadata, error, 0 };
  struct gemma_params *p = ret_params;

  memset (p, 0, sizeof *p);
  p->dims     = wlp_keys_dims (&keys);
  p->pooling  = wlp_keys_pooling (&keys, WLP_POOL_NONE);
  p->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  p->rope[0]  = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->rope[1]  = p->rope[0];
  if (keys.code != 0)
    return keys.code;
  if (wlp_keys_architecture_is (&keys, "gemma2"))
    read_gemma2 (&keys, p);
  else if (wlp_keys_architecture_is (&keys, "gemma3"))
    read_gemma3 (&keys, p);
  else if (wlp_keys_architecture_is (&keys, "gemma-embedding"))
    read_embedding (&keys, p);
  else
    p->attention_scale = attention_scale (&keys, &p->dims, 0);
  if (p->pooling == WLP_POOL_RANK)
    wlp_keys_fail (&keys, -ENOTSUP, "a model of this family that ranks is not known");
  return keys.code;
}
