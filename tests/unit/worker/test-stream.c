/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-error.h"
#include "wly-stream.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

typedef struct {
  guint n_hung_up, n_stalled, n_drained;
} Events;

static void
hung_up_cb (gpointer data)
{
  ((Events *)data)->n_hung_up++;
}

static void
stalled_cb (gpointer data)
{
  ((Events *)data)->n_stalled++;
}

static void
drained_cb (gpointer data)
{
  ((Events *)data)->n_drained++;
}

static const WlyStreamEvents callbacks = { hung_up_cb, stalled_cb, drained_cb };

static WlyStream *
make_stream (guint stall_ms, Events *events, int *ret_reader)
{
  g_autoptr (GError) error = NULL;
  WlyStream *stream;
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  stream = wly_stream_new (fds[0], WLY_STREAM_TEXT, stall_ms, &error);
  g_assert_no_error (error);
  wly_stream_watch (stream, &callbacks, events);
  *ret_reader = fds[1];
  return stream;
}

/* Reads what is there; FALSE: the writer has closed. */
static gboolean
read_some (int fd, GByteArray *all)
{
  guint8 buffer[65536];

  for (;;) {
    gssize n = recv (fd, buffer, sizeof buffer, MSG_DONTWAIT);

    if (n < 0) {
      g_assert_cmpint (errno, ==, EAGAIN);
      return TRUE;
    }
    if (n == 0)
      return FALSE;
    g_byte_array_append (all, buffer, (guint)n);
  }
}

static void
spin_until (const guint *counter)
{
  while (*counter == 0)
    g_main_context_iteration (NULL, TRUE);
}

