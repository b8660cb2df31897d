/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * NEON of any 64-bit ARM: 16 positions, or 16 dimensions, are four vectors.
 */
#include "../attention-element.h"

#include "woolly-plugin/services.h"

#include <arm_neon.h>
#include <math.h>
#include <string.h>

/* All of a loop of a constant number of rounds: only then do arrays of vectors become registers. */
#ifdef __clang__
#define UNROLL _Pragma ("clang loop unroll(full)")
#else
#define UNROLL _Pragma ("GCC unroll 16")
#endif
#define EACH(i, n, statement)                                                                                          \
  UNROLL for ((i) = 0; (i) < (n); (i)++)                                                                               \
  {                                                                                                                    \
    statement;                                                                                                         \
  }

/* What comes after is read after: a compiler that reads all at once has no registers for it. */
#define THEN() __asm__ volatile("" ::: "memory")

#define LINE_BYTES 64
/* Dimensions, or positions, of a step: their queries, or weights, come in one vector. */
#define STEP 4
/* Vectors of sums, at most: they need sixteen of the 32 registers.  So many are on their way as the widest cores can
 * compute while one is. */
#define SUMS 16

struct sixteen {
  float32x4_t v[4];
};

static ALWAYS struct sixteen
load_f32 (const float *at)
{
  return (struct sixteen){ { vld1q_f32 (at), vld1q_f32 (at + 4), vld1q_f32 (at + 8), vld1q_f32 (at + 12) } };
}

static ALWAYS struct sixteen
load_f16 (const uint16_t *at)
{
  const float16x8_t low = vreinterpretq_f16_u16 (vld1q_u16 (at)), high = vreinterpretq_f16_u16 (vld1q_u16 (at + 8));

  return (struct sixteen){ { vcvt_f32_f16 (vget_low_f16 (low)), vcvt_high_f32_f16 (low),
                             vcvt_f32_f16 (vget_low_f16 (high)), vcvt_high_f32_f16 (high) } };
}

/* A look-up puts four bytes into the upper ends of four words, zeros below them; the conversion divides by 2^24. */
static ALWAYS float32x4_t
four_of (int8x16_t bytes, const uint8_t *upper_ends)
{
  return vcvtq_n_f32_s32 (vreinterpretq_s32_s8 (vqtbl1q_s8 (bytes, vld1q_u8 (upper_ends))), 24);
}

static ALWAYS struct sixteen
load_i8 (const int8_t *at)
{
  static const uint8_t upper_ends[4][16] = {
    { 99, 99, 99, 0, 99, 99, 99, 1, 99, 99, 99, 2, 99, 99, 99, 3 },
    { 99, 99, 99, 4, 99, 99, 99, 5, 99, 99, 99, 6, 99, 99, 99, 7 },
    { 99, 99, 99, 8, 99, 99, 99, 9, 99, 99, 99, 10, 99, 99, 99, 11 },
    { 99, 99, 99, 12, 99, 99, 99, 13, 99, 99, 99, 14, 99, 99, 99, 15 },
  };
  const int8x16_t bytes = vld1q_s8 (at);

  return (struct sixteen){ { four_of (bytes, upper_ends[0]), four_of (bytes, upper_ends[1]),
                             four_of (bytes, upper_ends[2]), four_of (bytes, upper_ends[3]) } };
}

static ALWAYS void
store (float *at, struct sixteen x)
{
  vst1q_f32 (at, x.v[0]);
  vst1q_f32 (at + 4, x.v[1]);
  vst1q_f32 (at + 8, x.v[2]);
  vst1q_f32 (at + 12, x.v[3]);
}

static ALWAYS struct sixteen
products (struct sixteen a, struct sixteen b)
{
  return (struct sixteen){ { vmulq_f32 (a.v[0], b.v[0]), vmulq_f32 (a.v[1], b.v[1]), vmulq_f32 (a.v[2], b.v[2]),
                             vmulq_f32 (a.v[3], b.v[3]) } };
}

/* *sum = fma (x, factor, *sum) */
static ALWAYS void
add_products (struct sixteen *sum, struct sixteen x, float factor)
{
  sum->v[0] = vfmaq_n_f32 (sum->v[0], x.v[0], factor);
  sum->v[1] = vfmaq_n_f32 (sum->v[1], x.v[1], factor);
  sum->v[2] = vfmaq_n_f32 (sum->v[2], x.v[2], factor);
  sum->v[3] = vfmaq_n_f32 (sum->v[3], x.v[3], factor);
}

