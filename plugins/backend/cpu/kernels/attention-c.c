/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reference in plain C.
 */
#include "attention.h"

#include "quant-half.h"

#include <math.h>
#include <string.h>

#define Q8_BLOCK       32
#define Q8_BLOCK_BYTES 34

static inline void
scores_row_c (const float *keys, unsigned d, unsigned n_queries, const float *const *q, float *const *s)
{
  unsigned i, lane;

  for (i = 0; i < n_queries; i++)
    for (lane = 0; lane < ATTENTION_TILE; lane++)
      s[i][lane] = fmaf (q[i][d], keys[lane], s[i][lane]);
}

static void
scores_tile_f32_c (const void *tile, unsigned head_dim, unsigned n_queries, const float *const *q, float *const *s)
{
  unsigned d;

  for (d = 0; d < head_dim; d++)
    scores_row_c ((const float *)tile + (size_t)d * ATTENTION_TILE, d, n_queries, q, s);
}

static void
scores_tile_f16_c (const void *tile, unsigned head_dim, unsigned n_queries, const float *const *q, float *const *s)
{
  const uint16_t *halves = tile;
  float keys[ATTENTION_TILE];
  unsigned d, lane;

  for (d = 0; d < head_dim; d++, halves += ATTENTION_TILE) {
    for (lane = 0; lane < ATTENTION_TILE; lane++)
      keys[lane] = wlq_f16_to_f32 (halves[lane]);
    scores_row_c (keys, d, n_queries, q, s);
  }
}

static void
scores_tile_q8_0_c (const void *tile, unsigned head_dim, unsigned n_queries, const float *const *q, float *const *s)
{
  const uint16_t *scales = tile;
  const int8_t *bytes    = (const int8_t *)(scales + (size_t)head_dim / Q8_BLOCK * ATTENTION_TILE);
  float keys[ATTENTION_TILE];
  unsigned d, lane;

  for (d = 0; d < head_dim; d++, bytes += ATTENTION_TILE) {
    for (lane = 0; lane < ATTENTION_TILE; lane++)
      keys[lane] = wlq_f16_to_f32 (scales[d / Q8_BLOCK * ATTENTION_TILE + lane]) * (float)bytes[lane];
    scores_row_c (keys, d, n_queries, q, s);
  }
}

typedef void (*scores_tile_fn) (const void *tile, unsigned head_dim, unsigned n_queries, const float *const *q,
                                float *const *s);

static void
scores_c (scores_tile_fn scores_tile, const void *tiles, size_t tile_bytes, unsigned n_tiles, unsigned head_dim,
          unsigned n_queries, const float *const *q, float *const *s)
{
  float *of_tile[ATTENTION_QUERIES];
  unsigned tile, i;

  for (tile = 0; tile < n_tiles; tile++) {
    for (i = 0; i < n_queries; i++) {
      of_tile[i] = s[i] + tile * ATTENTION_TILE;
      memset (of_tile[i], 0, ATTENTION_TILE * sizeof (float));
    }
    scores_tile ((const uint8_t *)tiles + tile * tile_bytes, head_dim, n_queries, q, of_tile);
  }
}

static void
scores_f32_c (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
              const float *const *q, float *const *s)
{
  scores_c (scores_tile_f32_c, tiles, attention_tile_bytes (WLP_TYPE_F32, head_dim), n_tiles, head_dim, n_queries, q,
            s);
}

static void
scores_f16_c (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
              const float *const *q, float *const *s)
{
  scores_c (scores_tile_f16_c, tiles, attention_tile_bytes (WLP_TYPE_F16, head_dim), n_tiles, head_dim, n_queries, q,
            s);
}

static void
scores_q8_0_c (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
               const float *const *q, float *const *s)
{
  scores_c (scores_tile_q8_0_c, tiles, attention_tile_bytes (WLP_TYPE_Q8_0, head_dim), n_tiles, head_dim, n_queries, q,
            s);
}

static inline void
values_element_c (float value, unsigned position, unsigned d, unsigned n_queries, const float *const *p,
                  float *const *o)
{
  unsigned i;

  for (i = 0; i < n_queries; i++)
    o[i][d] = fmaf (p[i][position], value, o[i][d]);
}

static void
values_f32_c (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
              unsigned n_queries, const float *const *p, float *const *o)
{
  unsigned position, d;

  for (position = 0; position < n_positions; position++) {
    const float *row = (const float *)(const void *)((const uint8_t *)values + position * row_bytes);

    for (d = 0; d < head_dim; d++)
      values_element_c (row[d], position, d, n_queries, p, o);
  }
}

static void
values_f16_c (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
              unsigned n_queries, const float *const *p, float *const *o)
{
  unsigned position, d;

  for (position = 0; position < n_positions; position++) {
    const uint16_t *row = (const uint16_t *)(const void *)((const uint8_t *)values + position * row_bytes);

    for (d = 0; d < head_dim; d++)
      values_element_c (wlq_f16_to_f32 (row[d]), position, d, n_queries, p, o);
  }
}

static void
values_q8_0_c (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
               unsigned n_queries, const float *const *p, float *const *o)
{
  unsigned position, d;

  for (position = 0; position < n_positions; position++) {
    const uint8_t *row = (const uint8_t *)values + position * row_bytes;

    for (d = 0; d < head_dim; d++) {
      const uint8_t *block = row + (size_t)d / Q8_BLOCK * Q8_BLOCK_BYTES;
      uint16_t scale;

      memcpy (&scale, block, sizeof scale);
      values_element_c (wlq_f16_to_f32 (scale) * (float)(int8_t)block[2 + d % Q8_BLOCK], position, d, n_queries, p, o);
    }
  }
}

const struct attention_isa attention_isa_c = {
  .name     = "c",
  .features = 0,
  .f32      = { scores_f32_c, values_f32_c },
  .f16      = { scores_f16_c, values_f16_c },
  .q8_0     = { scores_q8_0_c, values_q8_0_c },
};
