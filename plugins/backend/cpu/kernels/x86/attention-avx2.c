/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX2 with FMA and F16C: 8 positions, or 8 dimensions, in a vector.
 */
#include "../attention.h"

#include "quant-half.h"
#include "woolly-plugin/services.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

#define Q8_BLOCK       32
#define Q8_BLOCK_BYTES 34

#define ALWAYS inline __attribute__ ((always_inline))

enum element { ELEMENT_F32, ELEMENT_F16, ELEMENT_Q8_0 };

static ALWAYS size_t
element_bytes (enum element element)
{
  return element == ELEMENT_F32 ? 4 : (element == ELEMENT_F16 ? 2 : 1); /* of Q8_0 without the scales */
}

static ALWAYS __m256
load_f16 (const void *at)
{
  return _mm256_cvtph_ps (_mm_loadu_si128 (at));
}

static ALWAYS __m256
load_i8 (const void *at)
{
  return _mm256_cvtepi32_ps (_mm256_cvtepi8_epi32 (_mm_loadl_epi64 (at)));
}

/* Eight keys of dimension @d from lane @lane on. */
static ALWAYS __m256
load_keys (enum element element, const void *tile, unsigned head_dim, unsigned d, unsigned lane)
{
  const size_t at = (size_t)d * ATTENTION_TILE + lane;
  const uint16_t *scales;
  const int8_t *q;

  switch (element) {
  case ELEMENT_F32:
    return _mm256_loadu_ps ((const float *)tile + at);
  case ELEMENT_F16:
    return load_f16 ((const uint16_t *)tile + at);
  default:
    scales = tile;
    q      = (const int8_t *)(scales + (size_t)head_dim / Q8_BLOCK * ATTENTION_TILE);
    return _mm256_mul_ps (load_f16 (scales + d / Q8_BLOCK * ATTENTION_TILE + lane), load_i8 (q + at));
  }
}

static ALWAYS void
scores_body (enum element element, const void *tile, const void *ahead, unsigned head_dim, unsigned n,
             const float *const *q, float *const *s)
{
  __m256 low[ATTENTION_QUERIES], high[ATTENTION_QUERIES];
  unsigned d, i;

#pragma GCC unroll 4
  for (i = 0; i < n; i++)
    low[i] = high[i] = _mm256_setzero_ps ();
  for (d = 0; d < head_dim; d++) {
    __builtin_prefetch ((const uint8_t *)ahead + (size_t)d * element_bytes (element) * ATTENTION_TILE);
    const __m256 k0 = load_keys (element, tile, head_dim, d, 0);
    const __m256 k1 = load_keys (element, tile, head_dim, d, 8);

#pragma GCC unroll 4
    for (i = 0; i < n; i++) {
      const __m256 query = _mm256_broadcast_ss (q[i] + d);

      low[i]  = _mm256_fmadd_ps (query, k0, low[i]);
      high[i] = _mm256_fmadd_ps (query, k1, high[i]);
    }
  }
#pragma GCC unroll 4
  for (i = 0; i < n; i++) {
    _mm256_storeu_ps (s[i], low[i]);
    _mm256_storeu_ps (s[i] + 8, high[i]);
  }
}

static ALWAYS void
scores_any (enum element element, const void *tile, const void *ahead, unsigned head_dim, unsigned n,
            const float *const *q, float *const *s)
{
  switch (n) {
  case 1:
    scores_body (element, tile, ahead, head_dim, 1, q, s);
    break;
  case 2:
    scores_body (element, tile, ahead, head_dim, 2, q, s);
    break;
  case 3:
    scores_body (element, tile, ahead, head_dim, 3, q, s);
    break;
  default:
    scores_body (element, tile, ahead, head_dim, 4, q, s);
    break;
  }
}

static void
scores_f32_avx2 (const void *tile, const void *ahead, unsigned head_dim, unsigned n_queries, const float *const *q,
                 float *const *s)
{
  scores_any (ELEMENT_F32, tile, ahead, head_dim, n_queries, q, s);
}

static void
scores_f16_avx2 (const void *tile, const void *ahead, unsigned head_dim, unsigned n_queries, const float *const *q,
                 float *const *s)
{
  scores_any (ELEMENT_F16, tile, ahead, head_dim, n_queries, q, s);
}

