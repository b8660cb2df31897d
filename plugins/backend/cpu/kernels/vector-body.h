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

/* Values side by side.  The instruction set may have vectors of another size: what it has not, the compiler takes to
 * pieces, often to single values. */
#ifndef VECTOR_WIDTH
#define VECTOR_WIDTH 8
#endif
#define VECTOR_PARTS (CPU_LANES / VECTOR_WIDTH) /* vectors of partial sums */
typedef float vector_floats __attribute__ ((vector_size (VECTOR_WIDTH * sizeof (float)), aligned (4), may_alias));
typedef int32_t vector_mask __attribute__ ((vector_size (VECTOR_WIDTH * sizeof (int32_t))));

#define OAI_LIMIT 7.0f
#define OAI_ALPHA 1.702f

#define vector_at(x) ((vector_floats *)(void *)(x))

/* @a where the mask is set. */
#define VECTOR_SELECT(mask, a, b) ((vector_floats)(((vector_mask)(a) & (mask)) | ((vector_mask)(b) & ~(mask))))

/* ---- exponentials ---- */

/* Vectors that go through a function side by side, step by step: one after another they would wait for themselves. */
#define VECTOR_ABREAST 4
#define VECTOR_BLOCK   (VECTOR_ABREAST * VECTOR_WIDTH)

/* One step of all of them, @i the vector.  A compiler that would put all steps of a vector together is kept from it
 * where the instruction set has such vectors, by a VECTOR_PIN(). */
#ifndef VECTOR_PIN
#define VECTOR_PIN(x) (void)(x)
#endif
#define VECTOR_STEP(x, value)                                                                                          \
  _Pragma ("GCC unroll 4") for (i = 0; i < VECTOR_ABREAST; i++)                                                        \
  {                                                                                                                    \
    (x) = (value);                                                                                                     \
    VECTOR_PIN (x);                                                                                                    \
  }

#define VECTOR_EXP2(n) ((vector_floats)(((n) + CPU_FLOAT_BIAS) << CPU_FLOAT_DIGITS))

/* cpu_exp_parts() */
static inline void
vector_exp_parts (const vector_floats *x, vector_floats *ret_p, vector_mask *ret_n)
{
  vector_floats rounded[VECTOR_ABREAST], r[VECTOR_ABREAST], p[VECTOR_ABREAST];
  unsigned i, term;

  VECTOR_STEP (rounded[i], x[i] * CPU_LOG2_E + CPU_ROUND);
  VECTOR_STEP (p[i], rounded[i] - CPU_ROUND);
  VECTOR_STEP (r[i], x[i] - p[i] * CPU_LN2_HIGH);
  VECTOR_STEP (r[i], r[i] - p[i] * CPU_LN2_LOW);
  VECTOR_STEP (p[i], r[i] * cpu_exp_terms[0] + cpu_exp_terms[1]);
#pragma GCC unroll 4
  for (term = 2; term < CPU_EXP_TERMS; term++)
    VECTOR_STEP (p[i], p[i] * r[i] + cpu_exp_terms[term]);
  VECTOR_STEP (ret_n[i], (vector_mask)rounded[i] - (int32_t)CPU_ROUND_BITS);
  VECTOR_STEP (p[i], r[i] * r[i] * p[i]);
  VECTOR_STEP (ret_p[i], 1.0f + (r[i] + p[i]));
}

/* cpu_exp() where no value is above 0, for which less can go wrong: the same bits. */
static inline void
vector_exp_falling (vector_floats *x)
{
  vector_floats p[VECTOR_ABREAST];
  vector_mask n[VECTOR_ABREAST];
  unsigned i;

  vector_exp_parts (x, p, n);
  VECTOR_STEP (p[i], p[i] * VECTOR_EXP2 (n[i]));
  VECTOR_STEP (x[i], VECTOR_SELECT (x[i] < CPU_EXP_LEAST, (vector_floats){ 0.0f }, p[i]));
}

/* cpu_exp() */
static inline void
vector_exp (vector_floats *x)
{
  const vector_floats most = (vector_floats){ 0.0f } + CPU_EXP_MOST, least = (vector_floats){ 0.0f } + CPU_EXP_LEAST;
  vector_floats clamped[VECTOR_ABREAST], p[VECTOR_ABREAST];
  vector_mask n[VECTOR_ABREAST];
  unsigned i;

  VECTOR_STEP (clamped[i], VECTOR_SELECT (x[i] > most, most, x[i]));
  VECTOR_STEP (clamped[i], VECTOR_SELECT (clamped[i] > least, clamped[i], least));
  vector_exp_parts (clamped, p, n);
  VECTOR_STEP (p[i], p[i] * VECTOR_EXP2 (n[i] >> 1));
  VECTOR_STEP (p[i], p[i] * VECTOR_EXP2 (n[i] - (n[i] >> 1)));
  VECTOR_STEP (p[i], VECTOR_SELECT (x[i] < least, (vector_floats){ 0.0f }, p[i]));
  VECTOR_STEP (p[i], VECTOR_SELECT (x[i] > most, (vector_floats){ 0.0f } + __builtin_inff (), p[i]));
  VECTOR_STEP (x[i], VECTOR_SELECT (x[i] != x[i], x[i], p[i]));
}

static inline float
vector_silu (float x)
{
  return x / (1.0f + cpu_exp (-x));
}

