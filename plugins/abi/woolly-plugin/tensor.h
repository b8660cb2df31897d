/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tensor types and where weights lie.
 */
#pragma once

#include "plugin.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_MAX_DIMS 4

/* Numbers are those of the GGUF format. */
enum wlp_type {
  WLP_TYPE_F32     = 0,
  WLP_TYPE_F16     = 1,
  WLP_TYPE_Q4_0    = 2,
  WLP_TYPE_Q4_1    = 3,
  WLP_TYPE_Q5_0    = 6,
  WLP_TYPE_Q5_1    = 7,
  WLP_TYPE_Q8_0    = 8,
  WLP_TYPE_Q8_1    = 9,
  WLP_TYPE_Q2_K    = 10,
  WLP_TYPE_Q3_K    = 11,
  WLP_TYPE_Q4_K    = 12,
  WLP_TYPE_Q5_K    = 13,
  WLP_TYPE_Q6_K    = 14,
  WLP_TYPE_Q8_K    = 15,
  WLP_TYPE_IQ2_XXS = 16,
  WLP_TYPE_IQ2_XS  = 17,
  WLP_TYPE_IQ3_XXS = 18,
  WLP_TYPE_IQ1_S   = 19,
  WLP_TYPE_IQ4_NL  = 20,
  WLP_TYPE_IQ3_S   = 21,
  WLP_TYPE_IQ2_S   = 22,
  WLP_TYPE_IQ4_XS  = 23,
  WLP_TYPE_I8      = 24,
  WLP_TYPE_I16     = 25,
  WLP_TYPE_I32     = 26,
  WLP_TYPE_I64     = 27,
  WLP_TYPE_F64     = 28,
  WLP_TYPE_IQ1_M   = 29,
  WLP_TYPE_BF16    = 30,
  WLP_TYPE_TQ1_0   = 34,
  WLP_TYPE_TQ2_0   = 35,
  WLP_TYPE_MXFP4   = 39,
  WLP_TYPE_NVFP4   = 40,
  WLP_TYPE_Q1_0    = 41,
  WLP_TYPE_Q2_0    = 42,
};

/* Shape of a tensor: ne[0] is the innermost extent (the row that a dot product runs over); unused extents are 1. */
struct wlp_shape {
  uint32_t n_dims; /* 1..4 */
  uint32_t type;   /* enum wlp_type */
  uint64_t ne[WLP_MAX_DIMS];
};

/* Where the bytes of one weight lie.  The host has checked that they all lie inside the file.  `map` belongs to the
 * host and is read-only; NULL where the file is not mapped, then the backend reads `fd`. */
struct wlp_weight_source {
  struct wlp_shape shape;
  int32_t fd;
  uint64_t offset; /* bytes from the start of the file */
  uint64_t n_bytes;
  const void *map;
};

#ifdef __cplusplus
}
#endif
