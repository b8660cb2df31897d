/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The matrix kernels, written once: a file of one instruction set defines its vectors and includes this one.
 *
 * A vector holds V_LANES dwords, a lane for each row, so the 16 rows of a panel are V_PARTS vectors.  An activation is
 * a dword of four values in all lanes.  What a file defines before it includes this one:
 *
 *   V_BYTES         of a vector; linear-vector.h makes the types of it
 *   V_ISA           suffix of the names made here
 *   V_TOKENS        activation rows of a tile: V_PARTS * V_TOKENS sums stay in registers
 *   V_PIN(x)        keeps a sum in its register and in its place
 *   V_IS_SIGNED     1 if v_dot_step() takes signed weights as well as unsigned ones
 *   V_SUMS_WORDS    1 if sums are kept in 16 bits on the way
 *   v_sum           the type of those sums
 *   v_splat4()      four bytes in all lanes
 *   v_splat()       a float in all lanes
 *   v_fma(), v_fnma()   a * b + c and c - a * b, rounded once
 *   v_half()        float16 in the low half of each lane to float32
 *   v_halves()      V_LANES of float16, from memory, to float32
 *   v_lookup()      a table of 16 bytes, looked up with bytes 0 .. 15
 *   v_pair_sum()    the sum of both words of a pair, in 32 bits
 *   V_OWN_DOT       optional: a header with another dot() than the one made of the next three
 *   v_dot_begin(), v_dot_step(), v_dot_end()   Σ q x of four values of each row at a time, less offset * Σ x
 *
 * Everything is inlined into kernels of one type and one number of tokens: `kind` and `n` are constants there.
 */
#pragma once

#include "linear-panel.h"
#include "linear.h"

#include <stdbool.h>
#include <string.h>

/* A loop whose counter goes through here is left a loop. */
#define V_STAY(i) __asm__("" : "+r"(i))
/* What was read before is read again: there are no registers to keep it in. */
#define V_AFRESH() __asm__ volatile("" ::: "memory")

#define K_GROUPS 8 /* of 4 values in 32 */
#define WIDE     8 /* groups of 32 unpacked at once */

#define PREFETCH_BYTES 4096 /* how far ahead of what is read: memory's latency times its speed, and some more */

enum kind {
  KIND_Q4_0,
  KIND_Q4_1,
  KIND_Q5_0,
  KIND_Q5_1,
  KIND_Q8_0,
  KIND_Q2_K,
  KIND_Q3_K,
  KIND_Q4_K,
  KIND_Q5_K,
  KIND_Q6_K,
  KIND_IQ4_NL,
  KIND_IQ4_XS,
  KIND_MXFP4,
};

/* What the loops must know of a kind. */
struct shape {
  enum wlq_policy policy;
  unsigned block;    /* weights */
  unsigned n_dwords; /* of a block */
  unsigned side;     /* bytes */
  unsigned unroll;   /* groups of 32 whose code differs; a block has a whole number of such sets */
  int offset;        /* what unpacked weights have more than they should; an instruction set may take it off itself */
  int most;          /* the largest magnitude that matters for sums in 16 bits */
  bool is_signed;
};

#define OFFSET_S8 (V_IS_SIGNED ? 0 : 128)

static ALWAYS struct shape
shape_of (enum kind kind)
{
  switch (kind) {
  case KIND_Q4_0:
    return (struct shape){ WLQ_POLICY_SYM32, 32, 4, 2, 1, 8, 8, false };
  case KIND_Q4_1:
    return (struct shape){ WLQ_POLICY_ASYM32, 32, 5, 0, 1, 0, 15, false };
  case KIND_Q5_0:
    return (struct shape){ WLQ_POLICY_SYM32, 32, 5, 2, 1, 16, 16, false };
  case KIND_Q5_1:
    return (struct shape){ WLQ_POLICY_ASYM32, 32, 6, 0, 1, 0, 31, false };
  case KIND_Q8_0:
    return (struct shape){ WLQ_POLICY_SYM32, 32, 8, 2, 1, OFFSET_S8, 128, V_IS_SIGNED };
  case KIND_Q2_K:
    return (struct shape){ WLQ_POLICY_ASYM16, 256, 21, 0, 4, 0, 3, false };
  case KIND_Q3_K:
    return (struct shape){ WLQ_POLICY_SYM16, 256, 27, 2, 4, 4, 4, false };
  case KIND_Q4_K:
    return (struct shape){ WLQ_POLICY_ASYM32, 256, 36, 0, 2, 0, 15, false };
  case KIND_Q5_K:
    return (struct shape){ WLQ_POLICY_ASYM32, 256, 44, 0, 2, 0, 31, false };
  case KIND_Q6_K:
    return (struct shape){ WLQ_POLICY_SYM16, 256, 52, 2, 4, 32, 32, false };
  case KIND_IQ4_NL:
    return (struct shape){ WLQ_POLICY_SYM32, 32, 4, 2, 1, OFFSET_S8, 128, V_IS_SIGNED };
  case KIND_IQ4_XS:
    return (struct shape){ WLQ_POLICY_SYM32, 256, 34, 0, 1, OFFSET_S8, 128, V_IS_SIGNED };
  case KIND_MXFP4:
    return (struct shape){ WLQ_POLICY_SYM32, 32, 4, 1, 1, 12, 12, false };
  }
  __builtin_unreachable ();
}

