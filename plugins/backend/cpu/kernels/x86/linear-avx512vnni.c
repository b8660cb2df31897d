/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * AVX-512 with VNNI: a vector of 16 rows.
 */
#include "linear-vector-512.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#define V_ISA    avx512vnni
#define V_TOKENS 8

#define V_DPBUSD(sum, w, x) _mm512_dpbusd_epi32 ((__m512i)(sum), (__m512i)(w), (__m512i)(x))
#define V_MADD(a, b)        _mm512_madd_epi16 ((__m512i)(a), (__m512i)(b))

#include "linear-vnni.h"

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-256.h"

const struct linear_isa linear_isa_avx512vnni = {
  .name     = "avx512vnni",
  .features = WLP_CPU_AVX2 | WLP_CPU_AVX512 | WLP_CPU_AVX512VNNI,
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_256,
  .format   = format_of,
};
