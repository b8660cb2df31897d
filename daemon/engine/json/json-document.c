/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "json/json.h"

#include <string.h>

WlyJsonId
wly_json_find_bytes (const WlyJson *json, WlyJsonId object, const char *key, gsize n_bytes)
{
  WlyJsonId found = 0;

  if (object == 0 || wly_json_kind (json, object) != WLY_JSON_OBJECT)
    return 0;
  for (WlyJsonId id = wly_json_get (json, object)->first; id != 0; id = wly_json_get (json, id)->next) {
    const WlyJsonValue *value = wly_json_get (json, id);

    if (value->key_bytes == n_bytes && memcmp (json->texts->str + value->key, key, n_bytes) == 0)
      found = id;
  }
  return found;
}

WlyJsonId
wly_json_find (const WlyJson *json, WlyJsonId object, const char *key)
{
  return wly_json_find_bytes (json, object, key, strlen (key));
}

gboolean
wly_json_is_text (const WlyJson *json, WlyJsonId id, const char *text)
{
  gsize n_bytes;
  const char *own;

  if (wly_json_kind (json, id) != WLY_JSON_STRING)
    return FALSE;
  own = wly_json_text (json, id, &n_bytes);
  return n_bytes == strlen (text) && memcmp (own, text, n_bytes) == 0;
}

/* ---- pointers ---- */

static void
append_part (GString *pointer, const char *text, gsize n_bytes)
{
  g_string_append_c (pointer, '/');
  for (gsize i = 0; i < n_bytes; i++) {
    if (text[i] == '~')
      g_string_append (pointer, "~0");
    else if (text[i] == '/')
      g_string_append (pointer, "~1");
    else
      g_string_append_c (pointer, text[i]);
  }
}

static guint
index_of (const WlyJson *json, WlyJsonId id)
{
  guint index = 0;

  for (WlyJsonId at = wly_json_get (json, wly_json_get (json, id)->parent)->first; at != id;
       at           = wly_json_get (json, at)->next)
    index++;
  return index;
}

char *
wly_json_pointer (const WlyJson *json, WlyJsonId id)
{
  GString *pointer       = g_string_new (NULL);
  g_autoptr (GArray) way = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));

  for (; id > WLY_JSON_ROOT; id = wly_json_get (json, id)->parent)
    g_array_append_val (way, id);
  for (guint i = way->len; i-- > 0;) {
    WlyJsonId at              = g_array_index (way, WlyJsonId, i);
    const WlyJsonValue *value = wly_json_get (json, at);

    if (wly_json_kind (json, value->parent) == WLY_JSON_OBJECT)
      append_part (pointer, json->texts->str + value->key, value->key_bytes);
    else
      g_string_append_printf (pointer, "/%u", index_of (json, at));
  }
  return g_string_free (pointer, FALSE);
}

static WlyJsonId
find_item (const WlyJson *json, WlyJsonId array, const char *text)
{
  guint64 index;
  WlyJsonId id = wly_json_get (json, array)->first;

  if (!g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32, &index, NULL))
    return 0;
  for (; id != 0 && index > 0; index--)
    id = wly_json_get (json, id)->next;
  return id;
}

WlyJsonId
wly_json_resolve (const WlyJson *json, const char *pointer)
{
  g_auto (GStrv) parts = NULL;
  WlyJsonId id         = WLY_JSON_ROOT;

  if (*pointer == '\0')
    return id;
  if (*pointer != '/')
    return 0;
  parts = g_strsplit (pointer + 1, "/", -1);
  for (guint i = 0; parts[i] != NULL && id != 0; i++) {
    g_autoptr (GString) part = g_string_new (parts[i]);

    g_string_replace (part, "~1", "/", 0);
    g_string_replace (part, "~0", "~", 0);
    if (wly_json_kind (json, id) == WLY_JSON_ARRAY)
      id = find_item (json, id, part->str);
    else
      id = wly_json_find_bytes (json, id, part->str, part->len);
  }
  return id;
}

/* ---- equality ---- */

/* Whether two values are alike but for what is in them. */
static gboolean
same_alone (const WlyJson *json, WlyJsonId a, WlyJsonId b)
{
  const WlyJsonValue *x = wly_json_get (json, a);
  const WlyJsonValue *y = wly_json_get (json, b);

  return x->kind == y->kind && x->n_children == y->n_children && x->text_bytes == y->text_bytes
         && memcmp (json->texts->str + x->text, json->texts->str + y->text, x->text_bytes) == 0;
}

gboolean
wly_json_equal (const WlyJson *json, WlyJsonId a, WlyJsonId b)
{
  g_autoptr (GArray) pairs = NULL;

  if (!same_alone (json, a, b) || wly_json_get (json, a)->first == 0)
    return same_alone (json, a, b);
  pairs = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  g_array_append_val (pairs, a);
  g_array_append_val (pairs, b);
  for (guint i = 0; i < pairs->len; i += 2) {
    WlyJsonId x     = g_array_index (pairs, WlyJsonId, i);
    WlyJsonId y     = g_array_index (pairs, WlyJsonId, i + 1);
    gboolean object = wly_json_kind (json, x) == WLY_JSON_OBJECT;
    WlyJsonId other;

    if (!same_alone (json, x, y))
      return FALSE;
    other = wly_json_get (json, y)->first;
    for (WlyJsonId at = wly_json_get (json, x)->first; at != 0; at = wly_json_get (json, at)->next) {
      gsize n_bytes;
      const char *key = wly_json_key (json, at, &n_bytes);

      if (object)
        other = wly_json_find_bytes (json, y, key, n_bytes);
      if (other == 0 || (object && wly_json_find_bytes (json, x, key, n_bytes) != at))
        return FALSE;
      g_array_append_val (pairs, at);
      g_array_append_val (pairs, other);
      other = wly_json_get (json, other)->next;
    }
  }
  return TRUE;
}