/* ---- one unpacker for each type ---- */

/* The bytes of a block of 16 rows. */
struct source {
  const uint8_t *dwords;
  const uint8_t *side;
};

static ALWAYS v_u8
dword (const uint8_t *dwords, size_t i, unsigned part)
{
  return *(const v_u8 *)(const void *)(dwords + (i * V_PARTS + part) * V_BYTES);
}

static ALWAYS v_u8
nibble (v_u8 bytes, bool high)
{
  return high ? bytes >> 4 : bytes & 15;
}

/* @count bits of each byte from bit @from on, moved to bit @to. */
static ALWAYS v_u8
bits (v_u8 bytes, int from, int to, int mask)
{
  const v_u16 words = (v_u16)bytes;

  return (v_u8)(from > to ? words >> (from - to) : words << (to - from)) & (uint8_t)(mask << to);
}

static const int8_t iq4_table[16] = { -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113 };
/* The FP4 numbers, doubled, and 12 more: 0 .. 24. */
static const int8_t mxfp4_table[16] = { 12, 13, 14, 15, 16, 18, 20, 24, 12, 11, 10, 9, 8, 6, 4, 0 };

static ALWAYS v_u8
iq4 (v_u8 nibbles)
{
  const v_u8 values = v_lookup (iq4_table, nibbles);

  return V_IS_SIGNED ? values : values ^ 0x80;
}

/* Weights 4 i .. 4 i + 3 of group @outer * unroll + @u of 32. */
static ALWAYS v_u8
unpack (enum kind kind, const uint8_t *w, size_t outer, unsigned u, unsigned i, unsigned part)
{
  switch (kind) {
  case KIND_Q4_0:
    return nibble (dword (w, i % 4, part), i >= 4);
  case KIND_Q4_1:
    return nibble (dword (w, 1 + i % 4, part), i >= 4);
  case KIND_Q5_0:
    return nibble (dword (w, 1 + i % 4, part), i >= 4) | bits (dword (w, 0, part), (int)i, 4, 1);
  case KIND_Q5_1:
    return nibble (dword (w, 2 + i % 4, part), i >= 4) | bits (dword (w, 1, part), (int)i, 4, 1);
  case KIND_Q8_0:
    return V_IS_SIGNED ? dword (w, i, part) : dword (w, i, part) ^ 0x80;
  case KIND_Q2_K:
    return bits (dword (w, 4 + outer * 8 + i, part), 2 * (int)u, 0, 3);
  case KIND_Q3_K:
    return bits (dword (w, 8 + outer * 8 + i, part), 2 * (int)u, 0, 3)
           | bits (dword (w, outer * 4 + u, part), (int)i, 2, 1);
  case KIND_Q4_K:
    return nibble (dword (w, 4 + outer * 8 + i, part), u == 1);
  case KIND_Q5_K:
    return nibble (dword (w, 12 + outer * 8 + i, part), u == 1)
           | bits (dword (w, 4 + outer * 2 + u, part), (int)i, 4, 1);
  case KIND_Q6_K:
    return nibble (dword (w, outer * 16 + u % 2 * 8 + i, part), u >= 2)
           | bits (dword (w, 32 + outer * 8 + i, part), 2 * (int)u, 4, 3);
  case KIND_IQ4_NL:
    return iq4 (nibble (dword (w, i % 4, part), i >= 4));
  case KIND_IQ4_XS:
    return iq4 (nibble (dword (w, 2 + outer * 4 + i % 4, part), i >= 4));
  case KIND_MXFP4:
    return v_lookup (mxfp4_table, nibble (dword (w, i % 4, part), i >= 4));
  }
  __builtin_unreachable ();
}

