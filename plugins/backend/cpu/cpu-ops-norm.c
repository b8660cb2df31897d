/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cpu-math.h"
#include "cpu-ops.h"

#include <math.h>

/* Σ (x - mean)^2 and Σ x: value i goes to lane i % CPU_LANES. */
static float
sum_squares (const float *x, uint32_t n, float mean)
{
  float lanes[CPU_LANES] = { 0.0f }, difference;
  uint32_t i, lane;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES)
    for (lane = 0; lane < CPU_LANES; lane++) {
      difference = x[i + lane] - mean;
      lanes[lane] += difference * difference;
    }
  for (lane = 0; i + lane < n; lane++) {
    difference = x[i + lane] - mean;
    lanes[lane] += difference * difference;
  }
  return cpu_lanes_sum (lanes);
}

static float
sum_values (const float *x, uint32_t n)
{
  float lanes[CPU_LANES] = { 0.0f };
  uint32_t i, lane;

  for (i = 0; i + CPU_LANES <= n; i += CPU_LANES)
    for (lane = 0; lane < CPU_LANES; lane++)
      lanes[lane] += x[i + lane];
  for (lane = 0; i + lane < n; lane++)
    lanes[lane] += x[i + lane];
  return cpu_lanes_sum (lanes);
}

static void
norm_group (uint32_t kind, float eps, uint32_t n, const float *gain, const float *bias, const float *x, float *y)
{
  const float mean  = kind == WLP_NORM_LAYER ? sum_values (x, n) / (float)n : 0.0f;
  const float scale = 1.0f / sqrtf (sum_squares (x, n, mean) / (float)n + eps);
  uint32_t i;

  for (i = 0; i < n; i++)
    y[i] = (x[i] - mean) * scale;
  if (gain != NULL)
    for (i = 0; i < n; i++)
      y[i] *= gain[i];
  if (bias != NULL)
    for (i = 0; i < n; i++)
      y[i] += bias[i];
}

/* The steps lead from one group's gain or bias to the next one's.  @y may be @x. */
void
cpu_op_norm (const struct wlp_norm_params *params, uint32_t width, const float *gain, uint32_t gain_step,
             const float *bias, uint32_t bias_step, const float *x, float *y)
{
  const uint32_t group = params->group != 0 ? params->group : width;
  uint32_t i;

  for (i = 0; i < width; i += group) {
    norm_group (params->kind, params->eps, group, gain, bias, x + i, y + i);
    gain = gain != NULL ? gain + gain_step : NULL;
    bias = bias != NULL ? bias + bias_step : NULL;
  }
}
