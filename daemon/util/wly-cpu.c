/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-cpu.h"

#include "woolly-names.h"
#include "woolly-plugin/services.h"

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__)
#include <sys/auxv.h>
#endif

static const struct {
  const char *name;
  guint64 feature;
} names[] = {
  { "sse42", WLP_CPU_SSE42 },
  { "avx2", WLP_CPU_AVX2 },
  { "avxvnni", WLP_CPU_AVXVNNI },
  { "avx512", WLP_CPU_AVX512 },
  { "avx512vnni", WLP_CPU_AVX512VNNI },
  { "avx512bf16", WLP_CPU_AVX512BF16 },
  { "neon", WLP_CPU_NEON },
  { "dotprod", WLP_CPU_DOTPROD },
  { "i8mm", WLP_CPU_I8MM },
  { "sve", WLP_CPU_SVE },
};

#if defined(__x86_64__)
#define BIT(word, n) (((word) >> (n)) & 1u)

/* XCR0 tells which registers the operating system saves; read by its own instruction, so that no compiler flag is
 * needed here. */
static guint64
read_xcr0 (void)
{
  guint32 low, high;

  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (guint64)high << 32 | low;
}

static guint64
avx_features (guint32 leaf1_ecx)
{
  guint32 a, b, c, d;
  guint64 xcr0     = read_xcr0 ();
  guint64 features = 0;
  gboolean avx512;

  if ((xcr0 & 0x6) != 0x6 || !__get_cpuid_count (7, 0, &a, &b, &c, &d))
    return 0;
  /* FMA, F16C and AVX2 came together in every CPU that has the last one, but a hypervisor may mask any of them */
  if (BIT (leaf1_ecx, 28) && BIT (leaf1_ecx, 12) && BIT (leaf1_ecx, 29) && BIT (b, 5))
    features |= WLP_CPU_AVX2;
  avx512 = (xcr0 & 0xe6) == 0xe6 && BIT (b, 16) && BIT (b, 17) && BIT (b, 30) && BIT (b, 31);
  if (avx512)
    features |= WLP_CPU_AVX512;
  if (avx512 && BIT (c, 11))
    features |= WLP_CPU_AVX512VNNI;
  if (a >= 1 && __get_cpuid_count (7, 1, &a, &b, &c, &d)) {
    if (BIT (a, 4) && (features & WLP_CPU_AVX2))
      features |= WLP_CPU_AVXVNNI;
    if (BIT (a, 5) && avx512)
      features |= WLP_CPU_AVX512BF16;
  }
  return features;
}

static guint64
detect (void)
{
  guint32 a, b, c, d;
  guint64 features = 0;

  if (!__get_cpuid (1, &a, &b, &c, &d))
    return 0;
  if (BIT (c, 20))
    features |= WLP_CPU_SSE42;
  if (BIT (c, 27)) /* OSXSAVE: xgetbv may be used */
    features |= avx_features (c);
  return features;
}
#elif defined(__aarch64__)
static guint64
detect (void)
{
  unsigned long hwcap  = getauxval (AT_HWCAP);
  unsigned long hwcap2 = getauxval (AT_HWCAP2);
  guint64 features     = WLP_CPU_NEON;

  if (hwcap & (1ul << 20)) /* HWCAP_ASIMDDP */
    features |= WLP_CPU_DOTPROD;
  if (hwcap & (1ul << 22)) /* HWCAP_SVE */
    features |= WLP_CPU_SVE;
  if (hwcap2 & (1ul << 13)) /* HWCAP2_I8MM */
    features |= WLP_CPU_I8MM;
  return features;
}
#else
static guint64
detect (void)
{
  return 0;
}
#endif

static guint64
mask_from_environment (void)
{
  const char *text     = g_getenv (WOOLLY_ENV_CPU_MASK);
  g_auto (GStrv) words = NULL;
  guint64 mask         = 0;

  if (text == NULL || text[0] == '\0')
    return G_MAXUINT64;
  words = g_strsplit (text, ",", -1);
  for (guint i = 0; words[i] != NULL; i++)
    for (gsize j = 0; j < G_N_ELEMENTS (names); j++)
      if (g_str_equal (words[i], names[j].name))
        mask |= names[j].feature;
  return mask;
}

guint64
wly_cpu_features (void)
{
  return detect () & mask_from_environment ();
}

const char **
wly_cpu_feature_names (guint64 features)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (features & names[i].feature)
      g_ptr_array_add (list, (gpointer)names[i].name);
  g_ptr_array_add (list, NULL);
  return (const char **)g_ptr_array_free (g_steal_pointer (&list), FALSE);
}
