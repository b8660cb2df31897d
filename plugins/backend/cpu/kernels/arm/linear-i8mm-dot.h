/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Σ q x for linear-body.h by smmla, which multiplies two rows of eight bytes with two others: rows of weights with two
 * tokens.  Two dwords of each row are brought together for that; a token alone goes through the dot product.
 */
#pragma once

static ALWAYS int8x16_t
two_tokens (const struct tile *tile, unsigned a, unsigned b, unsigned i)
{
  return vcombine_s8 (vld1_s8 (tile->x[a]->q + 4 * i), vld1_s8 (tile->x[b]->q + 4 * i));
}

/* Less offset * Σ x of both tokens: lane 0 and 2 for the first one. */
static ALWAYS int32x4_t
two_begins (const struct tile *tile, unsigned a, unsigned b, int offset, unsigned which)
{
  const int32x4_t first  = (int32x4_t)v_dot_begin (offset, tile->x[a]->sum[which]);
  const int32x4_t second = (int32x4_t)v_dot_begin (offset, tile->x[b]->sum[which]);

  return vzip1q_s32 (first, second);
}

static ALWAYS void
dot (struct group group, struct shape shape, const struct tile *tile, unsigned n, unsigned first, unsigned count,
     unsigned which, v_s32 (*ret)[V_PARTS])
{
  int32x4_t sum[V_TOKENS / 2][V_PARTS][2];
  unsigned i, t, p;

  if (n == 1) {
    dot_chain (group, shape, tile, n, first, count, which, ret);
    return;
  }
#pragma GCC unroll 8
  for (t = 0; t < n; t += 2)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      sum[t / 2][p][0] = sum[t / 2][p][1] = two_begins (tile, t, t + 1 < n ? t + 1 : t, shape.offset, which);
#pragma GCC unroll 8
  for (i = first; i < first + count; i += 2)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++) {
      const int32x4_t a = (int32x4_t)weights (group, i, p), b = (int32x4_t)weights (group, i + 1, p);
      const int8x16_t low = (int8x16_t)vzip1q_s32 (a, b), high = (int8x16_t)vzip2q_s32 (a, b);

#pragma GCC unroll 8
      for (t = 0; t < n; t += 2) {
        const int8x16_t x = two_tokens (tile, t, t + 1 < n ? t + 1 : t, i);

        sum[t / 2][p][0] = vmmlaq_s32 (sum[t / 2][p][0], low, x);
        sum[t / 2][p][1] = vmmlaq_s32 (sum[t / 2][p][1], high, x);
      }
    }
#pragma GCC unroll 8
  for (t = 0; t < n; t++)
#pragma GCC unroll 4
    for (p = 0; p < V_PARTS; p++)
      ret[t][p] = (v_s32)(t % 2 == 0 ? vuzp1q_s32 (sum[t / 2][p][0], sum[t / 2][p][1])
                                     : vuzp2q_s32 (sum[t / 2][p][0], sum[t / 2][p][1]));
}
