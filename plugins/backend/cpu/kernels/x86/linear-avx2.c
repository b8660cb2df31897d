/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX2 with FMA: two vectors of 8 rows.
 *
 * vpmaddubsw multiplies unsigned by signed bytes and adds pairs of products in 16 bits, with saturation.  What it is
 * fed never saturates.  Unsigned weights of 0 .. 63 give pairs of at most 63 * 127 * 2 = 16002; pairs are added up in
 * 16 bits, which wrap around, but offset * Σ x is taken off before, so what counts is the last sum, and |q| * 127 * 2 *
 * pairs fits.  Of signed ones it gets |weight| up to 128 and the activation with the weight's sign: 128 * 127 * 2 =
 * 32512, a pair at a time.
 */
#include "linear-vector-256.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#include <stdbool.h>

#define V_ISA        avx2
#define V_TOKENS     4
#define V_IS_SIGNED  1
#define V_SUMS_WORDS 1

typedef v_u16 v_sum;

static ALWAYS v_sum
v_dot_begin (int offset, const int16_t *sums)
{
  if (offset == 0)
    return (v_sum){ 0 };
  return (v_sum)v_splat4 (sums) * (uint16_t)-offset;
}

static ALWAYS v_sum
v_dot_step (v_sum sum, v_u8 w, v_u8 x, bool is_signed, bool is_first)
{
  __m256i pairs;

  if (is_signed) {
    pairs = _mm256_maddubs_epi16 (_mm256_abs_epi8 ((__m256i)w), _mm256_sign_epi8 ((__m256i)x, (__m256i)w));
    pairs = _mm256_madd_epi16 (pairs, _mm256_set1_epi16 (1));
    return is_first ? (v_sum)pairs : (v_sum)((v_s32)sum + (v_s32)pairs);
  }
  pairs = _mm256_maddubs_epi16 ((__m256i)w, (__m256i)x);
  return is_first ? (v_sum)pairs : sum + (v_sum)pairs;
}

static ALWAYS v_s32
v_dot_end (v_sum sum, bool is_signed)
{
  return is_signed ? (v_s32)sum : (v_s32)_mm256_madd_epi16 ((__m256i)sum, _mm256_set1_epi16 (1));
}

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-256.h"

const struct linear_isa linear_isa_avx2 = {
  .name     = "avx2",
  .features = WLP_CPU_AVX2,
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_256,
  .format   = format_of,
};
