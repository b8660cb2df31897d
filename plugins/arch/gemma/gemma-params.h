/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the Gemma family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct gemma_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope[2]; /* of layers that see all, that see a window */
  struct wlp_windows windows;
  uint32_t pooling;   /* WLP_POOL_NONE: a language model */
  uint32_t n_dense;   /* width between the two layers behind the pooled row; 0: there are none */
  int is_encoder;     /* tokens see what stands behind them, too */
  int has_post_norms; /* behind attention and feed-forward part, too */
  int has_head_norms; /* of queries and keys */
  float norm_eps;
  float attention_scale;
  float attention_cap; /* 0: none */
  float logit_cap;     /* 0: none */
};

/* 0, or a negative errno with @error naming the key. */
int gemma_params_read (const struct wlp_metadata *metadata, struct gemma_params *ret_params, struct wlp_error *error);
