/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-private.h"

#include "wly-error.h"

/* What the shortest key takes: length, one byte of name, type, one byte of value. */
#define MIN_KEY_BYTES (8u + 1u + 4u + 1u)
/* Bytes of a name in a message. */
#define MAX_SHOWN_BYTES 80u

static const struct {
  const char *name;
  guint n_bytes;
} value_types[] = {
  [WLY_GGUF_U8] = { "u8", 1 },       [WLY_GGUF_I8] = { "i8", 1 },     [WLY_GGUF_U16] = { "u16", 2 },
  [WLY_GGUF_I16] = { "i16", 2 },     [WLY_GGUF_U32] = { "u32", 4 },   [WLY_GGUF_I32] = { "i32", 4 },
  [WLY_GGUF_F32] = { "f32", 4 },     [WLY_GGUF_BOOL] = { "bool", 1 }, [WLY_GGUF_STRING] = { "string", 0 },
  [WLY_GGUF_ARRAY] = { "array", 0 }, [WLY_GGUF_U64] = { "u64", 8 },   [WLY_GGUF_I64] = { "i64", 8 },
  [WLY_GGUF_F64] = { "f64", 8 },
};

gsize
wly_gguf_type_bytes (WlyGgufType type)
{
  return (guint)type < G_N_ELEMENTS (value_types) ? value_types[type].n_bytes : 0;
}

const char *
wly_gguf_type_name (WlyGgufType type)
{
  return (guint)type < G_N_ELEMENTS (value_types) ? value_types[type].name : "unknown";
}

char *
wly_gguf_display_name (const char *name, gsize n_bytes)
{
  g_autofree char *shown   = g_utf8_make_valid (name, (gssize)MIN (n_bytes, MAX_SHOWN_BYTES));
  g_autofree char *escaped = NULL;
  char keep[129];

  for (guint i = 0; i < 128; i++)
    keep[i] = (char)(128 + i); /* UTF-8 stays as it is */
  keep[128] = '\0';
  escaped   = g_strescape (shown, keep);
  return g_strconcat (escaped, n_bytes > MAX_SHOWN_BYTES ? "…" : NULL, NULL);
}

/* Sets the error for a key, with its name. */
static void G_GNUC_PRINTF (3, 4) set_key_error (GError **error, const WlyGgufKey *key, const char *format, ...)
{
  g_autofree char *name = wly_gguf_display_name (key->name, strlen (key->name));
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "key \"%s\": %s", name, what);
}

static gboolean
set_truncated (GError **error, const WlyGgufKey *key)
{
  set_key_error (error, key, "the file ends inside its value");
  return FALSE;
}

/* Names are used as C strings, in messages and on the bus: no NUL, valid UTF-8. */
static const char *
take_name (WlyGgufKeys *keys, WlyGgufCursor *cursor, guint64 number, GError **error)
{
  const guint8 *bytes;
  guint64 n_bytes;

  if (!wly_gguf_cursor_take_u64 (cursor, &n_bytes)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the file ends before key %" G_GUINT64_FORMAT, number);
    return NULL;
  }
  if (n_bytes == 0 || n_bytes > WLY_GGUF_MAX_KEY_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key %" G_GUINT64_FORMAT ": a name of %" G_GUINT64_FORMAT " bytes, expected 1 to %u", number, n_bytes,
                 WLY_GGUF_MAX_KEY_BYTES);
    return NULL;
  }
  bytes = wly_gguf_cursor_take (cursor, n_bytes);
  if (bytes == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the file ends inside the name of key %" G_GUINT64_FORMAT,
                 number);
    return NULL;
  }
  if (!g_utf8_validate_len ((const char *)bytes, (gsize)n_bytes, NULL)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "key %" G_GUINT64_FORMAT ": the name is not valid UTF-8 or holds a NUL", number);
    return NULL;
  }
  return g_string_chunk_insert_len (keys->names, (const char *)bytes, (gssize)n_bytes);
}

static gboolean
check_bools (const WlyGgufKey *key, GError **error)
{
  for (gsize i = 0; i < key->n_bytes; i++)
    if (key->data[i] > 1) {
      set_key_error (error, key, "the value %u for a bool, expected 0 or 1", key->data[i]);
      return FALSE;
    }
  return TRUE;
}

static gboolean
take_string (const WlyGgufKey *key, WlyGgufCursor *cursor, const guint8 **ret_data, gsize *ret_bytes, GError **error)
{
  guint64 n_bytes;

  if (!wly_gguf_cursor_take_u64 (cursor, &n_bytes))
    return set_truncated (error, key);
  if (n_bytes > WLY_GGUF_MAX_STRING_BYTES) {
    set_key_error (error, key, "a string of %" G_GUINT64_FORMAT " bytes, expected at most %u", n_bytes,
                   WLY_GGUF_MAX_STRING_BYTES);
    return FALSE;
  }
  *ret_data = wly_gguf_cursor_take (cursor, n_bytes);
  if (*ret_data == NULL)
    return set_truncated (error, key);
  *ret_bytes = (gsize)n_bytes;
  return TRUE;
}

