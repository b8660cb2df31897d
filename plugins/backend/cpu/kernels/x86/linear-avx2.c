/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX2 with FMA: panels of 8 rows, a row in each 32-bit lane.
 *
 * For 32 values of k a panel holds scales [groups][8], mins [groups][8] and the integers [8 groups of 4 k][8 rows][4].
 * vpmaddubsw multiplies an unsigned by a signed byte and adds pairs in 16 bits, with saturation, so what it is fed may
 * not overflow:
 *
 *   u8   the weight plus an offset, 0 .. 31 (4 products of pairs are added in 16 bits: 31 * 127 * 8 = 31496) or 0 .. 63
 *        (2 of them); offset * Σ x is taken off again in 32 bits
 *   s8   |weight| up to 128 and the activation with the weight's sign; one product of pairs (128 * 127 * 2 = 32512)
 */
#include "../linear.h"

#include "woolly-plugin/services.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#define ROWS     8
#define TOKENS   4
#define K_GROUPS 8 /* of 4 values in a block of 32 */

#define OFFSET_32 16 /* of the types without min, groups of 32 */
#define OFFSET_16 32 /* groups of 16 */

#define ALWAYS inline __attribute__ ((always_inline))

struct panel_sym32 {
  float scale[ROWS];
  uint8_t q[K_GROUPS][ROWS][4];
};

struct panel_asym32 {
  float scale[ROWS];
  float min[ROWS];
  uint8_t q[K_GROUPS][ROWS][4];
};

struct panel_sym16 {
  float scale[2][ROWS];
  uint8_t q[K_GROUPS][ROWS][4];
};

struct panel_asym16 {
  float scale[2][ROWS];
  float min[2][ROWS];
  uint8_t q[K_GROUPS][ROWS][4];
};

/* ---- activations ---- */

static size_t
activation_bytes_avx2 (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct linear_block);
}

static uint32_t
max_magnitude (const __m256 *x)
{
  const __m256i mask = _mm256_set1_epi32 (0x7fffffff);
  __m256i most       = _mm256_and_si256 (_mm256_castps_si256 (x[0]), mask);
  __m128i half;
  unsigned i;

  for (i = 1; i < 4; i++)
    most = _mm256_max_epi32 (most, _mm256_and_si256 (_mm256_castps_si256 (x[i]), mask));
  half = _mm_max_epi32 (_mm256_castsi256_si128 (most), _mm256_extracti128_si256 (most, 1));
  half = _mm_max_epi32 (half, _mm_shuffle_epi32 (half, 0x4e));
  half = _mm_max_epi32 (half, _mm_shuffle_epi32 (half, 0xb1));
  return (uint32_t)_mm_cvtsi128_si32 (half);
}

static int32_t
sum_epi32 (__m256i x)
{
  __m128i half = _mm_add_epi32 (_mm256_castsi256_si128 (x), _mm256_extracti128_si256 (x, 1));

  half = _mm_add_epi32 (half, _mm_shuffle_epi32 (half, 0x4e));
  half = _mm_add_epi32 (half, _mm_shuffle_epi32 (half, 0xb1));
  return _mm_cvtsi128_si32 (half);
}

static void
quantise_block_avx2 (const float *x, struct linear_block *block)
{
  __m256 values[4];
  __m256i q[4], packed;
  uint32_t max_bits;
  float scale, inverse;
  unsigned i;

  for (i = 0; i < 4; i++)
    values[i] = _mm256_loadu_ps (x + 8 * i);
  max_bits = max_magnitude (values);
  scale    = wlq_f32_from_bits (max_bits) / 127.0f;
  if (max_bits >= 0x7f800000u || scale < 0x1p-126f) {
    memset (block, 0, sizeof *block);
    if (max_bits >= 0x7f800000u)
      block->d = block->s = wlq_f32_from_bits (0x7fc00000u);
    return;
  }
  inverse = 1.0f / scale;
  for (i = 0; i < 4; i++) /* the same rounding as the reference's: nearest, ties to even */
    q[i] = _mm256_cvtps_epi32 (_mm256_mul_ps (values[i], _mm256_set1_ps (inverse)));
  packed = _mm256_packs_epi16 (_mm256_packs_epi32 (q[0], q[1]), _mm256_packs_epi32 (q[2], q[3]));
  packed = _mm256_permutevar8x32_epi32 (packed, _mm256_setr_epi32 (0, 4, 1, 5, 2, 6, 3, 7));
  _mm256_storeu_si256 ((__m256i *)(void *)block->q, packed);
  block->d      = scale;
  block->sum[0] = sum_epi32 (_mm256_add_epi32 (q[0], q[1]));
  block->sum[1] = sum_epi32 (_mm256_add_epi32 (q[2], q[3]));
  block->s      = scale * (float)(block->sum[0] + block->sum[1]);
}

