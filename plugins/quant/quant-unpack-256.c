/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quant-blocks.h"

#define N_GROUPS_16 16 /* groups of 16 weights in a block */
#define N_GROUPS_32 8
#define GROUP_32    32

/* The two bits of weights in the order of Q2_K and Q3_K. */
static inline int
get_two (const uint8_t *twos, int weight)
{
  const int half = weight / 128, shift = weight / 32 % 4 * 2;

  return twos[half * 32 + weight % 32] >> shift & 3;
}

void
wlq_unpack_q2_k (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q2_k *b = block;
  const float d                  = wlq_le16_f16 (b->d);
  const float dmin               = wlq_le16_f16 (b->dmin);

  for (int g = 0; g < N_GROUPS_16; g++) {
    scale[g] = d * (float)(b->scales[g] & 15);
    min[g]   = dmin * (float)(b->scales[g] >> 4);
  }
  for (int i = 0; i < 256; i++)
    q[i] = (int8_t)get_two (b->twos, i);
}

void
wlq_unpack_q3_k (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q3_k *b = block;
  const float d                  = wlq_le16_f16 (b->d);

  for (int g = 0; g < N_GROUPS_16; g++) {
    const int low  = g < 8 ? b->scales[g] & 15 : b->scales[g - 8] >> 4;
    const int high = b->scales[8 + g % 4] >> (2 * (g / 4)) & 3;

    scale[g] = d * (float)((low | high << 4) - 32);
  }
  for (int i = 0; i < 256; i++)
    q[i] = (int8_t)((get_two (b->twos, i) | (b->high[i % 32] >> (i / 32) & 1) << 2) - 4);
}

/* Scales and mins of Q4_K and Q5_K. */
static void
unpack_scales (const uint8_t *scales, struct wlq_le16 d_half, struct wlq_le16 dmin_half, float *scale, float *min)
{
  const float d    = wlq_le16_f16 (d_half);
  const float dmin = wlq_le16_f16 (dmin_half);

  for (int g = 0; g < 4; g++) {
    scale[g]     = d * (float)(scales[g] & 63);
    min[g]       = dmin * (float)(scales[g + 4] & 63);
    scale[g + 4] = d * (float)((scales[g + 8] & 15) | scales[g] >> 6 << 4);
    min[g + 4]   = dmin * (float)(scales[g + 8] >> 4 | scales[g + 4] >> 6 << 4);
  }
}

void
wlq_unpack_q4_k (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q4_k *b = block;

  unpack_scales (b->scales, b->d, b->dmin, scale, min);
  for (int pair = 0; pair < N_GROUPS_32 / 2; pair++)
    for (int i = 0; i < GROUP_32; i++) {
      const uint8_t byte = b->nibbles[pair * GROUP_32 + i];

      q[pair * 64 + i]            = (int8_t)(byte & 15);
      q[pair * 64 + GROUP_32 + i] = (int8_t)(byte >> 4);
    }
}

void
wlq_unpack_q5_k (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q5_k *b = block;

  unpack_scales (b->scales, b->d, b->dmin, scale, min);
  for (int pair = 0; pair < N_GROUPS_32 / 2; pair++)
    for (int i = 0; i < GROUP_32; i++) {
      const uint8_t byte = b->nibbles[pair * GROUP_32 + i];
      const int high     = b->high[i] >> (2 * pair);

      q[pair * 64 + i]            = (int8_t)((byte & 15) | (high & 1) << 4);
      q[pair * 64 + GROUP_32 + i] = (int8_t)(byte >> 4 | (high >> 1 & 1) << 4);
    }
}

void
wlq_unpack_q6_k (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_q6_k *b = block;
  const float d                  = wlq_le16_f16 (b->d);

  for (int g = 0; g < N_GROUPS_16; g++)
    scale[g] = d * (float)b->scales[g];
  for (int half = 0; half < 2; half++)
    for (int i = 0; i < GROUP_32; i++) {
      const uint8_t first = b->low[half * 64 + i], second = b->low[half * 64 + 32 + i];
      const uint8_t high = b->high[half * 32 + i];
      int8_t *at         = q + half * 128 + i;

      at[0]  = (int8_t)(((first & 15) | (high & 3) << 4) - 32);
      at[32] = (int8_t)(((second & 15) | (high >> 2 & 3) << 4) - 32);
      at[64] = (int8_t)((first >> 4 | (high >> 4 & 3) << 4) - 32);
      at[96] = (int8_t)((second >> 4 | (high >> 6) << 4) - 32);
    }
}

void
wlq_unpack_iq4_xs (const void *block, int8_t *q, float *scale, float *min)
{
  const struct wlq_block_iq4_xs *b = block;
  const float d                    = wlq_le16_f16 (b->d);
  const int scales_high            = wlq_le16_get (b->scales_high);

  for (int g = 0; g < N_GROUPS_32; g++) {
    const int low  = b->scales_low[g / 2] >> (g % 2 * 4) & 15;
    const int high = scales_high >> (2 * g) & 3;

    scale[g] = d * (float)((low | high << 4) - 32);
    for (int i = 0; i < GROUP_32 / 2; i++) {
      const uint8_t byte = b->nibbles[g * 16 + i];

      q[g * GROUP_32 + i]      = wlq_iq4_values[byte & 15];
      q[g * GROUP_32 + 16 + i] = wlq_iq4_values[byte >> 4];
    }
  }
}
