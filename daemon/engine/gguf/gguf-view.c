/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine's getters: values by name.
 */
#include "gguf/gguf-private.h"

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
  return wly_gguf_metadata_ops.get_u32 (&gguf->metadata, name, ret_value) == 0;
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
  return wly_gguf_metadata_ops.get_f32 (&gguf->metadata, name, ret_value) == 0;
}

gboolean
wly_gguf_get_bool (const WlyGguf *gguf, const char *name, gboolean *ret_value)
{
  return wly_gguf_metadata_ops.get_bool (&gguf->metadata, name, ret_value) == 0;
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
    if (wly_gguf_value_load_i32 (key->item_type, key->data + i * item_bytes, &items[i]) != 0)
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
    if (wly_gguf_value_load_f32 (key->item_type, key->data + i * item_bytes, &items[i]) != 0)
      return FALSE;
  *ret_items = g_steal_pointer (&items);
  *ret_n     = (gsize)key->n_items;
  return TRUE;
}

gboolean
wly_gguf_get_array_bytes (const WlyGguf *gguf, const char *name, const guint8 **ret_bytes, gsize *ret_n)
{
  const WlyGgufKey *key = find_number_array (gguf, name);

  if (key == NULL || wly_gguf_type_bytes (key->item_type) != 1)
    return FALSE;
  *ret_bytes = key->data;
  *ret_n     = key->n_bytes;
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
