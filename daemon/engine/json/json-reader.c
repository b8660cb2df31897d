/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "json/json.h"

#include <string.h>

typedef struct {
  WlyJson *json;
  const char *text;
  gsize n_bytes;
  gsize at;
  guint depth, depth_max;
  WlyJsonId open; /* the list or object that the next value goes into; 0: none */
  WlyJsonId last; /* its last child so far */
} Reader;

static gboolean
fail (const Reader *reader, GError **error, const char *what)
{
  guint line   = 1;
  gsize column = 1;

  for (gsize i = 0; i < reader->at && i < reader->n_bytes; i++) {
    column = reader->text[i] == '\n' ? 1 : column + ((reader->text[i] & 0xc0) != 0x80);
    line += reader->text[i] == '\n';
  }
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "JSON, line %u, column %" G_GSIZE_FORMAT ": %s", line, column,
               what);
  return FALSE;
}

static void
skip_space (Reader *reader)
{
  while (reader->at < reader->n_bytes && strchr (" \t\r\n", reader->text[reader->at]) != NULL
         && reader->text[reader->at] != '\0')
    reader->at++;
}

static int
peek (const Reader *reader)
{
  return reader->at < reader->n_bytes ? (guint8)reader->text[reader->at] : -1;
}

/* ---- strings ---- */

static gboolean
read_hex (Reader *reader, guint32 *ret_code, GError **error)
{
  guint32 code = 0;

  for (int i = 0; i < 4; i++) {
    int byte = peek (reader);

    if (byte < 0 || !g_ascii_isxdigit (byte))
      return fail (reader, error, "\\u wants four hexadecimal digits");
    code = code << 4 | (guint32)g_ascii_xdigit_value ((char)byte);
    reader->at++;
  }
  *ret_code = code;
  return TRUE;
}

static gboolean
read_unicode_escape (Reader *reader, GError **error)
{
  guint32 code, low;

  if (!read_hex (reader, &code, error))
    return FALSE;
  if (code >= 0xd800 && code < 0xdc00) {
    if (reader->n_bytes - reader->at < 2 || memcmp (reader->text + reader->at, "\\u", 2) != 0)
      return fail (reader, error, "half of a surrogate pair");
    reader->at += 2;
    if (!read_hex (reader, &low, error))
      return FALSE;
    if (low < 0xdc00 || low >= 0xe000)
      return fail (reader, error, "half of a surrogate pair");
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
  } else if (code >= 0xdc00 && code < 0xe000) {
    return fail (reader, error, "half of a surrogate pair");
  }
  if (code == 0)
    g_string_append_c (reader->json->texts, '\0');
  else
    g_string_append_unichar (reader->json->texts, code);
  return TRUE;
}

static gboolean
read_escape (Reader *reader, GError **error)
{
  static const char letters[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
  int byte = peek (reader);
  const char *found;

  if (byte == 'u') {
    reader->at++;
    return read_unicode_escape (reader, error);
  }
  found = byte > 0 ? strchr (letters, byte) : NULL;
  if (found == NULL)
    return fail (reader, error, "unknown escape in a string");
  g_string_append_c (reader->json->texts, meant[found - letters]);
  reader->at++;
  return TRUE;
}

/* At the opening quote; appends to the texts, with a NUL behind. */
static gboolean
read_string (Reader *reader, guint32 *ret_at, guint32 *ret_n_bytes, GError **error)
{
  gsize start = reader->json->texts->len;

  for (reader->at++; peek (reader) != '"';) {
    int byte = peek (reader);

    if (byte < 0x20)
      return fail (reader, error, byte < 0 ? "a string does not end" : "a control character in a string");
    reader->at++;
    if (byte != '\\')
      g_string_append_c (reader->json->texts, (char)byte);
    else if (!read_escape (reader, error))
      return FALSE;
  }
  reader->at++;
  *ret_at      = (guint32)start;
  *ret_n_bytes = (guint32)(reader->json->texts->len - start);
  g_string_append_c (reader->json->texts, '\0');
  return TRUE;
}

/* ---- numbers and words ---- */

static gsize
skip_digits (Reader *reader)
{
  gsize start = reader->at;

  while (peek (reader) >= '0' && peek (reader) <= '9')
    reader->at++;
  return reader->at - start;
}

static gboolean
read_number (Reader *reader, WlyJsonValue *value, GError **error)
{
  gsize start = reader->at;

  if (peek (reader) == '-')
    reader->at++;
  if (peek (reader) == '0')
    reader->at++;
  else if (skip_digits (reader) == 0)
    return fail (reader, error, "a value is wanted here");
  if (peek (reader) == '.') {
    reader->at++;
    if (skip_digits (reader) == 0)
      return fail (reader, error, "digits are wanted behind the point");
  }
  if (peek (reader) == 'e' || peek (reader) == 'E') {
    reader->at++;
    if (peek (reader) == '+' || peek (reader) == '-')
      reader->at++;
    if (skip_digits (reader) == 0)
      return fail (reader, error, "digits are wanted in the exponent");
  }
  value->kind       = WLY_JSON_NUMBER;
  value->text       = (guint32)reader->json->texts->len;
  value->text_bytes = (guint32)(reader->at - start);
  g_string_append_len (reader->json->texts, reader->text + start, (gssize)value->text_bytes);
  g_string_append_c (reader->json->texts, '\0');
  return TRUE;
}

static gboolean
read_word (Reader *reader, WlyJsonValue *value)
{
  static const struct {
    const char *word;
    WlyJsonKind kind;
  } words[] = { { "null", WLY_JSON_NULL }, { "false", WLY_JSON_FALSE }, { "true", WLY_JSON_TRUE } };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    gsize n = strlen (words[i].word);

    if (reader->n_bytes - reader->at >= n && memcmp (reader->text + reader->at, words[i].word, n) == 0) {
      value->kind = words[i].kind;
      reader->at += n;
      return TRUE;
    }
  }
  return FALSE;
}

