/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A backend for tests: ABI version 1 in the plainest C, sums in double, weights unpacked to float32.
 *
 * It is the reference that real backends are compared with, and the judge of the engine: a batch that breaks a rule of
 * backend.h (rows that do not rise, a block outside the cache, a position that was never written …) is refused with
 * -EINVAL and a text.  What it computes for a token hangs on nothing but its past, bit for bit.
 */
#pragma once

#include "woolly-plugin/backend.h"

#define FAKE_MAX_ROW (1u << 16) /* of a key or value row */

/* From WOOLLY_FAKE, a list such as "crash:20,slow:5": what goes wrong, and after how many tokens. */
struct fake_faults {
  int64_t crash;   /* SIGSEGV while computing; -1: never, as for the next */
  int64_t lost;    /* -EIO */
  int64_t nan;     /* logits that are not numbers */
  int64_t slow_ms; /* for each step */
};

struct wlp_backend {
  const struct wlp_services *services;
  struct fake_faults faults;
};

struct fake_weight {
  float *data; /* [ne2][ne1][ne0] */
  uint64_t n;
};

struct wlp_model {
  struct wlp_backend *backend;
  struct wlp_plan_request plan;
  struct fake_weight *weights; /* [n_weights] */
  float **values;              /* [n_values][max_tokens * width]; int32 where the type says so */
  double *scores;              /* scratch of attention: [n_head][keys] */
  uint64_t n_scores;
  double *sums;                  /* scratch of attention and of routing: [FAKE_MAX_ROW] */
  float *head;                   /* scratch for a key or value row: [FAKE_MAX_ROW] */
  const struct wlp_batch *batch; /* between submit() and wait() */
  uint64_t n_weight_bytes;
  uint64_t n_scratch_bytes;
  uint64_t n_cache_bytes; /* of blocks that hold something */
  int64_t n_tokens_done;
  int n_caches;
};

struct wlp_cache {
  struct wlp_model *model;
  uint32_t group;
  enum wlp_type type;
  uint32_t n_blocks;
  uint64_t row_bytes[2]; /* of a key row, of a value row */
  uint64_t block_bytes;
  uint8_t *data;    /* [n_blocks][block_bytes] */
  uint8_t *written; /* [n_blocks][n_layers][WLP_BLOCK_POSITIONS] */
};

/* fake-cache.c */
int fake_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                       struct wlp_cache **ret_cache, struct wlp_error *error);
void fake_cache_free (struct wlp_cache *cache);
uint64_t fake_cache_block_bytes (struct wlp_cache *cache);
int fake_cache_copy (struct wlp_cache *cache, uint32_t from_block, uint32_t to_block);
int fake_cache_discard (struct wlp_cache *cache, uint32_t block);
int fake_cache_export (struct wlp_cache *cache, uint32_t block, void *memory, uint64_t n_bytes);
int fake_cache_import (struct wlp_cache *cache, uint32_t block, const void *memory, uint64_t n_bytes);
/* Row of the key (which 0) or the value (1) of a layer at @position in @block. */
void fake_cache_store (struct wlp_cache *cache, uint32_t block, uint32_t layer, uint32_t position, int which,
                       const float *row);
/* As float32; 0 where it was never written. */
int fake_cache_load (const struct wlp_cache *cache, uint32_t block, uint32_t layer, uint32_t position, int which,
                     float *ret_row);

/* fake-batch.c: whether a batch keeps the rules. */
int fake_batch_check (const struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error);

/* fake-run.c */
int fake_submit (struct wlp_model *model, const struct wlp_batch *batch, struct wlp_error *error);
int fake_wait (struct wlp_model *model, struct wlp_error *error);
/* Row of a value for @token, and its width. */
float *fake_row (const struct wlp_model *model, wlp_value value, uint32_t token);
uint32_t fake_width (const struct wlp_model *model, wlp_value value);

/* fake-ops.c, fake-attention.c, fake-route.c, fake-state.c: one operator over all tokens of the batch. */
int fake_op_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error);
int fake_attention_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error);
void fake_rope_run (struct wlp_model *model, const struct wlp_op *op);
int fake_state_conv_run (struct wlp_model *model, const struct wlp_op *op, struct wlp_error *error);
void fake_route_run (struct wlp_model *model, const struct wlp_op *op);
