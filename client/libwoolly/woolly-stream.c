/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-stream-private.h"

#include "woolly-call.h"
#include "woolly-error-private.h"
#include "woolly-event-private.h"
#include "woolly-sync.h"

#include "introspection/woolly-stream.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/socket.h>
#include <unistd.h>

/* One read takes a whole frame of the largest size. */
#define READ_BYTES (WOOLLY_FRAME_HEADER + WOOLLY_FRAME_MAX)

/* The service may hear of a worker's death later than we do: how often and how long to ask for the reason. */
#define REASON_TRIES       40
#define REASON_INTERVAL_MS 50

/**
 * WoollyStream:
 *
 * What a generation says, event by event.
 *
 * Reads frames from the file descriptor that the service handed over; nothing else of this program sees them. Closing
 * the stream, or dropping the last reference to it, cancels the generation, and so does cancelling a read.
 */
struct _WoollyStream {
  GObject parent_instance;

  int fd;
  GByteArray *buffer;
  gsize consumed; /* bytes of the buffer that were parsed */
  gboolean ended; /* END or an error was seen */
  gboolean pending;
  GSource *waiting;         /* of a read, for the descriptor; NULL: none waits */
  WoollyRemote *generation; /* NULL for a bare descriptor */
};

G_DEFINE_FINAL_TYPE (WoollyStream, woolly_stream, G_TYPE_OBJECT)

static void
woolly_stream_finalize (GObject *object)
{
  WoollyStream *self = WOOLLY_STREAM (object);

  g_clear_pointer (&self->waiting, g_source_unref);
  woolly_stream_close (self);
  g_byte_array_unref (self->buffer);
  g_clear_pointer (&self->generation, woolly_remote_unref);
  G_OBJECT_CLASS (woolly_stream_parent_class)->finalize (object);
}

static void
woolly_stream_class_init (WoollyStreamClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = woolly_stream_finalize;
}

static void
woolly_stream_init (WoollyStream *self)
{
  self->fd     = -1;
  self->buffer = g_byte_array_new ();
}

/**
 * woolly_stream_new:
 * @fd: a descriptor as Generate returns it; the stream closes it
 *
 * Makes a stream of a descriptor that came without this library's help.
 *
 * Returns: (transfer full): a new stream
 */
WoollyStream *
woolly_stream_new (int fd)
{
  WoollyStream *self = g_object_new (WOOLLY_TYPE_STREAM, NULL);

  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  self->fd = fd;
  return self;
}

WoollyStream *
woolly_stream_new_for_generation (int fd, WoollyRemote *generation)
{
  WoollyStream *self = woolly_stream_new (fd);

  self->generation = woolly_remote_ref (generation);
  return self;
}

static void
close_fd (WoollyStream *self)
{
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;
}

/**
 * woolly_stream_close:
 * @self: a stream
 *
 * Hangs up, which ends the generation if it has not ended yet. Reading afterwards gives nothing more, and a read that
 * waits ends with nothing.
 */
void
woolly_stream_close (WoollyStream *self)
{
  g_return_if_fail (WOOLLY_IS_STREAM (self));

  self->ended = TRUE;
  if (self->waiting == NULL) {
    close_fd (self);
    return;
  }
  /* Another file may get the number at once, and the read would wait for that one: it closes the descriptor itself. */
  shutdown (self->fd, SHUT_RDWR);
  g_source_set_ready_time (self->waiting, 0);
}

typedef enum {
  STEP_EVENT, /* or the end: no event */
  STEP_ERROR,
  STEP_BLOCKED, /* wait until the descriptor can be read */
  STEP_CUT,     /* it ended without END or ERROR */
} Step;

/* Takes one frame out of the buffer; FALSE where it holds no whole one. */
static gboolean
parse_frame (WoollyStream *self, WoollyEvent **ret_event, GError **error)
{
  gsize n_bytes  = self->buffer->len - self->consumed;
  guint32 length = 0;
  guint type     = 0;
  const guint8 *data;

  if (n_bytes < WOOLLY_FRAME_HEADER)
    return FALSE;
  data = self->buffer->data + self->consumed;
  if (data[4] != WOOLLY_STREAM_VERSION) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_NOT_SUPPORTED,
                 "The stream has a frame of version %u; this libwoolly reads version %u", data[4],
                 WOOLLY_STREAM_VERSION);
    return TRUE;
  }
  if (woolly_frame_parse (data, &length, &type) != 0) {
    guint32 claimed = (guint32)data[0] | (guint32)data[1] << 8 | (guint32)data[2] << 16 | (guint32)data[3] << 24;

    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_FAILED, "The stream is damaged: a frame of %u bytes, more than %d",
                 claimed, WOOLLY_FRAME_MAX);
    return TRUE;
  }
  if (n_bytes < WOOLLY_FRAME_HEADER + length)
    return FALSE;

  *ret_event = woolly_event_new_from_frame (type, data + WOOLLY_FRAME_HEADER, length, error);
  self->consumed += WOOLLY_FRAME_HEADER + length;
  if (self->consumed == self->buffer->len) {
    g_byte_array_set_size (self->buffer, 0);
    self->consumed = 0;
  }
  return TRUE;
}