/* ---- scales ---- */

struct scales {
  v_f32 scale[16][V_PARTS];
  v_f32 min[16][V_PARTS];
};

static ALWAYS v_f32
to_floats (v_u32 numbers)
{
  return __builtin_convertvector((v_s32)numbers, v_f32);
}

/* Byte @i of each lane. */
static ALWAYS v_u32
byte_of (v_u32 lanes, unsigned i)
{
  return i == 3 ? lanes >> 24 : lanes >> 8 * i & 255;
}

/* Q4_K and Q5_K: six bits each, cut as quant-blocks.h says. */
static ALWAYS void
scales_six_bits (const uint8_t *w, unsigned part, struct scales *ret)
{
  const v_u32 halves = (v_u32)dword (w, 0, part);
  const v_f32 d = v_half (halves), dmin = v_half (halves >> 16);
  const v_u32 a = (v_u32)dword (w, 1, part), b = (v_u32)dword (w, 2, part), c = (v_u32)dword (w, 3, part);
  const v_u32 scale[2] = { a & 0x3f3f3f3f, (c & 0x0f0f0f0f) | (a >> 2 & 0x30303030) };
  const v_u32 min[2]   = { b & 0x3f3f3f3f, (c >> 4 & 0x0f0f0f0f) | (b >> 2 & 0x30303030) };
  unsigned g;

#pragma GCC unroll 8
  for (g = 0; g < 8; g++) {
    ret->scale[g][part] = d * to_floats (byte_of (scale[g / 4], g % 4));
    ret->min[g][part]   = dmin * to_floats (byte_of (min[g / 4], g % 4));
  }
}

static ALWAYS void
scales_q2_k (const uint8_t *w, unsigned part, struct scales *ret)
{
  const v_u32 halves = (v_u32)dword (w, 20, part);
  const v_f32 d = v_half (halves), dmin = v_half (halves >> 16);
  unsigned g;

#pragma GCC unroll 16
  for (g = 0; g < 16; g++) {
    const v_u32 four = (v_u32)dword (w, g / 4, part);

    ret->scale[g][part] = d * to_floats (four >> g % 4 * 8 & 15);
    ret->min[g][part]   = dmin * to_floats (g % 4 == 3 ? four >> 28 : four >> (g % 4 * 8 + 4) & 15);
  }
}

static ALWAYS void
scales_q3_k (const uint8_t *w, v_f32 d, unsigned part, struct scales *ret)
{
  const v_u32 a = (v_u32)dword (w, 24, part), b = (v_u32)dword (w, 25, part), c = (v_u32)dword (w, 26, part);
  const v_u32 six[4] = { (a & 0x0f0f0f0f) | (c << 4 & 0x30303030), (b & 0x0f0f0f0f) | (c << 2 & 0x30303030),
                         (a >> 4 & 0x0f0f0f0f) | (c & 0x30303030), (b >> 4 & 0x0f0f0f0f) | (c >> 2 & 0x30303030) };
  unsigned g;

#pragma GCC unroll 16
  for (g = 0; g < 16; g++)
    ret->scale[g][part] = d * to_floats (byte_of (six[g / 4], g % 4) - 32);
}

static ALWAYS void
scales_q6_k (const uint8_t *w, v_f32 d, unsigned part, struct scales *ret)
{
  unsigned g;

#pragma GCC unroll 16
  for (g = 0; g < 16; g++) {
    const v_s32 four = (v_s32)dword (w, 48 + g / 4, part);

    ret->scale[g][part] = d * __builtin_convertvector(four << (24 - g % 4 * 8) >> 24, v_f32);
  }
}

static ALWAYS void
scales_iq4_xs (const uint8_t *w, unsigned part, struct scales *ret)
{
  const v_u32 first = (v_u32)dword (w, 0, part), low = (v_u32)dword (w, 1, part), high = first >> 16;
  const v_f32 d = v_half (first);
  unsigned g;

#pragma GCC unroll 8
  for (g = 0; g < 8; g++)
    ret->scale[g][part] =
        d * to_floats (((low >> 4 * g & 15) | ((g < 2 ? high << (4 - 2 * g) : high >> (2 * g - 4)) & 48)) - 32);
}

