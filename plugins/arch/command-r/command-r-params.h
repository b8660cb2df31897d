/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of Command R.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct command_r_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  struct wlp_windows windows;
  int is_2; /* Command R7B and A: only layers with a window have rope */
  float norm_eps;
  float logit_scale;
};

/* 0, or a negative errno with @error naming the key. */
int command_r_params_read (const struct wlp_metadata *metadata, struct command_r_params *ret_params,
                           struct wlp_error *error);
