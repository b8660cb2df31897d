/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every float16 and bfloat16, against what ldexp() makes of their fields.
 */
#include "quant.h"
#include "wly-test-random.h"

#include <math.h>

#define N_HALVES 65536u

static double
half_value (guint bits)
{
  const guint exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double magnitude =
      exponent == 0 ? ldexp ((double)mantissa, -24) : ldexp (1024.0 + (double)mantissa, (int)exponent - 25);

  return bits & 0x8000 ? -magnitude : magnitude;
}

static void
test_f16_to_f32 (void)
{
  for (guint bits = 0; bits < N_HALVES; bits++) {
    const float value    = wlq_f16_to_f32 ((uint16_t)bits);
    const guint mantissa = bits & 1023;

    g_assert_cmpint (signbit (value) != 0, ==, (bits & 0x8000) != 0);
    if ((bits >> 10 & 31) < 31)
      g_assert_true ((double)value == half_value (bits));
    else if (mantissa == 0)
      g_assert_true (isinf (value));
    else /* the payload stays, and the NaN is a quiet one */
      g_assert_cmphex (wlq_f32_bits (value) & 0x7fffff, ==, 0x400000 | mantissa << 13);
  }
}

static void
test_f16_round_trip (void)
{
  for (guint bits = 0; bits < N_HALVES; bits++) {
    const gboolean nan = (bits & 0x7fff) > 0x7c00;

    g_assert_cmphex (wlq_f32_to_f16 (wlq_f16_to_f32 ((uint16_t)bits)), ==, nan ? bits | 0x200 : bits);
  }
}

/* At the middle of two neighbours the even one wins; a float32 beside the middle goes to its side. */
static void
test_f32_to_f16_middles (void)
{
  for (guint bits = 0; bits < 0x7c00; bits++) {
    const double low   = half_value (bits);
    const double high  = bits == 0x7bff ? 65536.0 : half_value (bits + 1);
    const float middle = (float)((low + high) / 2);
    const guint even   = bits + (bits & 1);

    g_assert_true ((double)middle == (low + high) / 2);
    g_assert_cmphex (wlq_f32_to_f16 (middle), ==, even);
    g_assert_cmphex (wlq_f32_to_f16 (-middle), ==, 0x8000 | even);
    g_assert_cmphex (wlq_f32_to_f16 (nextafterf (middle, 0.0f)), ==, bits);
    g_assert_cmphex (wlq_f32_to_f16 (nextafterf (middle, INFINITY)), ==, bits + 1);
  }
  g_assert_cmphex (wlq_f32_to_f16 (INFINITY), ==, 0x7c00);
  g_assert_cmphex (wlq_f32_to_f16 (-3e38f), ==, 0xfc00);
  g_assert_cmphex (wlq_f32_to_f16 (1e-40f), ==, 0);
  g_assert_cmphex (wlq_f32_to_f16 (-1e-40f), ==, 0x8000);
  g_assert_cmphex (wlq_f32_to_f16 (wlq_f32_from_bits (0x7f800001)), ==, 0x7e00);
}

static void
test_bf16 (void)
{
  for (guint bits = 0; bits < N_HALVES; bits++) {
    const float value  = wlq_bf16_to_f32 ((uint16_t)bits);
    const gboolean nan = (bits & 0x7fff) > 0x7f80;

    g_assert_cmphex (wlq_f32_bits (value), ==, (nan ? bits | 0x40 : bits) << 16);
    g_assert_cmphex (wlq_f32_to_bf16 (value), ==, nan ? bits | 0x40 : bits);
  }
}

static void
test_f32_to_bf16_rounding (void)
{
  WlyTestRandom random = { .state = 7 };

  for (guint i = 0; i < 1000000; i++) {
    const guint32 bits  = (guint32)wly_test_random_u64 (&random);
    const guint32 upper = bits >> 16, rest = bits & 0xffff;
    const gboolean up = rest > 0x8000 || (rest == 0x8000 && (upper & 1) != 0);

    if ((bits & 0x7fffffff) > 0x7f800000)
      g_assert_cmphex (wlq_f32_to_bf16 (wlq_f32_from_bits (bits)), ==, upper | 0x40);
    else
      g_assert_cmphex (wlq_f32_to_bf16 (wlq_f32_from_bits (bits)), ==, upper + up);
  }
  g_assert_cmphex (wlq_f32_to_bf16 (wlq_f32_from_bits (0x3f808000)), ==, 0x3f80);
  g_assert_cmphex (wlq_f32_to_bf16 (wlq_f32_from_bits (0x3f818000)), ==, 0x3f82);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quant/half/f16-to-f32", test_f16_to_f32);
  g_test_add_func ("/quant/half/f16-round-trip", test_f16_round_trip);
  g_test_add_func ("/quant/half/f32-to-f16-middles", test_f32_to_f16_middles);
  g_test_add_func ("/quant/half/bf16", test_bf16);
  g_test_add_func ("/quant/half/f32-to-bf16-rounding", test_f32_to_bf16_rounding);
  return g_test_run ();
}
