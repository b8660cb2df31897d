/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of exaone, from the keys "exaone.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct exaone_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  struct wlp_windows windows;
  int is_4;
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int exaone_params_read (const struct wlp_metadata *metadata, struct exaone_params *ret_params, struct wlp_error *error);
