/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/chat-input.h"

#include "wly-error.h"

#include <math.h>
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

/* ---- back to text ---- */

/* As deep as the value was read. */
static void
write_members (GVariant *value, gboolean object, GString *out)
{
  const gsize n = g_variant_n_children (value);

  g_string_append_c (out, object ? '{' : '[');
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) child  = g_variant_get_child_value (value, i);
    g_autoptr (GVariant) member = NULL;
    const char *key             = NULL;

    if (i > 0)
      g_string_append_c (out, ',');
    if (object) {
      g_variant_get (child, "{&sv}", &key, &member);
      wly_json_write_string (out, key, strlen (key));
      g_string_append_c (out, ':');
    } else {
      member = g_variant_get_variant (child);
    }
    wly_chat_input_write (member, out);
  }
  g_string_append_c (out, object ? '}' : ']');
}

void
wly_chat_input_write (GVariant *value, GString *out)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  const char *text;
  gsize n_bytes;

  if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT)) {
    write_members (value, TRUE, out);
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE ("av"))) {
    write_members (value, FALSE, out);
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)) {
    text = g_variant_get_string (value, &n_bytes);
    wly_json_write_string (out, text, n_bytes);
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE_BOOLEAN)) {
    g_string_append (out, g_variant_get_boolean (value) ? "true" : "false");
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE_INT64)) {
    g_string_append_printf (out, "%" G_GINT64_FORMAT, g_variant_get_int64 (value));
  } else if (g_variant_is_of_type (value, G_VARIANT_TYPE_DOUBLE) && isfinite (g_variant_get_double (value))) {
    g_string_append (out, g_ascii_dtostr (digits, sizeof digits, g_variant_get_double (value)));
  } else {
    g_string_append (out, "null");
  }
}
