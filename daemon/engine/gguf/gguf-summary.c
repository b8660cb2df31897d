/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What people want to know of a file at a glance.
 */
#include "gguf/gguf-private.h"

#include "quant.h"

/* Room for every type number of the format. */
#define MAX_TYPES 64

/* By general.file_type. */
static const char *const file_type_names[] = {
  [0] = "F32",     [1] = "F16",     [2] = "Q4_0",     [3] = "Q4_1",    [7] = "Q8_0",     [8] = "Q5_0",
  [9] = "Q5_1",    [10] = "Q2_K",   [11] = "Q3_K_S",  [12] = "Q3_K_M", [13] = "Q3_K_L",  [14] = "Q4_K_S",
  [15] = "Q4_K_M", [16] = "Q5_K_S", [17] = "Q5_K_M",  [18] = "Q6_K",   [19] = "IQ2_XXS", [20] = "IQ2_XS",
  [21] = "Q2_K_S", [22] = "IQ3_XS", [23] = "IQ3_XXS", [24] = "IQ1_S",  [25] = "IQ4_NL",  [26] = "IQ3_S",
  [27] = "IQ3_M",  [28] = "IQ2_S",  [29] = "IQ2_M",   [30] = "IQ4_XS", [31] = "IQ1_M",   [32] = "BF16",
  [36] = "TQ1_0",  [37] = "TQ2_0",  [38] = "MXFP4",   [39] = "NVFP4",  [40] = "Q1_0",    [41] = "Q2_0",
};

/* The type that the most bytes are in: what the weights are, whatever the norms are. */
static const char *
dominant_type (const WlyGguf *gguf)
{
  guint64 n_bytes[MAX_TYPES] = { 0 };
  guint best                 = MAX_TYPES;

  for (guint i = 0; i < gguf->tensors->len; i++) {
    const WlyGgufTensor *tensor = &g_array_index (gguf->tensors, WlyGgufTensor, i);

    if (tensor->shape.type >= MAX_TYPES)
      continue;
    n_bytes[tensor->shape.type] += tensor->n_bytes;
    if (best == MAX_TYPES || n_bytes[tensor->shape.type] > n_bytes[best])
      best = tensor->shape.type;
  }
  return best == MAX_TYPES ? "none" : wlq_type_name (best);
}

const char *
wly_gguf_quantization (const WlyGguf *gguf)
{
  guint32 type;

  if (wly_gguf_get_u32 (gguf, "general.file_type", &type) && type < G_N_ELEMENTS (file_type_names)
      && file_type_names[type] != NULL)
    return file_type_names[type];
  return dominant_type (gguf);
}

guint64
wly_gguf_n_parameters (const WlyGguf *gguf)
{
  return gguf->n_parameters;
}

guint64
wly_gguf_data_bytes (const WlyGguf *gguf)
{
  return gguf->data_bytes;
}

guint64
wly_gguf_file_bytes (const WlyGguf *gguf)
{
  guint64 n_bytes = 0;

  for (guint i = 0; i < gguf->n_parts; i++)
    n_bytes += gguf->parts[i].n_bytes;
  return n_bytes;
}
