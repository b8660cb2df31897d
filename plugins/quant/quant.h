/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tensor types: what they are called, how large their blocks are, and what weights stand in them.
 *
 * A row of a tensor is a sequence of blocks; a block holds a fixed number of weights (1 for plain floats, 32 or 256 for
 * the quantised types).  Within a block the weights form groups of 16 or 32 that share a scale, so that
 *
 *   weight = scale[group] * q - min[group],   q an integer of at most 8 bits
 *
 * where scale and min are float32, exact products of what the block stores, and q is exact.  wlq_unpack_i8() gives the
 * three; nothing else in the tree knows how a block is laid out.
 *
 * Every function may be called from any thread.
 */
#pragma once

#include "quant-half.h"
#include "woolly-plugin/tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How the weights of a type are computed with. */
enum wlq_policy {
  WLQ_POLICY_NONE   = 0, /* known by name and size only */
  WLQ_POLICY_FLOAT  = 1, /* F32, F16, BF16 */
  WLQ_POLICY_SYM32  = 2, /* groups of 32, no min */
  WLQ_POLICY_ASYM32 = 3, /* groups of 32 with min */
  WLQ_POLICY_SYM16  = 4, /* groups of 16, no min */
  WLQ_POLICY_ASYM16 = 5, /* groups of 16 with min */
};

/* Largest block: n_weights <= WLQ_MAX_BLOCK; and the most groups in one. */
#define WLQ_MAX_BLOCK  256
#define WLQ_MAX_GROUPS 16

struct wlq_traits {
  const char *name;     /* "Q4_K" */
  uint32_t block;       /* weights in a block */
  uint32_t block_bytes; /* bytes of a block */
  uint32_t policy;      /* enum wlq_policy */
  uint32_t group;       /* weights that share a scale; 0 for WLQ_POLICY_NONE and _FLOAT */
  uint32_t has_min;
  int32_t q_min; /* smallest and largest q that this type can hold */
  int32_t q_max;
};

/* The traits of a type number of the GGUF format; NULL for a number that is not known.  Types with WLQ_POLICY_NONE
 * have a name and a size, so that a file with them can be checked, but cannot be computed with. */
const struct wlq_traits *wlq_traits (uint32_t type);

/* "Q4_K"; "unknown" for a number that is not known.  Never NULL. */
const char *wlq_type_name (uint32_t type);

/* The number of a name, any case; -1: none. */
int32_t wlq_type_from_name (const char *name);

/* 1 where wlq_dequantize_row() knows the type. */
int wlq_is_supported (uint32_t type);

/* Bytes of a row of @n weights.  0, -ENOTSUP (unknown type), -EINVAL (@n is no multiple of the block), -EOVERFLOW. */
int wlq_row_bytes (uint32_t type, uint64_t n, uint64_t *ret_bytes);

/* @n weights (a multiple of the type's block) as float32.  @row needs no alignment.  0, -EINVAL, -ENOTSUP. */
int wlq_dequantize_row (uint32_t type, const void *row, size_t n, float *ret_weights);

/* @n weights (a multiple of the type's block) as integers with scales: @q [n], @scale [n / group], @min [n / group].
 * @min is not touched where the type has none, and may be NULL then.  The weights stand in the order of the row.
 * 0, -EINVAL, -ENOTSUP (plain floats, too). */
int wlq_unpack_i8 (uint32_t type, const void *row, size_t n, int8_t *q, float *scale, float *min);

/* @n floats (a multiple of 32) as Q8_0: the scale, max |x| / 127, is rounded to float16 first, then each value to the
 * nearest multiple of it (ties to even) within 127 steps; an error is at most half a step, but for the largest values
 * where the scale was rounded down, and for scales that float16 does not hold (cut at 65504, 0 below 2^-25).  What is
 * not a number is stored as -127 steps.  0, -EINVAL. */
int wlq_quantize_row_q8_0 (const float *values, size_t n, void *ret_row);

#ifdef __cplusplus
}
#endif
