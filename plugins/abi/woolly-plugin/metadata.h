/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A plugin's view of a model file: keys and tensors by name, nothing of the file's layout.
 */
#pragma once

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_METADATA_VERSION 1u

struct wlp_metadata;

/* Getters return 0, -ENOENT (no such key), -EINVAL (the key has another kind of value) or -ERANGE (it does not fit).
 * An integer of any width and sign serves where it fits, F64 serves as F32.  Keys are complete ("llama.block_count").
 */
struct wlp_metadata_ops {
  uint32_t version; /* WLP_METADATA_VERSION */
  int (*get_u32) (const struct wlp_metadata *metadata, const char *key, uint32_t *ret_value);
  int (*get_f32) (const struct wlp_metadata *metadata, const char *key, float *ret_value);
  int (*get_bool) (const struct wlp_metadata *metadata, const char *key, int *ret_value);
  /* The string is not terminated in the file; it is copied, cut at @size - 1 and terminated.  -ERANGE if it was cut. */
  int (*get_string) (const struct wlp_metadata *metadata, const char *key, char *ret_value, size_t size);
  /* Number of items of an array; -EINVAL for what is no array. */
  int (*get_array_length) (const struct wlp_metadata *metadata, const char *key, uint64_t *ret_length);
  /* Items @first .. @first + @n - 1 of an array of numbers or booleans. */
  int (*get_array_u32) (const struct wlp_metadata *metadata, const char *key, uint64_t first, uint64_t n,
                        uint32_t *ret_values);
  int (*get_array_f32) (const struct wlp_metadata *metadata, const char *key, uint64_t first, uint64_t n,
                        float *ret_values);
  /* 0 and the shape, or -ENOENT. */
  int (*get_tensor) (const struct wlp_metadata *metadata, const char *name, struct wlp_shape *ret_shape);
  /* general.architecture; never NULL, belongs to the host. */
  const char *(*architecture) (const struct wlp_metadata *metadata);
};

struct wlp_metadata {
  const struct wlp_metadata_ops *ops;
};

#ifdef __cplusplus
}
#endif
