/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quant-blocks.h"

#include <errno.h>

#define BLOCK   32
#define MAX_F16 65504.0f
/* Adding and taking away 1.5 * 2^23 rounds a small float to a whole number, ties to even. */
#define ROUNDER 12582912.0f

static int8_t
round_to_i8 (float value)
{
  if (!(value > -127.0f)) /* what is not a number, too */
    return -127;
  if (value > 127.0f)
    return 127;
  return (int8_t)((value + ROUNDER) - ROUNDER);
}

static void
quantize_block (const float *values, struct wlq_block_q8_0 *block)
{
  float largest = 0.0f, d;
  uint16_t half;

  for (int i = 0; i < BLOCK; i++) {
    const float magnitude = values[i] < 0.0f ? -values[i] : values[i];

    if (magnitude > largest)
      largest = magnitude;
  }
  d    = largest / 127.0f;
  half = wlq_f32_to_f16 (d > MAX_F16 ? MAX_F16 : d);
  d    = wlq_f16_to_f32 (half);
  wlq_le16_set (&block->d, half);
  for (int i = 0; i < BLOCK; i++)
    block->q[i] = d > 0.0f ? round_to_i8 (values[i] / d) : 0;
}

int
wlq_quantize_row_q8_0 (const float *values, size_t n, void *ret_row)
{
  struct wlq_block_q8_0 *blocks = ret_row;

  if (n % BLOCK != 0)
    return -EINVAL;
  for (size_t i = 0; i < n / BLOCK; i++)
    quantize_block (values + i * BLOCK, &blocks[i]);
  return 0;
}
