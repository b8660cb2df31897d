/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any bytes as the stream of a generation, read by libwoolly: the first byte is the length of the pieces that they come
 * in, which makes no difference.
 */
#include "fuzz.h"

#include "introspection/woolly-stream.h"

#include <gio/gio.h>
#include <sys/socket.h>
#include <unistd.h>
#include <woolly.h>

#define N_PIECES_MAX 100 /* what a socket takes without a reader */

static void
show_event (WoollyEvent *event, GString *shown)
{
  const char *text   = woolly_event_get_text (event);
  GVariant *values   = woolly_event_get_values (event);
  const char *reason = woolly_event_get_reason (event);
  guint64 done, total;

  g_assert_true ((text == NULL) == (values != NULL));
  g_string_append_printf (shown, "%d %s ", (int)woolly_event_get_kind (event), reason != NULL ? reason : "");
  if (woolly_event_get_progress (event, &done, &total))
    g_string_append_printf (shown, "%" G_GUINT64_FORMAT " of %" G_GUINT64_FORMAT " ", done, total);
  if (text != NULL) {
    g_assert_true (g_utf8_validate (text, -1, NULL));
    g_string_append (shown, text);
  } else {
    g_assert_true (g_variant_is_of_type (values, G_VARIANT_TYPE_VARDICT));
    g_variant_print_string (values, shown, TRUE);
  }
  g_string_append_c (shown, '\n');
}

/* All events and the error; (transfer full). */
static char *
read_all (const guint8 *data, gsize n_bytes, gsize n_piece)
{
  GString *shown                  = g_string_new (NULL);
  g_autoptr (WoollyStream) stream = NULL;
  g_autoptr (GError) error        = NULL;
  int fds[2];

  /* a socket that keeps pieces apart */
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), ==, 0);
  for (gsize at = 0; at < n_bytes; at += n_piece)
    g_assert_cmpint (send (fds[1], data + at, MIN (n_piece, n_bytes - at), MSG_NOSIGNAL), >, 0);
  close (fds[1]);
  stream = woolly_stream_new (fds[0]);
  for (;;) {
    g_autoptr (WoollyEvent) event = woolly_stream_read (stream, NULL, &error);

    if (event == NULL)
      break;
    g_assert_no_error (error);
    show_event (event, shown);
  }
  if (error != NULL) {
    g_assert_cmpuint (error->domain, ==, WOOLLY_ERROR);
    g_assert_true (g_utf8_validate (error->message, -1, NULL));
    g_string_append (shown, error->message);
  }
  g_assert_null (woolly_stream_read (stream, NULL, NULL)); /* the end stays the end */
  return g_string_free (shown, FALSE);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autofree char *whole = NULL, *pieces = NULL;

  if (n_bytes < 2)
    return 0;
  whole  = read_all (data + 1, n_bytes - 1, n_bytes);
  pieces = read_all (data + 1, n_bytes - 1, MAX (data[0], n_bytes / N_PIECES_MAX + 1));
  g_assert_cmpstr (pieces, ==, whole);
  return 0;
}
