/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "linear.h"

#include "woolly-plugin/services.h"

#include <string.h>

/* Best first. */
static const struct linear_isa *const isas[] = {
#ifdef WOOLLY_HAVE_AVX2
  &linear_isa_avx2,
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

static const uint8_t *
part_of_row (const struct wlq_traits *traits, const void *src, size_t row_bytes, unsigned row, size_t k0)
{
  return (const uint8_t *)src + (size_t)row * row_bytes + k0 / traits->block * traits->block_bytes;
}

void
linear_unpack_part (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k0, size_t n,
                    struct linear_part *ret_part)
{
  const struct wlq_traits *traits = wlq_traits (type);
  unsigned r;

  for (r = 0; r < n_rows; r++)
    wlq_unpack_i8 (type, part_of_row (traits, src, row_bytes, r, k0), n, ret_part->q[r], ret_part->scale[r],
                   ret_part->min[r]);
}

void
linear_dequantise_part (uint32_t type, const void *src, size_t row_bytes, unsigned n_rows, size_t k0, size_t n,
                        float (*ret_w)[LINEAR_PART])
{
  const struct wlq_traits *traits = wlq_traits (type);
  unsigned r;

  for (r = 0; r < n_rows; r++)
    wlq_dequantize_row (type, part_of_row (traits, src, row_bytes, r, k0), n, ret_w[r]);
}