static void
quantise_avx2 (const float *x, size_t k, void *ret_row)
{
  struct linear_block *blocks = ret_row;
  size_t i;

  for (i = 0; i < k / LINEAR_GROUP; i++)
    quantise_block_avx2 (x + i * LINEAR_GROUP, &blocks[i]);
}

/* ---- packing ---- */

/* Rows of 8 dwords to columns. */
static ALWAYS void
transpose_8x8 (const __m256i *in, __m256i *out)
{
  __m256i a[8], b[8];
  unsigned i;

  for (i = 0; i < 8; i += 2) {
    a[i]     = _mm256_unpacklo_epi32 (in[i], in[i + 1]);
    a[i + 1] = _mm256_unpackhi_epi32 (in[i], in[i + 1]);
  }
  for (i = 0; i < 8; i += 4) {
    b[i]     = _mm256_unpacklo_epi64 (a[i], a[i + 2]);
    b[i + 1] = _mm256_unpackhi_epi64 (a[i], a[i + 2]);
    b[i + 2] = _mm256_unpacklo_epi64 (a[i + 1], a[i + 3]);
    b[i + 3] = _mm256_unpackhi_epi64 (a[i + 1], a[i + 3]);
  }
  for (i = 0; i < 4; i++) {
    out[i]     = _mm256_permute2x128_si256 (b[i], b[i + 4], 0x20);
    out[i + 4] = _mm256_permute2x128_si256 (b[i], b[i + 4], 0x31);
  }
}

/* 32 values of k of all rows. */
static ALWAYS void
pack_integers (const struct linear_part *part, size_t at, int offset, uint8_t *ret_q)
{
  __m256i in[8], out[8];
  unsigned i;

  for (i = 0; i < ROWS; i++)
    in[i] = _mm256_loadu_si256 ((const __m256i *)(const void *)(part->q[i] + at));
  transpose_8x8 (in, out);
  for (i = 0; i < K_GROUPS; i++)
    _mm256_storeu_si256 ((__m256i *)(void *)(ret_q + i * ROWS * 4),
                         _mm256_add_epi8 (out[i], _mm256_set1_epi8 ((char)offset)));
}

/* How a panel of one kind is packed. */
struct packing {
  unsigned groups; /* of scales in 32 values of k */
  bool has_min;
  int offset;
};

/* Scales, or mins, of 32 values of k: from [row][group] to [group][row]. */
static ALWAYS void
pack_scales (const float (*in)[LINEAR_PART / 16], size_t first_group, unsigned groups, float *out)
{
  unsigned g, r;

  for (g = 0; g < groups; g++)
    for (r = 0; r < ROWS; r++)
      out[g * ROWS + r] = in[r][first_group + g];
}

static ALWAYS void
pack_blocks (struct packing how, uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k,
             uint8_t *panel)
{
  const size_t scale_bytes = (size_t)how.groups * ROWS * sizeof (float);
  struct linear_part part;
  size_t k0, n, at;

  if (n_rows < ROWS)
    memset (&part, 0, sizeof part);
  for (k0 = 0; k0 < k; k0 += n) {
    n = k - k0 < LINEAR_PART ? k - k0 : LINEAR_PART;
    linear_unpack_part (type, src, row_bytes, n_rows, k0, n, &part);
    for (at = 0; at < n; at += LINEAR_GROUP) {
      pack_scales (part.scale, at / LINEAR_GROUP * how.groups, how.groups, (float *)(void *)panel);
      panel += scale_bytes;
      if (how.has_min) {
        pack_scales (part.min, at / LINEAR_GROUP * how.groups, how.groups, (float *)(void *)panel);
        panel += scale_bytes;
      }
      pack_integers (&part, at, how.offset, panel);
      panel += K_GROUPS * ROWS * 4;
    }
  }
}

