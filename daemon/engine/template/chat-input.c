/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/chat-input.h"

#include "wly-error.h"

#include <string.h>

static GVariant *
refuse_nul (GError **error)
{
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "A string of the JSON text holds a NUL character");
  return NULL;
}

static GVariant *
number (const char *text)
{
  gint64 integer;

  if (strpbrk (text, ".eE") == NULL && g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &integer, NULL))
    return g_variant_new_int64 (integer);
  return g_variant_new_double (g_ascii_strtod (text, NULL));
}

/* Recursion is bounded by the depth that the document was read with. */
static GVariant *
list (const WlyJson *json, WlyJsonId id, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("av"));

  for (WlyJsonId i = wly_json_get (json, id)->first; i != 0; i = wly_json_get (json, i)->next) {
    GVariant *value = wly_chat_input_value (json, i, error);

    if (value == NULL)
      return NULL;
    g_variant_builder_add (&builder, "v", value);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
object (const WlyJson *json, WlyJsonId id, GError **error)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (WlyJsonId i = wly_json_get (json, id)->first; i != 0; i = wly_json_get (json, i)->next) {
    gsize n_bytes;
    const char *key = wly_json_key (json, i, &n_bytes);
    GVariant *value;

    if (strlen (key) != n_bytes)
      return refuse_nul (error);
    value = wly_chat_input_value (json, i, error);
    if (value == NULL)
      return NULL;
    g_variant_builder_add (&builder, "{sv}", key, value);
  }
  return g_variant_builder_end (&builder);
}

GVariant *
wly_chat_input_value (const WlyJson *json, WlyJsonId id, GError **error)
{
  const char *text;
  gsize n_bytes;

  switch (wly_json_kind (json, id)) {
  case WLY_JSON_FALSE:
  case WLY_JSON_TRUE:
    return g_variant_new_boolean (wly_json_kind (json, id) == WLY_JSON_TRUE);
  case WLY_JSON_NUMBER:
    return number (wly_json_text (json, id, &n_bytes));
  case WLY_JSON_STRING:
    text = wly_json_text (json, id, &n_bytes);
    return strlen (text) == n_bytes ? g_variant_new_string (text) : refuse_nul (error);
  case WLY_JSON_ARRAY:
    return list (json, id, error);
  case WLY_JSON_OBJECT:
    return object (json, id, error);
  default:
    return g_variant_new_maybe (G_VARIANT_TYPE_VARIANT, NULL);
  }
}

GVariant *
wly_chat_input_read (const char *text, gsize n_bytes, GError **error)
{
  g_autoptr (WlyJson) json = wly_json_new (text, n_bytes, WLY_CHAT_INPUT_DEPTH, error);

  return json == NULL ? NULL : wly_chat_input_value (json, WLY_JSON_ROOT, error);
}
