/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of smallthinker, from the keys "smallthinker.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct smallthinker_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope;
  struct wlp_windows windows;
  enum wlp_gating gating;
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int smallthinker_params_read (const struct wlp_metadata *metadata, struct smallthinker_params *ret_params,
                              struct wlp_error *error);
