/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Rows of any type: to integers with scales, and from there to float32.
 */
#include "quant-blocks.h"

#include <errno.h>

static const wlq_unpack_fn unpackers[] = {
  [WLP_TYPE_Q4_0] = wlq_unpack_q4_0,   [WLP_TYPE_Q4_1] = wlq_unpack_q4_1,     [WLP_TYPE_Q5_0] = wlq_unpack_q5_0,
  [WLP_TYPE_Q5_1] = wlq_unpack_q5_1,   [WLP_TYPE_Q8_0] = wlq_unpack_q8_0,     [WLP_TYPE_Q2_K] = wlq_unpack_q2_k,
  [WLP_TYPE_Q3_K] = wlq_unpack_q3_k,   [WLP_TYPE_Q4_K] = wlq_unpack_q4_k,     [WLP_TYPE_Q5_K] = wlq_unpack_q5_k,
  [WLP_TYPE_Q6_K] = wlq_unpack_q6_k,   [WLP_TYPE_IQ4_NL] = wlq_unpack_iq4_nl, [WLP_TYPE_IQ4_XS] = wlq_unpack_iq4_xs,
  [WLP_TYPE_MXFP4] = wlq_unpack_mxfp4,
};

static wlq_unpack_fn
find_unpacker (uint32_t type)
{
  return type < sizeof unpackers / sizeof unpackers[0] ? unpackers[type] : NULL;
}

int
wlq_unpack_i8 (uint32_t type, const void *row, size_t n, int8_t *q, float *scale, float *min)
{
  const struct wlq_traits *traits = wlq_traits (type);
  const wlq_unpack_fn unpack      = find_unpacker (type);
  const uint8_t *block            = row;
  size_t n_groups;

  if (unpack == NULL)
    return -ENOTSUP;
  if (n % traits->block != 0)
    return -EINVAL;
  n_groups = traits->block / traits->group;
  for (size_t i = 0; i < n; i += traits->block) {
    unpack (block, q, scale, min);
    block += traits->block_bytes;
    q += traits->block;
    scale += n_groups;
    if (traits->has_min)
      min += n_groups;
  }
  return 0;
}

static uint32_t
load_le32 (const uint8_t *bytes)
{
  return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void
dequantize_floats (uint32_t type, const uint8_t *row, size_t n, float *ret_weights)
{
  const struct wlq_le16 *halves = (const void *)row;

  for (size_t i = 0; i < n; i++) {
    if (type == WLP_TYPE_F32)
      ret_weights[i] = wlq_f32_from_bits (load_le32 (row + 4 * i));
    else if (type == WLP_TYPE_F16)
      ret_weights[i] = wlq_le16_f16 (halves[i]);
    else
      ret_weights[i] = wlq_bf16_to_f32 (wlq_le16_get (halves[i]));
  }
}

static void
dequantize_block (const struct wlq_traits *traits, wlq_unpack_fn unpack, const uint8_t *block, float *ret_weights)
{
  float scale[WLQ_MAX_GROUPS], min[WLQ_MAX_GROUPS];
  int8_t q[WLQ_MAX_BLOCK];

  unpack (block, q, scale, min);
  for (uint32_t first = 0, g = 0; first < traits->block; first += traits->group, g++)
    for (uint32_t i = first; i < first + traits->group; i++)
      ret_weights[i] = traits->has_min ? scale[g] * (float)q[i] - min[g] : scale[g] * (float)q[i];
}

int
wlq_dequantize_row (uint32_t type, const void *row, size_t n, float *ret_weights)
{
  const struct wlq_traits *traits = wlq_traits (type);
  const wlq_unpack_fn unpack      = find_unpacker (type);
  const uint8_t *block            = row;

  if (!wlq_is_supported (type))
    return -ENOTSUP;
  if (n % traits->block != 0)
    return -EINVAL;
  if (unpack == NULL) {
    dequantize_floats (type, row, n, ret_weights);
    return 0;
  }
  for (size_t i = 0; i < n; i += traits->block, block += traits->block_bytes)
    dequantize_block (traits, unpack, block, ret_weights + i);
  return 0;
}
