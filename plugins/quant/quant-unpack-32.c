/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quant-blocks.h"

#define HALF 16

const int8_t wlq_iq4_values[16] = { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 };

/* E2M1 numbers, doubled: 0, 0.5, 1, 1.5, 2, 3, 4, 6 and their negatives. */
static const int8_t mxfp4_values[16] = { 0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12 };

void
wlq_unpack_q4_0 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q4_0 *b = block;

  *scale = wlq_le16_f16 (b->d);
  for (int i = 0; i < HALF; i++) {
    q[i]        = (int8_t)((b->nibbles[i] & 15) - 8);
    q[i + HALF] = (int8_t)((b->nibbles[i] >> 4) - 8);
  }
}

void
wlq_unpack_q4_1 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q4_1 *b = block;

  *scale = wlq_le16_f16 (b->d);
  *min   = -wlq_le16_f16 (b->m);
  for (int i = 0; i < HALF; i++) {
    q[i]        = (int8_t)(b->nibbles[i] & 15);
    q[i + HALF] = (int8_t)(b->nibbles[i] >> 4);
  }
}

/* Nibbles with a fifth bit, less @offset. */
static void
unpack_fives (const uint8_t *nibbles, const uint8_t *high, int offset, int8_t *q)
{
  for (int i = 0; i < HALF; i++) {
    const int low_bit  = high[i / 8] >> (i % 8) & 1;
    const int high_bit = high[2 + i / 8] >> (i % 8) & 1;

    q[i]        = (int8_t)(((nibbles[i] & 15) | low_bit << 4) - offset);
    q[i + HALF] = (int8_t)((nibbles[i] >> 4 | high_bit << 4) - offset);
  }
}

void
wlq_unpack_q5_0 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q5_0 *b = block;

  *scale = wlq_le16_f16 (b->d);
  unpack_fives (b->nibbles, b->high, 16, q);
}

void
wlq_unpack_q5_1 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q5_1 *b = block;

  *scale = wlq_le16_f16 (b->d);
  *min   = -wlq_le16_f16 (b->m);
  unpack_fives (b->nibbles, b->high, 0, q);
}

void
wlq_unpack_q8_0 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q8_0 *b = block;

  *scale = wlq_le16_f16 (b->d);
  memcpy (q, b->q, sizeof b->q);
}

void
wlq_unpack_iq4_nl (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_iq4_nl *b = block;

  *scale = wlq_le16_f16 (b->d);
  for (int i = 0; i < HALF; i++) {
    q[i]        = wlq_iq4_values[b->nibbles[i] & 15];
    q[i + HALF] = wlq_iq4_values[b->nibbles[i] >> 4];
  }
}

/* Half of 2^(exponent - 127), for the doubled values: 2^(exponent - 128), below 2 a subnormal. */
static float
mxfp4_scale (uint8_t exponent)
{
  if (exponent < 2)
    return wlq_f32_from_bits (0x00200000u << exponent);
  return wlq_f32_from_bits ((uint32_t)(exponent - 1) << 23);
}

void
wlq_unpack_mxfp4 (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_mxfp4 *b = block;

  *scale = mxfp4_scale (b->exponent);
  for (int i = 0; i < HALF; i++) {
    q[i]        = mxfp4_values[b->nibbles[i] & 15];
    q[i + HALF] = mxfp4_values[b->nibbles[i] >> 4];
  }
}
