/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 256-bit vectors for linear-body.h: AVX2 with FMA and F16C.
 */
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define V_BYTES 32

#include "../linear-vector.h"

#define V_PIN(x) __asm__ volatile("" : "+x"(x))

static ALWAYS v_u8
v_splat4 (const void *four)
{
  return (v_u8)_mm256_castps_si256 (_mm256_broadcast_ss (four));
}

static ALWAYS v_f32
v_splat (const float *value)
{
  return (v_f32)_mm256_broadcast_ss (value);
}

static ALWAYS v_f32
v_fma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)_mm256_fmadd_ps ((__m256)a, (__m256)b, (__m256)c);
}

static ALWAYS v_f32
v_fnma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)_mm256_fnmadd_ps ((__m256)a, (__m256)b, (__m256)c);
}

static ALWAYS v_f32
v_half (v_u32 lanes)
{
  const __m256i low = (__m256i)(lanes & 0xffff);

  return (v_f32)_mm256_cvtph_ps (_mm_packus_epi32 (_mm256_castsi256_si128 (low), _mm256_extracti128_si256 (low, 1)));
}

static ALWAYS v_f32
v_halves (const void *halves)
{
  return (v_f32)_mm256_cvtph_ps (_mm_loadu_si128 (halves));
}

static ALWAYS v_u8
v_lookup (const int8_t *table, v_u8 indices)
{
  const __m256i both = _mm256_broadcastsi128_si256 (_mm_loadu_si128 ((const __m128i *)(const void *)table));

  return (v_u8)_mm256_shuffle_epi8 (both, (__m256i)indices);
}

static ALWAYS v_s32
v_pair_sum (const int16_t *pair)
{
  return (v_s32)_mm256_madd_epi16 ((__m256i)v_splat4 (pair), _mm256_set1_epi16 (1));
}
