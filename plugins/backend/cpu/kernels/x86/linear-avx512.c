/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX-512 without VNNI: a vector of 16 rows, products as in linear-avx2.c.
 */
#include "linear-vector-512.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#include <stdbool.h>

#define V_ISA        avx512
#define V_TOKENS     8
#define V_IS_SIGNED  1
#define V_SUMS_WORDS 1

typedef v_u16 v_sum;

static ALWAYS v_sum
v_dot_begin (int offset, const int16_t *sums)
{
  return offset == 0 ? (v_sum){ 0 } : (v_sum)v_splat4 (sums) * (uint16_t)-offset;
}

static ALWAYS v_sum
v_dot_step (v_sum sum, v_u8 w, v_u8 x, bool is_signed, bool is_first)
{
  __m512i pairs, turned;

  if (is_signed) {
    turned = _mm512_mask_sub_epi8 ((__m512i)x, _mm512_movepi8_mask ((__m512i)w), _mm512_setzero_si512 (), (__m512i)x);
    pairs  = _mm512_maddubs_epi16 (_mm512_abs_epi8 ((__m512i)w), turned);
    return (v_sum)((v_s32)sum + (v_s32)_mm512_madd_epi16 (pairs, _mm512_set1_epi16 (1)));
  }
  pairs = _mm512_maddubs_epi16 ((__m512i)w, (__m512i)x);
  return is_first ? (v_sum)pairs : sum + (v_sum)pairs;
}

static ALWAYS v_s32
v_dot_end (v_sum sum, bool is_signed)
{
  return is_signed ? (v_s32)sum : (v_s32)_mm512_madd_epi16 ((__m512i)sum, _mm512_set1_epi16 (1));
}

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-256.h"

const struct linear_isa linear_isa_avx512 = {
  .name     = "avx512",
  .features = WLP_CPU_AVX2 | WLP_CPU_AVX512,
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_256,
  .format   = format_of,
};
