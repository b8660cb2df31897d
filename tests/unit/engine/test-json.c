/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The JSON reader: what it takes and refuses, and that nothing of a text is lost.
 */
#include "wly-error.h"
#include "json/json.h"

#include <string.h>

#define DEPTH 8

static char *
rewrite (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyJson) json = wly_json_new (text, strlen (text), DEPTH, &error);
  GString *out             = g_string_new (NULL);

  g_assert_no_error (error);
  wly_json_write (json, WLY_JSON_ROOT, out);
  return g_string_free (out, FALSE);
}

static void
check_rewritten (const char *text, const char *expected)
{
  g_autofree char *got = rewrite (text);

  g_assert_cmpstr (got, ==, expected);
}

static void
test_values (void)
{
  check_rewritten (" null ", "null");
  check_rewritten ("[true , false,\n null]", "[true,false,null]");
  check_rewritten ("{}", "{}");
  check_rewritten ("[[],{},[{}]]", "[[],{},[{}]]");
  check_rewritten ("{\"b\": 1.50, \"a\" : -0e+7 }", "{\"b\":1.50,\"a\":-0e+7}");
  check_rewritten ("\"\\u00e9\\ud83d\\ude00\\/\\n\\u0001\"", "\"é😀/\\n\\u0001\"");
  check_rewritten ("{\"名前\":[\"日本\",\"عربي\"]}", "{\"名前\":[\"日本\",\"عربي\"]}");
}

static void
test_refused (void)
{
  static const struct {
    const char *text, *message;
  } cases[] = {
    { "", "a value is wanted" },
    { "[1,]", "line 1, column 4: a value is wanted" },
    { "{\"a\" 1}", "a colon is wanted" },
    { "{a:1}", "a key in quotes is wanted" },
    { "[1 2]", "a comma or the end" },
    { "1 2", "something stands behind" },
    { "\n\n \"a", "line 3, column 4: a string does not end" },
    { "\"\t\"", "a control character" },
    { "\"\\x\"", "unknown escape" },
    { "\"\\ud800\"", "half of a surrogate pair" },
    { "\"\\udc00\"", "half of a surrogate pair" },
    { "\"\\u12g4\"", "four hexadecimal digits" },
    { "01", "something stands behind" },
    { "1.", "digits are wanted behind the point" },
    { "1e", "digits are wanted in the exponent" },
    { "-", "a value is wanted" },
    { "nul", "a value is wanted" },
    { "[[[[[[[[[1]]]]]]]]]", "too many lists" },
    { "\"\xff\"", "not valid UTF-8" },
    { "[1", "a comma or the end" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GError) error = NULL;
    g_autoptr (WlyJson) json = wly_json_new (cases[i].text, strlen (cases[i].text), DEPTH, &error);

    g_assert_null (json);
    g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
    if (strstr (error->message, cases[i].message) == NULL)
      g_error ("%s: %s", cases[i].text, error->message);
  }
}

/* 200,000 brackets are refused, and a list of as many items is read, with a stack that does not grow. */
static void
test_large (void)
{
  const guint n            = 200000;
  g_autofree char *open    = g_strnfill (n, '[');
  g_autoptr (GString) list = g_string_new ("[0");
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyJson) json = wly_json_new (open, n, 64, &error);

  g_assert_null (json);
  for (guint i = 1; i < n; i++)
    g_string_append (list, ",0");
  g_string_append_c (list, ']');
  json = wly_json_new (list->str, list->len, 64, NULL);
  g_assert_nonnull (json);
  g_assert_cmpuint (wly_json_get (json, WLY_JSON_ROOT)->n_children, ==, n);
}

static void
test_pointers (void)
{
  const char *text         = "{\"a/b\":[10,{\"~x\":true}],\"\":1,\"a\":1,\"a\":2}";
  g_autoptr (WlyJson) json = wly_json_new (text, strlen (text), DEPTH, NULL);
  WlyJsonId id             = wly_json_resolve (json, "/a~1b/1/~0x");
  g_autofree char *pointer = NULL;
  gsize n_bytes;

  g_assert_cmpuint (id, !=, 0);
  g_assert_cmpint (wly_json_kind (json, id), ==, WLY_JSON_TRUE);
  pointer = wly_json_pointer (json, id);
  g_assert_cmpstr (pointer, ==, "/a~1b/1/~0x");
  g_assert_cmpuint (wly_json_resolve (json, ""), ==, WLY_JSON_ROOT);
  g_assert_cmpuint (wly_json_resolve (json, "/"), !=, 0);
  g_assert_cmpuint (wly_json_resolve (json, "/a~1b/2"), ==, 0);
  g_assert_cmpuint (wly_json_resolve (json, "a"), ==, 0);
  /* of two the last one counts */
  g_assert_cmpstr (wly_json_text (json, wly_json_find (json, WLY_JSON_ROOT, "a"), &n_bytes), ==, "2");
}

static void
test_equality (void)
{
  const char *text =
      "[{\"a\":[1,\"x\"],\"b\":null},{\"b\":null,\"a\":[1,\"\\u0078\"]},{\"a\":[1,\"x\"]},{\"a\":[\"x\",1],"
      "\"b\":null},{\"a\":1,\"a\":1},{\"a\":1,\"b\":2}]";
  g_autoptr (WlyJson) json = wly_json_new (text, strlen (text), DEPTH, NULL);
  WlyJsonId ids[6];

  ids[0] = wly_json_get (json, WLY_JSON_ROOT)->first;
  for (guint i = 1; i < G_N_ELEMENTS (ids); i++)
    ids[i] = wly_json_get (json, ids[i - 1])->next;
  g_assert_true (wly_json_equal (json, ids[0], ids[1]));
  g_assert_false (wly_json_equal (json, ids[0], ids[2]));
  g_assert_false (wly_json_equal (json, ids[0], ids[3]));
  /* with one key twice and two keys */
  g_assert_false (wly_json_equal (json, ids[4], ids[5]));
  g_assert_false (wly_json_equal (json, ids[5], ids[4]));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/reader/values", test_values);
  g_test_add_func ("/json/reader/refused", test_refused);
  g_test_add_func ("/json/reader/large", test_large);
  g_test_add_func ("/json/document/pointers", test_pointers);
  g_test_add_func ("/json/document/equality", test_equality);
  return g_test_run ();
}