/* For each query: *sum = fma (x, lane @lane of its factors, *sum). */
static ALWAYS void
add_to_each (struct sixteen *sums, struct sixteen x, unsigned n, const float32x4_t *factors, unsigned lane)
{
  unsigned i;

  EACH (i, n, add_products (&sums[i], x, factors[i][lane]));
  THEN ();
}

/* Of each query STEP values from @from on, or one. */
static ALWAYS void
load_factors (const float *const *values, unsigned from, unsigned n_values, unsigned n, float32x4_t *ret)
{
  unsigned i;

  EACH (i, n, ret[i] = n_values == STEP ? vld1q_f32 (values[i] + from) : vld1q_dup_f32 (values[i] + from));
}

/* ---- scores ---- */

/* The keys of dimension @d of a tile, of Q8_0 times @scales. */
static ALWAYS struct sixteen
load_keys (enum element element, const uint8_t *tile, unsigned head_dim, unsigned d, const struct sixteen *scales)
{
  const uint8_t *at = tile + (size_t)d * ATTENTION_TILE * element_bytes (element);

  switch (element) {
  case ELEMENT_F32:
    return load_f32 ((const float *)(const void *)at);
  case ELEMENT_F16:
    return load_f16 ((const uint16_t *)(const void *)at);
  default:
    at += (size_t)head_dim / Q8_BLOCK * ATTENTION_TILE * sizeof (uint16_t);
    return products (*scales, load_i8 ((const int8_t *)at));
  }
}

/* Dimension @d of the scores of @n_tiles; the queries' values are in lane @lane. */
static ALWAYS void
scores_dimension (enum element element, size_t tile_bytes, const uint8_t *tiles, unsigned n_tiles, unsigned head_dim,
                  unsigned d, const struct sixteen *scales, unsigned n, const float32x4_t *queries, unsigned lane,
                  struct sixteen (*sums)[ATTENTION_QUERIES])
{
  unsigned i;

  EACH (i, n_tiles,
        add_to_each (sums[i], load_keys (element, tiles + i * tile_bytes, head_dim, d, &scales[i]), n, queries, lane));
}

/* @n_dims dimensions from @d on, STEP or one. */
static ALWAYS void
scores_step (enum element element, size_t tile_bytes, const uint8_t *tiles, unsigned n_tiles, unsigned head_dim,
             unsigned d, unsigned n_dims, const struct sixteen *scales, unsigned n, const float *const *q,
             struct sixteen (*sums)[ATTENTION_QUERIES])
{
  float32x4_t queries[ATTENTION_QUERIES];
  unsigned i;

  load_factors (q, d, n_dims, n, queries);
  EACH (i, n_dims,
        scores_dimension (element, tile_bytes, tiles, n_tiles, head_dim, d + i, scales, n, queries, i, sums));
}

static ALWAYS void
clear (unsigned n, struct sixteen *sums)
{
  const float32x4_t zero = vdupq_n_f32 (0.0f);
  unsigned i;

  EACH (i, n, sums[i] = ((struct sixteen){ { zero, zero, zero, zero } }));
}

/* The sums of each query to its row of @rows. */
static ALWAYS void
store_sums (unsigned n, const struct sixteen *sums, float *const *rows, unsigned at)
{
  unsigned i;

  EACH (i, n, store (rows[i] + at, sums[i]));
}

static ALWAYS struct sixteen
load_scales (const uint8_t *tile, unsigned block)
{
  return load_f16 ((const uint16_t *)(const void *)tile + (size_t)block * ATTENTION_TILE);
}

