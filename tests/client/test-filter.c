/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the terminal must not get of a model's text, cut at every place.
 */
#include "client/woollyctl/woollyctl-filter.h"

#include <string.h>

static const struct {
  const char *text;
  const char *wanted;
} cases[] = {
  { "plain grün 日本\n\ttext", "plain grün 日本\n\ttext" },
  { "a\x1b[31;1mb\x1b[0mc", "abc" },
  { "a\x1b]0;a title\007b", "ab" },
  { "a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\b", "alinkb" },
  { "a\x1bPq#0;\x1b\\b", "ab" },
  { "a\xc2\x9b"
    "31mb",
    "ab" },
  { "a\xc2\x9d"
    "0;t\xc2\x9c"
    "b",
    "ab" },
  { "a\x1b(Bb\x1b%Gc", "abc" },
  { "a\x1b"
    "cb\x1b"
    "7c",
    "abc" },
  { "a\rb\bc\x7f"
    "d\x01"
    "e\ve",
    "abcdee" },
  { "a\x1b\x1b[31mb", "ab" },
  { "a\x1b[3\x1b[31mb", "ab" },
  { "a\x1b]never ends\nb", "a\nb" },
  { "a\x1b[never", "aever" },
  { "a\x1b\nb", "a\nb" },
  { "\x1b", "" },
  { "", "" },
};

static void
check_cut (gsize i, gsize first, gsize second)
{
  WoollyctlFilter filter  = { WOOLLYCTL_FILTER_TEXT };
  g_autoptr (GString) out = g_string_new (NULL);
  g_autofree char *a      = g_strndup (cases[i].text, first);
  g_autofree char *b      = g_strndup (cases[i].text + first, second - first);

  woollyctl_filter_append (&filter, out, a);
  woollyctl_filter_append (&filter, out, b);
  woollyctl_filter_append (&filter, out, cases[i].text + second);
  g_assert_cmpstr (out->str, ==, cases[i].wanted);
}

static gboolean
is_start (const char *text, gsize at)
{
  return ((guchar)text[at] & 0xc0) != 0x80;
}

static void
test_cases (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    const char *text = cases[i].text;
    gsize n          = strlen (text);

    for (gsize first = 0; first <= n; first++)
      for (gsize second = first; second <= n; second++)
        if (is_start (text, first) && is_start (text, second))
          check_cut (i, first, second);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/client/filter/cases", test_cases);
  return g_test_run ();
}
