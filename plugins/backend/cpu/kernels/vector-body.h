/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The body of all instruction sets of vector.h; VECTOR_ISA names the table.
 */
#pragma once

#include "../cpu-math.h"
#include "vector.h"

#include "quant-half.h"

#include <math.h>
#include <string.h>

/* A value depends on its own index only, also where the result takes the operand's place. */
#ifdef __clang__
#define VECTOR_LOOP _Pragma ("clang loop vectorize(assume_safety)")
#else
#define VECTOR_LOOP _Pragma ("GCC ivdep")
#endif

#define OAI_LIMIT 7.0f
#define OAI_ALPHA 1.702f

static inline float
vector_silu (float x)
{
  return x / (1.0f + cpu_exp (-x));
}

static inline float
vector_gelu (float x)
{
  return 0.5f * x * (1.0f + cpu_erf (x * 0.70710678f));
}

static inline float
vector_gelu_tanh (float x)
{
  return 0.5f * x * (1.0f + cpu_tanh (0.79788456f * x * (1.0f + 0.044715f * x * x)));
}

static inline float
vector_gelu_half (float x)
{
  float y = wlq_f16_to_f32 (wlq_f32_to_f16 (vector_gelu_tanh (wlq_f16_to_f32 (wlq_f32_to_f16 (x)))));

  y = x <= -10.0f ? 0.0f : y;
  return x >= 10.0f ? x : y;
}

static inline float
vector_relu (float x)
{
  return x <= 0.0f ? 0.0f : x; /* NaN stays NaN */
}

/* @y may be @x. */
static void
vector_activate (uint32_t act, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  switch (act) {
  case WLP_ACT_SILU:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_silu (x[i]);
    break;
  case WLP_ACT_GELU:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_gelu (x[i]);
    break;
  case WLP_ACT_GELU_TANH:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_gelu_tanh (x[i]);
    break;
  case WLP_ACT_GELU_HALF:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_gelu_half (x[i]);
    break;
  case WLP_ACT_RELU:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_relu (x[i]);
    break;
  case WLP_ACT_RELU2:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = vector_relu (x[i]) * vector_relu (x[i]);
    break;
  case WLP_ACT_TANH:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = cpu_tanh (x[i]);
    break;
  case WLP_ACT_SIGMOID:
    VECTOR_LOOP for (i = 0; i < width; i++) y[i] = cpu_sigmoid (x[i]);
    break;
  default: /* cpu_check_op() lets no other one through */
    break;
  }
}

/* Gate and up clamped, the linear part shifted by one (gpt-oss). */
static void
vector_glu_oai (uint32_t width, const float *gate, const float *up, float *y)
{
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < width; i++)
  {
    const float g = gate[i] > OAI_LIMIT ? OAI_LIMIT : gate[i];
    const float h = up[i] > OAI_LIMIT ? OAI_LIMIT : up[i];
    const float u = h < -OAI_LIMIT ? -OAI_LIMIT : h;

    y[i] = g * cpu_sigmoid (OAI_ALPHA * g) * (u + 1.0f);
  }
}

/* @y may be @gate. */
static void
vector_glu (uint32_t act, uint32_t width, const float *gate, const float *up, float *y)
{
  uint32_t i;

  if (act == WLP_ACT_SWIGLU_OAI) {
    vector_glu_oai (width, gate, up, y);
    return;
  }
  vector_activate (act, width, gate, y);
  VECTOR_LOOP for (i = 0; i < width; i++) y[i] *= up[i];
}

/* @y may be @x. */
static void
vector_softcap (float cap, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < width; i++) y[i] = cap * cpu_tanh (x[i] / cap);
}

/* @y may be @x; NaN stays NaN. */
static void
vector_clamp (const struct wlp_clamp_params *params, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < width; i++)
  {
    const float raised = x[i] < params->low ? params->low : x[i];

    y[i] = raised > params->high ? params->high : raised;
  }
}

/* ---- norms ---- */

/* Partial sums, or maxima, side by side: lanes i and i + 8. */
#define VECTOR_HALF (CPU_LANES / 2)
typedef float vector_half __attribute__ ((vector_size (VECTOR_HALF * sizeof (float)), aligned (4), may_alias));
typedef int32_t vector_mask __attribute__ ((vector_size (VECTOR_HALF * sizeof (int32_t))));

static inline float
vector_sum (const vector_half *low, const vector_half *high, const float *rest, uint32_t n_rest)
{
  float lanes[CPU_LANES];
  uint32_t i;

  memcpy (lanes, low, sizeof *low);
  memcpy (lanes + VECTOR_HALF, high, sizeof *high);
  for (i = 0; i < n_rest; i++)
    lanes[i] += rest[i];
  return cpu_lanes_sum (lanes);
}

