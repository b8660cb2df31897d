/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the OLMo family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

enum olmo_kind {
  OLMO_1,
  OLMO_2, /* and 3, which has windows */
  OLMO_E,
};

struct olmo_params {
  enum olmo_kind kind;
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope[2]; /* of layers that see all, that see a window */
  struct wlp_windows windows;
  float norm_eps;
  float clamp; /* queries, keys and values lie within -clamp .. clamp; 0: anywhere */
};

/* 0, or a negative errno with @error naming the key. */
int olmo_params_read (const struct wlp_metadata *metadata, struct olmo_params *ret_params, struct wlp_error *error);
