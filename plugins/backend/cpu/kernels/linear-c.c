/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reference: plain C, one row for a panel.  Every other instruction set must give its bits.
 */
#include "linear.h"

#include <math.h>
#include <string.h>

#define C_TOKENS 4

/* 32 weights of a row; groups of 32 use scale[0] and min[0]. */
struct block_c {
  float scale[2];
  float min[2];
  int8_t q[LINEAR_GROUP];
};

static size_t
activation_bytes_c (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct linear_block);
}

static void
quantise_block_c (const float *x, struct linear_block *block)
{
  uint32_t max_bits = 0, bits;
  float scale, inverse, value;
  int32_t sum[2] = { 0, 0 }, q;
  unsigned i;

  for (i = 0; i < LINEAR_GROUP; i++) {
    bits     = wlq_f32_bits (x[i]) & 0x7fffffffu;
    max_bits = bits > max_bits ? bits : max_bits;
  }
  scale = wlq_f32_from_bits (max_bits) / 127.0f;
  if (max_bits >= 0x7f800000u || scale < 0x1p-126f) { /* not finite, or too small for a normal scale */
    memset (block, 0, sizeof *block);
    if (max_bits >= 0x7f800000u)
      block->d = block->s = wlq_f32_from_bits (0x7fc00000u);
    return;
  }
  inverse = 1.0f / scale;
  for (i = 0; i < LINEAR_GROUP; i++) {
    value       = x[i] * inverse + 0x1.8p23f; /* adding 1.5 * 2^23 rounds to an integer, ties to even */
    q           = (int32_t)(wlq_f32_bits (value) - 0x4b400000u);
    block->q[i] = (int8_t)q;
    sum[i / 16] += q;
  }
  block->d      = scale;
  block->s      = scale * (float)(sum[0] + sum[1]);
  block->sum[0] = sum[0];
  block->sum[1] = sum[1];
}

static void
quantise_c (const float *x, size_t k, void *ret_row)
{
  struct linear_block *blocks = ret_row;
  size_t i;

  for (i = 0; i < k / LINEAR_GROUP; i++)
    quantise_block_c (x + i * LINEAR_GROUP, &blocks[i]);
}

static size_t
panel_bytes_c (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct block_c);
}

static void
pack_c (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  const struct wlq_traits *traits = wlq_traits (type);
  const size_t groups             = LINEAR_GROUP / traits->group;
  struct block_c *blocks          = panel;
  struct linear_part part;
  size_t k0, n, i, g;

  memset (panel, 0, panel_bytes_c (k));
  for (k0 = 0; n_rows > 0 && k0 < k; k0 += n) {
    n = k - k0 < LINEAR_PART ? k - k0 : LINEAR_PART;
    linear_unpack_part (type, src, row_bytes, 1, k0, n, &part);
    for (i = 0; i < n / LINEAR_GROUP; i++, blocks++) {
      memcpy (blocks->q, part.q[0] + i * LINEAR_GROUP, LINEAR_GROUP);
      for (g = 0; g < groups; g++) {
        blocks->scale[g] = part.scale[0][i * groups + g];
        blocks->min[g]   = traits->has_min ? part.min[0][i * groups + g] : 0.0f;
      }
    }
  }
}

static inline int32_t
dot16 (const int8_t *q, const int8_t *x)
{
  int32_t sum = 0;
  unsigned i;

  for (i = 0; i < 16; i++)
    sum += (int32_t)q[i] * x[i];
  return sum;
}

static void
mm_sym32_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  unsigned t;
  size_t i;

  for (t = 0; t < n; t++) {
    const struct block_c *w      = panel;
    const struct linear_block *b = x[t];
    float acc                    = 0.0f;

    for (i = 0; i < k / LINEAR_GROUP; i++, w++, b++)
      acc = fmaf (w->scale[0] * b->d, (float)(dot16 (w->q, b->q) + dot16 (w->q + 16, b->q + 16)), acc);
    y[t] = acc;
  }
}