/* @y may be @x. */
static inline void
vector_silus (uint32_t n, const float *x, float *y)
{
  vector_floats now[VECTOR_ABREAST], e[VECTOR_ABREAST];
  uint32_t at, i;

  for (at = 0; at + VECTOR_BLOCK <= n; at += VECTOR_BLOCK) {
    VECTOR_STEP (now[i], vector_at (x + at)[i]);
    VECTOR_STEP (e[i], -now[i]);
    vector_exp (e);
    VECTOR_STEP (vector_at (y + at)[i], now[i] / (1.0f + e[i]));
  }
  for (; at < n; at++)
    y[at] = vector_silu (x[at]);
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
    vector_silus (width, x, y);
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

static inline float
vector_sum (const vector_floats *sums, const float *rest, uint32_t n_rest)
{
  float lanes[CPU_LANES];
  uint32_t i;

  memcpy (lanes, sums, sizeof lanes);
  for (i = 0; i < n_rest; i++)
    lanes[i] += rest[i];
  return cpu_lanes_sum (lanes);
}

/* Σ (x - mean)^2 and Σ x: value i goes to lane i % CPU_LANES. */
static float
vector_sum_squares (const float *x, uint32_t n, float mean)
{
  vector_floats sums[VECTOR_PARTS] = { { 0.0f } };
  float rest[CPU_LANES];
  uint32_t i, lane, part;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES)
#pragma GCC unroll 4
    for (part = 0; part < VECTOR_PARTS; part++) {
      const vector_floats off = vector_at (x + i)[part] - mean;

      sums[part] += off * off;
    }
  for (lane = 0; i + lane < n; lane++)
    rest[lane] = (x[i + lane] - mean) * (x[i + lane] - mean);
  return vector_sum (sums, rest, lane);
}

static float
vector_sum_values (const float *x, uint32_t n)
{
  vector_floats sums[VECTOR_PARTS] = { { 0.0f } };
  uint32_t i, part;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES)
#pragma GCC unroll 4
    for (part = 0; part < VECTOR_PARTS; part++)
      sums[part] += vector_at (x + i)[part];
  return vector_sum (sums, x + i, n - i);
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

static inline __attribute__ ((always_inline)) void
vector_rotate_pairs (size_t n_pairs, size_t step, size_t distance, const float *table, const float *x, float *y)
{
  size_t i;

  VECTOR_LOOP for (i = 0; i < n_pairs; i++)
  {
    const float a = x[i * step], b = x[i * step + distance];
    const float cosine = table[2 * i], sine = table[2 * i + 1];

    y[i * step]            = a * cosine - b * sine;
    y[i * step + distance] = a * sine + b * cosine;
  }
}

/* What models have, with constants: of any step the compiler makes no vectors.  Of neighbours gcc 12 would make
 * vfmaddsub, which rounds once where -ffp-contract=off says twice. */
static void
vector_rotate (uint32_t n_pairs, uint32_t step, uint32_t distance, const float *table, const float *x, float *y)
{
  if (step == 1)
    vector_rotate_pairs (n_pairs, 1, distance, table, x, y);
#ifndef __FMA__
  else if (step == 2 && distance == 1)
    vector_rotate_pairs (n_pairs, 2, 1, table, x, y);
#endif
  else
    vector_rotate_pairs (n_pairs, step, distance, table, x, y);
}

/* ---- attention ---- */

/* s *= factor; returns the maximum. */
static float
vector_scale_max (float factor, float *s, uint32_t from, uint32_t end)
{
  float max = -__builtin_inff ();
  vector_floats most[VECTOR_PARTS];
  uint32_t i, part, lane;

  for (part = 0; part < VECTOR_PARTS; part++)
    most[part] = max - (vector_floats){ 0.0f };
  for (i = from; i + CPU_LANES <= end; i += CPU_LANES)
#pragma GCC unroll 4
    for (part = 0; part < VECTOR_PARTS; part++) {
      const vector_floats now = vector_at (s + i)[part] * factor;

      vector_at (s + i)[part] = now;
      most[part]              = VECTOR_SELECT (now > most[part], now, most[part]);
    }
  for (; i < end; i++) {
    s[i] *= factor;
    max = s[i] > max ? s[i] : max;
  }
  for (part = 0; part < VECTOR_PARTS / 2; part++) {
    const vector_floats other = most[part + VECTOR_PARTS / 2];

    most[part] = VECTOR_SELECT (other > most[part], other, most[part]);
    for (lane = 0; lane < VECTOR_WIDTH; lane++)
      max = most[part][lane] > max ? most[part][lane] : max;
  }
  return max;
}

/* The same for any from: lane 0 is where the position is a multiple of CPU_LANES. */
static float
vector_softmax (float factor, float *s, uint32_t from, uint32_t end, float *ret_sum)
{
  const float max        = vector_scale_max (factor, s, from, end);
  const uint32_t first   = (from + CPU_LANES - 1) / CPU_LANES * CPU_LANES;
  float lanes[CPU_LANES] = { 0.0f };
  vector_floats now[VECTOR_ABREAST], sums[VECTOR_PARTS];
  uint32_t at, i;

  for (at = from; at < end && at < first; at++)
    lanes[at % CPU_LANES] = s[at] = cpu_exp (s[at] - max);
  memcpy (sums, lanes, sizeof sums);
  for (; at + VECTOR_BLOCK <= end; at += VECTOR_BLOCK) {
    VECTOR_STEP (now[i], vector_at (s + at)[i] - max);
    vector_exp_falling (now);
    VECTOR_STEP (vector_at (s + at)[i], now[i]);
#pragma GCC unroll 4
    for (i = 0; i < VECTOR_ABREAST; i++)
      sums[i % VECTOR_PARTS] += now[i];
  }
  for (i = at; i < end; i++)
    s[i] = cpu_exp (s[i] - max);
  memcpy (lanes, sums, sizeof lanes);
  for (; at < end; at++)
    lanes[at % CPU_LANES] += s[at];
  *ret_sum = cpu_lanes_sum (lanes);
  return max;
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
  .merge    = vector_merge,
};
