/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-generation-private.h"

#include "woolly-error-private.h"
#include "woolly-input-private.h"
#include "woolly-remote.h"
#include "woolly-stream-private.h"
#include "woolly-sync.h"
#include "woolly-values.h"

#include "introspection/woolly-names.h"

/**
 * WoollyGeneration:
 *
 * One answer in the making.
 *
 * What it says comes out of its [class@Woolly.Stream]. The service forgets it when neither of the two is referenced any
 * more, which cancels what is not finished.
 */
struct _WoollyGeneration {
  GObject parent_instance;

  WoollyRemote *remote;
  WoollyValues *values;
  WoollyStream *stream;
};

G_DEFINE_FINAL_TYPE (WoollyGeneration, woolly_generation, G_TYPE_OBJECT)

/**
 * WoollyGeneration:state:
 *
 * `queued`, `loading`, `prefill`, `generating`, `paused`, `done`, `cancelled` or `failed`.
 */
/**
 * WoollyGeneration:queue-position:
 *
 * Requests that come before this one; 0 when it runs.
 */
static const WoollyValueSpec specs[] = {
  { "State", "s", "state" },
  { "QueuePosition", "u", "queue-position" },
};

static void
woolly_generation_get_gobject_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  woolly_values_get_property (WOOLLY_GENERATION (object)->values, id, value);
}

static void
woolly_generation_finalize (GObject *object)
{
  WoollyGeneration *self = WOOLLY_GENERATION (object);

  g_clear_pointer (&self->values, woolly_values_free);
  g_clear_object (&self->stream);
  g_clear_pointer (&self->remote, woolly_remote_unref);
  G_OBJECT_CLASS (woolly_generation_parent_class)->finalize (object);
}

static void
woolly_generation_class_init (WoollyGenerationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize     = woolly_generation_finalize;
  object_class->get_property = woolly_generation_get_gobject_property;
  woolly_values_install_properties (object_class, specs, G_N_ELEMENTS (specs));
}

static void
woolly_generation_init (WoollyGeneration *self)
{
}

static WoollyGeneration *
woolly_generation_new (WoollyBus *bus, const char *path, int fd)
{
  WoollyGeneration *self = g_object_new (WOOLLY_TYPE_GENERATION, NULL);

  self->remote = woolly_remote_new (bus, path, WOOLLY_INTERFACE_GENERATION, "Release");
  self->values =
      woolly_values_new (bus, path, WOOLLY_INTERFACE_GENERATION, specs, G_N_ELEMENTS (specs), G_OBJECT (self));
  self->stream = woolly_stream_new_for_generation (fd, self->remote);
  return self;
}

/* The stream is read here as frames; another form would only look like a broken one. */
static gboolean
check_stream_option (GVariant *options, GError **error)
{
  const char *form = "frames";

  g_variant_lookup (options, "stream", "&s", &form);
  if (g_str_equal (form, "frames"))
    return TRUE;
  g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_ARGS,
               "The option stream is “%s”; libwoolly reads “frames”, other forms are for callers without it", form);
  return FALSE;
}

void
woolly_generation_start (WoollyBus *bus, const char *path, const char *interface, const char *model, WoollyInput *input,
                         GVariant *options, GTask *task)
{
  g_autoptr (GVariant) sunk   = g_variant_ref_sink (woolly_call_options (options));
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error    = NULL;
  GVariant *body              = NULL;

  if (check_stream_option (sunk, &error))
    body = woolly_input_build (input, &fds, &error);
  if (body == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  woolly_call (bus, path, interface, "Generate",
               model != NULL ? g_variant_new ("(s@a{sv}@a{sv})", model, body, sunk)
                             : g_variant_new ("(@a{sv}@a{sv})", body, sunk),
               "(oh)", fds, model != NULL ? WOOLLY_CALL_NONE : WOOLLY_CALL_NO_AUTO_START, task);
}

WoollyGeneration *
woolly_generation_start_finish (WoollyBus *bus, GTask *task, GError **error)
{
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (task, error);
  const char *path              = NULL;
  int handle                    = -1;
  int fd;

  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(&oh)", &path, &handle);
  fd = woolly_reply_take_fd (reply, handle, error);
  return fd >= 0 ? woolly_generation_new (bus, path, fd) : NULL;
}

/**
 * woolly_generation_get_object_path:
 * @self: a generation
 *
 * The D-Bus object.
 *
 * Returns: (transfer none): an object path
 */
const char *
woolly_generation_get_object_path (WoollyGeneration *self)
{
  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), NULL);

  return self->remote->path;
}

