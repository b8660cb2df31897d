/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 128-bit vectors for linear-body.h: NEON of 64-bit ARM with the dot product of bytes.  All weights are fit to be
 * signed bytes, so offsets are taken off in 32 bits.
 */
#pragma once

#include "../linear.h"

#include <arm_neon.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define V_BYTES      16
#define V_TOKENS     4
#define V_IS_SIGNED  1
#define V_SUMS_WORDS 0

#include "../linear-vector.h"

typedef v_s32 v_sum;

#define V_PIN(x) __asm__ volatile("" : "+w"(x))

static ALWAYS v_u8
v_splat4 (const void *four)
{
  int32_t value;

  memcpy (&value, four, sizeof value);
  return (v_u8)vdupq_n_s32 (value);
}

static ALWAYS v_f32
v_splat (const float *value)
{
  return (v_f32)vdupq_n_f32 (*value);
}

static ALWAYS v_f32
v_fma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)vfmaq_f32 ((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

static ALWAYS v_f32
v_fnma (v_f32 a, v_f32 b, v_f32 c)
{
  return (v_f32)vfmsq_f32 ((float32x4_t)c, (float32x4_t)a, (float32x4_t)b);
}

static ALWAYS v_f32
v_half (v_u32 lanes)
{
  return (v_f32)vcvt_f32_f16 (vreinterpret_f16_u16 (vmovn_u32 ((uint32x4_t)lanes)));
}

static ALWAYS v_f32
v_halves (const void *halves)
{
  return (v_f32)vcvt_f32_f16 (vreinterpret_f16_u8 (vld1_u8 (halves)));
}

static ALWAYS v_u8
v_lookup (const int8_t *table, v_u8 indices)
{
  return (v_u8)vqtbl1q_s8 (vld1q_s8 (table), (uint8x16_t)indices);
}

static ALWAYS v_s32
v_pair_sum (const int16_t *pair)
{
  return (v_s32)vdupq_n_s32 (pair[0] + pair[1]);
}

static ALWAYS v_sum
v_dot_begin (int offset, const int16_t *sums)
{
  return (v_sum)vdupq_n_s32 (-offset * (sums[0] + sums[1]));
}

static ALWAYS v_sum
v_dot_step (v_sum sum, v_u8 w, v_u8 x, bool is_signed, bool is_first)
{
  (void)is_signed;
  (void)is_first;
  return (v_sum)vdotq_s32 ((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
}

static ALWAYS v_s32
v_dot_end (v_sum sum, bool is_signed)
{
  (void)is_signed;
  return sum;
}
