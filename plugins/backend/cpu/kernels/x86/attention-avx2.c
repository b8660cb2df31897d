/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX2 with FMA and F16C: 8 positions, or 8 dimensions, in a vector.
 */
#include "../attention-element.h"

#include "woolly-plugin/services.h"

#include <immintrin.h>
#include <math.h>
#include <string.h>

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

/* Tiles and strips are so wide that about eight sums are on their way: fewer would wait for each other. */
#define SUMS 8

/* Dimension @d of the scores of @n_tiles. */
static ALWAYS void
scores_step (enum element element, size_t tile_bytes, const uint8_t *tiles, unsigned n_tiles, unsigned head_dim,
             unsigned d, unsigned n, const float *const *q, __m256 (*sums)[ATTENTION_QUERIES])
{
  unsigned i, part;

#pragma GCC unroll 8
  for (part = 0; part < 2 * n_tiles; part++) {
    const __m256 keys = load_keys (element, tiles + part / 2 * tile_bytes, head_dim, d, part % 2 * 8);

#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      sums[part][i] = _mm256_fmadd_ps (_mm256_broadcast_ss (q[i] + d), keys, sums[part][i]);
  }
}

/* @n_tiles at once, scores from @first on. */
static ALWAYS void
scores_tiles (enum element element, size_t tile_bytes, const uint8_t *tiles, const uint8_t *ahead, unsigned n_tiles,
              unsigned head_dim, unsigned n, const float *const *q, float *const *s, unsigned first)
{
  const unsigned lines = element == ELEMENT_F32 ? 2 : 1; /* of a tile, in two dimensions */
  __m256 sums[SUMS][ATTENTION_QUERIES];
  unsigned d, i, part;

#pragma GCC unroll 8
  for (part = 0; part < 2 * n_tiles; part++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      sums[part][i] = _mm256_setzero_ps ();
  for (d = 0; d + 2 <= head_dim; d += 2) {
#pragma GCC unroll 8
    for (i = 0; i < n_tiles * lines; i++, ahead += 64)
      __builtin_prefetch (ahead);
    scores_step (element, tile_bytes, tiles, n_tiles, head_dim, d, n, q, sums);
    scores_step (element, tile_bytes, tiles, n_tiles, head_dim, d + 1, n, q, sums);
  }
  if (d < head_dim)
    scores_step (element, tile_bytes, tiles, n_tiles, head_dim, d, n, q, sums);
#pragma GCC unroll 8
  for (part = 0; part < 2 * n_tiles; part++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      _mm256_storeu_ps (s[i] + first + part * 8, sums[part][i]);
}

static ALWAYS void
scores_body (enum element element, size_t tile_bytes, const uint8_t *tiles, const uint8_t *ahead, unsigned n_tiles,
             unsigned head_dim, unsigned n, const float *const *q, float *const *s)
{
  const unsigned wide = n <= SUMS / 8 ? 4 : (n <= SUMS / 4 ? 2 : 1);
  unsigned i;

  for (i = 0; i + wide <= n_tiles; i += wide)
    scores_tiles (element, tile_bytes, tiles + i * tile_bytes, ahead + i * tile_bytes, wide, head_dim, n, q, s,
                  i * ATTENTION_TILE);
  for (; i < n_tiles && wide > 1; i++)
    scores_tiles (element, tile_bytes, tiles + i * tile_bytes, ahead + i * tile_bytes, 1, head_dim, n, q, s,
                  i * ATTENTION_TILE);
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

/* One position of @width vectors of dimensions from @d on. */
static ALWAYS void
values_step (enum element element, const uint8_t *row, unsigned position, unsigned d, unsigned width, unsigned n,
             const float *const *p, __m256 (*sums)[ATTENTION_QUERIES])
{
  unsigned i, j;

#pragma GCC unroll 8
  for (j = 0; j < width; j++) {
    const __m256 value = load_values (element, row, d + 8 * j);

#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      sums[j][i] = _mm256_fmadd_ps (_mm256_broadcast_ss (p[i] + position), value, sums[j][i]);
  }
}

/* @width vectors of dimensions from @d on, through all positions.  Where a strip is narrower than a line of memory, it
 * asks for the lines of every second position, of which ones depends on where in the line it begins. */
static ALWAYS void
values_strip (enum element element, const uint8_t *row, const uint8_t *ahead, size_t row_bytes, unsigned n_positions,
              unsigned d, unsigned width, unsigned n, const float *const *p, float *const *o)
{
  const size_t strip_bytes = 8 * width * element_bytes (element), at = d * element_bytes (element);
  __m256 sums[SUMS][ATTENTION_QUERIES];
  unsigned position, i, j;

#pragma GCC unroll 8
  for (j = 0; j < width; j++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      sums[j][i] = _mm256_loadu_ps (o[i] + d + 8 * j);
  ahead += at + (strip_bytes < 64 && at % 64 != 0 ? row_bytes : 0);
  for (position = 0; position + 2 <= n_positions; position += 2) {
#pragma GCC unroll 4
    for (j = 0; j * 64 < strip_bytes; j++) {
      __builtin_prefetch (ahead + j * 64);
      if (strip_bytes >= 64)
        __builtin_prefetch (ahead + row_bytes + j * 64);
    }
    values_step (element, row, position, d, width, n, p, sums);
    values_step (element, row + row_bytes, position + 1, d, width, n, p, sums);
    row += 2 * row_bytes;
    ahead += 2 * row_bytes;
  }
  if (position < n_positions)
    values_step (element, row, position, d, width, n, p, sums);
#pragma GCC unroll 8
  for (j = 0; j < width; j++)
#pragma GCC unroll 4
    for (i = 0; i < n; i++)
      _mm256_storeu_ps (o[i] + d + 8 * j, sums[j][i]);
}

static ALWAYS void
values_body (enum element element, const void *values, const void *ahead, size_t row_bytes, unsigned n_positions,
             unsigned head_dim, unsigned n, const float *const *p, float *const *o)
{
  const unsigned wide = n == 1 ? SUMS : (n == 2 ? SUMS / 2 : 2);
  const uint8_t *row  = values;
  unsigned d, i, position;

  for (d = 0; d + 8 * wide <= head_dim; d += 8 * wide)
    values_strip (element, row, ahead, row_bytes, n_positions, d, wide, n, p, o);
  for (; d + 16 <= head_dim && wide > 2; d += 16)
    values_strip (element, row, ahead, row_bytes, n_positions, d, 2, n, p, o);
  for (; d + 8 <= head_dim; d += 8)
    values_strip (element, row, ahead, row_bytes, n_positions, d, 1, n, p, o);
  for (; d < head_dim; d++)
    for (i = 0; i < n; i++)
      for (position = 0; position < n_positions; position++)
        o[i][d] = fmaf (p[i][position], load_value (element, row + position * row_bytes, d), o[i][d]);
}

#define ATTENTION_ISA      attention_isa_avx2
#define ATTENTION_NAME     "avx2"
#define ATTENTION_FEATURES WLP_CPU_AVX2
#include "../attention-body.h"
