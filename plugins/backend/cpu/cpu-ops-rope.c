/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rotary positions.  The angle of a pair is its position times a frequency that is fixed when the model is loaded;
 * angles, and their sines and cosines, are double until they are rounded once for the table.
 */
#include "cpu-math.h"
#include "cpu-ops.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

/* The dimension that turns @n_turns times in the original context (arXiv 2309.00071, section 3.2). */
static double
dimension_of_turns (const struct wlp_rope_params *params, double n_turns)
{
  return params->n_dims * log (params->n_ctx_orig / (n_turns * 2.0 * PI)) / (2.0 * log ((double)params->base));
}

/* The share of extrapolation in pair @pair, 1 for those that turn fast. */
static double
yarn_ramp (const struct wlp_rope_params *params, uint32_t pair)
{
  const double low   = fmax (0.0, floor (dimension_of_turns (params, params->beta_fast)));
  const double high  = fmin (params->n_dims - 1.0, ceil (dimension_of_turns (params, params->beta_slow)));
  const double place = (pair - low) / fmax (0.001, high - low);

  return 1.0 - fmin (1.0, fmax (0.0, place));
}

static double
pair_frequency (const struct wlp_rope_params *params, const float *factors, uint32_t pair)
{
  const double interpolation = params->freq_scale != 0.0f ? (double)params->freq_scale : 1.0;
  double frequency           = pow ((double)params->base, -2.0 * pair / params->n_dims);
  double mix;

  if (factors != NULL)
    frequency /= (double)factors[pair];
  if (params->ext_factor == 0.0f)
    return frequency * interpolation;
  mix = yarn_ramp (params, pair) * (double)params->ext_factor;
  return frequency * (interpolation * (1.0 - mix) + mix);
}

/* Sections are dealt out in turns over the pairs: their sum is the length of a turn. */
static uint8_t
pair_position (const struct wlp_rope_params *params, uint32_t n_positions, uint32_t pair)
{
  uint32_t turn = 0, i;

  if (params->kind != WLP_ROPE_MROPE || n_positions < 2)
    return 0;
  for (i = 0; i < 4; i++)
    turn += params->sections[i];
  pair %= turn;
  for (i = 0; i < 3 && pair >= params->sections[i]; i++)
    pair -= params->sections[i];
  return (uint8_t)(i + 1);
}

int
cpu_rope_init (struct cpu_rope *rope, const struct wlp_rope_params *params, const float *factors, uint32_t n_positions,
               struct wlp_error *error)
{
  const uint32_t n_pairs = params->n_dims / 2;
  uint32_t i;

  rope->params      = *params;
  rope->scale       = params->attn_factor != 0.0f ? params->attn_factor : 1.0f;
  rope->frequencies = calloc (n_pairs, sizeof rope->frequencies[0]);
  rope->position_of = calloc (n_pairs, sizeof rope->position_of[0]);
  if (rope->frequencies == NULL || rope->position_of == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for the frequencies of %u pairs", n_pairs);
  for (i = 0; i < n_pairs; i++) {
    rope->frequencies[i] = pair_frequency (params, factors, i);
    rope->position_of[i] = pair_position (params, n_positions, i);
    if (!isfinite (rope->frequencies[i]))
      return wlp_error_set (error, -EINVAL, "the rotary frequency of pair %u is not finite: base %g, scale %g", i,
                            (double)params->base, (double)params->freq_scale);
    if (rope->position_of[i] >= n_positions)
      return wlp_error_set (error, -EINVAL, "rotary section %u has no position: a token has %u", rope->position_of[i],
                            n_positions);
  }
  return 0;
}

void
cpu_rope_finish (struct cpu_rope *rope)
{
  free (rope->frequencies);
  free (rope->position_of);
}

void
cpu_op_rope_table (const struct cpu_rope *rope, const int32_t *positions, float *table)
{
  double sine, cosine;
  uint32_t i;

  for (i = 0; i < rope->params.n_dims / 2; i++) {
    cpu_sincos (positions[rope->position_of[i]] * rope->frequencies[i], &sine, &cosine);
    table[2 * i]     = (float)cosine * rope->scale;
    table[2 * i + 1] = (float)sine * rope->scale;
  }
}

/* @y may be @x. */
void
cpu_op_rope (const struct vector_isa *isa, const struct wlp_rope_params *params, uint32_t width, const float *table,
             const float *x, float *y)
{
  const uint32_t n_pairs  = params->n_dims / 2;
  const uint32_t step     = params->kind == WLP_ROPE_NORM ? 2 : 1;
  const uint32_t distance = params->kind == WLP_ROPE_NORM ? 1 : n_pairs;
  uint32_t head;

  for (head = 0; head < width; head += params->head_dim) {
    isa->rotate (n_pairs, step, distance, table, x + head, y + head);
    if (y != x)
      memcpy (y + head + params->n_dims, x + head + params->n_dims,
              (params->head_dim - params->n_dims) * sizeof (float));
  }
}
