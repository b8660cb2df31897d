/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Activation rows with AVX2, for all instruction sets of x86.
 */
#pragma once

#include "../linear-quantise.h"

#include <immintrin.h>
#include <string.h>

static inline uint32_t
max_magnitude (const __m256 *x)
{
  const __m256i mask = _mm256_set1_epi32 (0x7fffffff);
  __m256i most       = _mm256_and_si256 (_mm256_castps_si256 (x[0]), mask);
  __m128i half;
  unsigned i;

  for (i = 1; i < 4; i++)
    most = _mm256_max_epi32 (most, _mm256_and_si256 (_mm256_castps_si256 (x[i]), mask));
  half = _mm_max_epi32 (_mm256_castsi256_si128 (most), _mm256_extracti128_si256 (most, 1));
  half = _mm_max_epi32 (half, _mm_shuffle_epi32 (half, 0x4e));
  half = _mm_max_epi32 (half, _mm_shuffle_epi32 (half, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32 (half);
}

/* The sums of a block from those of its halves, value i of a half in lane i % 8. */
static inline void
store_sums (__m256i first, __m256i second, float scale, struct linear_block *block)
{
  /* pairs of lanes; of each vector of 128 bits: first's low and high pair, second's low and high pair */
  const __m256i pairs = _mm256_hadd_epi32 (first, second);
  const __m128i sums  = _mm_add_epi32 (_mm256_castsi256_si128 (pairs), _mm256_extracti128_si256 (pairs, 1));
  const __m128i both  = _mm_add_epi32 (sums, _mm_shuffle_epi32 (sums, 0x4e));
  const __m128i words = _mm_packs_epi32 (sums, both);
  const int32_t total = _mm_cvtsi128_si32 (_mm_hadd_epi32 (both, both));

  block->s = scale * (float)total;
  memcpy (block->sum, &words, sizeof block->sum);
}

static inline void
quantise_block_256 (const float *x, struct linear_block *block)
{
  __m256 values[4];
  __m256i q[4], packed;
  float scale, inverse;
  unsigned i;

  for (i = 0; i < 4; i++)
    values[i] = _mm256_loadu_ps (x + 8 * i);
  if (!linear_block_scale (max_magnitude (values), block, &scale))
    return;
  inverse = 1.0f / scale;
  for (i = 0; i < 4; i++) /* the same rounding as the reference's: nearest, ties to even */
    q[i] = _mm256_cvtps_epi32 (_mm256_mul_ps (values[i], _mm256_set1_ps (inverse)));
  packed = _mm256_packs_epi16 (_mm256_packs_epi32 (q[0], q[1]), _mm256_packs_epi32 (q[2], q[3]));
  packed = _mm256_permutevar8x32_epi32 (packed, _mm256_setr_epi32 (0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256 ((__m256i *)(void *)block->q, packed);
  block->d = scale;
  store_sums (_mm256_add_epi32 (q[0], q[1]), _mm256_add_epi32 (q[2], q[3]), scale, block);
}

static inline void
linear_quantise_256 (const float *x, size_t k, struct linear_block *ret_row)
{
  size_t i;

  for (i = 0; i < k / LINEAR_GROUP; i++)
    quantise_block_256 (x + i * LINEAR_GROUP, &ret_row[i]);
}
