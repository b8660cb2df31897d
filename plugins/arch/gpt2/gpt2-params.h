/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the GPT-2 family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct gpt2_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  int has_rope; /* else positions are learned */
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int gpt2_params_read (const struct wlp_metadata *metadata, struct gpt2_params *ret_params, struct wlp_error *error);