/* @n_tiles at once, scores from @first on. */
static ALWAYS void
scores_tiles (enum element element, size_t tile_bytes, const uint8_t *tiles, const uint8_t *ahead, unsigned n_tiles,
              unsigned head_dim, unsigned n, const float *const *q, float *const *s, unsigned first)
{
  const unsigned n_lines = STEP * ATTENTION_TILE * (unsigned)element_bytes (element) / LINE_BYTES * n_tiles;
  const unsigned stretch = element == ELEMENT_Q8_0 ? Q8_BLOCK : head_dim; /* dimensions with the same scales */
  struct sixteen sums[SUMS / 4][ATTENTION_QUERIES], scales[SUMS / 4];
  unsigned d = 0, i, end;

  EACH (i, n_tiles, clear (n, sums[i]));
  for (end = stretch; d + STEP <= head_dim; end += stretch) {
    if (element == ELEMENT_Q8_0)
      EACH (i, n_tiles, scales[i] = load_scales (tiles + i * tile_bytes, d / Q8_BLOCK));
    for (; d + STEP <= end; d += STEP, ahead += n_lines * LINE_BYTES) {
      EACH (i, n_lines, __builtin_prefetch (ahead + i * LINE_BYTES));
      scores_step (element, tile_bytes, tiles, n_tiles, head_dim, d, STEP, scales, n, q, sums);
    }
  }
  for (; d < head_dim && element != ELEMENT_Q8_0; d++)
    scores_step (element, tile_bytes, tiles, n_tiles, head_dim, d, 1, scales, n, q, sums);
  EACH (i, n_tiles, store_sums (n, sums[i], s, first + i * ATTENTION_TILE));
}

static ALWAYS void
scores_body (enum element element, size_t tile_bytes, const uint8_t *tiles, const uint8_t *ahead, unsigned n_tiles,
             unsigned head_dim, unsigned n, const float *const *q, float *const *s)
{
  const unsigned most = element == ELEMENT_Q8_0 ? SUMS / 8 : SUMS / 4; /* the scales have registers as well */
  const unsigned wide = n > 2 ? 1 : most / n;
  unsigned i;

  for (i = 0; i + wide <= n_tiles; i += wide)
    scores_tiles (element, tile_bytes, tiles + i * tile_bytes, ahead + i * tile_bytes, wide, head_dim, n, q, s,
                  i * ATTENTION_TILE);
  for (; i < n_tiles && wide > 1; i++)
    scores_tiles (element, tile_bytes, tiles + i * tile_bytes, ahead + i * tile_bytes, 1, head_dim, n, q, s,
                  i * ATTENTION_TILE);
}

/* ---- values ---- */

/* Sixteen values of one position from dimension @d on; a block of Q8_0 never ends inside them. */
static ALWAYS struct sixteen
load_values (enum element element, const uint8_t *row, unsigned d)
{
  const uint8_t *block;
  float32x4_t scale;

  switch (element) {
  case ELEMENT_F32:
    return load_f32 ((const float *)(const void *)row + d);
  case ELEMENT_F16:
    return load_f16 ((const uint16_t *)(const void *)row + d);
  default:
    block = row + (size_t)d / Q8_BLOCK * Q8_BLOCK_BYTES;
    scale = vcvt_f32_f16 (vreinterpret_f16_u16 (vld1_dup_u16 ((const uint16_t *)(const void *)block)));
    return products ((struct sixteen){ { scale, scale, scale, scale } },
                     load_i8 ((const int8_t *)block + 2 + d % Q8_BLOCK));
  }
}

/* Four values, where fewer than sixteen are left; never with Q8_0. */
static ALWAYS float32x4_t
load_four (enum element element, const uint8_t *row, unsigned d)
{
  if (element == ELEMENT_F32)
    return vld1q_f32 ((const float *)(const void *)row + d);
  return vcvt_f32_f16 (vreinterpret_f16_u16 (vld1_u16 ((const uint16_t *)(const void *)row + d)));
}

/* One position of @width sixteens of dimensions from @d on; its weights are in lane @lane. */
static ALWAYS void
values_position (enum element element, const uint8_t *row, unsigned d, unsigned width, unsigned n,
                 const float32x4_t *weights, unsigned lane, struct sixteen (*sums)[ATTENTION_QUERIES])
{
  unsigned i;

  EACH (i, width, add_to_each (sums[i], load_values (element, row, d + 16 * i), n, weights, lane));
}

/* @n_positions of them, STEP or one. */
static ALWAYS void
values_step (enum element element, const uint8_t *row, size_t row_bytes, unsigned position, unsigned n_positions,
             unsigned d, unsigned width, unsigned n, const float *const *p, struct sixteen (*sums)[ATTENTION_QUERIES])
{
  float32x4_t weights[ATTENTION_QUERIES];
  unsigned i;

  load_factors (p, position, n_positions, n, weights);
  EACH (i, n_positions, values_position (element, row + i * row_bytes, d, width, n, weights, i, sums));
}

