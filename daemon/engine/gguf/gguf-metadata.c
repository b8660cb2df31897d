/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The view that architecture plugins get.
 */
#include "gguf/gguf-private.h"

#include <errno.h>

static const WlyGgufKey *
find_key (const struct wlp_metadata *metadata, const char *name)
{
  return wly_gguf_keys_find (&((const WlyGguf *)metadata)->keys, name);
}

static int
view_get_u32 (const struct wlp_metadata *metadata, const char *name, uint32_t *ret_value)
{
  const WlyGgufKey *key = find_key (metadata, name);

  if (key == NULL)
    return -ENOENT;
  return key->type == WLY_GGUF_BOOL ? -EINVAL : wly_gguf_value_load_u32 (key->type, key->data, ret_value);
}

static int
view_get_f32 (const struct wlp_metadata *metadata, const char *name, float *ret_value)
{
  const WlyGgufKey *key = find_key (metadata, name);

  return key == NULL ? -ENOENT : wly_gguf_value_load_f32 (key->type, key->data, ret_value);
}

static int
view_get_bool (const struct wlp_metadata *metadata, const char *name, int *ret_value)
{
  const WlyGgufKey *key = find_key (metadata, name);

  if (key == NULL)
    return -ENOENT;
  if (key->type != WLY_GGUF_BOOL)
    return -EINVAL;
  *ret_value = key->data[0] != 0;
  return 0;
}

static int
view_get_string (const struct wlp_metadata *metadata, const char *name, char *ret_value, size_t size)
{
  const WlyGgufKey *key = find_key (metadata, name);
  gsize n_bytes;

  if (key == NULL)
    return -ENOENT;
  if (key->type != WLY_GGUF_STRING)
    return -EINVAL;
  if (size == 0)
    return -ERANGE;
  n_bytes = MIN (key->n_bytes, size - 1);
  memcpy (ret_value, key->data, n_bytes);
  ret_value[n_bytes] = '\0';
  return n_bytes == key->n_bytes ? 0 : -ERANGE;
}

static int
view_get_array_length (const struct wlp_metadata *metadata, const char *name, uint64_t *ret_length)
{
  const WlyGgufKey *key = find_key (metadata, name);

  if (key == NULL)
    return -ENOENT;
  if (key->type != WLY_GGUF_ARRAY)
    return -EINVAL;
  *ret_length = key->n_items;
  return 0;
}

/* The first of items @first .. @first + @n - 1 of an array of numbers or bools. */
static int
find_items (const struct wlp_metadata *metadata, const char *name, uint64_t first, uint64_t n,
            const WlyGgufKey **ret_key, const guint8 **ret_data)
{
  const WlyGgufKey *key = find_key (metadata, name);

  if (key == NULL)
    return -ENOENT;
  if (key->type != WLY_GGUF_ARRAY || key->item_type == WLY_GGUF_STRING)
    return -EINVAL;
  if (first > key->n_items || n > key->n_items - first)
    return -ERANGE;
  *ret_key  = key;
  *ret_data = key->data + first * wly_gguf_type_bytes (key->item_type);
  return 0;
}

static int
view_get_array_u32 (const struct wlp_metadata *metadata, const char *name, uint64_t first, uint64_t n,
                    uint32_t *ret_values)
{
  const WlyGgufKey *key;
  const guint8 *data;
  int result = find_items (metadata, name, first, n, &key, &data);

  for (uint64_t i = 0; result == 0 && i < n; i++)
    result = wly_gguf_value_load_u32 (key->item_type, data + i * wly_gguf_type_bytes (key->item_type), &ret_values[i]);
  return result;
}

static int
view_get_array_f32 (const struct wlp_metadata *metadata, const char *name, uint64_t first, uint64_t n,
                    float *ret_values)
{
  const WlyGgufKey *key;
  const guint8 *data;
  int result = find_items (metadata, name, first, n, &key, &data);

  for (uint64_t i = 0; result == 0 && i < n; i++)
    result = wly_gguf_value_load_f32 (key->item_type, data + i * wly_gguf_type_bytes (key->item_type), &ret_values[i]);
  return result;
}

static int
view_get_tensor (const struct wlp_metadata *metadata, const char *name, struct wlp_shape *ret_shape)
{
  const WlyGgufTensor *tensor = wly_gguf_find_tensor ((const WlyGguf *)metadata, name);

  if (tensor == NULL)
    return -ENOENT;
  *ret_shape = tensor->shape;
  return 0;
}

static const char *
view_architecture (const struct wlp_metadata *metadata)
{
  return ((const WlyGguf *)metadata)->architecture;
}

const struct wlp_metadata_ops wly_gguf_metadata_ops = {
  .version          = WLP_METADATA_VERSION,
  .get_u32          = view_get_u32,
  .get_f32          = view_get_f32,
  .get_bool         = view_get_bool,
  .get_string       = view_get_string,
  .get_array_length = view_get_array_length,
  .get_array_u32    = view_get_array_u32,
  .get_array_f32    = view_get_array_f32,
  .get_tensor       = view_get_tensor,
  .architecture     = view_architecture,
};

const struct wlp_metadata *
wly_gguf_metadata (WlyGguf *gguf)
{
  return &gguf->metadata;
}
