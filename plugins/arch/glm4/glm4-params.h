/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of glm4, from the keys "glm4.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct glm4_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int glm4_params_read (const struct wlp_metadata *metadata, struct glm4_params *ret_params, struct wlp_error *error);
