/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of nemotron, from the keys "nemotron.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct nemotron_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int nemotron_params_read (const struct wlp_metadata *metadata, struct nemotron_params *ret_params,
                          struct wlp_error *error);
