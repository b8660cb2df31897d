/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values by name: the engine's getters, and the view that architecture plugins get.
 */
#include "gguf/gguf-private.h"

#include <errno.h>
#include <math.h>

/* A whole number of any type of the format: two's complement, and whether it is below 0. */
typedef struct {
  guint64 bits;
  gboolean negative;
} Integer;

static guint64
load_bits (const guint8 *data, gsize n_bytes)
{
  guint64 bits = 0;

  for (gsize i = 0; i < n_bytes; i++)
    bits |= (guint64)data[i] << (8 * i);
  return bits;
}

static Integer
make_signed (gint64 value)
{
  return (Integer){ .bits = (guint64)value, .negative = value < 0 };
}

/* 0 or -EINVAL. */
static int
load_integer (WlyGgufType type, const guint8 *data, Integer *ret_value)
{
  const guint64 bits = load_bits (data, wly_gguf_type_bytes (type));

  switch (type) {
  case WLY_GGUF_U8:
  case WLY_GGUF_U16:
  case WLY_GGUF_U32:
  case WLY_GGUF_U64:
  case WLY_GGUF_BOOL:
    *ret_value = (Integer){ .bits = bits };
    return 0;
  case WLY_GGUF_I8:
    *ret_value = make_signed ((gint8)bits);
    return 0;
  case WLY_GGUF_I16:
    *ret_value = make_signed ((gint16)bits);
    return 0;
  case WLY_GGUF_I32:
    *ret_value = make_signed ((gint32)bits);
    return 0;
  case WLY_GGUF_I64:
    *ret_value = make_signed ((gint64)bits);
    return 0;
  case WLY_GGUF_F32:
  case WLY_GGUF_F64:
  case WLY_GGUF_STRING:
  case WLY_GGUF_ARRAY:
    break;
  }
  return -EINVAL;
}

/* 0, -EINVAL or -ERANGE.  Whole numbers serve where a float holds them exactly. */
static int
load_f32 (WlyGgufType type, const guint8 *data, float *ret_value)
{
  Integer integer;
  guint32 bits32;
  guint64 bits64;
  double value;

  if (type == WLY_GGUF_F32) {
    bits32 = (guint32)load_bits (data, 4);
    memcpy (ret_value, &bits32, 4);
    return 0;
  }
  if (type == WLY_GGUF_F64) {
    bits64 = load_bits (data, 8);
    memcpy (&value, &bits64, 8);
    if (isfinite (value) && fabs (value) > (double)G_MAXFLOAT)
      return -ERANGE;
    *ret_value = (float)value;
    return 0;
  }
  if (type == WLY_GGUF_BOOL || load_integer (type, data, &integer) != 0)
    return -EINVAL;
  if ((integer.negative ? -integer.bits : integer.bits) > (1u << 24))
    return -ERANGE;
  *ret_value = integer.negative ? -(float)-integer.bits : (float)integer.bits;
  return 0;
}

static int
load_u32 (WlyGgufType type, const guint8 *data, guint32 *ret_value)
{
  Integer integer;
  const int result = load_integer (type, data, &integer);

  if (result != 0)
    return result;
  if (integer.negative || integer.bits > G_MAXUINT32)
    return -ERANGE;
  *ret_value = (guint32)integer.bits;
  return 0;
}

static int
load_i32 (WlyGgufType type, const guint8 *data, gint32 *ret_value)
{
  Integer integer;
  const int result = load_integer (type, data, &integer);

  if (result != 0)
    return result;
  if (integer.negative ? (gint64)integer.bits < G_MININT32 : integer.bits > G_MAXINT32)
    return -ERANGE;
  *ret_value = (gint32)(gint64)integer.bits;
  return 0;
}

gboolean
wly_gguf_value_u64 (const WlyGgufKey *key, guint64 *ret_value)
{
  Integer integer;

  if (key->type == WLY_GGUF_BOOL || load_integer (key->type, key->data, &integer) != 0 || integer.negative)
    return FALSE;
  *ret_value = integer.bits;
  return TRUE;
}

/* ---- the plugins' view ---- */

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
  return key->type == WLY_GGUF_BOOL ? -EINVAL : load_u32 (key->type, key->data, ret_value);
}

