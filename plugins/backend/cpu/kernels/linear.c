/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "linear.h"

#include "woolly-plugin/services.h"

#include <string.h>

/* Best first. */
static const struct linear_isa *const isas[] = {
#ifdef WOOLLY_HAVE_AVX512
  &linear_isa_avx512vnni, &linear_isa_avx512vl,
#endif
#ifdef WOOLLY_HAVE_AVXVNNI
  &linear_isa_avxvnni,
#endif
#ifdef WOOLLY_HAVE_AVX512
  &linear_isa_avx512,
#endif
#ifdef WOOLLY_HAVE_AVX2
  &linear_isa_avx2,
#endif
#ifdef WOOLLY_HAVE_ARM
  &linear_isa_i8mm,       &linear_isa_dotprod,
#endif
  &linear_isa_c,
};

const struct linear_isa *
linear_isa_at (unsigned index)
{
  return index < sizeof isas / sizeof isas[0] ? isas[index] : NULL;
}

const struct linear_isa *
linear_isa_choose (uint64_t features, const char *name)
{
  const struct linear_isa *isa;
  unsigned i;

  for (i = 0; (isa = linear_isa_at (i)) != NULL; i++) {
    if ((isa->features & ~features) != 0)
      continue;
    if (name == NULL || name[0] == '\0' || strcmp (isa->name, name) == 0)
      return isa;
  }
  return NULL;
}