static void
pack_sym32_s8_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  pack_blocks ((struct packing){ 1, false, 0 }, type, src, row_bytes, n_rows, k, panel);
}

static void
pack_sym32_u8_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  pack_blocks ((struct packing){ 1, false, OFFSET_32 }, type, src, row_bytes, n_rows, k, panel);
}

static void
pack_asym32_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  pack_blocks ((struct packing){ 1, true, 0 }, type, src, row_bytes, n_rows, k, panel);
}

static void
pack_sym16_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  pack_blocks ((struct packing){ 2, false, OFFSET_16 }, type, src, row_bytes, n_rows, k, panel);
}

static void
pack_asym16_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  pack_blocks ((struct packing){ 2, true, 0 }, type, src, row_bytes, n_rows, k, panel);
}

static size_t
panel_bytes_sym32_avx2 (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct panel_sym32);
}

static size_t
panel_bytes_asym32_avx2 (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct panel_asym32);
}

static size_t
panel_bytes_sym16_avx2 (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct panel_sym16);
}

static size_t
panel_bytes_asym16_avx2 (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct panel_asym16);
}

/* ---- integer products ---- */

static ALWAYS __m256i
broadcast_x (const struct linear_block *x, unsigned k_group)
{
  int32_t four;

  memcpy (&four, x->q + 4 * k_group, sizeof four);
  return _mm256_set1_epi32 (four);
}

/* Σ q x over @count k groups from @first on, of n tokens; @chain products may be added in 16 bits. */
static ALWAYS void
dot_u8 (const uint8_t (*q)[ROWS][4], const struct linear_block *const *x, unsigned n, unsigned first, unsigned count,
        unsigned chain, __m256i *ret_sum)
{
  const __m256i ones = _mm256_set1_epi16 (1);
  unsigned i, j, t;

#pragma GCC unroll 8
  for (i = first; i < first + count; i += chain) {
    __m256i wide[TOKENS];

#pragma GCC unroll 8
    for (j = 0; j < chain; j++) {
      const __m256i w = _mm256_loadu_si256 ((const __m256i *)(const void *)q[i + j]);

#pragma GCC unroll 4
      for (t = 0; t < n; t++) {
        const __m256i product = _mm256_maddubs_epi16 (w, broadcast_x (x[t], i + j));

        wide[t] = j == 0 ? product : _mm256_add_epi16 (wide[t], product);
      }
    }
#pragma GCC unroll 4
    for (t = 0; t < n; t++) {
      const __m256i sum = _mm256_madd_epi16 (wide[t], ones);

      ret_sum[t] = i == first ? sum : _mm256_add_epi32 (ret_sum[t], sum);
    }
  }
}

static ALWAYS void
dot_s8 (const uint8_t (*q)[ROWS][4], const struct linear_block *const *x, unsigned n, __m256i *ret_sum)
{
  const __m256i ones = _mm256_set1_epi16 (1);
  unsigned i, t;

#pragma GCC unroll 8
  for (i = 0; i < K_GROUPS; i++) {
    const __m256i w         = _mm256_loadu_si256 ((const __m256i *)(const void *)q[i]);
    const __m256i magnitude = _mm256_abs_epi8 (w);

#pragma GCC unroll 4
    for (t = 0; t < n; t++) {
      const __m256i product = _mm256_maddubs_epi16 (magnitude, _mm256_sign_epi8 (broadcast_x (x[t], i), w));
      const __m256i sum     = _mm256_madd_epi16 (product, ones);

      ret_sum[t] = i == 0 ? sum : _mm256_add_epi32 (ret_sum[t], sum);
    }
  }
}

static ALWAYS __m256
without_offset (__m256i sum, int32_t x_sum, int offset)
{
  return _mm256_cvtepi32_ps (_mm256_sub_epi32 (sum, _mm256_set1_epi32 (x_sum * offset)));
}

static ALWAYS void
open_tokens (const void *const *rows, unsigned n, const struct linear_block **x, __m256 *acc)
{
  unsigned t;

  for (t = 0; t < n; t++) {
    x[t]   = rows[t];
    acc[t] = _mm256_setzero_ps ();
  }
}

static ALWAYS void
store_tokens (const __m256 *acc, unsigned n, float *y)
{
  unsigned t;

  for (t = 0; t < n; t++)
    _mm256_storeu_ps (y + t * ROWS, acc[t]);
}

