/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * 16-bit floats to float32 and back: exact, and the same bits as the F16C and AVX-512 BF16 instructions give in the
 * default rounding mode (nearest, ties to even; subnormals kept; a signalling NaN becomes a quiet one).
 */
#pragma once

#include <stdint.h>
#include <string.h>

static inline uint32_t
wlq_f32_bits (float value)
{
  uint32_t bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline float
wlq_f32_from_bits (uint32_t bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

/* IEEE 754 binary16: 1 sign, 5 exponent (bias 15), 10 mantissa bits. */
static inline float
wlq_f16_to_f32 (uint16_t half)
{
  const uint32_t sign     = (uint32_t)(half & 0x8000u) << 16;
  const uint32_t exponent = (half >> 10) & 0x1fu;
  const uint32_t mantissa = half & 0x3ffu;

  if (exponent == 0) /* zero or subnormal: mantissa * 2^-24, exact in float32 */
    return wlq_f32_from_bits (sign | wlq_f32_bits ((float)mantissa * 0x1p-24f));
  if (exponent == 0x1f) /* infinity, NaN */
    return wlq_f32_from_bits (sign | 0x7f800000u | (mantissa != 0 ? 0x00400000u : 0u) | (mantissa << 13));
  return wlq_f32_from_bits (sign | ((exponent + 112u) << 23) | (mantissa << 13));
}

static inline uint16_t
wlq_f32_to_f16 (float value)
{
  const uint32_t bits      = wlq_f32_bits (value);
  const uint16_t sign      = (uint16_t)((bits >> 16) & 0x8000u);
  const uint32_t magnitude = bits & 0x7fffffffu;
  uint32_t half, rest, tie, shift, mantissa;

  if (magnitude > 0x7f800000u)
    return (uint16_t)(sign | 0x7e00u | ((magnitude >> 13) & 0x3ffu));
  if (magnitude >= 0x477ff000u) /* 65520 and above round to infinity */
    return (uint16_t)(sign | 0x7c00u);
  if (magnitude >= 0x38800000u) { /* normal: 2^-14 and above */
    half = (magnitude - 0x38000000u) >> 13;
    rest = magnitude & 0x1fffu;
    tie  = 0x1000u;
  } else if (magnitude >= 0x33000000u) { /* subnormal: 2^-25 and above */
    shift    = 126u - (magnitude >> 23);
    mantissa = (magnitude & 0x7fffffu) | 0x800000u;
    half     = mantissa >> shift;
    rest     = mantissa & ((1u << shift) - 1u);
    tie      = 1u << (shift - 1u);
  } else {
    return sign;
  }
  if (rest > tie || (rest == tie && (half & 1u) != 0))
    half++; /* a carry out of the mantissa is the next exponent */
  return (uint16_t)(sign | half);
}

/* bfloat16: the upper half of a float32. */
static inline float
wlq_bf16_to_f32 (uint16_t half)
{
  uint32_t bits = (uint32_t)half << 16;

  if ((bits & 0x7fffffffu) > 0x7f800000u)
    bits |= 0x00400000u;
  return wlq_f32_from_bits (bits);
}

static inline uint16_t
wlq_f32_to_bf16 (float value)
{
  const uint32_t bits = wlq_f32_bits (value);

  if ((bits & 0x7fffffffu) > 0x7f800000u)
    return (uint16_t)((bits >> 16) | 0x40u);
  return (uint16_t)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
