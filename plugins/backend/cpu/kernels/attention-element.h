/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the vector kernels of attention.h have in common before their loops.
 */
#pragma once

#include "attention.h"

#include "quant-half.h"

#define Q8_BLOCK       32
#define Q8_BLOCK_BYTES 34

#define ALWAYS inline __attribute__ ((always_inline))

enum element { ELEMENT_F32, ELEMENT_F16, ELEMENT_Q8_0 };

static ALWAYS size_t
element_bytes (enum element element)
{
  return element == ELEMENT_F32 ? 4 : (element == ELEMENT_F16 ? 2 : 1); /* of Q8_0 without the scales */
}

/* One value, where fewer than a vector are left; never with Q8_0. */
static ALWAYS float
load_value (enum element element, const uint8_t *row, unsigned d)
{
  if (element == ELEMENT_F32)
    return ((const float *)(const void *)row)[d];
  return wlq_f16_to_f32 (((const uint16_t *)(const void *)row)[d]);
}
