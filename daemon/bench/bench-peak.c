/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-peak.h"

#include "woolly-plugin/services.h"

#include <string.h>

/* Arrays of sums lie in registers only where loops over them are unrolled; clang does that by itself. */
#ifdef __clang__
#define UNROLLED
#else
#define UNROLLED __attribute__ ((optimize ("O3")))
#endif

/* A sum is kept in a register by the constraint of an empty instruction. */
#define KEEP(sum) __asm__ volatile("" : "+" REGISTER (sum))

#if defined(__x86_64__)
#include <immintrin.h>

#define REGISTER "x"

/* The product of unsigned and signed bytes is summed in pairs, then by eight of them in int16, which 4-bit weights
 * allow; then in int32. */
#define MADDUBS_ROUND(type, maddubs, add16, madd, add32, ones)                                                         \
  for (guint a = 0; a < 4; a++) {                                                                                      \
    type sum16;                                                                                                        \
                                                                                                                       \
    KEEP (numbers[0]);                                                                                                 \
    sum16 = maddubs (weights, numbers[0]);                                                                             \
    for (guint i = 1; i < 8; i++) {                                                                                    \
      KEEP (numbers[i & 3]);                                                                                           \
      sum16 = add16 (sum16, maddubs (weights, numbers[i & 3]));                                                        \
    }                                                                                                                  \
    sums[a] = add32 (sums[a], madd (sum16, ones));                                                                     \
    KEEP (sums[a]);                                                                                                    \
  }

static void run_avx2 (guint n_rounds) __attribute__ ((target ("avx2"))) UNROLLED;

static void
run_avx2 (guint n_rounds)
{
  const __m256i ones = _mm256_set1_epi16 (1);
  __m256i weights    = _mm256_set1_epi8 (3);
  __m256i numbers[4] = { ones, ones, ones, ones };
  __m256i sums[4]    = { ones, ones, ones, ones };

  for (guint r = 0; r < n_rounds; r++)
    MADDUBS_ROUND (__m256i, _mm256_maddubs_epi16, _mm256_add_epi16, _mm256_madd_epi16, _mm256_add_epi32, ones)
}

#undef REGISTER
#define REGISTER "v"

static void run_avx512 (guint n_rounds) __attribute__ ((target ("avx512f,avx512bw"))) UNROLLED;

static void
run_avx512 (guint n_rounds)
{
  const __m512i ones = _mm512_set1_epi16 (1);
  __m512i weights    = _mm512_set1_epi8 (3);
  __m512i numbers[4] = { ones, ones, ones, ones };
  __m512i sums[4]    = { ones, ones, ones, ones };

  for (guint r = 0; r < n_rounds; r++)
    MADDUBS_ROUND (__m512i, _mm512_maddubs_epi16, _mm512_add_epi16, _mm512_madd_epi16, _mm512_add_epi32, ones)
}

#define DOT_SUMS 12

static void run_avx512vnni (guint n_rounds) __attribute__ ((target ("avx512f,avx512vnni"))) UNROLLED;

static void
run_avx512vnni (guint n_rounds)
{
  const __m512i weights  = _mm512_set1_epi8 (3);
  const __m512i numbers  = _mm512_set1_epi8 (1);
  __m512i sums[DOT_SUMS] = { weights };

  for (guint r = 0; r < n_rounds; r++)
    for (guint i = 0; i < DOT_SUMS; i++)
      __asm__ volatile("vpdpbusd %2, %1, %0" : "+v"(sums[i]) : "v"(weights), "v"(numbers));
}

static void run_avxvnni (guint n_rounds) __attribute__ ((target ("avx2"))) UNROLLED;

static void
run_avxvnni (guint n_rounds)
{
  const __m256i weights  = _mm256_set1_epi8 (3);
  const __m256i numbers  = _mm256_set1_epi8 (1);
  __m256i sums[DOT_SUMS] = { weights };

  for (guint r = 0; r < n_rounds; r++)
    for (guint i = 0; i < DOT_SUMS; i++)
      __asm__ volatile("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sums[i]) : "x"(weights), "x"(numbers));
}
#elif defined(__aarch64__)
#include <arm_neon.h>

#define DOT_SUMS 16

static void run_dotprod (guint n_rounds) __attribute__ ((target ("arch=armv8.2-a+dotprod"))) UNROLLED;

static void
run_dotprod (guint n_rounds)
{
  const int8x16_t numbers  = vdupq_n_s8 (1);
  int32x4_t sums[DOT_SUMS] = { vdupq_n_s32 (0) };

  for (guint r = 0; r < n_rounds; r++)
    for (guint i = 0; i < DOT_SUMS; i++)
      __asm__ volatile("sdot %0.4s, %1.16b, %2.16b" : "+w"(sums[i]) : "w"(numbers), "w"(numbers));
}

static void run_i8mm (guint n_rounds) __attribute__ ((target ("arch=armv8.2-a+i8mm"))) UNROLLED;

static void
run_i8mm (guint n_rounds)
{
  const int8x16_t numbers  = vdupq_n_s8 (1);
  int32x4_t sums[DOT_SUMS] = { vdupq_n_s32 (0) };

  for (guint r = 0; r < n_rounds; r++)
    for (guint i = 0; i < DOT_SUMS; i++)
      __asm__ volatile("smmla %0.4s, %1.16b, %2.16b" : "+w"(sums[i]) : "w"(numbers), "w"(numbers));
}
#endif

#define PLAIN_BYTES 1024

/* What the compiler makes of it for any machine of this architecture. */
static void run_c (guint n_rounds) UNROLLED;

static void
run_c (guint n_rounds)
{
  static volatile gint32 result;
  gint8 a[PLAIN_BYTES];
  gint8 b[PLAIN_BYTES];
  gint32 sum = 0;

  memset (a, 3, sizeof a);
  memset (b, 1, sizeof b);
  for (guint r = 0; r < n_rounds; r++) {
    __asm__ volatile("" : : "r"(a), "r"(b) : "memory");
    for (guint i = 0; i < PLAIN_BYTES; i++)
      sum += (gint32)a[i] * b[i];
  }
  result = sum;
  (void)result;
}

/* Best first. */
static const BenchPeak peaks[] = {
#if defined(__x86_64__)
  { "avx512vnni", "vpdpbusd zmm", WLP_CPU_AVX512VNNI, DOT_SUMS * 64, run_avx512vnni },
  { "avx512", "vpmaddubsw zmm", WLP_CPU_AVX512, 4 * 8 * 64, run_avx512 },
  { "avxvnni", "vpdpbusd ymm", WLP_CPU_AVXVNNI, DOT_SUMS * 32, run_avxvnni },
  { "avx2", "vpmaddubsw ymm", WLP_CPU_AVX2, 4 * 8 * 32, run_avx2 },
#elif defined(__aarch64__)
  { "i8mm", "smmla", WLP_CPU_I8MM, DOT_SUMS * 32, run_i8mm },
  { "dotprod", "sdot", WLP_CPU_DOTPROD, DOT_SUMS * 16, run_dotprod },
#endif
  { "c", "compiled C", 0, PLAIN_BYTES, run_c },
};

const BenchPeak *
bench_peak_find (const char *isa, guint64 features)
{
  for (gsize i = 0; i < G_N_ELEMENTS (peaks); i++)
    if ((peaks[i].features & ~features) == 0 && (isa == NULL || strcmp (peaks[i].isa, isa) == 0))
      return &peaks[i];
  return NULL;
}
