/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "linear-panel.h"

#include "quant.h"

#include <string.h>

#define ROWS LINEAR_PANEL_ROWS
#define PART 256 /* values dequantised at a time */

/* clang-format off */
static const struct linear_cut cuts[] = {
  /* type              block bytes  side   dwords  bits */
  { WLP_TYPE_Q4_0,     32,   18,    0, 2,  2, 4,   0, 0 },
  { WLP_TYPE_Q4_1,     32,   20,    0, 0,  0, 5,   0, 0 },
  { WLP_TYPE_Q5_0,     32,   22,    0, 2,  2, 5,   0, 1 },
  { WLP_TYPE_Q5_1,     32,   24,    0, 0,  0, 6,   1, 1 },
  { WLP_TYPE_Q8_0,     32,   34,    0, 2,  2, 8,   0, 0 },
  { WLP_TYPE_IQ4_NL,   32,   18,    0, 2,  2, 4,   0, 0 },
  { WLP_TYPE_MXFP4,    32,   17,    0, 1,  1, 4,   0, 0 },
  { WLP_TYPE_Q2_K,    256,   84,    0, 0,  0, 21,  0, 0 },
  { WLP_TYPE_Q3_K,    256,  110,  108, 2,  0, 27,  0, 8 },
  { WLP_TYPE_Q4_K,    256,  144,    0, 0,  0, 36,  0, 0 },
  { WLP_TYPE_Q5_K,    256,  176,    0, 0,  0, 44,  4, 8 },
  { WLP_TYPE_Q6_K,    256,  210,  208, 2,  0, 52,  0, 0 },
  { WLP_TYPE_IQ4_XS,  256,  136,    0, 0,  0, 34,  0, 0 },
};
/* clang-format on */

const struct linear_cut *
linear_panel_cut (uint32_t type)
{
  size_t i;

  for (i = 0; i < sizeof cuts / sizeof cuts[0]; i++)
    if (cuts[i].type == type)
      return &cuts[i];
  return NULL;
}

size_t
linear_panel_sides_bytes (const struct linear_cut *cut, size_t k)
{
  return (k / cut->block * cut->side_bytes * ROWS + 63) / 64 * 64;
}

size_t
linear_panel_bytes (uint32_t type, size_t k)
{
  const struct linear_cut *cut = linear_panel_cut (type);

  return linear_panel_sides_bytes (cut, k) + k / cut->block * cut->n_dwords * ROWS * 4;
}

/* ---- transposing ---- */

typedef uint32_t four __attribute__ ((vector_size (16)));

static inline four
load_four (const uint8_t *at)
{
  four value;

  memcpy (&value, at, sizeof value);
  return value;
}

static inline void
store_four (uint8_t *at, four value)
{
  memcpy (at, &value, sizeof value);
}

#define PICK(a, b, i, j, k, l) __builtin_shufflevector (a, b, i, j, k, l)

/* 4 rows of 4 dwords, @in_bytes apart, to 4 rows @out_bytes apart: out[i][j] = in[j][i]. */
static inline void
transpose_4x4 (const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
  const four a = load_four (in), b = load_four (in + in_bytes);
  const four c = load_four (in + 2 * in_bytes), d = load_four (in + 3 * in_bytes);
  const four ab_low = PICK (a, b, 0, 4, 1, 5), ab_high = PICK (a, b, 2, 6, 3, 7);
  const four cd_low = PICK (c, d, 0, 4, 1, 5), cd_high = PICK (c, d, 2, 6, 3, 7);

  store_four (out, PICK (ab_low, cd_low, 0, 1, 4, 5));
  store_four (out + out_bytes, PICK (ab_low, cd_low, 2, 3, 6, 7));
  store_four (out + 2 * out_bytes, PICK (ab_high, cd_high, 0, 1, 4, 5));
  store_four (out + 3 * out_bytes, PICK (ab_high, cd_high, 2, 3, 6, 7));
}

static inline void
copy_dword (const uint8_t *in, uint8_t *out)
{
  memcpy (out, in, 4);
}

/* @n_rows rows of @n dwords, @in_bytes apart, to @n rows of n_rows dwords. */
static void
transpose_dwords (const uint8_t *in, size_t in_bytes, unsigned n_rows, size_t n, uint8_t *out, size_t out_bytes)
{
  const unsigned fours = n_rows / 4 * 4;
  size_t i;
  unsigned r;

  for (r = 0; r < fours; r += 4, in += 4 * in_bytes)
    for (i = 0; i + 4 <= n; i += 4)
      transpose_4x4 (in + i * 4, in_bytes, out + i * out_bytes + r * 4, out_bytes);
  in -= fours * in_bytes;
  for (r = 0; r < n_rows; r++, in += in_bytes)
    for (i = r < fours ? n / 4 * 4 : 0; i < n; i++)
      copy_dword (in + i * 4, out + i * out_bytes + r * 4);
}

/* ---- turning single bits ---- */

/* Exchanges the bits of @mask in four rows with those @shift above. */
static inline four
swap_bits (four value, int shift, uint32_t mask)
{
  const four change = (value >> shift ^ value) & mask;

  return value ^ change ^ change << shift;
}

/* One dword of 16 rows, bit 4 i + b to bit 8 b + i: the five digits of a bit's number turn by two places, two of them
 * exchanged at a time. */
