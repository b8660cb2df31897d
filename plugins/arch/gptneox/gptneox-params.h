/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of gptneox, from the keys "gptneox.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct gptneox_params {
  struct wlp_dims dims;
  struct wlp_rope_params rope;
  float norm_eps;
  int is_parallel; /* attention and feed-forward part read the same x */
};

/* 0, or a negative errno with @error naming the key. */
int gptneox_params_read (const struct wlp_metadata *metadata, struct gptneox_params *ret_params,
                         struct wlp_error *error);