/* Σ (x - mean)^2 and Σ x: value i goes to lane i % CPU_LANES. */
static float
vector_sum_squares (const float *x, uint32_t n, float mean)
{
  vector_half low = { 0.0f }, high = { 0.0f };
  float rest[CPU_LANES];
  uint32_t i, lane;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES) {
    const vector_half a = *(const vector_half *)(x + i) - mean;
    const vector_half b = *(const vector_half *)(x + i + VECTOR_HALF) - mean;

    low += a * a;
    high += b * b;
  }
  for (lane = 0; i + lane < n; lane++)
    rest[lane] = (x[i + lane] - mean) * (x[i + lane] - mean);
  return vector_sum (&low, &high, rest, lane);
}

static float
vector_sum_values (const float *x, uint32_t n)
{
  vector_half low = { 0.0f }, high = { 0.0f };
  uint32_t i;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES) {
    low += *(const vector_half *)(x + i);
    high += *(const vector_half *)(x + i + VECTOR_HALF);
  }
  return vector_sum (&low, &high, x + i, n - i);
}

static void
vector_norm (uint32_t kind, float eps, uint32_t n, const float *gain, const float *bias, const float *x, float *y)
{
  const float mean  = kind == WLP_NORM_LAYER ? vector_sum_values (x, n) / (float)n : 0.0f;
  const float scale = 1.0f / sqrtf (vector_sum_squares (x, n, mean) / (float)n + eps);
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < n; i++) y[i] = (x[i] - mean) * scale;
  if (gain != NULL)
    VECTOR_LOOP for (i = 0; i < n; i++) y[i] *= gain[i];
  if (bias != NULL)
    VECTOR_LOOP for (i = 0; i < n; i++) y[i] += bias[i];
}

/* ---- rotary positions ---- */

static void
vector_rotate (uint32_t n_pairs, uint32_t step, uint32_t distance, const float *table, const float *x, float *y)
{
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < n_pairs; i++)
  {
    const float a = x[i * step], b = x[i * step + distance];
    const float cosine = table[2 * i], sine = table[2 * i + 1];

    y[i * step]            = a * cosine - b * sine;
    y[i * step + distance] = a * sine + b * cosine;
  }
}

/* ---- attention ---- */

static inline void
vector_larger (vector_half *a, const float *b)
{
  const vector_half x    = *(const vector_half *)b;
  const vector_mask mask = x > *a;

  *a = (vector_half)(((vector_mask)x & mask) | ((vector_mask)*a & ~mask));
}

static float
vector_max (const float *s, uint32_t from, uint32_t end)
{
  float max       = -__builtin_inff ();
  vector_half low = max - (vector_half){ 0.0f }, high = low;
  uint32_t i, lane;

  for (i = from; i + CPU_LANES <= end; i += CPU_LANES) {
    vector_larger (&low, s + i);
    vector_larger (&high, s + i + VECTOR_HALF);
  }
  for (; i < end; i++)
    max = s[i] > max ? s[i] : max;
  for (lane = 0; lane < VECTOR_HALF; lane++) {
    max = low[lane] > max ? low[lane] : max;
    max = high[lane] > max ? high[lane] : max;
  }
  return max;
}

static float
vector_softmax (float *s, uint32_t from, uint32_t end, float *ret_sum)
{
  const float max      = vector_max (s, from, end);
  const uint32_t first = (from + CPU_LANES - 1) / CPU_LANES * CPU_LANES; /* of lane 0 */
  vector_half low = { 0.0f }, high = { 0.0f };
  float lanes[CPU_LANES] = { 0.0f };
  uint32_t i;

  VECTOR_LOOP for (i = from; i < end; i++) s[i] = cpu_exp (s[i] - max);
  for (i = from; i < end && i < first; i++)
    lanes[i % CPU_LANES] = s[i];
  memcpy (&low, lanes, sizeof low);
  memcpy (&high, lanes + VECTOR_HALF, sizeof high);
  for (; i + CPU_LANES <= end; i += CPU_LANES) {
    low += *(const vector_half *)(s + i);
    high += *(const vector_half *)(s + i + VECTOR_HALF);
  }
  *ret_sum = vector_sum (&low, &high, s + i, end - i);
  return max;
}

static void
vector_scale (float *x, uint32_t n, float factor)
{
  uint32_t i;

  for (i = 0; i < n; i++)
    x[i] *= factor;
}

static void
vector_merge (uint32_t n, float old_scale, const float *o, float scale, float *total)
{
  uint32_t i;

  VECTOR_LOOP for (i = 0; i < n; i++) total[i] = total[i] * old_scale + o[i] * scale;
}

const struct vector_isa VECTOR_ISA = {
  .name     = VECTOR_NAME,
  .features = VECTOR_FEATURES,
  .activate = vector_activate,
  .glu      = vector_glu,
  .softcap  = vector_softcap,
  .clamp    = vector_clamp,
  .norm     = vector_norm,
  .rotate   = vector_rotate,
  .softmax  = vector_softmax,
  .scale    = vector_scale,
  .merge    = vector_merge,
};
