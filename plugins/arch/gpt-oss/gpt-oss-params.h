/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of gpt-oss.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct gpt_oss_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope[2]; /* of layers that see all, that see a window */
  struct wlp_windows windows;
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int gpt_oss_params_read (const struct wlp_metadata *metadata, struct gpt_oss_params *ret_params,
                         struct wlp_error *error);