static void
spin (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

/* Nothing is lost between a full buffer and a slow reader, and the end comes when it has read all. */
static void
test_back_pressure (void)
{
  g_autoptr (GByteArray) got  = g_byte_array_new ();
  g_autoptr (GByteArray) sent = g_byte_array_new ();
  Events events               = { 0 };
  int reader;
  WlyStream *stream = make_stream (60000, &events, &reader);

  while (!wly_stream_is_full (stream)) {
    g_autofree char *line = g_strdup_printf ("line %u of a text that nobody reads\n", sent->len);

    wly_stream_write_text (stream, line, strlen (line));
    g_byte_array_append (sent, (const guint8 *)line, (guint)strlen (line));
  }
  g_assert_cmpuint (sent->len, >=, WLY_STREAM_BUFFER_BYTES);
  spin ();
  g_assert_cmpuint (events.n_drained, ==, 0);
  while (events.n_drained == 0) {
    read_some (reader, got);
    g_main_context_iteration (NULL, FALSE);
  }
  g_assert_false (wly_stream_is_full (stream));
  wly_stream_finish (stream);
  while (read_some (reader, got))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpmem (got->data, got->len, sent->data, sent->len);
  g_assert_cmpuint (events.n_hung_up + events.n_stalled, ==, 0);
  wly_stream_unref (stream);
  spin ();
  g_assert_cmpuint (wly_stream_n_open (), ==, 0);
  close (reader);
}

static void
test_hang_up (void)
{
  Events events = { 0 };
  int reader;
  WlyStream *stream = make_stream (60000, &events, &reader);

  wly_stream_write_text (stream, "x", 1);
  close (reader);
  spin_until (&events.n_hung_up);
  /* whatever is still written goes nowhere */
  wly_stream_write_text (stream, "y", 1);
  g_assert_true (wly_stream_is_empty (stream));
  g_assert_false (wly_stream_is_full (stream));
  spin ();
  g_assert_cmpuint (events.n_hung_up, ==, 1);
  wly_stream_unref (stream);
  g_assert_cmpuint (wly_stream_n_open (), ==, 0);
}

/* A reader that only closes its reading half has hung up, too. */
static void
test_half_closed (void)
{
  Events events = { 0 };
  int reader;
  WlyStream *stream = make_stream (60000, &events, &reader);

  shutdown (reader, SHUT_RD);
  wly_stream_write_text (stream, "x", 1);
  spin_until (&events.n_hung_up);
  wly_stream_unref (stream);
  close (reader);
}

static void
test_stall (void)
{
  Events events = { 0 };
  int reader;
  WlyStream *stream    = make_stream (100, &events, &reader);
  g_autofree char *big = g_strnfill (WLY_STREAM_BUFFER_BYTES * 4, 'x');

  wly_stream_write_text (stream, big, WLY_STREAM_BUFFER_BYTES * 4);
  spin_until (&events.n_stalled);
  g_assert_cmpuint (events.n_stalled, ==, 1);
  g_assert_cmpuint (events.n_hung_up, ==, 0);
  wly_stream_unref (stream);
  spin ();
  g_assert_cmpuint (wly_stream_n_open (), ==, 0);
  close (reader);
}

/* What counts is when the reader took something last: one that begins a little later and may wait longer is never ended
 * earlier. */
static void
test_stall_in_time (void)
{
  Events first = { 0 }, second = { 0 };
  int readers[2];
  WlyStream *streams[2];
  g_autofree char *big  = g_strnfill (WLY_STREAM_BUFFER_BYTES * 4, 'x');
  g_autofree char *some = g_malloc (WLY_STREAM_BUFFER_BYTES);

  streams[0] = make_stream (800, &first, &readers[0]);
  wly_stream_write_text (streams[0], big, WLY_STREAM_BUFFER_BYTES * 4);
  g_usleep (200 * 1000);
  spin ();
  g_assert_cmpint (recv (readers[0], some, WLY_STREAM_BUFFER_BYTES, MSG_DONTWAIT), >, 0);
  spin (); /* takes more, and counts from here */
  streams[1] = make_stream (1100, &second, &readers[1]);
  wly_stream_write_text (streams[1], big, WLY_STREAM_BUFFER_BYTES * 4);
  spin_until (&second.n_stalled);
  g_assert_cmpuint (first.n_stalled, ==, 1);
  for (int i = 0; i < 2; i++) {
    wly_stream_unref (streams[i]);
    close (readers[i]);
  }
}

/* A stream that is at its end lingers without its owner. */
static void
test_linger (void)
{
  g_autoptr (GByteArray) got = g_byte_array_new ();
  Events events              = { 0 };
  int reader;
  WlyStream *stream    = make_stream (60000, &events, &reader);
  g_autofree char *big = g_strnfill (WLY_STREAM_BUFFER_BYTES * 4, 'x');

  wly_stream_write_text (stream, big, WLY_STREAM_BUFFER_BYTES * 4);
  wly_stream_unwatch (stream);
  wly_stream_finish (stream);
  wly_stream_unref (stream);
  g_assert_cmpuint (wly_stream_n_open (), ==, 1);
  while (read_some (reader, got))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (got->len, ==, WLY_STREAM_BUFFER_BYTES * 4);
  spin ();
  g_assert_cmpuint (wly_stream_n_open (), ==, 0);
  g_assert_cmpuint (events.n_drained, ==, 0);
  close (reader);
}

static void
test_no_socket (void)
{
  g_autoptr (GError) error = NULL;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  g_assert_null (wly_stream_new (fds[1], WLY_STREAM_TEXT, 1000, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
  close (fds[0]);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/stream/back-pressure", test_back_pressure);
  g_test_add_func ("/worker/stream/hang-up", test_hang_up);
  g_test_add_func ("/worker/stream/half-closed", test_half_closed);
  g_test_add_func ("/worker/stream/stall", test_stall);
  g_test_add_func ("/worker/stream/stall-in-time", test_stall_in_time);
  g_test_add_func ("/worker/stream/linger", test_linger);
  g_test_add_func ("/worker/stream/no-socket", test_no_socket);
  return g_test_run ();
}
