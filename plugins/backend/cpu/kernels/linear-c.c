/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reference: plain C, one row for a panel.  Every other instruction set must give its bits.
 */
#include "linear.h"

#include <math.h>
#include <string.h>

#define PART 256 /* weights unpacked at a time */

static void
quantise_block_c (const float *x, struct linear_block *block)
{
  uint32_t max_bits = 0, bits;
  float scale, inverse, value;
  int16_t sum[2][2] = { { 0, 0 }, { 0, 0 } };
  int32_t q;
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
    sum[i / 16][i / 2 % 2] += (int16_t)q;
  }
  block->d = scale;
  block->s = scale * (float)(sum[0][0] + sum[0][1] + sum[1][0] + sum[1][1]);
  memcpy (block->sum, sum, sizeof sum);
  for (i = 0; i < 2; i++)
    block->sum[2][i] = (int16_t)(sum[0][i] + sum[1][i]);
}

static void
quantise_c (const float *x, size_t k, struct linear_block *ret_row)
{
  size_t i;

  for (i = 0; i < k / LINEAR_GROUP; i++)
    quantise_block_c (x + i * LINEAR_GROUP, &ret_row[i]);
}

/* A panel is a row of the file as it is. */
static size_t
panel_bytes_c (uint32_t type, size_t k)
{
  uint64_t n = 0;

  wlq_row_bytes (type, k, &n);
  return (size_t)n;
}

static void
pack_c (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  (void)row_bytes;
  if (n_rows > 0)
    memcpy (panel, src, panel_bytes_c (type, k));
  else
    memset (panel, 0, panel_bytes_c (type, k));
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

/* 32 weights with their scales: groups of 32 use the first one. */
static inline float
add_group (enum wlq_policy policy, const int8_t *q, const float *scale, const float *min, const struct linear_block *x,
           float acc)
{
  const int32_t dot[2] = { dot16 (q, x->q), dot16 (q + 16, x->q + 16) };
  float part;

  if (policy == WLQ_POLICY_SYM32 || policy == WLQ_POLICY_ASYM32) {
    acc = fmaf (scale[0] * x->d, (float)(dot[0] + dot[1]), acc);
    return policy == WLQ_POLICY_ASYM32 ? fmaf (-min[0], x->s, acc) : acc;
  }
  part = scale[0] * (float)dot[0];
  part = fmaf (scale[1], (float)dot[1], part);
  if (policy == WLQ_POLICY_ASYM16) {
    part = fmaf (-min[0], (float)(x->sum[0][0] + x->sum[0][1]), part);
    part = fmaf (-min[1], (float)(x->sum[1][0] + x->sum[1][1]), part);
  }
  return fmaf (x->d, part, acc);
}

static inline void
mm_c (uint32_t type, const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  const struct wlq_traits *traits = wlq_traits (type);
  const unsigned n_scales         = LINEAR_GROUP / traits->group;
  const uint8_t *w                = panel;
  float scale[PART / 16], min[PART / 16] = { 0 };
  int8_t q[PART];
  size_t k0, n_values, i;
  unsigned t;

  memset (y, 0, n * sizeof *y);
  for (k0 = 0; k0 < k; k0 += n_values) {
    n_values = k - k0 < PART ? k - k0 : PART;
    wlq_unpack_i8 (type, w + k0 / traits->block * traits->block_bytes, n_values, q, scale, min);
    for (t = 0; t < n; t++) {
      const struct linear_block *b = (const struct linear_block *)x[t] + k0 / LINEAR_GROUP;

      for (i = 0; i < n_values / LINEAR_GROUP; i++)
        y[t] = add_group ((enum wlq_policy)traits->policy, q + i * LINEAR_GROUP, scale + i * n_scales,
                          min + i * n_scales, b + i, y[t]);
    }
  }
}

static size_t
panel_bytes_float_c (uint32_t type, size_t k)
{
  (void)type;
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

#define TYPE(name, type)                                                                                               \
  static void mm_##name##_c (const void *panel, size_t k, unsigned n, const void *const *x, float *y)                  \
  {                                                                                                                    \
    mm_c (type, panel, k, n, x, y);                                                                                    \
  }

TYPE (q4_0, WLP_TYPE_Q4_0)
TYPE (q4_1, WLP_TYPE_Q4_1)
TYPE (q5_0, WLP_TYPE_Q5_0)
TYPE (q5_1, WLP_TYPE_Q5_1)
TYPE (q8_0, WLP_TYPE_Q8_0)
TYPE (q2_k, WLP_TYPE_Q2_K)
TYPE (q3_k, WLP_TYPE_Q3_K)
TYPE (q4_k, WLP_TYPE_Q4_K)
TYPE (q5_k, WLP_TYPE_Q5_K)
TYPE (q6_k, WLP_TYPE_Q6_K)
TYPE (iq4_nl, WLP_TYPE_IQ4_NL)
TYPE (iq4_xs, WLP_TYPE_IQ4_XS)
TYPE (mxfp4, WLP_TYPE_MXFP4)

#define FORMAT(name)                                                                                                   \
  {                                                                                                                    \
#name, 0, panel_bytes_c, pack_c, mm_##name##_c                                                                     \
  }

static const struct linear_format formats_c[] = {
  [WLP_TYPE_Q4_0] = FORMAT (q4_0),   [WLP_TYPE_Q4_1] = FORMAT (q4_1),     [WLP_TYPE_Q5_0] = FORMAT (q5_0),
  [WLP_TYPE_Q5_1] = FORMAT (q5_1),   [WLP_TYPE_Q8_0] = FORMAT (q8_0),     [WLP_TYPE_Q2_K] = FORMAT (q2_k),
  [WLP_TYPE_Q3_K] = FORMAT (q3_k),   [WLP_TYPE_Q4_K] = FORMAT (q4_k),     [WLP_TYPE_Q5_K] = FORMAT (q5_k),
  [WLP_TYPE_Q6_K] = FORMAT (q6_k),   [WLP_TYPE_IQ4_NL] = FORMAT (iq4_nl), [WLP_TYPE_IQ4_XS] = FORMAT (iq4_xs),
  [WLP_TYPE_MXFP4] = FORMAT (mxfp4),
};
static const struct linear_format float_c = { "float", 1, panel_bytes_float_c, pack_float_c, mm_float_c };

static const struct linear_format *
format_c (uint32_t type, int exact)
{
  const struct wlq_traits *traits = wlq_traits (type);

  if (traits == NULL || !wlq_is_supported (type))
    return NULL;
  if (exact || traits->policy == WLQ_POLICY_FLOAT)
    return &float_c;
  return type < sizeof formats_c / sizeof formats_c[0] && formats_c[type].mm != NULL ? &formats_c[type] : NULL;
}

const struct linear_isa linear_isa_c = {
  .name     = "c",
  .features = 0,
  .rows     = 1,
  .quantise = quantise_c,
  .format   = format_c,
};
