/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The functions of one instruction set and their table, ATTENTION_ISA, from its scores_body() and values_body(), which
 * are inlined for each number of queries and each type.
 */
#pragma once

#include "attention-element.h"

static ALWAYS void
scores_any (enum element element, uint32_t type, const void *tiles, const void *ahead, unsigned n_tiles,
            unsigned head_dim, unsigned n, const float *const *q, float *const *s)
{
  const size_t tile_bytes = attention_tile_bytes (type, head_dim);

  switch (n) {
  case 1:
    scores_body (element, tile_bytes, tiles, ahead, n_tiles, head_dim, 1, q, s);
    break;
  case 2:
    scores_body (element, tile_bytes, tiles, ahead, n_tiles, head_dim, 2, q, s);
    break;
  case 3:
    scores_body (element, tile_bytes, tiles, ahead, n_tiles, head_dim, 3, q, s);
    break;
  default:
    scores_body (element, tile_bytes, tiles, ahead, n_tiles, head_dim, 4, q, s);
    break;
  }
}

static void
scores_f32 (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
            const float *const *q, float *const *s)
{
  scores_any (ELEMENT_F32, WLP_TYPE_F32, tiles, ahead, n_tiles, head_dim, n_queries, q, s);
}

static void
scores_f16 (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
            const float *const *q, float *const *s)
{
  scores_any (ELEMENT_F16, WLP_TYPE_F16, tiles, ahead, n_tiles, head_dim, n_queries, q, s);
}

static void
scores_q8_0 (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
             const float *const *q, float *const *s)
{
  scores_any (ELEMENT_Q8_0, WLP_TYPE_Q8_0, tiles, ahead, n_tiles, head_dim, n_queries, q, s);
}

static ALWAYS void
values_any (enum element element, const void *values, const void *ahead, size_t row_bytes, unsigned n_positions,
            unsigned head_dim, unsigned n, const float *const *p, float *const *o)
{
  switch (n) {
  case 1:
    values_body (element, values, ahead, row_bytes, n_positions, head_dim, 1, p, o);
    break;
  case 2:
    values_body (element, values, ahead, row_bytes, n_positions, head_dim, 2, p, o);
    break;
  case 3:
    values_body (element, values, ahead, row_bytes, n_positions, head_dim, 3, p, o);
    break;
  default:
    values_body (element, values, ahead, row_bytes, n_positions, head_dim, 4, p, o);
    break;
  }
}

static void
values_f32 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
            unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_F32, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

static void
values_f16 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
            unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_F16, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

static void
values_q8_0 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
             unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_Q8_0, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

const struct attention_isa ATTENTION_ISA = {
  .name     = ATTENTION_NAME,
  .features = ATTENTION_FEATURES,
  .f32      = { scores_f32, values_f32 },
  .f16      = { scores_f16, values_f16 },
  .q8_0     = { scores_q8_0, values_q8_0 },
};