static gboolean
take_array_items (WlyGgufKey *key, WlyGgufCursor *cursor, GError **error)
{
  const gsize item_bytes = wly_gguf_type_bytes (key->item_type);
  const gsize begin      = cursor->at;
  const guint8 *data;
  gsize n_bytes;

  key->data = cursor->data + cursor->at;
  if (item_bytes != 0) {
    /* n_items is below 2^26 here: no overflow */
    if (wly_gguf_cursor_take (cursor, key->n_items * item_bytes) == NULL)
      return set_truncated (error, key);
  } else {
    if (key->n_items > wly_gguf_cursor_left (cursor) / sizeof (guint64))
      return set_truncated (error, key);
    for (guint64 i = 0; i < key->n_items; i++)
      if (!take_string (key, cursor, &data, &n_bytes, error))
        return FALSE;
  }
  key->n_bytes = cursor->at - begin;
  return key->item_type != WLY_GGUF_BOOL || check_bools (key, error);
}

static gboolean
take_array (WlyGgufKey *key, WlyGgufCursor *cursor, GError **error)
{
  guint32 item_type;

  if (!wly_gguf_cursor_take_u32 (cursor, &item_type) || !wly_gguf_cursor_take_u64 (cursor, &key->n_items))
    return set_truncated (error, key);
  if (item_type == WLY_GGUF_ARRAY) {
    set_key_error (error, key, "an array of arrays, expected an array of numbers, bools or strings");
    return FALSE;
  }
  if (item_type > WLY_GGUF_F64) {
    set_key_error (error, key, "an array of value type %u, expected 0 to %u", item_type, WLY_GGUF_F64);
    return FALSE;
  }
  if (key->n_items > WLY_GGUF_MAX_ARRAY_ITEMS) {
    set_key_error (error, key, "an array of %" G_GUINT64_FORMAT " items, expected at most %u", key->n_items,
                   WLY_GGUF_MAX_ARRAY_ITEMS);
    return FALSE;
  }
  key->item_type = (WlyGgufType)item_type;
  return take_array_items (key, cursor, error);
}

static gboolean
take_value (WlyGgufKey *key, WlyGgufCursor *cursor, GError **error)
{
  guint32 type;
  gsize begin;
  gboolean ok;

  if (!wly_gguf_cursor_take_u32 (cursor, &type))
    return set_truncated (error, key);
  if (type > WLY_GGUF_F64) {
    set_key_error (error, key, "value type %u, expected 0 to %u", type, WLY_GGUF_F64);
    return FALSE;
  }
  key->type = (WlyGgufType)type;
  begin     = cursor->at;
  if (key->type == WLY_GGUF_STRING) {
    ok = take_string (key, cursor, &key->data, &key->n_bytes, error);
  } else if (key->type == WLY_GGUF_ARRAY) {
    ok = take_array (key, cursor, error);
  } else {
    key->n_bytes = wly_gguf_type_bytes (key->type);
    key->data    = wly_gguf_cursor_take (cursor, key->n_bytes);
    if (key->data == NULL)
      return set_truncated (error, key);
    ok = key->type != WLY_GGUF_BOOL || check_bools (key, error);
  }
  key->raw       = cursor->data + begin;
  key->raw_bytes = cursor->at - begin;
  return ok;
}

gboolean
wly_gguf_keys_parse (WlyGgufKeys *keys, WlyGgufCursor *cursor, guint64 n_keys, GError **error)
{
  const char *twice;

  if (n_keys > WLY_GGUF_MAX_KEYS || n_keys > wly_gguf_cursor_left (cursor) / MIN_KEY_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "the header says %" G_GUINT64_FORMAT
                 " keys, expected at most %u and no more than the file's %" G_GSIZE_FORMAT " bytes can hold",
                 n_keys, WLY_GGUF_MAX_KEYS, cursor->n_bytes);
    return FALSE;
  }
  keys->items = g_array_sized_new (FALSE, FALSE, sizeof (WlyGgufKey), (guint)n_keys);
  keys->names = g_string_chunk_new (4096);
  wly_gguf_index_init (&keys->index, (guint)n_keys);
  for (guint64 i = 0; i < n_keys; i++) {
    WlyGgufKey key = { .name = take_name (keys, cursor, i, error) };

    if (key.name == NULL || !take_value (&key, cursor, error))
      return FALSE;
    g_array_append_val (keys->items, key);
    wly_gguf_index_add (&keys->index, key.name, (guint32)i);
  }
  twice = wly_gguf_index_sort (&keys->index);
  if (twice != NULL) {
    const WlyGgufKey key = { .name = twice };

    set_key_error (error, &key, "stands in the file twice, expected once");
    return FALSE;
  }
  return TRUE;
}

void
wly_gguf_keys_finish (WlyGgufKeys *keys)
{
  g_clear_pointer (&keys->items, g_array_unref);
  g_clear_pointer (&keys->names, g_string_chunk_free);
  wly_gguf_index_finish (&keys->index);
}

const WlyGgufKey *
wly_gguf_keys_find (const WlyGgufKeys *keys, const char *name)
{
  guint32 number;

  if (!wly_gguf_index_find (&keys->index, name, &number))
    return NULL;
  return &g_array_index (keys->items, WlyGgufKey, number);
}
