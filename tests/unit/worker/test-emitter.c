/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-emitter.h"
#include "wly-error.h"

#include <string.h>

/* What is written when @text comes in pieces of @n_piece bytes; @ret_stopped may be NULL. */
static char *
emit_pieces (const char *text, gsize n_bytes, gsize n_piece, const char *const *stops, gboolean *ret_stopped,
             gsize *ret_n_behind)
{
  g_autoptr (WlyEmitter) emitter = wly_emitter_new (stops);
  GString *out                   = g_string_new (NULL);
  gboolean stopped               = FALSE;

  for (gsize at = 0; at < n_bytes && !stopped; at += n_piece) {
    stopped = wly_emitter_push (emitter, text + at, MIN (n_piece, n_bytes - at), out, ret_n_behind);
    g_assert_true (g_utf8_validate_len (out->str, out->len, NULL));
  }
  wly_emitter_finish (emitter, out);
  if (ret_stopped != NULL)
    *ret_stopped = stopped;
  return g_string_free (out, FALSE);
}

static void
test_characters (void)
{
  const char *text = "a\xc3\xa4 \xe2\x82\xac \xf0\x9f\x90\x91 z";

  for (gsize n = 1; n <= strlen (text); n++) {
    g_autofree char *out = emit_pieces (text, strlen (text), n, NULL, NULL, NULL);

    g_assert_cmpstr (out, ==, text);
  }
}

static void
test_broken (void)
{
  const char text[]     = "a\xff"
                          "b\xe2\x82"
                          "c\0d\xf0\x9f";
  g_autofree char *out  = emit_pieces (text, sizeof text - 1, 1, NULL, NULL, NULL);
  g_autofree char *once = emit_pieces (text, sizeof text - 1, sizeof text, NULL, NULL, NULL);

  g_assert_cmpstr (out, ==,
                   "a\xef\xbf\xbd"
                   "b\xef\xbf\xbd\xef\xbf\xbd"
                   "c\xef\xbf\xbd"
                   "d\xef\xbf\xbd\xef\xbf\xbd");
  g_assert_cmpstr (once, ==, out);
}

static void
test_stops (void)
{
  const char *text          = "one two\nUser: three";
  const char *const stops[] = { "\nUser:", "four", NULL };

  for (gsize n = 1; n <= strlen (text); n++) {
    gboolean stopped;
    gsize n_behind       = 0;
    g_autofree char *out = emit_pieces (text, strlen (text), n, stops, &stopped, &n_behind);

    g_assert_true (stopped);
    g_assert_cmpstr (out, ==, "one two");
    g_assert_cmpuint (n_behind, >=, strlen ("\nUser:"));
    g_assert_cmpuint (n_behind, <=, strlen ("\nUser: three"));
  }
}

/* The beginning of a stop text that goes on differently is written after all; of two, the first one counts. */
static void
test_near_misses (void)
{
  const char *const stops[] = { "aab", "b!", NULL };
  gboolean stopped;

  for (gsize n = 1; n <= 5; n++) {
    g_autofree char *kept = emit_pieces ("aaaaxaa", 7, n, stops, &stopped, NULL);
    g_autofree char *cut  = NULL;

    g_assert_false (stopped);
    g_assert_cmpstr (kept, ==, "aaaaxaa");
    cut = emit_pieces ("aaaab!", 6, n, stops, &stopped, NULL);
    g_assert_true (stopped);
    g_assert_cmpstr (cut, ==, "aa");
  }
}

static void
test_check (void)
{
  g_autofree char *longest     = g_strnfill (WLY_STOP_BYTES_MAX, 'x');
  g_autofree char *long_one    = g_strnfill (WLY_STOP_BYTES_MAX + 1, 'x');
  const char *const good[]     = { "x", longest, NULL };
  const char *const empty[]    = { "x", "", NULL };
  const char *const too_long[] = { long_one, NULL };
  g_autoptr (GError) error     = NULL;

  g_assert_true (wly_emitter_check_stops (good, &error));
  g_assert_true (wly_emitter_check_stops (NULL, &error));
  g_assert_no_error (error);
  g_assert_false (wly_emitter_check_stops (empty, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  g_clear_error (&error);
  g_assert_false (wly_emitter_check_stops (too_long, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/emitter/characters", test_characters);
  g_test_add_func ("/worker/emitter/broken", test_broken);
  g_test_add_func ("/worker/emitter/stops", test_stops);
  g_test_add_func ("/worker/emitter/near-misses", test_near_misses);
  g_test_add_func ("/worker/emitter/check", test_check);
  return g_test_run ();
}
