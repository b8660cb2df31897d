/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 512-bit vectors for linear-body.h: AVX-512 F and BW.
 */
#pragma once

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define V_BYTES 64

#include "../linear-vector.h"

#ifdef __AVX512F__
#define V_PIN(x) __asm__ volatile("" : "+v"(x))
#else /* the instructions are emulated */
#define V_PIN(x) (void)(x)
#endif

static ALWAYS v_u8
v_splat4 (const void *four)
{
  int32_t value;

  memcpy (&value, four, sizeof value);
  return (v_u8)_mm512_set1_epi32 (value);
}

static ALWAYS v_f32
v_splat (const float *value)
{
  return (v_f32)_mm512_set1_ps (*value);
}

static ALWAYS v_f32
v_fma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)_mm512_fmadd_ps ((__m512)a, (__m512)b, (__m512)c);
}

static ALWAYS v_f32
v_fnma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)_mm512_fnmadd_ps ((__m512)a, (__m512)b, (__m512)c);
}

static ALWAYS v_f32
v_half (v_u32 lanes)
{
  return (v_f32)_mm512_cvtph_ps ((__m256i) __builtin_convertvector(lanes, v_words));
}

static ALWAYS v_f32
v_halves (const void *halves)
{
  return (v_f32)_mm512_cvtph_ps (_mm256_loadu_si256 (halves));
}

static ALWAYS v_u8
v_lookup (const int8_t *table, v_u8 indices)
{
  const __m512i all = _mm512_broadcast_i32x4 (_mm_loadu_si128 ((const __m128i *)(const void *)table));

  return (v_u8)_mm512_shuffle_epi8 (all, (__m512i)indices);
}

static ALWAYS v_s32
v_pair_sum (const int16_t *pair)
{
  return (v_s32)_mm512_madd_epi16 ((__m512i)v_splat4 (pair), _mm512_set1_epi16 (1));
}
