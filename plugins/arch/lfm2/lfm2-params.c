/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "lfm2-params.h"

/* A layer without heads of keys and values has a convolution in the place of attention; the others are all alike. */
static void
read_heads (struct wlp_keys *keys, struct lfm2_params *p)
{
  struct wlp_dims *d = &p->dims;

  for (uint32_t i = 0; keys->code == 0 && i < d->n_layer; i++) {
    uint32_t n_kv   = wlp_keys_u32_of_layer (keys, "attention.head_count_kv", i, WLP_KEY_REQUIRED);
    uint32_t n_head = wlp_keys_u32_of_layer (keys, "attention.head_count", i, WLP_KEY_REQUIRED);

    if (n_kv == 0)
      continue;
    if (n_head == 0 || n_head > WLP_KEY_MAX_WIDTH || n_kv > n_head)
      wlp_keys_fail (keys, -EINVAL, "layer %u has %u heads, and %u of keys and values", i, n_head, n_kv);
    else if (p->n_attention > 0 && (n_head != d->n_head || n_kv != d->n_head_kv))
      wlp_keys_fail (keys, -ENOTSUP, "the number of heads differs between layers with attention");
    d->n_head           = n_head;
    d->n_head_kv        = n_kv;
    p->has_attention[i] = 1;
    p->n_attention++;
  }
}

/* Layers behind the first ones have experts in the place of the feed-forward part. */
static void
read_experts (struct wlp_keys *keys, struct lfm2_params *p)
{
  p->n_dense = p->dims.n_layer;
  if (!wlp_keys_architecture_is (keys, "lfm2moe"))
    return;
  p->n_dense = wlp_keys_u32 (keys, "leading_dense_block_count", 0, 0, p->dims.n_layer);
  p->experts = wlp_keys_experts_required (keys, &p->dims);
  p->gating  = wlp_keys_gating (keys, WLP_GATING_SIGMOID);
}

int
lfm2_params_read (const struct wlp_metadata *metadata, struct lfm2_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys  = { metadata, error, 0 };
  struct lfm2_params *p = ret_params;

  memset (p, 0, sizeof *p);
  p->dims       = wlp_keys_sizes (&keys);
  p->conv_width = wlp_keys_u32 (&keys, "shortconv.l_cache", WLP_KEY_REQUIRED, 2, 64);
  p->norm_eps   = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  p->window     = wlp_keys_u32 (&keys, "attention.sliding_window", 0, 0, INT32_MAX);
  read_heads (&keys, p);
  read_experts (&keys, p);
  if (keys.code == 0 && p->n_attention > 0) {
    wlp_keys_head_dims (&keys, &p->dims);
    p->rope = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  }
  return keys.code;
}
