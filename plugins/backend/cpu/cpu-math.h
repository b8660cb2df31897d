/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The elementary functions of the token path, our own, so that a token never depends on the C library.
 *
 * Only additions, multiplications, divisions and square roots in a written order, none of them contracted: the same
 * bits on every instruction set, however the compiler vectorises the loop around them.  The error bounds were measured
 * against the double functions over the whole range; tests/backends/test-cpu-math.c holds them.
 *
 *   cpu_exp      2 ulp; 0 below -87.33, infinity above 88.72
 *   cpu_tanh     3 ulp
 *   cpu_erf      3e-7 absolute
 *   cpu_sincos   1e-15 absolute for |angle| <= 1e9 (double)
 */
#pragma once

#include "quant-half.h"

#include <stdint.h>

#define CPU_LANES 16 /* sums over a row run in this many lanes, see cpu_lanes_sum() */

static inline float
cpu_exp (float x)
{
  const float high    = x > 88.7228394f ? 88.7228394f : x;
  const float clamped = high > -87.3365479f ? high : -87.3365479f;
  const float shifted = clamped * 1.44269504f + 0x1.8p23f; /* rounds to an integer, ties to even */
  const float n       = shifted - 0x1.8p23f;
  const float r       = (clamped - n * 0.693359375f) + n * 2.12194440e-4f;
  const int32_t e     = (int32_t)(wlq_f32_bits (shifted) - 0x4b400000u);
  float p             = 1.381674350e-3f;
  float result;

  p = p * r + 8.368644753e-3f;
  p = p * r + 4.166834155e-2f;
  p = p * r + 1.666652140e-1f;
  p = p * r + 4.999999369e-1f;
  p = 1.0f + (r + r * r * p);
  /* 2^e in two steps: e is -126 .. 128, and 128 has no float of its own */
  result = p * wlq_f32_from_bits ((uint32_t)((e >> 1) + 127) << 23);
  result = result * wlq_f32_from_bits ((uint32_t)(e - (e >> 1) + 127) << 23);
  result = x < -87.3365479f ? 0.0f : result;
  result = x > 88.7228394f ? wlq_f32_from_bits (0x7f800000u) : result;
  return x != x ? x : result;
}

static inline float
cpu_tanh (float x)
{
  const float magnitude = x < 0.0f ? -x : x;
  const float capped    = magnitude < 10.0f ? magnitude : 10.0f;
  const float z         = x * x;
  const float large     = 1.0f - 2.0f / (cpu_exp (2.0f * capped) + 1.0f);
  float p               = -5.715598627e-3f;

  p = p * z + 2.065007704e-2f;
  p = p * z - 5.374365555e-2f;
  p = p * z + 1.333149850e-1f;
  p = p * z - 3.333328451e-1f;
  p = x + x * (z * p);
  p = magnitude < 0.625f ? p : (x < 0.0f ? -large : large);
  return x != x ? x : p;
}

static inline float
cpu_erf (float x)
{
  const float magnitude = x < 0.0f ? -x : x;
  const float capped    = magnitude < 4.0f ? magnitude : 4.0f;
  const float z         = x * x;
  float small           = 7.853861088e-5f;
  float large           = 2.168640773e-5f;

  small = small * z - 8.010193533e-4f;
  small = small * z + 5.188327674e-3f;
  small = small * z - 2.685381193e-2f;
  small = small * z + 1.128358515e-1f;
  small = small * z - 3.761262582e-1f;
  small = small * z + 1.128379166e+0f;
  small = small * x;
  /* erf (x) = 1 - exp (-large (x)) on 1 .. 4 */
  large = large * capped - 4.413311240e-4f;
  large = large * capped + 4.204535637e-3f;
  large = large * capped - 2.520818529e-2f;
  large = large * capped + 1.084184627e-1f;
  large = large * capped + 6.332200015e-1f;
  large = large * capped + 1.129578368e+0f;
  large = large * capped - 1.880280511e-4f;
  large = 1.0f - cpu_exp (-large);
  large = magnitude < 1.0f ? small : (x < 0.0f ? -large : large);
  return x != x ? x : large;
}

static inline float
cpu_sigmoid (float x)
{
  return 1.0f / (1.0f + cpu_exp (-x));
}

/* Sine and cosine of a finite angle; Cody and Waite's reduction by pi / 2, Taylor's series on +-pi / 4. */
static inline void
cpu_sincos (double angle, double *ret_sin, double *ret_cos)
{
  const double shifted = angle * 0.63661977236758134308 + 0x1.8p52;
  const double n       = shifted - 0x1.8p52;
  const int64_t turn   = (int64_t)n & 3;
  const double first   = (angle - n * 0x1.921fb4p0) - n * 0x1.4442dp-24; /* exact: 23 bits of pi / 2 at a time */
  const double r       = (first - n * 0x1.846988p-48) - n * 0x1.8cc51701b839ap-72;
  const double z       = r * r;
  double s             = -1.0 / 1307674368000.0;
  double c             = 1.0 / 20922789888000.0;

  s = s * z + 1.0 / 6227020800.0;
  s = s * z - 1.0 / 39916800.0;
  s = s * z + 1.0 / 362880.0;
  s = s * z - 1.0 / 5040.0;
  s = s * z + 1.0 / 120.0;
  s = s * z - 1.0 / 6.0;
  s = r + r * (z * s);
  c = c * z - 1.0 / 87178291200.0;
  c = c * z + 1.0 / 479001600.0;
  c = c * z - 1.0 / 3628800.0;
  c = c * z + 1.0 / 40320.0;
  c = c * z - 1.0 / 720.0;
  c = c * z + 1.0 / 24.0;
  c = 1.0 - (0.5 * z - z * (z * c));

  *ret_sin = (turn & 1) != 0 ? c : s;
  *ret_cos = (turn & 1) != 0 ? s : c;
  if ((turn & 2) != 0)
    *ret_sin = -*ret_sin;
  if (turn == 1 || turn == 2)
    *ret_cos = -*ret_cos;
}

/* The sum of CPU_LANES partial sums, halved again and again: lane i + lane i + 8, then + 4, + 2, + 1. */
static inline float
cpu_lanes_sum (const float *lanes)
{
  float work[CPU_LANES];
  unsigned half, i;

  for (i = 0; i < CPU_LANES; i++)
    work[i] = lanes[i];
  for (half = CPU_LANES / 2; half > 0; half /= 2)
    for (i = 0; i < half; i++)
      work[i] = work[i] + work[i + half];
  return work[0];
}
