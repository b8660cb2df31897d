/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-frame.h"

#include <string.h>

static GVariant *
usage_values (void)
{
  GVariantDict dict;

  g_variant_dict_init (&dict, NULL);
  g_variant_dict_insert (&dict, "tokens-in", "u", 12u);
  g_variant_dict_insert (&dict, "device", "s", "a \"cpu\"\n");
  g_variant_dict_insert (&dict, "share", "d", 0.5);
  return g_variant_dict_end (&dict);
}

static void
test_frames (void)
{
  g_autoptr (GByteArray) out  = g_byte_array_new ();
  g_autoptr (GBytes) payload  = NULL;
  g_autoptr (GVariant) values = NULL;
  g_autoptr (GVariant) raw    = NULL;
  guint32 length              = 0;
  guint32 tokens              = 0;
  unsigned type               = 0;

  wly_frame_append_text (out, WLY_STREAM_FRAMES, WOOLLY_FRAME_TEXT, "häh", 4);
  wly_frame_append (out, WLY_STREAM_FRAMES, WOOLLY_FRAME_USAGE, usage_values ());

  g_assert_cmpint (woolly_frame_parse (out->data, &length, &type), ==, 0);
  g_assert_cmpuint (type, ==, WOOLLY_FRAME_TEXT);
  g_assert_cmpmem (out->data + WOOLLY_FRAME_HEADER, length, "häh", 4);
  g_byte_array_remove_range (out, 0, WOOLLY_FRAME_HEADER + length);
  g_assert_cmpint (woolly_frame_parse (out->data, &length, &type), ==, 0);
  g_assert_cmpuint (type, ==, WOOLLY_FRAME_USAGE);
  g_assert_cmpuint (out->len, ==, WOOLLY_FRAME_HEADER + length);
  payload = g_bytes_new (out->data + WOOLLY_FRAME_HEADER, length);
  raw     = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_VARDICT, payload, FALSE));
#if G_BYTE_ORDER == G_BIG_ENDIAN
  values = g_variant_byteswap (raw);
#else
  values = g_variant_ref (raw);
#endif
  g_assert_true (g_variant_is_normal_form (values));
  g_assert_true (g_variant_lookup (values, "tokens-in", "u", &tokens));
  g_assert_cmpuint (tokens, ==, 12);
}

static void
test_json (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  wly_frame_append_text (out, WLY_STREAM_JSONL, WOOLLY_FRAME_TEXT, "a\t\"ü\"\\", 7);
  wly_frame_append (out, WLY_STREAM_JSONL, WOOLLY_FRAME_END, g_variant_new_parsed ("{'reason': <'stop'>}"));
  g_byte_array_append (out, (const guint8 *)"", 1);
  g_assert_cmpstr ((const char *)out->data, ==,
                   "{\"type\":\"text\",\"text\":\"a\\u0009\\\"ü\\\"\\\\\"}\n{\"type\":\"end\",\"reason\":\"stop\"}\n");
}

static void
test_text (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  wly_frame_append_text (out, WLY_STREAM_TEXT, WOOLLY_FRAME_TEXT, "one ", 4);
  wly_frame_append_text (out, WLY_STREAM_TEXT, WOOLLY_FRAME_REASONING, "why", 3);
  wly_frame_append (out, WLY_STREAM_TEXT, WOOLLY_FRAME_USAGE, usage_values ());
  wly_frame_append_text (out, WLY_STREAM_TEXT, WOOLLY_FRAME_TEXT, "two", 3);
  g_assert_cmpmem (out->data, out->len, "one two", 7);
}

/* A text longer than a frame is cut at characters. */
static void
test_long (void)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autoptr (GString) text   = g_string_new ("x");
  g_autoptr (GString) back   = g_string_new (NULL);
  gsize at                   = 0;

  for (guint i = 0; i < 50000; i++)
    g_string_append (text, "€");
  wly_frame_append_text (out, WLY_STREAM_FRAMES, WOOLLY_FRAME_TEXT, text->str, text->len);
  while (at < out->len) {
    guint32 length = 0;
    unsigned type  = 0;

    g_assert_cmpint (woolly_frame_parse (out->data + at, &length, &type), ==, 0);
    g_assert_true (g_utf8_validate_len ((const char *)out->data + at + WOOLLY_FRAME_HEADER, length, NULL));
    g_string_append_len (back, (const char *)out->data + at + WOOLLY_FRAME_HEADER, length);
    at += WOOLLY_FRAME_HEADER + length;
  }
  g_assert_true (g_string_equal (text, back));
}

static void
test_whole (void)
{
  g_assert_cmpuint (wly_utf8_whole ("abc", 3), ==, 3);
  g_assert_cmpuint (wly_utf8_whole ("ab\xc3", 3), ==, 2);
  g_assert_cmpuint (wly_utf8_whole ("ab\xe2\x82", 4), ==, 2);
  g_assert_cmpuint (wly_utf8_whole ("ab\xf0\x9f\x98", 5), ==, 2);
  g_assert_cmpuint (wly_utf8_whole ("ab\xf0\x9f\x98\x80", 6), ==, 6);
  /* what can never become a character is not waited for */
  g_assert_cmpuint (wly_utf8_whole ("ab\xff", 3), ==, 3);
  g_assert_cmpuint (wly_utf8_whole ("ab\xe0\x80", 4), ==, 4);
  g_assert_cmpuint (wly_utf8_whole ("ab\x80", 3), ==, 3);
  g_assert_cmpuint (wly_utf8_whole ("", 0), ==, 0);
}

static void
test_shown (void)
{
  g_autoptr (GString) text = g_string_new ("é");

  g_assert_cmpint (wly_utf8_shown (""), ==, 0);
  g_assert_cmpint (wly_utf8_shown (text->str), ==, 2);
  while (text->len < 300)
    g_string_append (text, "é");
  g_assert_cmpint (wly_utf8_shown (text->str), ==, 256);
  g_string_prepend_c (text, 'a');
  g_assert_cmpint (wly_utf8_shown (text->str), ==, 255);
}

static void
test_clean (void)
{
  gsize n_bytes;
  g_autofree char *clean = wly_utf8_clean ("a\xff\0b\xe2\x82", 6, &n_bytes);

  g_assert_cmpmem (clean, n_bytes,
                   "a\xef\xbf\xbd\xef\xbf\xbd"
                   "b\xef\xbf\xbd\xef\xbf\xbd",
                   14);
}

static void
test_check (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (wly_utf8_check ("gut", 3, NULL));
  g_assert_false (wly_utf8_check ("a\0b", 3, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT);
  g_assert_nonnull (strstr (error->message, "byte 1"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/util/wly-frame/frames", test_frames);
  g_test_add_func ("/util/wly-frame/json", test_json);
  g_test_add_func ("/util/wly-frame/text", test_text);
  g_test_add_func ("/util/wly-frame/long", test_long);
  g_test_add_func ("/util/wly-frame/whole", test_whole);
  g_test_add_func ("/util/wly-frame/shown", test_shown);
  g_test_add_func ("/util/wly-frame/clean", test_clean);
  g_test_add_func ("/util/wly-frame/check", test_check);
  return g_test_run ();
}