static void
mm_asym32_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  unsigned t;
  size_t i;

  for (t = 0; t < n; t++) {
    const struct block_c *w      = panel;
    const struct linear_block *b = x[t];
    float acc                    = 0.0f;

    for (i = 0; i < k / LINEAR_GROUP; i++, w++, b++) {
      acc = fmaf (w->scale[0] * b->d, (float)(dot16 (w->q, b->q) + dot16 (w->q + 16, b->q + 16)), acc);
      acc = fmaf (-w->min[0], b->s, acc);
    }
    y[t] = acc;
  }
}

static void
mm_sym16_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  unsigned t;
  size_t i;

  for (t = 0; t < n; t++) {
    const struct block_c *w      = panel;
    const struct linear_block *b = x[t];
    float acc                    = 0.0f, part;

    for (i = 0; i < k / LINEAR_GROUP; i++, w++, b++) {
      part = w->scale[0] * (float)dot16 (w->q, b->q);
      part = fmaf (w->scale[1], (float)dot16 (w->q + 16, b->q + 16), part);
      acc  = fmaf (b->d, part, acc);
    }
    y[t] = acc;
  }
}

static void
mm_asym16_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  unsigned t;
  size_t i;

  for (t = 0; t < n; t++) {
    const struct block_c *w      = panel;
    const struct linear_block *b = x[t];
    float acc                    = 0.0f, part;

    for (i = 0; i < k / LINEAR_GROUP; i++, w++, b++) {
      part = w->scale[0] * (float)dot16 (w->q, b->q);
      part = fmaf (w->scale[1], (float)dot16 (w->q + 16, b->q + 16), part);
      part = fmaf (-w->min[0], (float)b->sum[0], part);
      part = fmaf (-w->min[1], (float)b->sum[1], part);
      acc  = fmaf (b->d, part, acc);
    }
    y[t] = acc;
  }
}

static size_t
panel_bytes_float_c (size_t k)
{
  return k * sizeof (float);
}

static void
pack_float_c (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  if (n_rows > 0)
    wlq_dequantize_row (type, src, k, panel);
  else
    memset (panel, 0, k * sizeof (float));
}

static void
mm_float_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  const float *w = panel;
  unsigned t;
  size_t i, k0;

  for (t = 0; t < n; t++) {
    const float *v = x[t];
    float acc      = 0.0f;

    for (k0 = 0; k0 < k; k0 += LINEAR_GROUP) {
      const size_t end = k - k0 < LINEAR_GROUP ? k : k0 + LINEAR_GROUP;
      float part       = 0.0f;

      for (i = k0; i < end; i++)
        part = fmaf (w[i], v[i], part);
      acc += part;
    }
    y[t] = acc;
  }
}

static const struct linear_format sym32_c  = { "sym32", 0, panel_bytes_c, pack_c, mm_sym32_c };
static const struct linear_format asym32_c = { "asym32", 0, panel_bytes_c, pack_c, mm_asym32_c };
static const struct linear_format sym16_c  = { "sym16", 0, panel_bytes_c, pack_c, mm_sym16_c };
static const struct linear_format asym16_c = { "asym16", 0, panel_bytes_c, pack_c, mm_asym16_c };
static const struct linear_format float_c  = { "float", 1, panel_bytes_float_c, pack_float_c, mm_float_c };

static const struct linear_format *
format_c (uint32_t type, int exact)
{
  const struct wlq_traits *traits = wlq_traits (type);

  if (traits == NULL || !wlq_is_supported (type))
    return NULL;
  if (exact)
    return &float_c;
  switch ((enum wlq_policy)traits->policy) {
  case WLQ_POLICY_FLOAT:
    return &float_c;
  case WLQ_POLICY_SYM32:
    return &sym32_c;
  case WLQ_POLICY_ASYM32:
    return &asym32_c;
  case WLQ_POLICY_SYM16:
    return &sym16_c;
  case WLQ_POLICY_ASYM16:
    return &asym16_c;
  case WLQ_POLICY_NONE:
    return NULL;
  }
  return NULL;
}

const struct linear_isa linear_isa_c = {
  .name             = "c",
  .features         = 0,
  .rows             = 1,
  .tokens           = C_TOKENS,
  .activation_bytes = activation_bytes_c,
  .quantise         = quantise_c,
  .format           = format_c,
};
