/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-test-weights.h"

#include "quant-blocks.h"

/* Root mean squares of what random bits stand for, with all scales 1: of q less its middle. */
#define RMS_TWO       1.118f /* 0 … 3 less 1.5 */
#define RMS_THREE     2.345f /* -4 … 3 */
#define RMS_FOUR      4.61f
#define RMS_FIVE      9.23f
#define RMS_SIX       18.5f
#define RMS_EIGHT     73.9f
#define RMS_IQ4       67.2f
#define RMS_MXFP4     2.93f
#define RMS_SCALE6    18.5f /* -32 … 31, as scales of Q3_K and IQ4_XS */
#define MEAN_SCALE    48.0f /* scales are drawn from the upper half of their range */
#define MEAN_SCALE_Q6 96.0f
#define MEAN_SCALE_Q2 12.0f

static void
set_f16 (struct wlq_le16 *value, float number)
{
  wlq_le16_set (value, wlq_f32_to_f16 (number));
}

static void
fill_floats (WlyTestRandom *random, enum wlp_type type, float deviation, gsize n, guint8 *row)
{
  for (gsize i = 0; i < n; i++) {
    const float value  = wly_test_random_normal (random) * deviation;
    const guint32 bits = GUINT32_TO_LE (wlq_f32_bits (value));

    if (type == WLP_TYPE_F32)
      memcpy (row + 4 * i, &bits, 4);
    else
      wlq_le16_set ((struct wlq_le16 *)(void *)(row + 2 * i),
                    type == WLP_TYPE_F16 ? wlq_f32_to_f16 (value) : wlq_f32_to_bf16 (value));
  }
}

static void
scale_block_32 (enum wlp_type type, void *block, float deviation)
{
  struct wlq_block_q4_1 *q4_1   = block;
  struct wlq_block_q5_1 *q5_1   = block;
  struct wlq_block_mxfp4 *mxfp4 = block;
  struct wlq_le16 *d            = block;

  switch ((int)type) {
  case WLP_TYPE_Q4_0:
    set_f16 (d, deviation / RMS_FOUR);
    break;
  case WLP_TYPE_Q4_1:
    set_f16 (d, deviation / RMS_FOUR);
    set_f16 (&q4_1->m, -7.5f * deviation / RMS_FOUR);
    break;
  case WLP_TYPE_Q5_0:
    set_f16 (d, deviation / RMS_FIVE);
    break;
  case WLP_TYPE_Q5_1:
    set_f16 (d, deviation / RMS_FIVE);
    set_f16 (&q5_1->m, -15.5f * deviation / RMS_FIVE);
    break;
  case WLP_TYPE_Q8_0:
    set_f16 (d, deviation / RMS_EIGHT);
    break;
  case WLP_TYPE_IQ4_NL:
    set_f16 (d, deviation / RMS_IQ4);
    break;
  case WLP_TYPE_MXFP4:
    mxfp4->exponent = (guint8)(wlq_f32_bits (deviation / RMS_MXFP4) >> 23);
    break;
  default:
    g_assert_not_reached ();
  }
}

/* Scales 32 … 63 and equal mins, in the packing of Q4_K and Q5_K. */
static void
pack_scales (WlyTestRandom *random, guint8 *scales)
{
  guint8 scale[8];

  for (guint i = 0; i < 8; i++)
    scale[i] = (guint8)(32 + wly_test_random_below (random, 32));
  for (guint i = 0; i < 4; i++) {
    scales[i] = scales[i + 4] = (guint8)(scale[i] | scale[i + 4] >> 4 << 6);
    scales[i + 8]             = (guint8)((scale[i + 4] & 15) | scale[i + 4] << 4);
  }
}

static void
scale_block_256 (WlyTestRandom *random, enum wlp_type type, void *block, float deviation)
{
  struct wlq_block_q2_k *q2   = block;
  struct wlq_block_q3_k *q3   = block;
  struct wlq_block_q4_k *q4   = block;
  struct wlq_block_q5_k *q5   = block;
  struct wlq_block_q6_k *q6   = block;
  struct wlq_block_iq4_xs *xs = block;

  switch ((int)type) {
  case WLP_TYPE_Q2_K:
    for (guint i = 0; i < 16; i++)
      q2->scales[i] = (guint8)((q2->scales[i] | 8u) % 16 * 17); /* scale and min alike */
    set_f16 (&q2->d, deviation / (RMS_TWO * MEAN_SCALE_Q2));
    set_f16 (&q2->dmin, 1.5f * deviation / (RMS_TWO * MEAN_SCALE_Q2));
    break;
  case WLP_TYPE_Q3_K:
    set_f16 (&q3->d, deviation / (RMS_THREE * RMS_SCALE6));
    break;
  case WLP_TYPE_Q4_K:
    pack_scales (random, q4->scales);
    set_f16 (&q4->d, deviation / (RMS_FOUR * MEAN_SCALE));
    set_f16 (&q4->dmin, 7.5f * deviation / (RMS_FOUR * MEAN_SCALE));
    break;
  case WLP_TYPE_Q5_K:
    pack_scales (random, q5->scales);
    set_f16 (&q5->d, deviation / (RMS_FIVE * MEAN_SCALE));
    set_f16 (&q5->dmin, 15.5f * deviation / (RMS_FIVE * MEAN_SCALE));
    break;
  case WLP_TYPE_Q6_K:
    for (guint i = 0; i < 16; i++)
      q6->scales[i] = (gint8)(64 + wly_test_random_below (random, 64));
    set_f16 (&q6->d, deviation / (RMS_SIX * MEAN_SCALE_Q6));
    break;
  case WLP_TYPE_IQ4_XS:
    set_f16 (&xs->d, deviation / (RMS_IQ4 * RMS_SCALE6));
    break;
  default:
    g_assert_not_reached ();
  }
}

void
wly_test_weights_fill (WlyTestRandom *random, enum wlp_type type, float deviation, gsize n, void *ret_row)
{
  const struct wlq_traits *traits = wlq_traits (type);
  guint8 *block                   = ret_row;

  g_assert_true (wlq_is_supported (type));
  g_assert_cmpuint (n % traits->block, ==, 0);
  if (traits->policy == WLQ_POLICY_FLOAT) {
    fill_floats (random, type, deviation, n, ret_row);
    return;
  }
  wly_test_random_bytes (random, ret_row, n / traits->block * traits->block_bytes);
  for (gsize i = 0; i < n; i += traits->block, block += traits->block_bytes) {
    if (traits->block == 32)
      scale_block_32 (type, block, deviation);
    else
      scale_block_256 (random, type, block, deviation);
  }
}
