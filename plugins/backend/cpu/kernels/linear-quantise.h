/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the vector variants of quantise() have in common.  The reference has its own, to be compared with.
 */
#pragma once

#include "linear.h"

#include <stdbool.h>
#include <string.h>

/* The scale of a block whose largest magnitude has the bits @max_bits.  False: there is none, and @block is complete,
 * all zeros or, where a value is not finite, not a number. */
static inline bool
linear_block_scale (uint32_t max_bits, struct linear_block *block, float *ret_scale)
{
  const float scale    = wlq_f32_from_bits (max_bits) / 127.0f;
  const bool is_finite = max_bits < 0x7f800000u;

  if (is_finite && scale >= 0x1p-126f) {
    *ret_scale = scale;
    return true;
  }
  memset (block, 0, sizeof *block);
  if (!is_finite)
    block->d = block->s = wlq_f32_from_bits (0x7fc00000u);
  return false;
}