/* Reads what there is, at most one buffer; 0 at the end, -1 with errno. */
static gssize
fill_buffer (WoollyStream *self)
{
  gsize old;
  gssize n;

  if (self->consumed > 0)
    g_byte_array_remove_range (self->buffer, 0, self->consumed);
  self->consumed = 0;
  old            = self->buffer->len;
  g_byte_array_set_size (self->buffer, old + READ_BYTES);
  do
    n = read (self->fd, self->buffer->data + old, READ_BYTES);
  while (n < 0 && errno == EINTR);
  g_byte_array_set_size (self->buffer, old + MAX (n, 0));
  return n;
}

static Step
stream_step (WoollyStream *self, WoollyEvent **ret_event, GError **error)
{
  g_autoptr (GError) local = NULL;

  while (!self->ended) {
    gssize n;

    while (parse_frame (self, ret_event, &local)) {
      self->ended = local != NULL || (*ret_event != NULL && woolly_event_get_kind (*ret_event) == WOOLLY_EVENT_END);
      if (local != NULL) {
        g_propagate_error (error, g_steal_pointer (&local));
        return STEP_ERROR;
      }
      if (*ret_event != NULL)
        return STEP_EVENT;
    }

    n = fill_buffer (self);
    if (n < 0 && errno == EAGAIN)
      return STEP_BLOCKED;
    if (n <= 0) {
      self->ended = TRUE;
      return STEP_CUT;
    }
  }
  return STEP_EVENT;
}

/* The error that explains a stream that was cut; NULL where the result does not say yet. */
static GError *
error_from_result (GVariant *result)
{
  const char *reason  = "";
  const char *name    = "";
  const char *message = "";

  if (!g_variant_lookup (result, "reason", "&s", &reason))
    return NULL;
  g_variant_lookup (result, "error", "&s", &name);
  g_variant_lookup (result, "message", "&s", &message);
  if (*name != '\0')
    return woolly_error_new_from_name (name, message);
  if (g_str_equal (reason, "cancelled"))
    return g_error_new_literal (WOOLLY_ERROR, WOOLLY_ERROR_CANCELLED, "The generation was cancelled");
  return g_error_new (WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED, "The stream broke off; the generation ended with “%s”",
                      reason);
}

static void ask_reason (GTask *task);

static gboolean
ask_again_cb (gpointer user_data)
{
  ask_reason (g_object_ref (user_data));
  return G_SOURCE_REMOVE;
}

static void
reason_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), &error);
  guint tries                   = GPOINTER_TO_UINT (g_task_get_task_data (task));

  if (reply != NULL) {
    g_autoptr (GVariant) value = NULL;

    g_variant_get (reply->value, "(v)", &value);
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_VARDICT))
      error = error_from_result (value);
    if (error == NULL && tries < REASON_TRIES) {
      g_autoptr (GSource) timer = g_timeout_source_new (REASON_INTERVAL_MS);

      g_task_set_task_data (task, GUINT_TO_POINTER (tries + 1), NULL);
      g_task_attach_source (task, timer, ask_again_cb);
      return;
    }
  }
  if (error == NULL)
    error = g_error_new_literal (WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED,
                                 "The stream broke off, and the service does not say why");
  g_task_return_error (task, g_steal_pointer (&error));
}

/* Completes @task (transfer full) with an error. */
static void
ask_reason (GTask *task)
{
  WoollyStream *self       = g_task_get_source_object (task);
  WoollyRemote *generation = self->generation;

  if (generation == NULL) {
    g_task_return_new_error (task, WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED, "The stream broke off");
    g_object_unref (task);
    return;
  }
  woolly_call (generation->bus, generation->path, "org.freedesktop.DBus.Properties", "Get",
               g_variant_new ("(ss)", generation->interface, "Result"), "(v)", NULL, WOOLLY_CALL_NO_AUTO_START,
               g_task_new (self, g_task_get_cancellable (task), reason_cb, task));
}

