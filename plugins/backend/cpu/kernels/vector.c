/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vector.h"

#include <stddef.h>
#include <string.h>

/* Best first. */
static const struct vector_isa *const isas[] = {
#ifdef WOOLLY_HAVE_AVX2
  &vector_isa_avx2,
#endif
#ifdef WOOLLY_HAVE_NEON
  &vector_isa_neon,
#endif
  &vector_isa_c,
};

const struct vector_isa *
vector_isa_at (unsigned index)
{
  return index < sizeof isas / sizeof isas[0] ? isas[index] : NULL;
}

const struct vector_isa *
vector_isa_choose (uint64_t features, const char *name)
{
  const struct vector_isa *isa;
  unsigned i;

  for (i = 0; (isa = vector_isa_at (i)) != NULL; i++)
    if ((isa->features & ~features) == 0 && (name == NULL || name[0] == '\0' || strcmp (isa->name, name) == 0))
      return isa;
  return NULL;
}
