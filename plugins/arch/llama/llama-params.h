/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Hyper-parameters of the Llama family, from the keys "ARCH.…" of a model file.
 */
#pragma once

#include "woolly-plugin/arch.h"

#define LLAMA_MAX_LAYERS 1024u

struct llama_params {
  uint32_t n_layer;
  uint32_t n_embd;
  uint32_t n_vocab;
  uint32_t n_ctx;
  uint32_t n_ff;
  uint32_t n_head;
  uint32_t n_head_kv;
  uint32_t head_dim_k;
  uint32_t head_dim_v;
  uint32_t n_expert; /* 0: dense */
  uint32_t n_expert_used;
  float expert_scale;
  float norm_eps;
  float attention_scale;
  struct wlp_rope_params rope;
};

/* 0, or a negative errno with @error naming the key. */
int llama_params_read (const struct wlp_metadata *metadata, struct llama_params *ret_params, struct wlp_error *error);