/* 2^(exponent - 128), below 2 a subnormal. */
static ALWAYS v_f32
scale_mxfp4 (const uint8_t *side, unsigned part)
{
  v_bytes bytes;
  v_u32 exponent, tiny;

  memcpy (&bytes, side + part * V_LANES, sizeof bytes);
  exponent = __builtin_convertvector(bytes, v_u32);
  tiny     = (v_u32)(exponent < 2);
  return (v_f32)(((0x00200000u << (exponent & 1)) & tiny) | ((exponent - 1) << 23 & ~tiny));
}

static ALWAYS void
unpack_scales (enum kind kind, struct source source, unsigned part, struct scales *ret)
{
  const uint8_t *w = source.dwords, *halves = source.side + part * V_LANES * 2;

  switch (kind) {
  case KIND_Q4_0:
  case KIND_Q5_0:
  case KIND_Q8_0:
  case KIND_IQ4_NL:
    ret->scale[0][part] = v_halves (halves);
    break;
  case KIND_Q4_1:
  case KIND_Q5_1:
    ret->scale[0][part] = v_half ((v_u32)dword (w, 0, part));
    ret->min[0][part]   = -v_half ((v_u32)dword (w, 0, part) >> 16);
    break;
  case KIND_Q2_K:
    scales_q2_k (w, part, ret);
    break;
  case KIND_Q3_K:
    scales_q3_k (w, v_halves (halves), part, ret);
    break;
  case KIND_Q4_K:
  case KIND_Q5_K:
    scales_six_bits (w, part, ret);
    break;
  case KIND_Q6_K:
    scales_q6_k (w, v_halves (halves), part, ret);
    break;
  case KIND_IQ4_XS:
    scales_iq4_xs (w, part, ret);
    break;
  case KIND_MXFP4:
    ret->scale[0][part] = scale_mxfp4 (source.side, part);
    break;
  }
}

/* ---- products ---- */

/* Where the weights of a group come from: a block, or what widen() made of it. */
struct group {
  bool is_wide;
  enum kind kind;
  const uint8_t *w;
  size_t outer; /* as wide as an address, so that what is constant in it stays apart from what is not */
  unsigned u;
};

static ALWAYS v_u8
weights (struct group group, unsigned i, unsigned part)
{
  if (group.is_wide)
    return dword (group.w, i, part);
  return unpack (group.kind, group.w, group.outer, group.u, i, part);
}

/* A tile: the activation rows that go through a panel together, and their sums. */
struct tile {
  const struct linear_block *x[V_TOKENS];
  v_f32 acc[V_TOKENS][V_PARTS];
};

/* Σ q x over @count dwords from @first on; @which of the block's sums. */
static ALWAYS void
dot_chain (struct group group, struct shape shape, const struct tile *tile, unsigned n, unsigned first, unsigned count,
           unsigned which, v_s32 (*ret)[V_PARTS])
{
  v_sum sum[V_TOKENS][V_PARTS];
  v_u8 w[V_PARTS];
  unsigned i, t, p;

#pragma GCC unroll 8
  for (t = 0; t < n; t++) {
    const v_sum begin = v_dot_begin (shape.offset, tile->x[t]->sum[which]);

#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      sum[t][p] = begin;
  }
#pragma GCC unroll 8
  for (i = first; i < first + count; i++) {
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      w[p] = weights (group, i, p);
#pragma GCC unroll 8
    for (t = 0; t < n; t++) {
      const v_u8 x = v_splat4 (tile->x[t]->q + 4 * i);

#pragma GCC unroll 4
      for (p = 0; p < V_PARTS; p++) {
        sum[t][p] = v_dot_step (sum[t][p], w[p], x, shape.is_signed, i == first && shape.offset == 0);
        V_PIN (sum[t][p]);
      }
    }
  }
#pragma GCC unroll 8
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      ret[t][p] = v_dot_end (sum[t][p], shape.is_signed);
}

#ifdef V_OWN_DOT
#include V_OWN_DOT
#else
static ALWAYS void
dot (struct group group, struct shape shape, const struct tile *tile, unsigned n, unsigned first, unsigned count,
     unsigned which, v_s32 (*ret)[V_PARTS])
{
  v_s32 more[V_TOKENS][V_PARTS];
  unsigned t, p;

  if (!V_SUMS_WORDS || shape.is_signed || shape.most * 127 * 2 * (int)count <= INT16_MAX) {
    dot_chain (group, shape, tile, n, first, count, which, ret);
    return;
  }
  dot_chain (group, shape, tile, n, first, count / 2, 0, ret);
  dot_chain (group, shape, tile, n, first + count / 2, count / 2, 1, more);
#pragma GCC unroll 8
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      ret[t][p] += more[t][p];
}
#endif