static ALWAYS void
body_sym32 (const void *panel, size_t k, unsigned n, const void *const *rows, float *y, bool is_signed)
{
  const struct panel_sym32 *w = panel;
  const struct linear_block *x[TOKENS];
  __m256 acc[TOKENS];
  size_t i;
  unsigned t;

  open_tokens (rows, n, x, acc);
  for (i = 0; i < k / LINEAR_GROUP; i++, w++) {
    const __m256 scale = _mm256_loadu_ps (w->scale);
    __m256i sum[TOKENS];

    if (is_signed)
      dot_s8 (w->q, x, n, sum);
    else
      dot_u8 (w->q, x, n, 0, K_GROUPS, 4, sum);
#pragma GCC unroll 4
    for (t = 0; t < n; t++) {
      const __m256 dot =
          is_signed ? _mm256_cvtepi32_ps (sum[t]) : without_offset (sum[t], x[t]->sum[0] + x[t]->sum[1], OFFSET_32);

      acc[t] = _mm256_fmadd_ps (_mm256_mul_ps (scale, _mm256_set1_ps (x[t]->d)), dot, acc[t]);
      x[t]++;
    }
  }
  store_tokens (acc, n, y);
}

static ALWAYS void
body_asym32 (const void *panel, size_t k, unsigned n, const void *const *rows, float *y)
{
  const struct panel_asym32 *w = panel;
  const struct linear_block *x[TOKENS];
  __m256 acc[TOKENS];
  size_t i;
  unsigned t;

  open_tokens (rows, n, x, acc);
  for (i = 0; i < k / LINEAR_GROUP; i++, w++) {
    const __m256 scale = _mm256_loadu_ps (w->scale), min = _mm256_loadu_ps (w->min);
    __m256i sum[TOKENS];

    dot_u8 (w->q, x, n, 0, K_GROUPS, 4, sum);
#pragma GCC unroll 4
    for (t = 0; t < n; t++) {
      acc[t] = _mm256_fmadd_ps (_mm256_mul_ps (scale, _mm256_set1_ps (x[t]->d)), _mm256_cvtepi32_ps (sum[t]), acc[t]);
      acc[t] = _mm256_fnmadd_ps (min, _mm256_set1_ps (x[t]->s), acc[t]);
      x[t]++;
    }
  }
  store_tokens (acc, n, y);
}

static ALWAYS void
body_16 (const void *panel, size_t k, unsigned n, const void *const *rows, float *y, bool has_min)
{
  const size_t stride = has_min ? sizeof (struct panel_asym16) : sizeof (struct panel_sym16);
  const int offset    = has_min ? 0 : OFFSET_16;
  const uint8_t *w    = panel;
  const struct linear_block *x[TOKENS];
  __m256 acc[TOKENS];
  size_t i;
  unsigned t;

  open_tokens (rows, n, x, acc);
  for (i = 0; i < k / LINEAR_GROUP; i++, w += stride) {
    const struct panel_asym16 *asym = (const void *)w;
    const struct panel_sym16 *sym   = (const void *)w;
    const uint8_t (*q)[ROWS][4]     = has_min ? asym->q : sym->q;
    __m256i sum0[TOKENS], sum1[TOKENS];

    dot_u8 (q, x, n, 0, K_GROUPS / 2, 2, sum0);
    dot_u8 (q, x, n, K_GROUPS / 2, K_GROUPS / 2, 2, sum1);
#pragma GCC unroll 4
    for (t = 0; t < n; t++) {
      __m256 part = _mm256_mul_ps (_mm256_loadu_ps (sym->scale[0]), without_offset (sum0[t], x[t]->sum[0], offset));

      part = _mm256_fmadd_ps (_mm256_loadu_ps (sym->scale[1]), without_offset (sum1[t], x[t]->sum[1], offset), part);
      if (has_min) {
        part = _mm256_fnmadd_ps (_mm256_loadu_ps (asym->min[0]), _mm256_set1_ps ((float)x[t]->sum[0]), part);
        part = _mm256_fnmadd_ps (_mm256_loadu_ps (asym->min[1]), _mm256_set1_ps ((float)x[t]->sum[1]), part);
      }
      acc[t] = _mm256_fmadd_ps (_mm256_set1_ps (x[t]->d), part, acc[t]);
      x[t]++;
    }
  }
  store_tokens (acc, n, y);
}

