/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stream reader on a socket pair: frames cut anywhere, of unknown and of damaged kinds, and ends of every sort.
 */
#include <gio/gio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <woolly.h>

#include "introspection/woolly-stream.h"

typedef struct {
  WoollyStream *stream;
  int writer;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer data)
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), ==, 0);
  fixture->stream = woolly_stream_new (fds[0]);
  fixture->writer = fds[1];
}

static void
tear_down (Fixture *fixture, gconstpointer data)
{
  g_assert_finalize_object (fixture->stream);
  if (fixture->writer >= 0)
    close (fixture->writer);
}

static void
append_frame (GByteArray *out, guint type, gconstpointer payload, gsize n_bytes)
{
  guint8 header[WOOLLY_FRAME_HEADER];

  woolly_frame_header (header, (guint32)n_bytes, (enum woolly_frame_type)type);
  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, payload, (guint)n_bytes);
}

static void
append_text (GByteArray *out, const char *text)
{
  append_frame (out, WOOLLY_FRAME_TEXT, text, strlen (text));
}

static void
append_values (GByteArray *out, guint type, const char *text)
{
  g_autoptr (GVariant) values = g_variant_parse (G_VARIANT_TYPE_VARDICT, text, NULL, NULL, NULL);
  g_autoptr (GVariant) normal = NULL;

  g_assert_nonnull (values);
  normal = G_BYTE_ORDER == G_BIG_ENDIAN ? g_variant_byteswap (values) : g_variant_ref (values);
  append_frame (out, type, g_variant_get_data (normal), g_variant_get_size (normal));
}

static void
send_bytes (Fixture *fixture, GByteArray *bytes)
{
  g_assert_cmpint (send (fixture->writer, bytes->data, bytes->len, MSG_NOSIGNAL), ==, (gssize)bytes->len);
}

static void
hang_up (Fixture *fixture)
{
  close (fixture->writer);
  fixture->writer = -1;
}

static void
expect_text (Fixture *fixture, const char *text)
{
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyEvent) event = woolly_stream_read (fixture->stream, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (event);
  g_assert_cmpint (woolly_event_get_kind (event), ==, WOOLLY_EVENT_TEXT);
  g_assert_cmpstr (woolly_event_get_text (event), ==, text);
  g_assert_null (woolly_event_get_values (event));
}

static void
expect_end (Fixture *fixture, const char *reason)
{
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyEvent) event = woolly_stream_read (fixture->stream, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpint (woolly_event_get_kind (event), ==, WOOLLY_EVENT_END);
  g_assert_cmpstr (woolly_event_get_reason (event), ==, reason);
  g_assert_null (woolly_stream_read (fixture->stream, NULL, &error));
  g_assert_no_error (error);
}

static void
expect_error (Fixture *fixture, WoollyError code, const char *part)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (woolly_stream_read (fixture->stream, NULL, &error));
  g_assert_error (error, WOOLLY_ERROR, (int)code);
  g_assert_nonnull (strstr (error->message, part));
  g_clear_error (&error);
  g_assert_null (woolly_stream_read (fixture->stream, NULL, &error)); /* once only */
  g_assert_no_error (error);
}

static void
test_all_kinds (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  guint64 done               = 0;
  guint64 total              = 0;

  append_values (out, WOOLLY_FRAME_QUEUE, "{'position': <uint32 3>}");
  append_values (out, WOOLLY_FRAME_LOAD, "{'done': <uint64 5000000000>, 'total': <uint64 6000000000>}");
  append_values (out, WOOLLY_FRAME_PREFILL, "{'done': <uint32 7>, 'total': <uint32 9>, 'cached': <uint32 2>}");
  append_frame (out, WOOLLY_FRAME_REASONING, "hm", 2);
  append_text (out, "grün");
  append_values (out, WOOLLY_FRAME_TOOL_CALL, "{'id': <'1'>, 'name': <'f'>, 'arguments': <'{}'>}");
  append_values (out, WOOLLY_FRAME_USAGE, "{'tokens-out': <uint32 1>, 'seed': <uint64 18446744073709551615>}");
  append_values (out, WOOLLY_FRAME_END, "{'reason': <'stop'>}");
  send_bytes (fixture, out);

  for (guint i = 0; i < 7; i++) {
    static const WoollyEventKind kinds[] = { WOOLLY_EVENT_QUEUE,     WOOLLY_EVENT_LOAD, WOOLLY_EVENT_PREFILL,
                                             WOOLLY_EVENT_REASONING, WOOLLY_EVENT_TEXT, WOOLLY_EVENT_TOOL_CALL,
                                             WOOLLY_EVENT_USAGE };
    g_autoptr (WoollyEvent) event        = woolly_stream_read (fixture->stream, NULL, NULL);

    g_assert_nonnull (event);
    g_assert_cmpint (woolly_event_get_kind (event), ==, kinds[i]);
    g_assert_cmpint (woolly_event_get_progress (event, &done, &total), ==, i == 1 || i == 2);
    g_assert_cmpuint (done, ==, i == 1 ? G_GUINT64_CONSTANT (5000000000) : i == 2 ? 7 : 0);
    g_assert_cmpuint (total, ==, i == 1 ? G_GUINT64_CONSTANT (6000000000) : i == 2 ? 9 : 0);
    g_assert_cmpint (woolly_event_get_text (event) != NULL, ==, i == 3 || i == 4);
  }
  expect_end (fixture, "stop");
}

