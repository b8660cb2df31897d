/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-stream.h"

#include "wly-error.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

struct WlyStream {
  gint references; /* atomic */
  WlyStreamFormat format;
  guint stall_ms;

  GMutex mutex; /* of what follows */
  int fd;       /* -1: closed */
  GByteArray *waiting;
  gsize n_sent;       /* of waiting */
  gboolean broken;    /* the reader has gone */
  gboolean full;      /* the owner was or will be told when it is not any more */
  gboolean arming;    /* the main thread was asked to wait for room */
  gint64 progress_us; /* when the socket last took something, or there was nothing that it could take */

  /* main thread */
  const WlyStreamEvents *events;
  gpointer user_data;
  guint watch;
  gboolean watch_room; /* for POLLOUT, too */
  guint stall_timer;
  gboolean finishing;
};

static gint n_open; /* atomic */

static gboolean socket_cb (gint fd, GIOCondition condition, gpointer data);

WlyStream *
wly_stream_new (int fd, WlyStreamFormat format, guint stall_ms, GError **error)
{
  WlyStream *stream;
  int type         = 0;
  socklen_t length = sizeof type;

  if (getsockopt (fd, SOL_SOCKET, SO_TYPE, &type, &length) != 0 || type != SOCK_STREAM) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The stream's descriptor is no stream socket");
    close (fd);
    return NULL;
  }
  stream             = g_new0 (WlyStream, 1);
  stream->references = 1;
  g_mutex_init (&stream->mutex);
  stream->fd       = fd;
  stream->format   = format;
  stream->stall_ms = stall_ms;
  stream->waiting  = g_byte_array_new ();
  g_atomic_int_inc (&n_open);
  return stream;
}

WlyStream *
wly_stream_ref (WlyStream *stream)
{
  g_atomic_int_inc (&stream->references);
  return stream;
}

void
wly_stream_unref (WlyStream *stream)
{
  if (stream == NULL || !g_atomic_int_dec_and_test (&stream->references))
    return;
  if (stream->fd >= 0) {
    close (stream->fd);
    g_atomic_int_add (&n_open, -1);
  }
  g_byte_array_unref (stream->waiting);
  g_mutex_clear (&stream->mutex);
  g_free (stream);
}

/* Sends what the socket takes now. */
static void
send_waiting (WlyStream *stream)
{
  while (!stream->broken && stream->fd >= 0 && stream->n_sent < stream->waiting->len) {
    gssize n = send (stream->fd, stream->waiting->data + stream->n_sent, stream->waiting->len - stream->n_sent,
                     MSG_DONTWAIT | MSG_NOSIGNAL);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
      break;
    if (n < 0)
      stream->broken = TRUE;
    else {
      stream->n_sent += (gsize)n;
      stream->progress_us = g_get_monotonic_time ();
    }
  }
  if (stream->broken || stream->n_sent == stream->waiting->len) {
    g_byte_array_set_size (stream->waiting, 0);
    stream->n_sent = 0;
  } else if (stream->n_sent > WLY_STREAM_BUFFER_BYTES / 4) {
    g_byte_array_remove_range (stream->waiting, 0, (guint)stream->n_sent);
    stream->n_sent = 0;
  }
}

static gsize
n_waiting (const WlyStream *stream)
{
  return stream->waiting->len - stream->n_sent;
}

static void
unwatch_socket (WlyStream *stream)
{
  g_clear_handle_id (&stream->watch, g_source_remove);
  g_clear_handle_id (&stream->stall_timer, g_source_remove);
}

static void
watch_socket (WlyStream *stream, gboolean room)
{
  if (stream->watch != 0 && stream->watch_room == room)
    return;
  g_clear_handle_id (&stream->watch, g_source_remove);
  stream->watch_room = room;
  stream->watch      = g_unix_fd_add_full (G_PRIORITY_DEFAULT, stream->fd, G_IO_HUP | G_IO_ERR | (room ? G_IO_OUT : 0),
                                           socket_cb, wly_stream_ref (stream), (GDestroyNotify)wly_stream_unref);
}

void
wly_stream_close (WlyStream *stream)
{
  unwatch_socket (stream);
  g_mutex_lock (&stream->mutex);
  if (stream->fd >= 0) {
    /* for good, whoever else still has this socket open */
    shutdown (stream->fd, SHUT_RDWR);
    close (stream->fd);
    stream->fd = -1;
    g_atomic_int_add (&n_open, -1);
  }
  stream->broken = TRUE;
  send_waiting (stream);
  g_mutex_unlock (&stream->mutex);
}

/* Milliseconds until the reader has taken nothing for too long. */
static guint
left_ms (WlyStream *stream)
{
  gint64 left_us;

  g_mutex_lock (&stream->mutex);
  left_us = stream->progress_us + (gint64)stream->stall_ms * 1000 - g_get_monotonic_time ();
  g_mutex_unlock (&stream->mutex);
  return left_us > 0 ? (guint)((left_us + 999) / 1000) : 0;
}

static gboolean
stall_cb (gpointer data)
{
  WlyStream *stream = data;
  guint left        = left_ms (stream);

  stream->stall_timer = 0;
  if (left > 0) {
    stream->stall_timer = g_timeout_add (left, stall_cb, stream);
    return G_SOURCE_REMOVE;
  }
  wly_stream_ref (stream);
  wly_stream_close (stream);
  if (stream->events != NULL)
    stream->events->stalled (stream->user_data);
  wly_stream_unref (stream);
  return G_SOURCE_REMOVE;
}

