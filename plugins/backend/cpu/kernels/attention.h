/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The contract of the attention kernels: scores of a tile of keys, weighted sums of values, for a few queries that read
 * the same keys and values.
 *
 * Keys lie in tiles of 16 positions, [head_dim][16] elements, so that a position has a lane of its own; values lie as
 * [position][head_dim], so that a dimension has.  Every element is turned into float32 first, which is exact for all
 * types, then:
 *
 *   scores   s = 0;  s = fma (q[d], key[d][position], s) in the order of d
 *   values   o = fma (p[position], value[position][d], o) in the order of the positions
 *
 * so the bits do not depend on the instruction set, nor on which queries and positions share a call.
 *
 * Q8_0 has a float16 scale for 32 dimensions of one position: a tile of keys is scales [head_dim / 32][16], then
 * int8 [head_dim][16]; values are rows of Q8_0 blocks of the GGUF format.  head_dim is a multiple of 32 then.
 */
#pragma once

#include "woolly-plugin/tensor.h"

#include <stddef.h>
#include <stdint.h>

#define ATTENTION_TILE    16 /* positions of a tile of keys */
#define ATTENTION_QUERIES 4  /* most queries of one call */

/* Kernels of one element type.  What lies at @ahead is not read but asked for meanwhile, bit by bit: as much as the
 * call itself reads, any address will do. */
struct attention_format {
  /* s[i][0 .. 16 n_tiles - 1] for i < n_queries <= ATTENTION_QUERIES, from tiles that lie one behind another. */
  void (*scores) (const void *tiles, const void *ahead, unsigned n_tiles, unsigned head_dim, unsigned n_queries,
                  const float *const *q, float *const *s);
  /* o[i][0 .. head_dim - 1] += Σ p[i][position] * value[position], over n_positions rows @row_bytes apart. */
  void (*values) (const void *values, const void *ahead, size_t row_bytes, unsigned n_positions, unsigned head_dim,
                  unsigned n_queries, const float *const *p, float *const *o);
};

struct attention_isa {
  const char *name;
  uint64_t features;
  struct attention_format f32;
  struct attention_format f16;
  struct attention_format q8_0;
};

extern const struct attention_isa attention_isa_c;
#ifdef WOOLLY_HAVE_AVX2
extern const struct attention_isa attention_isa_avx2;
#endif
#ifdef WOOLLY_HAVE_NEON
extern const struct attention_isa attention_isa_neon;
#endif

const struct attention_isa *attention_isa_at (unsigned index); /* best first; NULL past the last one */
const struct attention_isa *attention_isa_choose (uint64_t features, const char *name);

/* The kernels for elements of @type; NULL for a type that a cache cannot have. */
const struct attention_format *attention_isa_format (const struct attention_isa *isa, uint32_t type);

/* Bytes of the keys of one tile, and of the values of one position. */
size_t attention_tile_bytes (uint32_t type, unsigned head_dim);
size_t attention_row_bytes (uint32_t type, unsigned head_dim);
/* Rounds a key to @type and puts it into lane @lane of its tile, or takes it out as it lies in a row of the type. */
void attention_put_key (uint32_t type, const float *key, unsigned head_dim, unsigned lane, void *tile);
void attention_get_key (uint32_t type, const void *tile, unsigned head_dim, unsigned lane, void *ret_row);
/* Puts a key that is a row of the type already. */
void attention_set_key (uint32_t type, const void *row, unsigned head_dim, unsigned lane, void *tile);
void attention_put_value (uint32_t type, const float *value, unsigned head_dim, void *ret_row);
