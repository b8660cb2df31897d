/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The contract of the matrix kernels: y = W x for a panel of weight rows and a few activation rows.
 *
 * A panel is `rows` consecutive rows of W over the whole of k, in the layout that one instruction set likes best;
 * pack() makes it from the rows of the file.  Each row has a lane of its own, so the order of the float operations is
 * part of the contract and every instruction set gives the same bits (fma = one rounding; d, s, h0, h1 are the
 * activation's):
 *
 *   sym32    for each 32 k:  acc = fma (scale * d, (float) Σ q x, acc)
 *   asym32   for each 32 k:  acc = fma (scale * d, (float) Σ q x, acc);  acc = fma (-min, s, acc)
 *   sym16    for each 32 k:  t = scale0 * (float) Σ0 q x;  t = fma (scale1, (float) Σ1 q x, t);  acc = fma (d, t, acc)
 *   asym16   as sym16, before the last step:  t = fma (-min0, (float) h0, t);  t = fma (-min1, (float) h1, t)
 *   float    for each 32 k:  p = 0;  p = fma (w, x, p) in the order of k;  acc = acc + p
 *
 * Σ is over the 32 (or a half's 16) values, exact in int32; the halves' sums h0, h1 are exact as well.
 *
 * Activations of the integer policies (an activation row, made by quantise()): for each 32 values d = max |x| / 127,
 * q = x / d rounded to nearest (even), s = d * (float) (h0 + h1).  Where a value is not finite, d is NaN and q is 0.
 * The row is the blocks of its groups one behind another, for every instruction set: a part of it that begins at a
 * multiple of 32 can be made by itself.  The float policy reads plain float32 rows.
 */
#pragma once

#include "quant.h"

#include <stddef.h>
#include <stdint.h>

#define LINEAR_MAX_ROWS   16 /* of a panel, any instruction set */
#define LINEAR_MAX_TOKENS 64 /* of one call of mm() */
#define LINEAR_GROUP      32 /* values that share a scale in an activation row */

/* 32 quantised activations.  Sums of x over the first and the second half, and over both: those of the values at 4 i
 * and 4 i + 1 apart from those at 4 i + 2 and 4 i + 3, which is how products of bytes are added up in 16 bits. */
struct linear_block {
  float d;
  float s;
  int16_t sum[3][2];
  int8_t q[LINEAR_GROUP];
};

/* Panels of the types that share a layout. */
struct linear_format {
  const char *name;
  int is_float; /* activation rows are float32 rows */
  size_t (*panel_bytes) (uint32_t type, size_t k);
  /* Packs @n_rows <= isa->rows rows of @type that start @row_bytes apart; rows that are missing become zeros.
   * @panel is aligned to 64 bytes. */
  void (*pack) (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel);
  /* y[t * isa->rows + r], for n <= LINEAR_MAX_TOKENS activation rows x[t].  Weights are unpacked once for all of them.
   */
  void (*mm) (const void *panel, size_t k, unsigned n, const void *const *x, float *y);
};

/* One instruction set. */
struct linear_isa {
  const char *name;  /* "avx2", also the value of the setting "isa" */
  uint64_t features; /* enum wlp_cpu_feature that must be there */
  unsigned rows;     /* of a panel */
  /* An activation row, or a part of one, from @k floats (a multiple of 32). */
  void (*quantise) (const float *x, size_t k, struct linear_block *ret_row);
  /* How weights of @type are packed; the float format where @exact is set or the type is a float type.  NULL: this
   * type has no kernels. */
  const struct linear_format *(*format) (uint32_t type, int exact);
};

static inline size_t
linear_activation_bytes (size_t k)
{
  return k / LINEAR_GROUP * sizeof (struct linear_block);
}

extern const struct linear_isa linear_isa_c;
#ifdef WOOLLY_HAVE_AVX2
extern const struct linear_isa linear_isa_avx2;
#endif
#ifdef WOOLLY_HAVE_AVXVNNI
extern const struct linear_isa linear_isa_avxvnni;
#endif
#ifdef WOOLLY_HAVE_AVX512
extern const struct linear_isa linear_isa_avx512;
extern const struct linear_isa linear_isa_avx512vl;
extern const struct linear_isa linear_isa_avx512vnni;
#endif
#ifdef WOOLLY_HAVE_ARM
extern const struct linear_isa linear_isa_dotprod;
extern const struct linear_isa linear_isa_i8mm;
#endif

/* The table, best first; NULL past the last one. */
const struct linear_isa *linear_isa_at (unsigned index);
/* The best one for @features, or the one with this name (NULL or "": the best); NULL: none, or it cannot run here. */
const struct linear_isa *linear_isa_choose (uint64_t features, const char *name);