static ALWAYS void
load_sums (unsigned n, float *const *rows, unsigned at, struct sixteen *ret)
{
  unsigned i;

  EACH (i, n, ret[i] = load_f32 (rows[i] + at));
}

/* The lines of @strip_bytes, of every @n_turns-th of STEP rows. */
static ALWAYS void
prefetch (const uint8_t *ahead, size_t row_bytes, size_t strip_bytes, unsigned n_turns)
{
  const unsigned n_lines = strip_bytes < LINE_BYTES ? 1 : (unsigned)(strip_bytes / LINE_BYTES);
  unsigned i;

  EACH (i, STEP / n_turns * n_lines,
        __builtin_prefetch (ahead + i / n_lines * n_turns * row_bytes + i % n_lines * LINE_BYTES));
}

/* @width sixteens of dimensions from @d on, through all positions.  Where a strip is narrower than a line of memory,
 * those that share one ask for it in turns. */
static ALWAYS void
values_strip (enum element element, const uint8_t *row, const uint8_t *ahead, size_t row_bytes, unsigned n_positions,
              unsigned d, unsigned width, unsigned n, const float *const *p, float *const *o)
{
  const size_t strip_bytes = 16 * width * element_bytes (element), at = d * element_bytes (element);
  const unsigned n_turns = strip_bytes < LINE_BYTES ? (unsigned)(LINE_BYTES / strip_bytes) : 1;
  struct sixteen sums[SUMS / 4][ATTENTION_QUERIES];
  unsigned position, i;

  EACH (i, width, load_sums (n, o, d + 16 * i, sums[i]));
  ahead += at + at / strip_bytes % n_turns * row_bytes;
  for (position = 0; position + STEP <= n_positions; position += STEP) {
    prefetch (ahead, row_bytes, strip_bytes, n_turns);
    values_step (element, row, row_bytes, position, STEP, d, width, n, p, sums);
    row += STEP * row_bytes;
    ahead += STEP * row_bytes;
  }
  for (; position < n_positions; position++, row += row_bytes)
    values_step (element, row, row_bytes, position, 1, d, width, n, p, sums);
  EACH (i, width, store_sums (n, sums[i], o, d + 16 * i));
}

/* The last dimensions, fewer than sixteen; never with Q8_0. */
static ALWAYS void
values_rest (enum element element, const uint8_t *row, size_t row_bytes, unsigned n_positions, unsigned d,
             unsigned head_dim, unsigned n, const float *const *p, float *const *o)
{
  unsigned i, position;

  for (; d + 4 <= head_dim; d += 4)
    for (i = 0; i < n; i++) {
      float32x4_t sum = vld1q_f32 (o[i] + d);

      for (position = 0; position < n_positions; position++)
        sum = vfmaq_n_f32 (sum, load_four (element, row + position * row_bytes, d), p[i][position]);
      vst1q_f32 (o[i] + d, sum);
    }
  for (; d < head_dim; d++)
    for (i = 0; i < n; i++)
      for (position = 0; position < n_positions; position++)
        o[i][d] = fmaf (p[i][position], load_value (element, row + position * row_bytes, d), o[i][d]);
}

static ALWAYS void
values_body (enum element element, const void *values, const void *ahead, size_t row_bytes, unsigned n_positions,
             unsigned head_dim, unsigned n, const float *const *p, float *const *o)
{
  const unsigned most = element == ELEMENT_Q8_0 ? SUMS / 8 : SUMS / 4;
  const unsigned wide = n > 2 ? 1 : most / n;
  unsigned d;

  for (d = 0; d + 16 * wide <= head_dim; d += 16 * wide)
    values_strip (element, values, ahead, row_bytes, n_positions, d, wide, n, p, o);
  for (; d + 16 <= head_dim && wide > 1; d += 16)
    values_strip (element, values, ahead, row_bytes, n_positions, d, 1, n, p, o);
  if (element != ELEMENT_Q8_0)
    values_rest (element, values, row_bytes, n_positions, d, head_dim, n, p, o);
}

#define ATTENTION_ISA      attention_isa_neon
#define ATTENTION_NAME     "neon"
#define ATTENTION_FEATURES WLP_CPU_NEON
#include "../attention-body.h"