static void
scores_q8_0_avx2 (const void *tile, const void *ahead, unsigned head_dim, unsigned n_queries, const float *const *q,
                  float *const *s)
{
  scores_any (ELEMENT_Q8_0, tile, ahead, head_dim, n_queries, q, s);
}

/* Eight values of one position from dimension @d on; a block of Q8_0 never ends inside them. */
static ALWAYS __m256
load_values (enum element element, const uint8_t *row, unsigned d)
{
  const uint8_t *block;
  uint16_t scale;

  switch (element) {
  case ELEMENT_F32:
    return _mm256_loadu_ps ((const float *)(const void *)row + d);
  case ELEMENT_F16:
    return load_f16 ((const uint16_t *)(const void *)row + d);
  default:
    block = row + (size_t)d / Q8_BLOCK * Q8_BLOCK_BYTES;
    memcpy (&scale, block, sizeof scale);
    return _mm256_mul_ps (_mm256_set1_ps (_cvtsh_ss (scale)), load_i8 (block + 2 + d % Q8_BLOCK));
  }
}

/* One value, where fewer than eight are left; never with Q8_0. */
static ALWAYS float
load_value (enum element element, const uint8_t *row, unsigned d)
{
  if (element == ELEMENT_F32)
    return ((const float *)(const void *)row)[d];
  return wlq_f16_to_f32 (((const uint16_t *)(const void *)row)[d]);
}

/* @width vectors of dimensions from @d on, through all positions. */
static ALWAYS void
values_strip (enum element element, const uint8_t *row, const uint8_t *ahead, size_t row_bytes, unsigned n_positions,
              unsigned d, unsigned width, unsigned n, const float *const *p, float *const *o)
{
  __m256 acc[2][ATTENTION_QUERIES];
  unsigned position, i, j;

#pragma GCC unroll 2
  for (j = 0; j < width; j++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      acc[j][i] = _mm256_loadu_ps (o[i] + d + 8 * j);
  for (position = 0; position < n_positions; position++, row += row_bytes, ahead += row_bytes) {
    __builtin_prefetch (ahead + d * element_bytes (element));
#pragma GCC unroll 2
    for (j = 0; j < width; j++) {
      const __m256 value = load_values (element, row, d + 8 * j);

#pragma GCC unroll 4
      for (i = 0; i < n; i++)
        acc[j][i] = _mm256_fmadd_ps (_mm256_broadcast_ss (p[i] + position), value, acc[j][i]);
    }
  }
#pragma GCC unroll 2
  for (j = 0; j < width; j++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      _mm256_storeu_ps (o[i] + d + 8 * j, acc[j][i]);
}

static ALWAYS void
values_body (enum element element, const void *values, const void *ahead, size_t row_bytes, unsigned n_positions,
             unsigned head_dim, unsigned n, const float *const *p, float *const *o)
{
  const uint8_t *row = values;
  unsigned d, i, position;

  for (d = 0; d + 16 <= head_dim; d += 16)
    values_strip (element, row, ahead, row_bytes, n_positions, d, 2, n, p, o);
  for (; d + 8 <= head_dim; d += 8)
    values_strip (element, row, ahead, row_bytes, n_positions, d, 1, n, p, o);
  for (; d < head_dim; d++)
    for (i = 0; i < n; i++)
      for (position = 0; position < n_positions; position++)
        o[i][d] = fmaf (p[i][position], load_value (element, row + position * row_bytes, d), o[i][d]);
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
values_f32_avx2 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
                 unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_F32, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

static void
values_f16_avx2 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
                 unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_F16, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

static void
values_q8_0_avx2 (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
                  unsigned n_queries, const float *const *p, float *const *o)
{
  values_any (ELEMENT_Q8_0, values, ahead, row_bytes, n_positions, head_dim, n_queries, p, o);
}

const struct attention_isa attention_isa_avx2 = {
  .name     = "avx2",
  .features = WLP_CPU_AVX2,
  .f32      = { scores_f32_avx2, values_f32_avx2 },
  .f16      = { scores_f16_avx2, values_f16_avx2 },
  .q8_0     = { scores_q8_0_avx2, values_q8_0_avx2 },
};
