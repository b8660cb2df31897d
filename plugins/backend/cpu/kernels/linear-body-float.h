/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Kernels of F32, F16 and BF16, and of any type in float32: included before linear-body.h, which says what a file must
 * define and takes float_format() from here.
 *
 * The sum over 32 values is a chain, so few tokens take several blocks of 32 side by side.
 */
#pragma once

#include "linear-panel.h"
#include "linear.h"

#include <string.h>

enum float_kind { FLOAT_32, FLOAT_16, FLOAT_B16 };

#define FLOAT_CHAINS 8 /* sums that hide the latency of an addition */
#define FLOAT_TOKENS 4 /* of a tile */

static ALWAYS size_t
float_size (enum float_kind kind)
{
  return kind == FLOAT_32 ? 4 : 2;
}

static ALWAYS v_f32
float_weights (enum float_kind kind, const uint8_t *w)
{
  v_words words;
  v_f32 floats;

  if (kind == FLOAT_16)
    return v_halves (w);
  if (kind == FLOAT_B16) {
    memcpy (&words, w, sizeof words);
    return (v_f32)(__builtin_convertvector(words, v_u32) << 16);
  }
  memcpy (&floats, w, sizeof floats);
  return floats;
}

/* @n_values values from @at on in each of @blocks blocks of 32. */
static ALWAYS void
float_blocks (enum float_kind kind, const uint8_t *w, unsigned n, const float *const *x, size_t at, unsigned blocks,
              size_t n_values, v_f32 (*acc)[V_PARTS])
{
  const size_t column = LINEAR_PANEL_ROWS * float_size (kind), block = LINEAR_GROUP * column;
  v_f32 part[4][FLOAT_TOKENS][V_PARTS];
  unsigned b, t, p;
  size_t i;

#pragma GCC unroll 4
  for (b = 0; b < blocks; b++)
#pragma GCC unroll 4
    for (t = 0; t < n; t++)
#pragma GCC unroll 4
      for (p = 0; p < V_PARTS; p++)
        part[b][t][p] = (v_f32){ 0 };
#pragma GCC unroll 1
  for (i = 0; i < n_values; i++, w += column)
#pragma GCC unroll 4
    for (b = 0; b < blocks; b++)
#pragma GCC unroll 4
      for (p = 0; p < V_PARTS; p++) {
        const v_f32 weights = float_weights (kind, w + b * block + p * V_LANES * float_size (kind));

#pragma GCC unroll 4
        for (t = 0; t < n; t++)
          part[b][t][p] = v_fma (weights, v_splat (x[t] + at + b * LINEAR_GROUP + i), part[b][t][p]);
      }
#pragma GCC unroll 4
  for (b = 0; b < blocks; b++)
#pragma GCC unroll 4
    for (t = 0; t < n; t++)
#pragma GCC unroll 4
      for (p = 0; p < V_PARTS; p++)
        acc[t][p] += part[b][t][p];
}

static ALWAYS void
mm_float_tile (enum float_kind kind, const void *panel, size_t k, unsigned n, const void *const *rows, float *y)
{
  const unsigned wanted = FLOAT_CHAINS / V_PARTS / n, blocks = wanted < 1 ? 1 : (wanted > 4 ? 4 : wanted);
  const size_t column = LINEAR_PANEL_ROWS * float_size (kind), step = (size_t)blocks * LINEAR_GROUP;
  const uint8_t *w = panel;
  const float *x[FLOAT_TOKENS];
  v_f32 acc[FLOAT_TOKENS][V_PARTS];
  unsigned t, p;
  size_t at;

#pragma GCC unroll 4
  for (t = 0; t < n; t++) {
    x[t] = rows[t];
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      acc[t][p] = (v_f32){ 0 };
  }
  for (at = 0; at + step <= k; at += step)
    float_blocks (kind, w + at * column, n, x, at, blocks, LINEAR_GROUP, acc);
  for (; at < k; at += LINEAR_GROUP)
    float_blocks (kind, w + at * column, n, x, at, 1, k - at < LINEAR_GROUP ? k - at : LINEAR_GROUP, acc);
#pragma GCC unroll 4
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      memcpy (y + t * LINEAR_PANEL_ROWS + p * V_LANES, &acc[t][p], V_BYTES);
}

static ALWAYS void
mm_float (enum float_kind kind, const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  unsigned t;

  for (t = 0; t + 4 <= n; t += 4)
    mm_float_tile (kind, panel, k, 4, x + t, y + t * LINEAR_PANEL_ROWS);
  x += t;
  y += t * LINEAR_PANEL_ROWS;
  if (n - t == 3)
    mm_float_tile (kind, panel, k, 3, x, y);
  else if (n - t == 2)
    mm_float_tile (kind, panel, k, 2, x, y);
  else if (n - t == 1)
    mm_float_tile (kind, panel, k, 1, x, y);
}

static void
mm_f32 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  mm_float (FLOAT_32, panel, k, n, x, y);
}

static void
mm_f16 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  mm_float (FLOAT_16, panel, k, n, x, y);
}

static void
mm_bf16 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  mm_float (FLOAT_B16, panel, k, n, x, y);
}

static const struct linear_format float_formats[] = {
  { "f32", 1, linear_panel_float_bytes, linear_panel_float_pack, mm_f32 },
  { "f16", 1, linear_panel_float_bytes, linear_panel_float_pack, mm_f16 },
  { "bf16", 1, linear_panel_float_bytes, linear_panel_float_pack, mm_bf16 },
};
static const struct linear_format exact_format = { "exact", 1, linear_panel_exact_bytes, linear_panel_exact_pack,
                                                   mm_f32 };

static const struct linear_format *
float_format (uint32_t type, int exact)
{
  if (type == WLP_TYPE_F16)
    return &float_formats[1];
  if (type == WLP_TYPE_BF16)
    return &float_formats[2];
  return exact && type != WLP_TYPE_F32 ? &exact_format : &float_formats[0];
}