static int
view_get_f32 (const struct wlp_metadata *metadata, const char *name, float *ret_value)
{
  const WlyGgufKey *key = find_key (metadata, name);

  return key == NULL ? -ENOENT : load_f32 (key->type, key->data, ret_value);
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
    result = load_u32 (key->item_type, data + i * wly_gguf_type_bytes (key->item_type), &ret_values[i]);
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
    result = load_f32 (key->item_type, data + i * wly_gguf_type_bytes (key->item_type), &ret_values[i]);
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

/* ---- the engine's getters ---- */

guint64
wly_gguf_n_keys (const WlyGguf *gguf)
{
  return gguf->keys.items->len;
}

const char *
wly_gguf_key (const WlyGguf *gguf, guint64 index, WlyGgufType *ret_type)
{
  const WlyGgufKey *key;

  if (index >= gguf->keys.items->len)
    return NULL;
  key = &g_array_index (gguf->keys.items, WlyGgufKey, index);
  if (ret_type != NULL)
    *ret_type = key->type;
  return key->name;
}

const void *
wly_gguf_key_value (const WlyGguf *gguf, guint64 index, gsize *ret_n_bytes)
{
  const WlyGgufKey *key;

  if (index >= gguf->keys.items->len)
    return NULL;
  key          = &g_array_index (gguf->keys.items, WlyGgufKey, index);
  *ret_n_bytes = key->raw_bytes;
  return key->raw;
}

gboolean
wly_gguf_get_u32 (const WlyGguf *gguf, const char *name, guint32 *ret_value)
{
  return view_get_u32 (&gguf->metadata, name, ret_value) == 0;
}

gboolean
wly_gguf_get_u64 (const WlyGguf *gguf, const char *name, guint64 *ret_value)
{
  const WlyGgufKey *key = wly_gguf_keys_find (&gguf->keys, name);

  return key != NULL && wly_gguf_value_u64 (key, ret_value);
}

gboolean
wly_gguf_get_f32 (const WlyGguf *gguf, const char *name, float *ret_value)
{
  return view_get_f32 (&gguf->metadata, name, ret_value) == 0;
}

gboolean
wly_gguf_get_bool (const WlyGguf *gguf, const char *name, gboolean *ret_value)
{
  return view_get_bool (&gguf->metadata, name, ret_value) == 0;
}

gboolean
wly_gguf_get_string (const WlyGguf *gguf, const char *name, WlyGgufString *ret_value)
{
  const WlyGgufKey *key = wly_gguf_keys_find (&gguf->keys, name);

  if (key == NULL || key->type != WLY_GGUF_STRING)
    return FALSE;
  *ret_value = (WlyGgufString){ .data = (const char *)key->data, .n_bytes = key->n_bytes };
  return TRUE;
}

char *
wly_gguf_dup_string (const WlyGguf *gguf, const char *name)
{
  WlyGgufString string;

  if (!wly_gguf_get_string (gguf, name, &string) || !g_utf8_validate_len (string.data, string.n_bytes, NULL))
    return NULL;
  return g_strndup (string.data, string.n_bytes);
}

/* An array of numbers or bools, or NULL. */
static const WlyGgufKey *
find_number_array (const WlyGguf *gguf, const char *name)
{
  const WlyGgufKey *key = wly_gguf_keys_find (&gguf->keys, name);

  return key != NULL && key->type == WLY_GGUF_ARRAY && key->item_type != WLY_GGUF_STRING ? key : NULL;
}

gboolean
wly_gguf_get_array_i32 (const WlyGguf *gguf, const char *name, gint32 **ret_items, gsize *ret_n)
{
  const WlyGgufKey *key    = find_number_array (gguf, name);
  g_autofree gint32 *items = NULL;
  const gsize item_bytes   = key != NULL ? wly_gguf_type_bytes (key->item_type) : 0;

  if (key == NULL)
    return FALSE;
  items = g_new (gint32, key->n_items);
  for (gsize i = 0; i < key->n_items; i++)
    if (load_i32 (key->item_type, key->data + i * item_bytes, &items[i]) != 0)
      return FALSE;
  *ret_items = g_steal_pointer (&items);
  *ret_n     = (gsize)key->n_items;
  return TRUE;
}

gboolean
wly_gguf_get_array_f32 (const WlyGguf *gguf, const char *name, float **ret_items, gsize *ret_n)
{
  const WlyGgufKey *key   = find_number_array (gguf, name);
  g_autofree float *items = NULL;
  const gsize item_bytes  = key != NULL ? wly_gguf_type_bytes (key->item_type) : 0;

  if (key == NULL)
    return FALSE;
  items = g_new (float, key->n_items);
  for (gsize i = 0; i < key->n_items; i++)
    if (load_f32 (key->item_type, key->data + i * item_bytes, &items[i]) != 0)
      return FALSE;
  *ret_items = g_steal_pointer (&items);
  *ret_n     = (gsize)key->n_items;
  return TRUE;
}

gboolean
wly_gguf_get_array_string (const WlyGguf *gguf, const char *name, WlyGgufString **ret_items, gsize *ret_n)
{
  const WlyGgufKey *key           = wly_gguf_keys_find (&gguf->keys, name);
  g_autofree WlyGgufString *items = NULL;
  WlyGgufCursor cursor;
  guint64 n_bytes;

  if (key == NULL || key->type != WLY_GGUF_ARRAY || key->item_type != WLY_GGUF_STRING)
    return FALSE;
  items  = g_new (WlyGgufString, key->n_items);
  cursor = (WlyGgufCursor){ .data = key->data, .n_bytes = key->n_bytes };
  for (gsize i = 0; i < key->n_items; i++) {
    /* checked at the opening; the map may have changed under us since */
    if (!wly_gguf_cursor_take_u64 (&cursor, &n_bytes))
      return FALSE;
    items[i].data    = (const char *)wly_gguf_cursor_take (&cursor, n_bytes);
    items[i].n_bytes = (gsize)n_bytes;
    if (items[i].data == NULL)
      return FALSE;
  }
  *ret_items = g_steal_pointer (&items);
  *ret_n     = (gsize)key->n_items;
  return TRUE;
}