static ALWAYS v_f32
floats_of (v_s32 sum)
{
  return __builtin_convertvector(sum, v_f32);
}

static ALWAYS void
group_32 (struct group group, struct shape shape, const v_f32 *scale, const v_f32 *min, unsigned n, struct tile *tile)
{
  v_s32 sum[V_TOKENS][V_PARTS];
  unsigned t, p;

  dot (group, shape, tile, n, 0, K_GROUPS, 2, sum);
#pragma GCC unroll 8
  for (t = 0; t < n; t++) {
    const v_f32 d = v_splat (&tile->x[t]->d);

#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++) {
      tile->acc[t][p] = v_fma (scale[p] * d, floats_of (sum[t][p]), tile->acc[t][p]);
      if (shape.policy == WLQ_POLICY_ASYM32)
        tile->acc[t][p] = v_fnma (min[p], v_splat (&tile->x[t]->s), tile->acc[t][p]);
    }
    tile->x[t]++;
  }
}

static ALWAYS void
group_16 (struct group group, struct shape shape, const v_f32 (*scale)[V_PARTS], const v_f32 (*min)[V_PARTS],
          unsigned n, struct tile *tile)
{
  v_s32 sum[2][V_TOKENS][V_PARTS];
  v_f32 part[V_TOKENS][V_PARTS];
  unsigned t, p;

  dot (group, shape, tile, n, 0, K_GROUPS / 2, 0, sum[0]);
#pragma GCC unroll 8
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      part[t][p] = scale[0][p] * floats_of (sum[0][t][p]);
  dot (group, shape, tile, n, K_GROUPS / 2, K_GROUPS / 2, 1, sum[1]);
#pragma GCC unroll 8
  for (t = 0; t < n; t++) {
    const v_f32 d = v_splat (&tile->x[t]->d);

#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++) {
      part[t][p] = v_fma (scale[1][p], floats_of (sum[1][t][p]), part[t][p]);
      if (shape.policy == WLQ_POLICY_ASYM16) {
        part[t][p] = v_fnma (min[0][p], floats_of (v_pair_sum (tile->x[t]->sum[0])), part[t][p]);
        part[t][p] = v_fnma (min[1][p], floats_of (v_pair_sum (tile->x[t]->sum[1])), part[t][p]);
      }
      tile->acc[t][p] = v_fma (d, part[t][p], tile->acc[t][p]);
    }
    tile->x[t]++;
  }
}

/* Group @g of those that @scales are for. */
static ALWAYS void
add_group (struct group group, struct shape shape, const struct scales *scales, size_t g, unsigned n, struct tile *tile)
{
  if (shape.policy == WLQ_POLICY_SYM32 || shape.policy == WLQ_POLICY_ASYM32)
    group_32 (group, shape, scales->scale[g], scales->min[g], n, tile);
  else
    group_16 (group, shape, &scales->scale[2 * g], &scales->min[2 * g], n, tile);
}

static ALWAYS void
store_tile (const struct tile *tile, unsigned n, float *y)
{
  unsigned t, p;

#pragma GCC unroll 8
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      memcpy (y + t * LINEAR_PANEL_ROWS + p * V_LANES, &tile->acc[t][p], V_BYTES);
}

/* ---- where a panel's bytes are, and will be read ---- */

/* What a panel consists of.  The next one of the matrix follows at its end. */
struct panel {
  const uint8_t *sides;
  const uint8_t *dwords;
  const uint8_t *end;
};

static ALWAYS struct panel
panel_of (struct shape shape, const void *panel, size_t k)
{
  const size_t sides    = (k / shape.block * shape.side * LINEAR_PANEL_ROWS + 63) / 64 * 64;
  const uint8_t *dwords = (const uint8_t *)panel + sides;

  return (struct panel){ panel, dwords, dwords + k / shape.block * shape.n_dwords * LINEAR_PANEL_ROWS * 4 };
}

static ALWAYS struct source
first_block (struct panel panel)
{
  return (struct source){ panel.dwords, panel.sides };
}

static ALWAYS void
next_block (struct shape shape, struct source *source)
{
  source->dwords += shape.n_dwords * LINEAR_PANEL_ROWS * 4;
  source->side += shape.side * LINEAR_PANEL_ROWS;
}