static gpointer
trickle_thread (gpointer data)
{
  Fixture *fixture           = data;
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_text (out, "one");
  append_text (out, "");
  append_text (out, "two");
  append_values (out, WOOLLY_FRAME_END, "{'reason': <'length'>}");
  for (guint i = 0; i < out->len; i++) {
    g_assert_cmpint (send (fixture->writer, out->data + i, 1, MSG_NOSIGNAL), ==, 1);
    g_usleep (500);
  }
  return NULL;
}

static void
test_byte_by_byte (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GThread) thread = g_thread_new ("trickle", trickle_thread, fixture);

  expect_text (fixture, "one");
  expect_text (fixture, "");
  expect_text (fixture, "two");
  expect_end (fixture, "length");
  g_thread_join (g_steal_pointer (&thread));
}

static void
test_unknown_types (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();
  guint8 junk[300];

  memset (junk, 0xff, sizeof junk);
  append_frame (out, 0, junk, sizeof junk);
  append_frame (out, 10, junk, 0);
  append_frame (out, 255, junk, sizeof junk);
  append_text (out, "after");
  out->data[6] = 0xff; /* flags that nobody knows yet */
  append_values (out, WOOLLY_FRAME_END, "{'reason': <'stop'>, 'new-key': <('a', 1)>}");
  send_bytes (fixture, out);
  expect_text (fixture, "after");
  expect_end (fixture, "stop");
}

static gpointer
large_thread (gpointer data)
{
  Fixture *fixture           = data;
  g_autoptr (GByteArray) out = g_byte_array_new ();
  g_autofree char *text      = g_strnfill (WOOLLY_FRAME_MAX, 'x');

  for (guint i = 0; i < 5; i++)
    append_text (out, text);
  append_values (out, WOOLLY_FRAME_END, "{'reason': <'stop'>}");
  for (gsize at = 0; at < out->len;) {
    gssize n = send (fixture->writer, out->data + at, out->len - at, MSG_NOSIGNAL);

    g_assert_cmpint (n, >, 0);
    at += (gsize)n;
  }
  return NULL;
}

static void
test_largest_frames (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GThread) thread = g_thread_new ("large", large_thread, fixture);
  g_autofree char *text      = g_strnfill (WOOLLY_FRAME_MAX, 'x');

  for (guint i = 0; i < 5; i++)
    expect_text (fixture, text);
  expect_end (fixture, "stop");
  g_thread_join (g_steal_pointer (&thread));
}

static void
test_too_long (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_text (out, "good");
  append_text (out, "bad");
  out->data[WOOLLY_FRAME_HEADER + 4 + 2] = 2; /* a length of 128 KiB and 3 */
  send_bytes (fixture, out);
  expect_text (fixture, "good");
  expect_error (fixture, WOOLLY_ERROR_FAILED, "131075 bytes");
}

static void
test_wrong_version (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_text (out, "new");
  out->data[4] = 2;
  send_bytes (fixture, out);
  expect_error (fixture, WOOLLY_ERROR_NOT_SUPPORTED, "version 2");
}

static void
test_damaged_payload (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_frame (out, WOOLLY_FRAME_USAGE, "\xff\xff\xff\xff\xff", 5);
  send_bytes (fixture, out);
  expect_error (fixture, WOOLLY_ERROR_FAILED, "damaged");
}

static void
test_damaged_text (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_frame (out, WOOLLY_FRAME_TEXT, "gr\xc3", 3);
  send_bytes (fixture, out);
  expect_error (fixture, WOOLLY_ERROR_FAILED, "UTF-8");
}

