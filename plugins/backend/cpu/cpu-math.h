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

/* e^x = (1 + r + r^2 p) 2^n where n is x / ln 2 rounded to nearest, r = x - n ln 2 and p a polynomial of r; floats
 * below CPU_EXP_LEAST give 0, those above CPU_EXP_MOST infinity.  kernels/vector-body.h does the same to vectors. */
#define CPU_EXP_LEAST    -87.3365479f
#define CPU_EXP_MOST     88.7228394f
#define CPU_LOG2_E       1.44269504f
#define CPU_LN2_HIGH     0.693359375f
#define CPU_LN2_LOW      -2.12194440e-4f
#define CPU_ROUND        0x1.8p23f   /* added to a float, rounds it to an integer, ties to even … */
#define CPU_ROUND_BITS   0x4b400000u /* … which is in the low bits then */
#define CPU_FLOAT_BIAS   127
#define CPU_FLOAT_DIGITS 23
#define CPU_EXP_TERMS    5
static const float cpu_exp_terms[CPU_EXP_TERMS] = { 1.381674350e-3f, 8.368644753e-3f, 4.166834155e-2f, 1.666652140e-1f,
                                                    4.999999369e-1f };

static inline float
cpu_exp_parts (float x, int32_t *ret_n)
{
  const float rounded = x * CPU_LOG2_E + CPU_ROUND;
  const float n       = rounded - CPU_ROUND;
  const float r       = (x - n * CPU_LN2_HIGH) - n * CPU_LN2_LOW;
  float p             = cpu_exp_terms[0];
  unsigned i;

  for (i = 1; i < CPU_EXP_TERMS; i++)
    p = p * r + cpu_exp_terms[i];
  *ret_n = (int32_t)(wlq_f32_bits (rounded) - CPU_ROUND_BITS);
  return 1.0f + (r + r * r * p);
}

static inline float
cpu_exp2_of (int32_t n)
{
  return wlq_f32_from_bits ((uint32_t)(n + CPU_FLOAT_BIAS) << CPU_FLOAT_DIGITS);
}

static inline float
cpu_exp (float x)
{
  const float high    = x > CPU_EXP_MOST ? CPU_EXP_MOST : x;
  const float clamped = high > CPU_EXP_LEAST ? high : CPU_EXP_LEAST;
  int32_t n;
  float result = cpu_exp_parts (clamped, &n);

  /* in two steps: n is -126 .. 128, and 2^128 is no float */
  result = result * cpu_exp2_of (n >> 1);
  result = result * cpu_exp2_of (n - (n >> 1));
  result = x < CPU_EXP_LEAST ? 0.0f : result;
  result = x > CPU_EXP_MOST ? wlq_f32_from_bits (0x7f800000u) : result;
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