static void
mm_sym32_s8_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_sym32 (panel, k, 1, x, y, true);
    break;
  case 2:
    body_sym32 (panel, k, 2, x, y, true);
    break;
  case 3:
    body_sym32 (panel, k, 3, x, y, true);
    break;
  default:
    body_sym32 (panel, k, 4, x, y, true);
    break;
  }
}

static void
mm_sym32_u8_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_sym32 (panel, k, 1, x, y, false);
    break;
  case 2:
    body_sym32 (panel, k, 2, x, y, false);
    break;
  case 3:
    body_sym32 (panel, k, 3, x, y, false);
    break;
  default:
    body_sym32 (panel, k, 4, x, y, false);
    break;
  }
}

static void
mm_asym32_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_asym32 (panel, k, 1, x, y);
    break;
  case 2:
    body_asym32 (panel, k, 2, x, y);
    break;
  case 3:
    body_asym32 (panel, k, 3, x, y);
    break;
  default:
    body_asym32 (panel, k, 4, x, y);
    break;
  }
}

static void
mm_sym16_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_16 (panel, k, 1, x, y, false);
    break;
  case 2:
    body_16 (panel, k, 2, x, y, false);
    break;
  case 3:
    body_16 (panel, k, 3, x, y, false);
    break;
  default:
    body_16 (panel, k, 4, x, y, false);
    break;
  }
}

static void
mm_asym16_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_16 (panel, k, 1, x, y, true);
    break;
  case 2:
    body_16 (panel, k, 2, x, y, true);
    break;
  case 3:
    body_16 (panel, k, 3, x, y, true);
    break;
  default:
    body_16 (panel, k, 4, x, y, true);
    break;
  }
}

/* ---- floats: a panel is [k][8] ---- */

static size_t
panel_bytes_float_avx2 (size_t k)
{
  return k * ROWS * sizeof (float);
}

static void
pack_float_avx2 (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel)
{
  float rows[LINEAR_MAX_ROWS][LINEAR_PART];
  float *out = panel;
  __m256i in[8], columns[8];
  size_t k0, n, at, r;

  memset (rows, 0, sizeof rows);
  for (k0 = 0; k0 < k; k0 += n) {
    n = k - k0 < LINEAR_PART ? k - k0 : LINEAR_PART;
    linear_dequantise_part (type, src, row_bytes, n_rows, k0, n, rows);
    for (at = 0; at + 8 <= n; at += 8, out += 8 * ROWS) {
      for (r = 0; r < ROWS; r++)
        in[r] = _mm256_castps_si256 (_mm256_loadu_ps (rows[r] + at));
      transpose_8x8 (in, columns);
      for (r = 0; r < 8; r++)
        _mm256_storeu_ps (out + r * ROWS, _mm256_castsi256_ps (columns[r]));
    }
    for (; at < n; at++, out += ROWS)
      for (r = 0; r < ROWS; r++)
        out[r] = rows[r][at];
  }
}

/* @blocks blocks of 32 values side by side, so that few tokens still fill the multipliers. */
static ALWAYS void
float_blocks (const float *w, unsigned n, const float *const *x, size_t at, unsigned blocks, __m256 *acc)
{
  __m256 part[4][TOKENS];
  unsigned i, b, t;

#pragma GCC unroll 4
  for (b = 0; b < blocks; b++)
#pragma GCC unroll 4
    for (t = 0; t < n; t++)
      part[b][t] = _mm256_setzero_ps ();
  for (i = 0; i < LINEAR_GROUP; i++)
#pragma GCC unroll 4
    for (b = 0; b < blocks; b++) {
      const __m256 weights = _mm256_loadu_ps (w + (b * LINEAR_GROUP + i) * ROWS);

#pragma GCC unroll 4
      for (t = 0; t < n; t++)
        part[b][t] = _mm256_fmadd_ps (weights, _mm256_broadcast_ss (x[t] + at + b * LINEAR_GROUP + i), part[b][t]);
    }
#pragma GCC unroll 4
  for (b = 0; b < blocks; b++)
#pragma GCC unroll 4
    for (t = 0; t < n; t++)
      acc[t] = _mm256_add_ps (acc[t], part[b][t]);
}

