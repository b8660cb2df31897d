/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The contract of the row kernels: what is done to a row of float32 value by value, and sums over a row.
 *
 * There is one body, vector-body.h, in plain C: additions, multiplications, divisions and square roots in a written
 * order, none contracted, sums in CPU_LANES lanes (cpu-math.h).  Each instruction set compiles it with its own flags,
 * so all give the same bits.
 */
#pragma once

#include "woolly-plugin/program.h"

#include <stdint.h>

struct vector_isa {
  const char *name;
  uint64_t features;

  /* Operators; @y may be @x or @gate. */
  void (*activate) (uint32_t act, uint32_t n, const float *x, float *y);
  void (*glu) (uint32_t act, uint32_t n, const float *gate, const float *up, float *y);
  void (*softcap) (float cap, uint32_t n, const float *x, float *y);
  void (*clamp) (const struct wlp_clamp_params *params, uint32_t n, const float *x, float *y);
  /* One group: (x - mean) / sqrt (variance + eps) * gain + bias; the mean is 0 but for WLP_NORM_LAYER; gain and bias
   * may be NULL. */
  void (*norm) (uint32_t kind, float eps, uint32_t n, const float *gain, const float *bias, const float *x, float *y);
  /* Pairs (i * step, i * step + distance) of one head turned by table[i] = (cosine, sine). */
  void (*rotate) (uint32_t n_pairs, uint32_t step, uint32_t distance, const float *table, const float *x, float *y);

  /* Attention.  s[i] = exp (factor * s[i] - max) for from <= i < end; returns max, the largest factor * s[i], and the
   * sum, value i in lane i of CPU_LANES. */
  float (*softmax) (float factor, float *s, uint32_t from, uint32_t end, float *ret_sum);
  /* total = total * old + o * new */
  void (*merge) (uint32_t n, float old_scale, const float *o, float scale, float *total);
};

extern const struct vector_isa vector_isa_c;
#ifdef WOOLLY_HAVE_AVX2
extern const struct vector_isa vector_isa_avx2;
#endif
#ifdef WOOLLY_HAVE_NEON
extern const struct vector_isa vector_isa_neon;
#endif

const struct vector_isa *vector_isa_at (unsigned index); /* best first; NULL past the last one */
const struct vector_isa *vector_isa_choose (uint64_t features, const char *name);