/* The dwords that are read PREFETCH_BYTES after those of @source: past a panel's end the next one's, behind its sides.
 * A block across the end counts as before it. */
static ALWAYS const uint8_t *
dwords_ahead (struct panel panel, struct source source)
{
  const uint8_t *ahead = source.dwords + PREFETCH_BYTES;

  return ahead < panel.end ? ahead : ahead + (panel.dwords - panel.sides);
}

/* Asks for a share of a block at @ahead, when group @g of the one of now is read.  Inside of a block the order goes
 * back and forth, in which the hardware sees no stream. */
static ALWAYS void
prefetch (struct shape shape, const uint8_t *ahead, size_t g)
{
  const unsigned n_groups = shape.block / 32, lines = (shape.n_dwords + n_groups - 1) / n_groups;
  unsigned i;

#pragma GCC unroll 8
  for (i = 0; i < lines; i++)
    __builtin_prefetch (ahead + (g * lines + i) * 64);
}

/* As far ahead, the sides of a block, where they are many: at every panel's end the hardware loses sight of them. */
static ALWAYS void
prefetch_side (struct shape shape, struct panel panel, struct source source)
{
  const unsigned n_blocks = PREFETCH_BYTES / (shape.n_dwords * LINEAR_PANEL_ROWS * 4);
  const uint8_t *ahead    = source.side + n_blocks * shape.side * LINEAR_PANEL_ROWS;

  if (shape.side > 0 && shape.block == 32)
    __builtin_prefetch (ahead < panel.dwords ? ahead : ahead + (panel.end - panel.dwords));
}

/* ---- few tokens: weights unpacked in registers ---- */

/* The groups of 32 whose code differs. */
static ALWAYS void
direct_groups (enum kind kind, const uint8_t *w, const uint8_t *ahead, const struct scales *scales, size_t outer,
               bool afresh, unsigned n, struct tile *tile)
{
  const struct shape shape = shape_of (kind);
  unsigned u;

#pragma GCC unroll 4
  for (u = 0; u < shape.unroll; u++) {
    if (afresh)
      V_AFRESH ();
    prefetch (shape, ahead, outer * shape.unroll + u);
    add_group ((struct group){ false, kind, w, outer, u }, shape, scales, outer * shape.unroll + u, n, tile);
  }
}

static ALWAYS void
mm_direct (enum kind kind, const void *weights, size_t k, unsigned n, const void *const *x, float *y)
{
  const struct shape shape = shape_of (kind);
  const struct panel panel = panel_of (shape, weights, k);
  const size_t n_outer     = shape.block / 32 / shape.unroll;
  const bool is_common     = kind == KIND_Q4_K || kind == KIND_Q6_K; /* worth a block's length of code */
  struct source source     = first_block (panel);
  struct scales scales;
  struct tile tile;
  unsigned t, p;
  size_t i, outer;

#pragma GCC unroll 8
  for (t = 0; t < n; t++) {
    tile.x[t] = x[t];
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      tile.acc[t][p] = (v_f32){ 0 };
  }
  for (i = 0; i < k / shape.block; i++) {
    const uint8_t *ahead = dwords_ahead (panel, source);

    prefetch_side (shape, panel, source);
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      unpack_scales (kind, source, p, &scales);
    if (is_common && n == 1) {
#pragma GCC unroll 8
      for (outer = 0; outer < n_outer; outer++)
        direct_groups (kind, source.dwords, ahead, &scales, outer, false, n, &tile);
    } else {
#pragma GCC unroll 1
      for (outer = 0; outer < n_outer; outer++) {
        V_STAY (outer);
        direct_groups (kind, source.dwords, ahead, &scales, outer, true, n, &tile);
      }
    }
    next_block (shape, &source);
  }
  store_tile (&tile, n, y);
}

/* ---- many tokens: weights unpacked to memory, 256 values of k at a time ---- */

struct wide {
  struct scales scales;
  uint8_t q[WIDE][K_GROUPS * LINEAR_PANEL_ROWS * 4] __attribute__ ((aligned (64)));
};

/* A group of 32 to @q. */
static ALWAYS void
widen_group (enum kind kind, const uint8_t *w, size_t outer, unsigned u, uint8_t *q)
{
  unsigned i, p;

#pragma GCC unroll 8
  for (i = 0; i < K_GROUPS; i++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++, q += V_BYTES)
      *(v_u8 *)(void *)q = unpack (kind, w, outer, u, i, p);
}

