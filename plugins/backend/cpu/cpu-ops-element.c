/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Operators that work value by value.  One loop for each activation, so that the compiler can vectorise it.
 */
#include "cpu-math.h"
#include "cpu-ops.h"

#include "quant-half.h"

#define OAI_LIMIT 7.0f
#define OAI_ALPHA 1.702f

static inline float
act_silu (float x)
{
  return x / (1.0f + cpu_exp (-x));
}

static inline float
act_gelu (float x)
{
  return 0.5f * x * (1.0f + cpu_erf (x * 0.70710678f));
}

static inline float
act_gelu_tanh (float x)
{
  return 0.5f * x * (1.0f + cpu_tanh (0.79788456f * x * (1.0f + 0.044715f * x * x)));
}

static inline float
act_gelu_half (float x)
{
  float y = wlq_f16_to_f32 (wlq_f32_to_f16 (act_gelu_tanh (wlq_f16_to_f32 (wlq_f32_to_f16 (x)))));

  y = x <= -10.0f ? 0.0f : y;
  return x >= 10.0f ? x : y;
}

static inline float
act_relu (float x)
{
  return x <= 0.0f ? 0.0f : x; /* NaN stays NaN */
}

/* @y may be @x. */
void
cpu_op_activate (uint32_t act, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  switch (act) {
  case WLP_ACT_SILU:
    for (i = 0; i < width; i++)
      y[i] = act_silu (x[i]);
    break;
  case WLP_ACT_GELU:
    for (i = 0; i < width; i++)
      y[i] = act_gelu (x[i]);
    break;
  case WLP_ACT_GELU_TANH:
    for (i = 0; i < width; i++)
      y[i] = act_gelu_tanh (x[i]);
    break;
  case WLP_ACT_GELU_HALF:
    for (i = 0; i < width; i++)
      y[i] = act_gelu_half (x[i]);
    break;
  case WLP_ACT_RELU:
    for (i = 0; i < width; i++)
      y[i] = act_relu (x[i]);
    break;
  case WLP_ACT_RELU2:
    for (i = 0; i < width; i++)
      y[i] = act_relu (x[i]) * act_relu (x[i]);
    break;
  case WLP_ACT_TANH:
    for (i = 0; i < width; i++)
      y[i] = cpu_tanh (x[i]);
    break;
  case WLP_ACT_SIGMOID:
    for (i = 0; i < width; i++)
      y[i] = cpu_sigmoid (x[i]);
    break;
  default: /* cpu_check_op() lets no other one through */
    break;
  }
}

/* Gate and up clamped, the linear part shifted by one (gpt-oss). */
static void
glu_oai (uint32_t width, const float *gate, const float *up, float *y)
{
  uint32_t i;

  for (i = 0; i < width; i++) {
    const float g = gate[i] > OAI_LIMIT ? OAI_LIMIT : gate[i];
    const float h = up[i] > OAI_LIMIT ? OAI_LIMIT : up[i];
    const float u = h < -OAI_LIMIT ? -OAI_LIMIT : h;

    y[i] = g * cpu_sigmoid (OAI_ALPHA * g) * (u + 1.0f);
  }
}

/* @y may be @gate. */
void
cpu_op_glu (uint32_t act, uint32_t width, const float *gate, const float *up, float *y)
{
  uint32_t i;

  if (act == WLP_ACT_SWIGLU_OAI) {
    glu_oai (width, gate, up, y);
    return;
  }
  cpu_op_activate (act, width, gate, y);
  for (i = 0; i < width; i++)
    y[i] *= up[i];
}

/* @y may be @x. */
void
cpu_op_softcap (float cap, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  for (i = 0; i < width; i++)
    y[i] = cap * cpu_tanh (x[i] / cap);
}

/* @y may be @x; NaN stays NaN. */
void
cpu_op_clamp (const struct wlp_clamp_params *params, uint32_t width, const float *x, float *y)
{
  uint32_t i;

  for (i = 0; i < width; i++) {
    const float raised = x[i] < params->low ? params->low : x[i];

    y[i] = raised > params->high ? params->high : raised;
  }
}
