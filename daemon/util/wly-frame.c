/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-frame.h"

#include "wly-error.h"

#include <string.h>

static const char *const frame_names[] = { NULL, WOOLLY_FRAME_NAMES };

/* nocheck: the type's own verb, beside the writer */
WlyStreamFormat
wly_stream_format_parse (const char *word)
{
  if (g_str_equal (word, "jsonl"))
    return WLY_STREAM_JSONL;
  if (g_str_equal (word, "text"))
    return WLY_STREAM_TEXT;
  return WLY_STREAM_FRAMES;
}

static void
append_string (GByteArray *out, const char *text)
{
  g_byte_array_append (out, (const guint8 *)text, (guint)strlen (text));
}

/* JSON string (RFC 8259); the text is UTF-8. */
static void
append_json_string (GByteArray *out, const char *text, gsize n_bytes)
{
  append_string (out, "\"");
  for (gsize i = 0; i < n_bytes; i++) {
    guint8 c = (guint8)text[i];
    char escape[8];

    if (c == '"' || c == '\\') {
      g_snprintf (escape, sizeof escape, "\\%c", c);
      append_string (out, escape);
    } else if (c < 0x20 || c == 0x7f) {
      g_snprintf (escape, sizeof escape, "\\u%04x", c);
      append_string (out, escape);
    } else {
      g_byte_array_append (out, &c, 1);
    }
  }
  append_string (out, "\"");
}

static void append_json_value (GByteArray *out, GVariant *value);

/* Lists, and rows of them; as deep as the type, which is ours. */
static void
append_json_list (GByteArray *out, GVariant *list)
{
  append_string (out, "[");
  for (gsize i = 0; i < g_variant_n_children (list); i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (list, i);

    if (i > 0)
      append_string (out, ",");
    append_json_value (out, child);
  }
  append_string (out, "]");
}

/* The values that frames carry: numbers, booleans, strings, and lists of them. */
static void
append_json_value (GByteArray *out, GVariant *value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  switch (g_variant_classify (value)) {
  case G_VARIANT_CLASS_UINT32:
    g_snprintf (buffer, sizeof buffer, "%u", g_variant_get_uint32 (value));
    append_string (out, buffer);
    break;
  case G_VARIANT_CLASS_UINT64:
    g_snprintf (buffer, sizeof buffer, "%" G_GUINT64_FORMAT, g_variant_get_uint64 (value));
    append_string (out, buffer);
    break;
  case G_VARIANT_CLASS_DOUBLE:
    append_string (out, g_ascii_dtostr (buffer, sizeof buffer, g_variant_get_double (value)));
    break;
  case G_VARIANT_CLASS_BOOLEAN:
    append_string (out, g_variant_get_boolean (value) ? "true" : "false");
    break;
  case G_VARIANT_CLASS_STRING: {
    gsize length;
    const char *text = g_variant_get_string (value, &length);

    append_json_string (out, text, length);
    break;
  }
  case G_VARIANT_CLASS_ARRAY:
  case G_VARIANT_CLASS_TUPLE:
    append_json_list (out, value);
    break;
  default:
    append_string (out, "null");
  }
}

static void
append_frame (GByteArray *out, enum woolly_frame_type type, const void *payload, gsize n_bytes)
{
  guint8 header[WOOLLY_FRAME_HEADER];

  woolly_frame_header (header, (guint32)n_bytes, type);
  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, payload, (guint)n_bytes);
}

static void
append_text_piece (GByteArray *out, WlyStreamFormat format, enum woolly_frame_type type, const char *text,
                   gsize n_bytes)
{
  switch (format) {
  case WLY_STREAM_FRAMES:
    append_frame (out, type, text, n_bytes);
    break;
  case WLY_STREAM_JSONL:
    append_string (out, "{\"type\":\"");
    append_string (out, frame_names[type]);
    append_string (out, "\",\"text\":");
    append_json_string (out, text, n_bytes);
    append_string (out, "}\n");
    break;
  case WLY_STREAM_TEXT:
    if (type == WOOLLY_FRAME_TEXT)
      g_byte_array_append (out, (const guint8 *)text, (guint)n_bytes);
    break;
  }
}

void
wly_frame_append_text (GByteArray *out, WlyStreamFormat format, enum woolly_frame_type type, const char *text,
                       gsize n_bytes)
{
  while (n_bytes > 0) {
    gsize piece = n_bytes;

    if (piece > WOOLLY_FRAME_MAX) {
      piece = WOOLLY_FRAME_MAX;
      while (((guint8)text[piece] & 0xc0) == 0x80)
        piece--;
    }
    append_text_piece (out, format, type, text, piece);
    text += piece;
    n_bytes -= piece;
  }
}

static void
append_json_line (GByteArray *out, enum woolly_frame_type type, GVariant *values)
{
  GVariantIter iter;
  GVariant *value;
  const char *key;

  append_string (out, "{\"type\":\"");
  append_string (out, frame_names[type]);
  append_string (out, "\"");
  g_variant_iter_init (&iter, values);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
    append_string (out, ",");
    append_json_string (out, key, strlen (key));
    append_string (out, ":");
    append_json_value (out, value);
    g_variant_unref (value);
  }
  append_string (out, "}\n");
}

void
wly_frame_append (GByteArray *out, WlyStreamFormat format, enum woolly_frame_type type, GVariant *values)
{
  g_autoptr (GVariant) sunk   = g_variant_ref_sink (values);
  g_autoptr (GVariant) normal = g_variant_get_normal_form (sunk);

  g_return_if_fail (g_variant_is_of_type (normal, G_VARIANT_TYPE_VARDICT));
  if (format == WLY_STREAM_JSONL) {
    append_json_line (out, type, normal);
  } else if (format == WLY_STREAM_FRAMES) {
#if G_BYTE_ORDER == G_BIG_ENDIAN
    g_autoptr (GVariant) little = g_variant_byteswap (normal);
#else
    g_autoptr (GVariant) little = g_variant_ref (normal);
#endif
    g_return_if_fail (g_variant_get_size (little) <= WOOLLY_FRAME_MAX);
    append_frame (out, type, g_variant_get_data (little), g_variant_get_size (little));
  }
}