/* @n_blocks blocks of together at most 256 values. */
static ALWAYS void
widen (enum kind kind, struct panel panel, struct source *source, unsigned n_blocks, struct wide *ret)
{
  const struct shape shape = shape_of (kind);
  struct scales scales;
  unsigned b, u, p, g = 0;
  size_t outer;

  for (b = 0; b < n_blocks; b++) {
    const uint8_t *ahead = dwords_ahead (panel, *source);

    prefetch_side (shape, panel, *source);
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      unpack_scales (kind, *source, p, shape.block == 256 ? &ret->scales : &scales);
    if (shape.block == 32)
      memcpy (ret->scales.scale[b], scales.scale[0], sizeof scales.scale[0]);
    if (shape.block == 32 && shape.policy == WLQ_POLICY_ASYM32)
      memcpy (ret->scales.min[b], scales.min[0], sizeof scales.min[0]);
#pragma GCC unroll 1
    for (outer = 0; outer < shape.block / 32 / shape.unroll; outer++) {
      V_STAY (outer);
#pragma GCC unroll 4
      for (u = 0; u < shape.unroll; u++, g++) {
        prefetch (shape, ahead, outer * shape.unroll + u);
        widen_group (kind, source->dwords, outer, u, ret->q[g]);
      }
    }
    next_block (shape, source);
  }
}

/* @n_groups groups of 32, from value @k0 on, added to @y. */
static ALWAYS void
mm_tile (struct shape shape, const struct wide *wide, unsigned n_groups, size_t k0, unsigned n, const void *const *x,
         float *y)
{
  struct tile tile;
  unsigned t, p, g;

#pragma GCC unroll 8
  for (t = 0; t < n; t++) {
    tile.x[t] = (const struct linear_block *)x[t] + k0 / LINEAR_GROUP;
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      memcpy (&tile.acc[t][p], y + t * LINEAR_PANEL_ROWS + p * V_LANES, V_BYTES);
  }
#pragma GCC unroll 1
  for (g = 0; g < n_groups; g++)
    add_group ((struct group){ .is_wide = true, .w = wide->q[g] }, shape, &wide->scales, g, n, &tile);
  store_tile (&tile, n, y);
}

typedef void (*tile_fn) (const struct wide *wide, unsigned n_groups, size_t k0, unsigned n, const void *const *x,
                         float *y);

static ALWAYS void
mm_wide (enum kind kind, tile_fn mm, const void *weights, size_t k, unsigned n, const void *const *x, float *y)
{
  const struct shape shape = shape_of (kind);
  const struct panel panel = panel_of (shape, weights, k);
  struct source source     = first_block (panel);
  struct wide wide;
  unsigned t, now;
  size_t k0, part;

  memset (y, 0, n * LINEAR_PANEL_ROWS * sizeof *y);
  for (k0 = 0; k0 < k; k0 += part) {
    part = k - k0 < 32 * WIDE ? k - k0 : 32 * WIDE;
    widen (kind, panel, &source, (unsigned)part / shape.block, &wide);
    for (t = 0; t < n; t += now) {
      now = n - t < V_TOKENS ? n - t : V_TOKENS;
      mm (&wide, (unsigned)part / LINEAR_GROUP, k0, now, x + t, y + t * LINEAR_PANEL_ROWS);
    }
  }
}

/* ---- the functions and their tables ---- */

#define V_PASTE_2(a, b) a##_##b
#define V_PASTE(a, b)   V_PASTE_2 (a, b)
#define V_NAME(name)    V_PASTE (name, V_ISA)

/* @call with N, a constant, for 1 .. @most tokens: each is a copy of the code, and takes its time to compile. */
#define V_CASE(n, call)                                                                                                \
  case n: {                                                                                                            \
    enum { N = n };                                                                                                    \
    call;                                                                                                              \
    break;                                                                                                             \
  }
#define V_CASES_1(call) V_CASE (1, call)
#define V_CASES_4(call) V_CASE (1, call) V_CASE (2, call) V_CASE (3, call) V_CASE (4, call)
#define V_CASES_8(call) V_CASES_4 (call) V_CASE (5, call) V_CASE (6, call) V_CASE (7, call) V_CASE (8, call)
#define V_FOR_TOKENS(n, most, call)                                                                                    \
  switch (n) {                                                                                                         \
    V_PASTE (V_CASES, most) (call)                                                                                     \
  }

