/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * VNNI with 256-bit vectors, compiled twice: for AVX-VNNI, and for AVX-512 VL with its VNNI (WOOLLY_VNNI_VL), where the
 * same instruction has another encoding.
 */
#include "linear-vector-256.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#define V_TOKENS 4

#ifdef WOOLLY_VNNI_VL
#define V_ISA               avx512vl
#define V_DPBUSD(sum, w, x) _mm256_dpbusd_epi32 ((__m256i)(sum), (__m256i)(w), (__m256i)(x))
#else
#define V_ISA               avxvnni
#define V_DPBUSD(sum, w, x) _mm256_dpbusd_avx_epi32 ((__m256i)(sum), (__m256i)(w), (__m256i)(x))
#endif
#define V_MADD(a, b) _mm256_madd_epi16 ((__m256i)(a), (__m256i)(b))

#include "linear-vnni.h"

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-256.h"

#ifdef WOOLLY_VNNI_VL
const struct linear_isa linear_isa_avx512vl = {
  .name     = "avx512vl",
  .features = WLP_CPU_AVX2 | WLP_CPU_AVX512 | WLP_CPU_AVX512VNNI,
#else
const struct linear_isa linear_isa_avxvnni = {
  .name     = "avxvnni",
  .features = WLP_CPU_AVX2 | WLP_CPU_AVXVNNI,
#endif
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_256,
  .format   = format_of,
};