/**
 * woolly_generation_get_stream:
 * @self: a generation
 *
 * Where the answer comes from.
 *
 * Returns: (transfer none): the stream
 */
WoollyStream *
woolly_generation_get_stream (WoollyGeneration *self)
{
  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), NULL);

  return self->stream;
}

/**
 * woolly_generation_get_state:
 * @self: a generation
 *
 * See [property@Woolly.Generation:state]. Empty until the service has told it.
 *
 * Returns: (transfer none): a word
 */
const char *
woolly_generation_get_state (WoollyGeneration *self)
{
  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), NULL);

  return woolly_values_get_string (self->values, "State");
}

/**
 * woolly_generation_get_queue_position:
 * @self: a generation
 *
 * See [property@Woolly.Generation:queue-position].
 *
 * Returns: number of requests
 */
guint
woolly_generation_get_queue_position (WoollyGeneration *self)
{
  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), 0);

  return (guint)woolly_values_get_number (self->values, "QueuePosition");
}

/**
 * woolly_generation_cancel_async:
 * @self: a generation
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Ends it after the step that is being computed. What was written to the stream stays there.
 */
void
woolly_generation_cancel_async (WoollyGeneration *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_GENERATION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_generation_cancel_async);
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_GENERATION, "Cancel", NULL, "()", NULL,
               WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_generation_cancel_finish:
 * @self: a generation
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Generation.cancel_async].
 *
 * Returns: whether the service took it
 */
gboolean
woolly_generation_cancel_finish (WoollyGeneration *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_generation_cancel:
 * @self: a generation
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Generation.cancel_async], blocking the thread.
 *
 * Returns: whether the service took it
 */
gboolean
woolly_generation_cancel (WoollyGeneration *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_generation_cancel_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_generation_cancel_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_generation_fetch_result_async:
 * @self: a generation
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads what a finished generation reports, with the keys of scope RESULT; the dictionary is empty until then.
 */
void
woolly_generation_fetch_result_async (WoollyGeneration *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                      gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_GENERATION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_generation_fetch_result_async);
  woolly_call (self->remote->bus, self->remote->path, "org.freedesktop.DBus.Properties", "Get",
               g_variant_new ("(ss)", WOOLLY_INTERFACE_GENERATION, "Result"), "(v)", NULL, WOOLLY_CALL_NO_AUTO_START,
               task);
}

/**
 * woolly_generation_fetch_result_finish:
 * @self: a generation
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Generation.fetch_result_async].
 *
 * Returns: (transfer full): a dictionary of type `a{sv}`
 */
GVariant *
woolly_generation_fetch_result_finish (WoollyGeneration *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  GVariant *value               = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(v)", &value);
  return value;
}

/**
 * woolly_generation_fetch_result:
 * @self: a generation
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Generation.fetch_result_async], blocking the thread.
 *
 * Returns: (transfer full): a dictionary of type `a{sv}`
 */
GVariant *
woolly_generation_fetch_result (WoollyGeneration *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_GENERATION (self), NULL);

  woolly_sync_begin (&sync);
  woolly_generation_fetch_result_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_generation_fetch_result_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_generation_release:
 * @self: a generation
 *
 * Cancels it where it is not finished, and makes the service forget it. Needs no waiting.
 */
void
woolly_generation_release (WoollyGeneration *self)
{
  g_return_if_fail (WOOLLY_IS_GENERATION (self));

  woolly_remote_close (self->remote);
  woolly_stream_close (self->stream);
}
