/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Found before the compiler's header of this name by the kernels of kernel-linear-emulated: what AVX2 lacks is emulated
 * by SIMDe, so that the kernels of newer instruction sets run on any machine with AVX2.
 */
#pragma once

#include_next <immintrin.h>

#define SIMDE_ENABLE_NATIVE_ALIASES
#define SIMDE_NO_INLINE /* a tenth of the time to compile */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wunused-function"
#include <simde/x86/avx512.h>
#include <simde/x86/f16c.h>
#include <simde/x86/fma.h>
#pragma GCC diagnostic pop

#define _mm256_dpbusd_avx_epi32(sum, a, b) simde_mm256_dpbusd_epi32 (sum, a, b)

/* Given too many arguments by SIMDe 0.7.4. */
#undef _mm512_madd_epi16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16 (a, b)

/* Not in SIMDe 0.7.4. */
static inline simde__m512
emulated_mm512_cvtph_ps (__m256i halves)
{
  simde__m512_private both;

  both.m256[0] = _mm256_cvtph_ps (_mm256_castsi256_si128 (halves));
  both.m256[1] = _mm256_cvtph_ps (_mm256_extracti128_si256 (halves, 1));
  return simde__m512_from_private (both);
}
#define _mm512_cvtph_ps(halves) emulated_mm512_cvtph_ps (halves)
