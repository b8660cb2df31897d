/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VNNI for linear-body.h, after the vectors: vpdpbusd adds the products of four unsigned and four signed bytes to a sum
 * in 32 bits.  Signed weights come as unsigned ones, 128 more than they are.  V_DPBUSD and V_MADD are the instructions
 * of this width.
 */
#pragma once

#include <stdbool.h>

#define V_IS_SIGNED  0
#define V_SUMS_WORDS 0

typedef v_s32 v_sum;

static ALWAYS v_sum
v_dot_begin (int offset, const int16_t *sums)
{
  const v_u16 factor = (v_u16){ 0 } - (uint16_t)offset;

  return offset == 0 ? (v_sum){ 0 } : (v_sum)V_MADD (v_splat4 (sums), factor);
}

static ALWAYS v_sum
v_dot_step (v_sum sum, v_u8 w, v_u8 x, bool is_signed, bool is_first)
{
  (void)is_signed;
  (void)is_first;
  return (v_sum)V_DPBUSD (sum, w, x);
}

static ALWAYS v_s32
v_dot_end (v_sum sum, bool is_signed)
{
  (void)is_signed;
  return sum;
}