static void
cancel_generation (WoollyStream *self)
{
  if (self->generation != NULL && !self->ended)
    woolly_call_forget (self->generation->bus, self->generation->path, self->generation->interface, "Cancel");
}

static gboolean
claim (WoollyStream *self, GError **error)
{
  if (self->pending) {
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_PENDING, "The stream is being read already");
    return FALSE;
  }
  self->pending = TRUE;
  return TRUE;
}

static void stream_pump (GTask *task);

static gboolean
readable_cb (int fd, GIOCondition condition, gpointer user_data)
{
  WoollyStream *self = g_task_get_source_object (user_data);

  g_clear_pointer (&self->waiting, g_source_unref);
  if (self->ended)
    close_fd (self);
  stream_pump (g_object_ref (user_data));
  return G_SOURCE_REMOVE;
}

/* Goes on with @task (transfer full) until there is something to return. */
static void
stream_pump (GTask *task)
{
  g_autoptr (GTask) owned   = task;
  g_autoptr (GError) error  = NULL;
  g_autoptr (GSource) ready = NULL;
  WoollyStream *self        = g_task_get_source_object (task);
  GCancellable *cancellable = g_task_get_cancellable (task);
  WoollyEvent *event        = NULL;

  if (g_cancellable_set_error_if_cancelled (cancellable, &error)) {
    cancel_generation (self);
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  switch (stream_step (self, &event, &error)) {
  case STEP_EVENT:
    g_task_return_pointer (task, event, (GDestroyNotify)woolly_event_unref);
    break;
  case STEP_ERROR:
    g_task_return_error (task, g_steal_pointer (&error));
    break;
  case STEP_CUT:
    ask_reason (g_steal_pointer (&owned));
    break;
  case STEP_BLOCKED:
    ready = g_unix_fd_source_new (self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR);
    if (cancellable != NULL) {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (ready, cancelled);
    }
    self->waiting = g_source_ref (ready);
    g_task_attach_source (task, ready, G_SOURCE_FUNC (readable_cb));
    break;
  }
}

/**
 * woolly_stream_read_async:
 * @self: a stream
 * @cancellable: (nullable): a cancellable; it cancels the generation, too
 * @callback: (scope async): called when there is an event
 * @user_data: for the callback
 *
 * Waits for the next event.
 */
void
woolly_stream_read_async (WoollyStream *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data)
{
  g_autoptr (GError) error = NULL;
  GTask *task;

  g_return_if_fail (WOOLLY_IS_STREAM (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_stream_read_async);
  /* An event that was read must not get lost when the cancellation comes after it. */
  g_task_set_check_cancellable (task, FALSE);
  if (!claim (self, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  stream_pump (task);
}

/**
 * woolly_stream_read_finish:
 * @self: a stream
 * @result: what the callback got
 * @error: return location
 *
 * Gets the next event.
 *
 * An error that the generation ended with is the error here. Where the service or its worker died, it says so.
 *
 * Returns: (transfer full) (nullable): the event, or %NULL without an error after [enum@Woolly.EventKind.END]
 */
WoollyEvent *
woolly_stream_read_finish (WoollyStream *self, GAsyncResult *result, GError **error)
{
  g_autoptr (GError) local = NULL;
  WoollyEvent *event;

  g_return_val_if_fail (WOOLLY_IS_STREAM (self), NULL);
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  event = g_task_propagate_pointer (G_TASK (result), &local);
  if (!g_error_matches (local, G_IO_ERROR, G_IO_ERROR_PENDING))
    self->pending = FALSE;
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return event;
}

/**
 * woolly_stream_read:
 * @self: a stream
 * @cancellable: (nullable): a cancellable; it cancels the generation, too
 * @error: return location
 *
 * Waits for the next event, blocking the thread. See [method@Woolly.Stream.read_finish].
 *
 * Returns: (transfer full) (nullable): the event, or %NULL without an error after the last
 */
WoollyEvent *
woolly_stream_read (WoollyStream *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_STREAM (self), NULL);

  woolly_sync_begin (&sync);
  woolly_stream_read_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_stream_read_finish (self, woolly_sync_wait (&sync), error);
}
