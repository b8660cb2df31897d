/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Panels of 16 rows, lane by lane, the same for every vector instruction set.
 *
 * The bits are the file's: a panel of a quantised type is as large as its rows (but for padding to 64 bytes), and has
 * all that they have.  A block of the file is cut into dwords, and those of the 16 rows stand side by side, so that a
 * vector holds the same four bytes of k for 16 rows.  What is left of a block whose length is no multiple of four (a
 * float16 scale, an exponent) stands before:
 *
 *   sides   [k / block][16 rows][side bytes], up to a multiple of 64
 *   dwords  [k / block][dwords of a block][16 rows][4]
 *
 * Dwords of single bits are turned, so that one shift brings the bits of four weights into their bytes: bit i of byte b
 * belongs to weight 4 i + b of 32, and where there are eight of them (Q5_K, Q3_K), dword g is for group g of 32.
 *
 * Panels of floats are [k][16 rows], of 2 or 4 bytes.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINEAR_PANEL_ROWS 16

/* How a block of one type is cut. */
struct linear_cut {
  uint32_t type;
  uint16_t block; /* weights */
  uint16_t block_bytes;
  uint16_t side_at;    /* in the block */
  uint16_t side_bytes; /* 0, 1 or 2 */
  uint16_t dwords_at;
  uint16_t n_dwords;
  uint16_t bits_at; /* dwords of single bits */
  uint16_t n_bits;  /* of them: 0, 1 or 8 */
};

/* NULL: a type that is not cut. */
const struct linear_cut *linear_panel_cut (uint32_t type);

/* Where the dwords begin. */
size_t linear_panel_sides_bytes (const struct linear_cut *cut, size_t k);

/* Quantised types. */
size_t linear_panel_bytes (uint32_t type, size_t k);
void linear_panel_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel);

/* F32, F16 and BF16. */
size_t linear_panel_float_bytes (uint32_t type, size_t k);
void linear_panel_float_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel);

/* Any type as float32, for exact products. */
size_t linear_panel_exact_bytes (uint32_t type, size_t k);
void linear_panel_exact_pack (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k, void *panel);
