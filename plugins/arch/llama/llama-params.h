/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the Llama family.
 */
#pragma once

#include "woolly-plugin/arch-layer.h"

struct llama_params {
  struct wlp_dims dims;
  struct wlp_experts experts;
  struct wlp_rope_params rope;
  uint32_t n_dense;     /* the first layers that have no experts, of a network with some */
  uint32_t moe_step;    /* behind them, each layer of this number has some */
  int has_gate;         /* of the feed-forward part */
  uint32_t nope_step;   /* each layer of this number has no rope; 0: all have it, 1: none has */
  uint32_t n_ff_shared; /* of an expert that sees every token; 0: there is none */
  uint32_t pooling;     /* WLP_POOL_NONE: a language model */
  float norm_eps;
  float attention_scale;
  float temperature; /* how much scores grow with each further length of the original context; 0: not at all */
  float embedding_scale;
  float residual_scale; /* of what a part adds */
  float logit_scale;
};

/* 0, or a negative errno with @error naming the key. */
int llama_params_read (const struct wlp_metadata *metadata, struct llama_params *ret_params, struct wlp_error *error);