static void
turn_dword (uint8_t *at)
{
  unsigned r;

  for (r = 0; r < ROWS; r += 4, at += 16) {
    four bits = load_four (at);

    bits = swap_bits (swap_bits (bits, 1, 0x22222222u), 3, 0x0a0a0a0au);
    bits = swap_bits (swap_bits (bits, 6, 0x00cc00ccu), 12, 0x0000f0f0u);
    store_four (at, bits);
  }
}

/* Exchanges the bits of @mask in @low with those @shift above in @high. */
static inline void
swap_between (four *low, four *high, int shift, uint32_t mask)
{
  const four change = (*low >> shift ^ *high) & mask;

  *high ^= change;
  *low ^= change << shift;
}

/* Eight dwords of 16 rows: bit g of byte b of dword i to bit i of byte b of dword g. */
static void
turn_dwords (uint8_t *at)
{
  unsigned r, i;
  four d[8];

  for (r = 0; r < ROWS; r += 4, at += 16) {
    for (i = 0; i < 8; i++)
      d[i] = load_four (at + i * ROWS * 4);
    for (i = 0; i < 4; i++)
      swap_between (&d[i], &d[i + 4], 4, 0x0f0f0f0fu);
    for (i = 0; i < 8; i += i % 2 ? 3 : 1)
      swap_between (&d[i], &d[i + 2], 2, 0x33333333u);
    for (i = 0; i < 8; i += 2)
      swap_between (&d[i], &d[i + 1], 1, 0x55555555u);
    for (i = 0; i < 8; i++)
      store_four (at + i * ROWS * 4, d[i]);
  }
}

/* The dwords of a block that hold single bits. */
static void
turn_bits (const struct linear_cut *cut, uint8_t *dwords)
{
  if (cut->n_bits == 1)
    turn_dword (dwords + cut->bits_at * ROWS * 4);
  else if (cut->n_bits == 8)
    turn_dwords (dwords + cut->bits_at * ROWS * 4);
}

/* ---- quantised types ---- */

void
linear_panel_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  const struct linear_cut *cut = linear_panel_cut (type);
  const uint8_t *in            = src;
  uint8_t *sides = panel, *dwords = sides + linear_panel_sides_bytes (cut, k);
  size_t i, r;

  if (n_rows < ROWS)
    memset (panel, 0, linear_panel_bytes (type, k));
  for (i = 0; i < k / cut->block; i++, in += cut->block_bytes) {
    for (r = 0; r < n_rows && cut->side_bytes == 1; r++)
      sides[i * ROWS + r] = in[r * row_bytes + cut->side_at];
    for (r = 0; r < n_rows && cut->side_bytes == 2; r++)
      memcpy (sides + (i * ROWS + r) * 2, in + r * row_bytes + cut->side_at, 2);
    transpose_dwords (in + cut->dwords_at, row_bytes, n_rows, cut->n_dwords, dwords, ROWS * 4);
    turn_bits (cut, dwords);
    dwords += cut->n_dwords * ROWS * 4;
  }
}

/* ---- floats ---- */

static size_t
float_bytes (uint32_t type)
{
  return type == WLP_TYPE_F32 ? 4 : 2;
}

size_t
linear_panel_float_bytes (uint32_t type, size_t k)
{
  return k * ROWS * float_bytes (type);
}

/* Columns of 16-bit values: pairs of them as dwords, taken apart afterwards. */
static void
transpose_words (const uint8_t *in, size_t in_bytes, size_t n_rows, size_t k, uint8_t *out)
{
  uint16_t pairs[ROWS][2], values[2][ROWS];
  size_t i, r;

  memset (values, 0, sizeof values);
  for (i = 0; i + 2 <= k; i += 2) {
    for (r = 0; r < n_rows; r++)
      memcpy (pairs[r], in + r * in_bytes + i * 2, 4);
    for (r = 0; r < n_rows; r++) {
      values[0][r] = pairs[r][0];
      values[1][r] = pairs[r][1];
    }
    memcpy (out + i * ROWS * 2, values, sizeof values);
  }
  for (r = 0; r < n_rows && i < k; r++)
    memcpy (out + (i * ROWS + r) * 2, in + r * in_bytes + i * 2, 2);
}

void
linear_panel_float_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  if (n_rows < ROWS)
    memset (panel, 0, linear_panel_float_bytes (type, k));
  if (float_bytes (type) == 4)
    transpose_dwords (src, row_bytes, n_rows, k, panel, ROWS * 4);
  else
    transpose_words (src, row_bytes, n_rows, k, panel);
}

/* ---- any type as float32 ---- */

size_t
linear_panel_exact_bytes (uint32_t type, size_t k)
{
  (void)type;
  return k * ROWS * sizeof (float);
}

void
linear_panel_exact_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  const struct wlq_traits *traits = wlq_traits (type);
  float rows[ROWS][PART];
  size_t k0, n, r;

  memset (rows, 0, sizeof rows);
  for (k0 = 0; k0 < k; k0 += n) {
    n = k - k0 < PART ? k - k0 : PART;
    for (r = 0; r < n_rows; r++)
      wlq_dequantize_row (type, (const uint8_t *)src + r * row_bytes + k0 / traits->block * traits->block_bytes, n,
                          rows[r]);
    transpose_dwords ((const uint8_t *)rows, sizeof rows[0], ROWS, n, (uint8_t *)panel + k0 * ROWS * sizeof (float),
                      ROWS * 4);
  }
}
