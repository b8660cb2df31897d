/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of LFM2.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct lfm2_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope;
  enum wlp_gating gating;
  uint32_t n_dense;     /* layers without experts, the first ones */
  uint32_t n_attention; /* layers with attention; the others have a convolution */
  uint32_t conv_width;
  uint32_t window; /* that attention sees; 0: all */
  float norm_eps;
  uint8_t has_attention[WLP_KEY_MAX_LAYERS];
};

/* 0, or a negative errno with @error naming the key. */
int lfm2_params_read (const struct wlp_metadata *metadata, struct lfm2_params *ret_params, struct wlp_error *error);