static ALWAYS void
body_float (const void *panel, size_t k, unsigned n, const void *const *rows, float *y, unsigned blocks)
{
  const size_t step = (size_t)blocks * LINEAR_GROUP;
  const float *w    = panel;
  const float *x[TOKENS];
  __m256 acc[TOKENS], part;
  size_t at, i;
  unsigned t;

  for (t = 0; t < n; t++) {
    x[t]   = rows[t];
    acc[t] = _mm256_setzero_ps ();
  }
  for (at = 0; at + step <= k; at += step)
    float_blocks (w + at * ROWS, n, x, at, blocks, acc);
  for (; at + LINEAR_GROUP <= k; at += LINEAR_GROUP)
    float_blocks (w + at * ROWS, n, x, at, 1, acc);
  for (t = 0; t < n && at < k; t++) {
    part = _mm256_setzero_ps ();
    for (i = at; i < k; i++)
      part = _mm256_fmadd_ps (_mm256_loadu_ps (w + i * ROWS), _mm256_broadcast_ss (x[t] + i), part);
    acc[t] = _mm256_add_ps (acc[t], part);
  }
  store_tokens (acc, n, y);
}

static void
mm_float_avx2 (const void *panel, size_t k, unsigned n, const void *const *x, float *y)
{
  switch (n) {
  case 1:
    body_float (panel, k, 1, x, y, 4);
    break;
  case 2:
    body_float (panel, k, 2, x, y, 4);
    break;
  case 3:
    body_float (panel, k, 3, x, y, 2);
    break;
  default:
    body_float (panel, k, 4, x, y, 2);
    break;
  }
}

/* ---- the table ---- */

static const struct linear_format sym32_s8_avx2 = { "sym32-s8", 0, panel_bytes_sym32_avx2, pack_sym32_s8_avx2,
                                                    mm_sym32_s8_avx2 };
static const struct linear_format sym32_u8_avx2 = { "sym32-u8", 0, panel_bytes_sym32_avx2, pack_sym32_u8_avx2,
                                                    mm_sym32_u8_avx2 };
static const struct linear_format asym32_avx2   = { "asym32", 0, panel_bytes_asym32_avx2, pack_asym32_avx2,
                                                    mm_asym32_avx2 };
static const struct linear_format sym16_avx2  = { "sym16", 0, panel_bytes_sym16_avx2, pack_sym16_avx2, mm_sym16_avx2 };
static const struct linear_format asym16_avx2 = { "asym16", 0, panel_bytes_asym16_avx2, pack_asym16_avx2,
                                                  mm_asym16_avx2 };
static const struct linear_format float_avx2  = { "float", 1, panel_bytes_float_avx2, pack_float_avx2, mm_float_avx2 };

static bool
fits (const struct wlq_traits *traits, int32_t low, int32_t high)
{
  return traits->q_min >= low && traits->q_max <= high;
}

static const struct linear_format *
format_avx2 (uint32_t type, int exact)
{
  const struct wlq_traits *traits = wlq_traits (type);

  if (traits == NULL || !wlq_is_supported (type))
    return NULL;
  if (exact)
    return &float_avx2;
  switch ((enum wlq_policy)traits->policy) {
  case WLQ_POLICY_FLOAT:
    return &float_avx2;
  case WLQ_POLICY_SYM32:
    return fits (traits, -OFFSET_32, 31 - OFFSET_32) ? &sym32_u8_avx2 : &sym32_s8_avx2;
  case WLQ_POLICY_ASYM32:
    return fits (traits, 0, 31) ? &asym32_avx2 : NULL;
  case WLQ_POLICY_SYM16:
    return fits (traits, -OFFSET_16, 63 - OFFSET_16) ? &sym16_avx2 : NULL;
  case WLQ_POLICY_ASYM16:
    return fits (traits, 0, 63) ? &asym16_avx2 : NULL;
  case WLQ_POLICY_NONE:
    return NULL;
  }
  return NULL;
}

const struct linear_isa linear_isa_avx2 = {
  .name             = "avx2",
  .features         = WLP_CPU_AVX2,
  .rows             = ROWS,
  .tokens           = TOKENS,
  .activation_bytes = activation_bytes_avx2,
  .quantise         = quantise_avx2,
  .format           = format_avx2,
};
