/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the BERT family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct bert_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  uint32_t moe_step; /* layers 1, 1 + this, … have experts; 0: none has */
  struct wlp_rope_params rope;
  uint32_t n_types;
  uint32_t n_scores; /* of a model that ranks */
  uint32_t pooling;
  int has_rope; /* in the place of learned positions */
  int has_gate; /* of the feed-forward part */
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int bert_params_read (const struct wlp_metadata *metadata, struct bert_params *ret_params, struct wlp_error *error);