/* ---- values ---- */

static gboolean
read_key (Reader *reader, WlyJsonValue *value, GError **error)
{
  if (peek (reader) != '"')
    return fail (reader, error, "a key in quotes is wanted");
  if (!read_string (reader, &value->key, &value->key_bytes, error))
    return FALSE;
  skip_space (reader);
  if (peek (reader) != ':')
    return fail (reader, error, "a colon is wanted behind the key");
  reader->at++;
  skip_space (reader);
  return TRUE;
}

/* Puts it behind its siblings. */
static WlyJsonId
add_value (Reader *reader, const WlyJsonValue *value)
{
  WlyJsonId id = reader->json->values->len;

  g_array_append_vals (reader->json->values, value, 1);
  if (reader->last != 0)
    g_array_index (reader->json->values, WlyJsonValue, reader->last).next = id;
  else if (reader->open != 0)
    g_array_index (reader->json->values, WlyJsonValue, reader->open).first = id;
  if (reader->open != 0)
    g_array_index (reader->json->values, WlyJsonValue, reader->open).n_children++;
  reader->last = id;
  return id;
}

static gboolean
read_value (Reader *reader, GError **error)
{
  WlyJsonValue value = { .parent = reader->open };
  int byte;

  if (reader->open != 0 && wly_json_kind (reader->json, reader->open) == WLY_JSON_OBJECT
      && !read_key (reader, &value, error))
    return FALSE;
  byte = peek (reader);
  if (byte == '"') {
    value.kind = WLY_JSON_STRING;
    if (!read_string (reader, &value.text, &value.text_bytes, error))
      return FALSE;
  } else if (byte != '{' && byte != '[') {
    if (!read_word (reader, &value) && !read_number (reader, &value, error))
      return FALSE;
  } else if (++reader->depth > reader->depth_max) {
    return fail (reader, error, "too many lists and objects stand in each other");
  } else {
    value.kind   = byte == '{' ? WLY_JSON_OBJECT : WLY_JSON_ARRAY;
    reader->open = add_value (reader, &value);
    reader->last = 0;
    reader->at++;
    return TRUE;
  }
  add_value (reader, &value);
  return TRUE;
}

/* Closes what is closed here; FALSE with @ret_more where a value has to follow. */
static gboolean
close_values (Reader *reader, gboolean *ret_more, GError **error)
{
  *ret_more = FALSE;
  for (skip_space (reader); reader->open != 0; skip_space (reader)) {
    const WlyJsonValue *open = wly_json_get (reader->json, reader->open);
    int byte                 = peek (reader);

    if (byte == (open->kind == WLY_JSON_OBJECT ? '}' : ']')) {
      reader->at++;
      reader->depth--;
      reader->last = reader->open;
      reader->open = open->parent;
      continue;
    }
    if (reader->last != 0 && byte != ',')
      return fail (reader, error, "a comma or the end of the list is wanted");
    if (reader->last != 0) {
      reader->at++;
      skip_space (reader);
    }
    *ret_more = TRUE;
    return TRUE;
  }
  return reader->at == reader->n_bytes || fail (reader, error, "something stands behind the value");
}

#define APPENDED_DEPTH 1024

WlyJsonId
wly_json_append (WlyJson *json, const char *text, gsize n_bytes, WlyJsonId at, GError **error)
{
  Reader reader  = { .json = json, .text = text, .n_bytes = n_bytes, .depth_max = APPENDED_DEPTH };
  WlyJsonId root = json->values->len;
  gboolean more  = TRUE;

  while (more)
    if (!read_value (&reader, error) || !close_values (&reader, &more, error))
      return 0;
  /* no key of its own: the pointer is that of the value it is added to */
  g_array_index (json->values, WlyJsonValue, root).parent    = wly_json_get (json, at)->parent;
  g_array_index (json->values, WlyJsonValue, root).key       = wly_json_get (json, at)->key;
  g_array_index (json->values, WlyJsonValue, root).key_bytes = wly_json_get (json, at)->key_bytes;
  return root;
}

WlyJson *
wly_json_new (const char *text, gsize n_bytes, guint depth_max, GError **error)
{
  g_autoptr (WlyJson) json = g_new0 (WlyJson, 1);
  Reader reader            = { .json = json, .text = text, .n_bytes = n_bytes, .depth_max = depth_max };
  gboolean more            = TRUE;

  json->values = g_array_new (FALSE, TRUE, sizeof (WlyJsonValue));
  json->texts  = g_string_new (NULL);
  g_array_set_size (json->values, 1);
  if (n_bytes > G_MAXINT32 || !g_utf8_validate_len (text, n_bytes, NULL)) {
    fail (&reader, error, n_bytes > G_MAXINT32 ? "the text is too long" : "the text is not valid UTF-8");
    return NULL;
  }
  skip_space (&reader);
  while (more)
    if (!read_value (&reader, error) || !close_values (&reader, &more, error))
      return NULL;
  return g_steal_pointer (&json);
}

void
wly_json_free (WlyJson *json)
{
  if (json == NULL)
    return;
  g_array_unref (json->values);
  g_string_free (json->texts, TRUE);
  g_free (json);
}
