/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the Phi family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct phi_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope;
  struct wlp_windows windows;
  int is_parallel; /* phi2: attention and feed-forward part read the same norm */
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int phi_params_read (const struct wlp_metadata *metadata, struct phi_params *ret_params, struct wlp_error *error);
