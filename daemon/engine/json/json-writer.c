/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/json.h"

#include <string.h>

void
wly_json_write_string (GString *out, const char *text, gsize n_bytes)
{
  static const char escaped[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";

  g_string_append_c (out, '"');
  for (gsize i = 0; i < n_bytes; i++) {
    const guint8 byte = (guint8)text[i];
    const char *found = byte == 0 ? NULL : strchr (escaped, byte);

    if (found != NULL)
      g_string_append_printf (out, "\\%c", letters[found - escaped]);
    else if (byte < 0x20)
      g_string_append_printf (out, "\\u%04x", byte);
    else
      g_string_append_c (out, (char)byte);
  }
  g_string_append_c (out, '"');
}

static void
write_alone (const WlyJson *json, WlyJsonId id, GString *out)
{
  static const char *const words[] = { "null", "false", "true" };
  WlyJsonKind kind                 = wly_json_kind (json, id);
  gsize n_bytes;
  const char *text = wly_json_text (json, id, &n_bytes);

  if (kind == WLY_JSON_STRING)
    wly_json_write_string (out, text, n_bytes);
  else if (kind == WLY_JSON_NUMBER)
    g_string_append_len (out, text, (gssize)n_bytes);
  else if (kind <= WLY_JSON_TRUE)
    g_string_append (out, words[kind]);
  else
    g_string_append (out, kind == WLY_JSON_OBJECT ? "{" : "[");
}

void
wly_json_write (const WlyJson *json, WlyJsonId id, GString *out)
{
  WlyJsonId at = id;

  for (;;) {
    const WlyJsonValue *value = wly_json_get (json, at);
    gsize n_bytes;

    if (at != id && wly_json_kind (json, value->parent) == WLY_JSON_OBJECT) {
      const char *key = wly_json_key (json, at, &n_bytes);

      wly_json_write_string (out, key, n_bytes);
      g_string_append_c (out, ':');
    }
    write_alone (json, at, out);
    if (value->first != 0) {
      at = value->first;
      continue;
    }
    if (value->kind >= WLY_JSON_ARRAY)
      g_string_append_c (out, value->kind == WLY_JSON_OBJECT ? '}' : ']');
    while (at != id && wly_json_get (json, at)->next == 0) {
      at = wly_json_get (json, at)->parent;
      g_string_append_c (out, wly_json_kind (json, at) == WLY_JSON_OBJECT ? '}' : ']');
    }
    if (at == id)
      return;
    g_string_append_c (out, ',');
    at = wly_json_get (json, at)->next;
  }
}
