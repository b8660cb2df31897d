/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Activation rows with NEON, for all instruction sets of 64-bit ARM.
 */
#pragma once

#include "../linear-quantise.h"

#include <arm_neon.h>
#include <string.h>

static inline uint32x4_t
magnitude (float32x4_t x)
{
  return vreinterpretq_u32_f32 (vabsq_f32 (x));
}

static inline uint32_t
max_magnitude (const float32x4_t *x)
{
  uint32x4_t most = magnitude (x[0]);
  unsigned i;

  for (i = 1; i < LINEAR_GROUP / 4; i++)
    most = vmaxq_u32 (most, magnitude (x[i]));
  return vmaxvq_u32 (most);
}

/* The sums of a block from those of its halves, value i of a half in lane i % 4. */
static inline void
store_sums (int32x4_t first, int32x4_t second, float scale, struct linear_block *block)
{
  const int16x4_t halves = vmovn_s32 (vpaddq_s32 (first, second)); /* first's low and high pair, then second's */
  const int16x4_t both   = vadd_s16 (halves, vext_s16 (halves, halves, 2));

  block->s = scale * (float)vaddvq_s32 (vaddq_s32 (first, second));
  vst1_s16 (block->sum[0], halves);
  memcpy (block->sum[2], &both, sizeof block->sum[2]);
}

static inline void
quantise_block_128 (const float *x, struct linear_block *block)
{
  float32x4_t values[LINEAR_GROUP / 4];
  int32x4_t q[LINEAR_GROUP / 4], sums[2];
  float scale, inverse;
  unsigned i;

  for (i = 0; i < LINEAR_GROUP / 4; i++)
    values[i] = vld1q_f32 (x + 4 * i);
  if (!linear_block_scale (max_magnitude (values), block, &scale))
    return;
  inverse = 1.0f / scale;
  for (i = 0; i < LINEAR_GROUP / 4; i++) /* the same rounding as the reference's: nearest, ties to even */
    q[i] = vcvtnq_s32_f32 (vmulq_n_f32 (values[i], inverse));
  for (i = 0; i < 2; i++) {
    const int32x4_t *half = q + 4 * i;
    const int16x8_t low   = vcombine_s16 (vmovn_s32 (half[0]), vmovn_s32 (half[1]));
    const int16x8_t high  = vcombine_s16 (vmovn_s32 (half[2]), vmovn_s32 (half[3]));

    vst1q_s8 (block->q + 16 * i, vcombine_s8 (vmovn_s16 (low), vmovn_s16 (high)));
    sums[i] = vaddq_s32 (vaddq_s32 (half[0], half[1]), vaddq_s32 (half[2], half[3]));
  }
  block->d = scale;
  store_sums (sums[0], sums[1], scale, block);
}

static inline void
linear_quantise_128 (const float *x, size_t k, struct linear_block *ret_row)
{
  size_t i;

  for (i = 0; i < k / LINEAR_GROUP; i++)
    quantise_block_128 (x + i * LINEAR_GROUP, &ret_row[i]);
}
