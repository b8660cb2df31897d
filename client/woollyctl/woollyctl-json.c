/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-json.h"

#include "woollyctl-output.h"

#include <math.h>
#include <string.h>

/* Deeper than anything in the interface; what lies below is written as GVariant text. */
#define MAX_DEPTH 8

static void
append_string (GString *out, const char *text)
{
  g_string_append_c (out, '"');
  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);

    if (c == '"' || c == '\\')
      g_string_append_printf (out, "\\%c", (char)c);
    else if (c == '\n')
      g_string_append (out, "\\n");
    else if (c == '\t')
      g_string_append (out, "\\t");
    else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
      g_string_append_printf (out, "\\u%04x", c);
    else
      g_string_append_unichar (out, c);
  }
  g_string_append_c (out, '"');
}

static void
append_double (GString *out, double number)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_string_append (out, isfinite (number) ? g_ascii_dtostr (buffer, sizeof buffer, number) : "null");
}

static void append_value (GString *out, GVariant *value, guint depth);

static void
append_new_line (GString *out, guint depth)
{
  g_string_append_c (out, '\n');
  for (guint i = 0; i < depth; i++)
    g_string_append (out, "  ");
}

static void
append_object (GString *out, GVariant *value, guint depth)
{
  gsize n = g_variant_n_children (value);

  g_string_append_c (out, '{');
  for (gsize i = 0; i < n; i++) {
    const char *key              = NULL;
    g_autoptr (GVariant) content = NULL;

    g_variant_get_child (value, i, "{&sv}", &key, &content);
    append_new_line (out, depth + 1);
    append_string (out, key);
    g_string_append (out, ": ");
    append_value (out, content, depth + 1);
    if (i + 1 < n)
      g_string_append_c (out, ',');
  }
  if (n > 0)
    append_new_line (out, depth);
  g_string_append_c (out, '}');
}

static void
append_array (GString *out, GVariant *value, guint depth)
{
  gsize n = g_variant_n_children (value);

  g_string_append_c (out, '[');
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) item = g_variant_get_child_value (value, i);

    if (g_variant_is_container (item))
      append_new_line (out, depth + 1);
    append_value (out, item, depth + 1);
    if (i + 1 < n)
      g_string_append (out, g_variant_is_container (item) ? "," : ", ");
    else if (g_variant_is_container (item))
      append_new_line (out, depth);
  }
  g_string_append_c (out, ']');
}

static void
append_value (GString *out, GVariant *value, guint depth)
{
  g_autofree char *text = NULL;

  if (g_variant_is_container (value) && depth < MAX_DEPTH) {
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
      append_object (out, value, depth);
    else
      append_array (out, value, depth);
    return;
  }
  switch (g_variant_classify (value)) {
  case G_VARIANT_CLASS_BOOLEAN:
    g_string_append (out, g_variant_get_boolean (value) ? "true" : "false");
    break;
  case G_VARIANT_CLASS_UINT32:
    g_string_append_printf (out, "%u", g_variant_get_uint32 (value));
    break;
  case G_VARIANT_CLASS_UINT64:
    g_string_append_printf (out, "%" G_GUINT64_FORMAT, g_variant_get_uint64 (value));
    break;
  case G_VARIANT_CLASS_DOUBLE:
    append_double (out, g_variant_get_double (value));
    break;
  case G_VARIANT_CLASS_STRING:
  case G_VARIANT_CLASS_OBJECT_PATH:
    append_string (out, g_variant_get_string (value, NULL));
    break;
  default:
    text = g_variant_print (value, FALSE);
    append_string (out, text);
    break;
  }
}

char *
woollyctl_json_write (GVariant *value)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (value);
  GString *out              = g_string_new (NULL);

  append_value (out, sunk, 0);
  return g_string_free (out, FALSE);
}

void
woollyctl_json_print (GVariant *value)
{
  g_autofree char *text = woollyctl_json_write (value);
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  woollyctl_output_text (line);
}