#define V_TILE(name, kind)                                                                                             \
  static void V_NAME (tile_##name) (const struct wide *wide, unsigned n_groups, size_t k0, unsigned n,                 \
                                    const void *const *x, float *y)                                                    \
  {                                                                                                                    \
    V_FOR_TOKENS (n, V_TOKENS, mm_tile (shape_of (kind), wide, n_groups, k0, N, x, y))                                 \
  }

V_TILE (q4_0, KIND_Q4_0)
V_TILE (mxfp4, KIND_MXFP4)
V_TILE (q5_0, KIND_Q5_0)
V_TILE (q8_0, KIND_Q8_0)
V_TILE (q4_k, KIND_Q4_K)
V_TILE (q5_k, KIND_Q5_K)
V_TILE (q6_k, KIND_Q6_K)
V_TILE (q3_k, KIND_Q3_K)
V_TILE (q2_k, KIND_Q2_K)

/* Kernels of one type; types whose weights look the same once they are unpacked share a tile.  Up to @direct tokens
 * weights are unpacked in registers: more than one where that is cheap, and the type is common enough for the code. */
#define V_TYPE(name, kind, tile, direct)                                                                               \
  static void V_NAME (mm_##name) (const void *panel, size_t k, unsigned n, const void *const *x, float *y)             \
  {                                                                                                                    \
    if (n > (direct))                                                                                                  \
      mm_wide (kind, V_NAME (tile_##tile), panel, k, n, x, y);                                                         \
    else                                                                                                               \
      V_FOR_TOKENS (n, direct, mm_direct (kind, panel, k, N, x, y))                                                    \
  }

V_TYPE (q4_0, KIND_Q4_0, q4_0, 4)
V_TYPE (q4_1, KIND_Q4_1, q4_k, 1)
V_TYPE (q5_0, KIND_Q5_0, q5_0, 1)
V_TYPE (q5_1, KIND_Q5_1, q5_k, 1)
V_TYPE (q8_0, KIND_Q8_0, q8_0, 4)
V_TYPE (q2_k, KIND_Q2_K, q2_k, 1)
V_TYPE (q3_k, KIND_Q3_K, q3_k, 1)
V_TYPE (q4_k, KIND_Q4_K, q4_k, 4)
V_TYPE (q5_k, KIND_Q5_K, q5_k, 1)
V_TYPE (q6_k, KIND_Q6_K, q6_k, 1)
V_TYPE (iq4_nl, KIND_IQ4_NL, q8_0, 1)
V_TYPE (iq4_xs, KIND_IQ4_XS, q8_0, 1)
V_TYPE (mxfp4, KIND_MXFP4, mxfp4, 1)

#define V_FORMAT(name)                                                                                                 \
  {                                                                                                                    \
#name, 0, linear_panel_bytes, linear_panel_pack, V_NAME(mm_##name)                                                 \
  }

static const struct linear_format formats[] = {
  [WLP_TYPE_Q4_0] = V_FORMAT (q4_0),   [WLP_TYPE_Q4_1] = V_FORMAT (q4_1),     [WLP_TYPE_Q5_0] = V_FORMAT (q5_0),
  [WLP_TYPE_Q5_1] = V_FORMAT (q5_1),   [WLP_TYPE_Q8_0] = V_FORMAT (q8_0),     [WLP_TYPE_Q2_K] = V_FORMAT (q2_k),
  [WLP_TYPE_Q3_K] = V_FORMAT (q3_k),   [WLP_TYPE_Q4_K] = V_FORMAT (q4_k),     [WLP_TYPE_Q5_K] = V_FORMAT (q5_k),
  [WLP_TYPE_Q6_K] = V_FORMAT (q6_k),   [WLP_TYPE_IQ4_NL] = V_FORMAT (iq4_nl), [WLP_TYPE_IQ4_XS] = V_FORMAT (iq4_xs),
  [WLP_TYPE_MXFP4] = V_FORMAT (mxfp4),
};

static const struct linear_format *
format_of (uint32_t type, int exact)
{
  if (!wlq_is_supported (type))
    return NULL;
  if (exact || type == WLP_TYPE_F32 || type == WLP_TYPE_F16 || type == WLP_TYPE_BF16)
    return float_format (type, exact);
  return type < sizeof formats / sizeof formats[0] && formats[type].mm != NULL ? &formats[type] : NULL;
}