static void
test_nul_in_text (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_frame (out, WOOLLY_FRAME_TEXT, "a\0b", 3);
  send_bytes (fixture, out);
  expect_error (fixture, WOOLLY_ERROR_FAILED, "UTF-8");
}

static void
test_error_frame (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_text (out, "so far");
  append_values (out, WOOLLY_FRAME_ERROR, "{'name': <'org.woolly.Error.ContextFull'>, 'message': <'no room'>}");
  send_bytes (fixture, out);
  expect_text (fixture, "so far");
  expect_error (fixture, WOOLLY_ERROR_CONTEXT_FULL, "no room");
}

static void
test_unknown_error (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_values (out, WOOLLY_FRAME_ERROR, "{'name': <'org.woolly.Error.FromTheFuture'>, 'message': <'text'>}");
  send_bytes (fixture, out);
  expect_error (fixture, WOOLLY_ERROR_FAILED, "text");
}

static void
test_broken_off (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  append_text (out, "so far");
  append_text (out, "and no further");
  g_byte_array_set_size (out, out->len - 1);
  send_bytes (fixture, out);
  hang_up (fixture);
  expect_text (fixture, "so far");
  expect_error (fixture, WOOLLY_ERROR_DISCONNECTED, "broke off");
}

static void
test_empty (Fixture *fixture, gconstpointer data)
{
  hang_up (fixture);
  expect_error (fixture, WOOLLY_ERROR_DISCONNECTED, "broke off");
}

static void
store_result_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
test_cancel_and_go_on (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result      = NULL;
  g_autoptr (GAsyncResult) second      = NULL;
  g_autoptr (GError) error             = NULL;
  g_autoptr (GByteArray) out           = g_byte_array_new ();

  woolly_stream_read_async (fixture->stream, cancellable, store_result_cb, &result);
  g_assert_null (result);

  /* Two readers at once would tear the text apart. */
  woolly_stream_read_async (fixture->stream, NULL, store_result_cb, &second);
  while (second == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (woolly_stream_read_finish (fixture->stream, second, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PENDING);
  g_clear_error (&error);

  g_cancellable_cancel (cancellable);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (woolly_stream_read_finish (fixture->stream, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  append_text (out, "still there");
  append_values (out, WOOLLY_FRAME_END, "{'reason': <'stop'>}");
  send_bytes (fixture, out);
  expect_text (fixture, "still there");
  expect_end (fixture, "stop");
}

static void
test_close (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  char byte;

  woolly_stream_close (fixture->stream);
  g_assert_cmpint (recv (fixture->writer, &byte, 1, 0), ==, 0);
  g_assert_null (woolly_stream_read (fixture->stream, NULL, &error));
  g_assert_no_error (error);
}

/* The next file that is opened gets the number of the one that was closed. */
static void
test_close_while_reading (Fixture *fixture, gconstpointer data)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error        = NULL;
  int other[2];
  char byte;

  woolly_stream_read_async (fixture->stream, NULL, store_result_cb, &result);
  g_main_context_iteration (NULL, FALSE);
  g_assert_null (result);
  woolly_stream_close (fixture->stream);
  g_assert_cmpint (recv (fixture->writer, &byte, 1, 0), ==, 0);
  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, other), ==, 0);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  g_assert_null (woolly_stream_read_finish (fixture->stream, result, &error));
  g_assert_no_error (error);
  close (other[0]);
  close (other[1]);
}

static void
add (const char *name, void (*function) (Fixture *, gconstpointer))
{
  g_autofree char *path = g_strdup_printf ("/client/stream/%s", name);

  g_test_add (path, Fixture, NULL, set_up, function, tear_down);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  add ("all-kinds", test_all_kinds);
  add ("byte-by-byte", test_byte_by_byte);
  add ("unknown-types", test_unknown_types);
  add ("largest-frames", test_largest_frames);
  add ("too-long", test_too_long);
  add ("wrong-version", test_wrong_version);
  add ("damaged-payload", test_damaged_payload);
  add ("damaged-text", test_damaged_text);
  add ("nul-in-text", test_nul_in_text);
  add ("error-frame", test_error_frame);
  add ("unknown-error", test_unknown_error);
  add ("broken-off", test_broken_off);
  add ("empty", test_empty);
  add ("cancel-and-go-on", test_cancel_and_go_on);
  add ("close", test_close);
  add ("close-while-reading", test_close_while_reading);
  return g_test_run ();
}