/* Waits for what the state asks for. */
static void
arm (WlyStream *stream)
{
  gboolean room;

  g_mutex_lock (&stream->mutex);
  room = n_waiting (stream) > 0;
  g_mutex_unlock (&stream->mutex);
  if (stream->fd < 0)
    return;
  watch_socket (stream, room);
  if (!room)
    g_clear_handle_id (&stream->stall_timer, g_source_remove);
  else if (stream->stall_timer == 0)
    stream->stall_timer = g_timeout_add (left_ms (stream), stall_cb, stream);
}

static void
hung_up (WlyStream *stream)
{
  wly_stream_close (stream);
  if (stream->events != NULL)
    stream->events->hung_up (stream->user_data);
}

/* The step thread could not send, or not all. */
static gboolean
arm_cb (gpointer data)
{
  WlyStream *stream = data;
  gboolean broken;

  g_mutex_lock (&stream->mutex);
  broken         = stream->broken && stream->fd >= 0;
  stream->arming = FALSE;
  g_mutex_unlock (&stream->mutex);
  if (broken)
    hung_up (stream);
  else
    arm (stream);
  return G_SOURCE_REMOVE;
}

static gboolean
socket_cb (gint fd, GIOCondition condition, gpointer data)
{
  WlyStream *stream = data;
  gboolean broken, empty, relieved;

  g_mutex_lock (&stream->mutex);
  if (condition & (G_IO_HUP | G_IO_ERR | G_IO_NVAL))
    stream->broken = TRUE;
  send_waiting (stream);
  broken   = stream->broken;
  empty    = n_waiting (stream) == 0;
  relieved = stream->full && n_waiting (stream) <= WLY_STREAM_BUFFER_BYTES / 2;
  if (relieved)
    stream->full = FALSE;
  g_mutex_unlock (&stream->mutex);

  wly_stream_ref (stream);
  if (broken) {
    hung_up (stream);
  } else {
    if ((relieved || empty) && stream->events != NULL)
      stream->events->drained (stream->user_data);
    if (empty && stream->finishing)
      wly_stream_close (stream);
    else
      arm (stream);
  }
  wly_stream_unref (stream);
  return G_SOURCE_CONTINUE; /* where the watch is still wanted; else it was removed above */
}

void
wly_stream_watch (WlyStream *stream, const WlyStreamEvents *events, gpointer user_data)
{
  stream->events    = events;
  stream->user_data = user_data;
  arm (stream);
}

void
wly_stream_unwatch (WlyStream *stream)
{
  stream->events = NULL;
}

/* Sends what was appended; the lock is held. */
static void
appended (WlyStream *stream)
{
  send_waiting (stream);
  if (n_waiting (stream) >= WLY_STREAM_BUFFER_BYTES)
    stream->full = TRUE;
  if ((n_waiting (stream) > 0 || stream->broken) && !stream->arming) {
    stream->arming = TRUE;
    g_idle_add_full (G_PRIORITY_DEFAULT, arm_cb, wly_stream_ref (stream), (GDestroyNotify)wly_stream_unref);
  }
}

/* Something is about to wait; the lock is held. */
static void
begin_waiting (WlyStream *stream)
{
  if (n_waiting (stream) == 0)
    stream->progress_us = g_get_monotonic_time ();
}

void
wly_stream_write_text (WlyStream *stream, const char *text, gsize n_bytes)
{
  wly_stream_write_kind (stream, WOOLLY_FRAME_TEXT, text, n_bytes);
}

void
wly_stream_write_kind (WlyStream *stream, enum woolly_frame_type type, const char *text, gsize n_bytes)
{
  g_mutex_lock (&stream->mutex);
  if (!stream->broken && n_bytes > 0) {
    begin_waiting (stream);
    wly_frame_append_text (stream->waiting, stream->format, type, text, n_bytes);
    appended (stream);
  }
  g_mutex_unlock (&stream->mutex);
}

void
wly_stream_write (WlyStream *stream, enum woolly_frame_type type, GVariant *values)
{
  g_autoptr (GVariant) sunk = g_variant_ref_sink (values);

  g_mutex_lock (&stream->mutex);
  if (!stream->broken) {
    begin_waiting (stream);
    wly_frame_append (stream->waiting, stream->format, type, sunk);
    appended (stream);
  }
  g_mutex_unlock (&stream->mutex);
}

gboolean
wly_stream_is_full (WlyStream *stream)
{
  gboolean full;

  g_mutex_lock (&stream->mutex);
  full = stream->full && !stream->broken;
  g_mutex_unlock (&stream->mutex);
  return full;
}

gboolean
wly_stream_is_empty (WlyStream *stream)
{
  gboolean empty;

  g_mutex_lock (&stream->mutex);
  empty = stream->broken || n_waiting (stream) == 0;
  g_mutex_unlock (&stream->mutex);
  return empty;
}

void
wly_stream_finish (WlyStream *stream)
{
  stream->finishing = TRUE;
  if (wly_stream_is_empty (stream))
    wly_stream_close (stream);
  else
    arm (stream);
}

guint
wly_stream_n_open (void)
{
  return (guint)g_atomic_int_get (&n_open);
}
