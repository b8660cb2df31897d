/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the Qwen family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct qwen_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope;
  uint32_t n_ff_shared; /* of the expert that sees every token; 0: there is none */
  uint32_t pooling;     /* WLP_POOL_NONE: a language model */
  int has_head_norms;   /* of queries and keys */
  int norms_follow_rope;
  const char *second_norm; /* the name of the one before the feed-forward part */
  int shares_sum_to_1;     /* of the experts that are used */
  float norm_eps;
};

/* 0, or a negative errno with @error naming the key. */
int qwen_params_read (const struct wlp_metadata *metadata, struct qwen_params *ret_params, struct wlp_error *error);
