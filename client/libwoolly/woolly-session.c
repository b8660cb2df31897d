/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-session-private.h"

#include "woolly-call.h"
#include "woolly-error-private.h"
#include "woolly-generation-private.h"
#include "woolly-remote.h"
#include "woolly-sync.h"
#include "woolly-values.h"

#include "introspection/woolly-names.h"

/**
 * WoollySession:
 *
 * A conversation with its context, which this program alone sees.
 *
 * It survives the death of the worker that computes it. When the service itself ends, calls fail with
 * [error@Woolly.Error.DISCONNECTED] or [error@Woolly.Error.CLOSED], and a new session is needed.
 */
struct _WoollySession {
  GObject parent_instance;

  WoollyRemote *remote;
  WoollyValues *values;
};

G_DEFINE_FINAL_TYPE (WoollySession, woolly_session, G_TYPE_OBJECT)

/**
 * WoollySession:model:
 *
 * Object path of its model.
 */
/**
 * WoollySession:state:
 *
 * `idle`, `waiting` or `generating`.
 */
/**
 * WoollySession:context-size:
 *
 * Positions that there are; 0 until the model was opened for the first time.
 */
/**
 * WoollySession:context-used:
 *
 * Positions in use after the last generation, as [method@Woolly.Session.refresh] read it.
 */
static const WoollyValueSpec specs[] = {
  { "Model", "o", "model" },
  { "State", "s", "state" },
  { "ContextSize", "u", "context-size" },
  { "ContextUsed", "u", "context-used" },
};

static void
woolly_session_get_gobject_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  woolly_values_get_property (WOOLLY_SESSION (object)->values, id, value);
}

static void
woolly_session_finalize (GObject *object)
{
  WoollySession *self = WOOLLY_SESSION (object);

  g_clear_pointer (&self->values, woolly_values_free);
  g_clear_pointer (&self->remote, woolly_remote_unref);
  G_OBJECT_CLASS (woolly_session_parent_class)->finalize (object);
}

static void
woolly_session_class_init (WoollySessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->finalize     = woolly_session_finalize;
  object_class->get_property = woolly_session_get_gobject_property;
  woolly_values_install_properties (object_class, specs, G_N_ELEMENTS (specs));
}

static void
woolly_session_init (WoollySession *self)
{
}

WoollySession *
woolly_session_new (WoollyBus *bus, const char *path)
{
  WoollySession *self = g_object_new (WOOLLY_TYPE_SESSION, NULL);

  self->remote = woolly_remote_new (bus, path, WOOLLY_INTERFACE_SESSION, "Close");
  self->values = woolly_values_new (bus, path, WOOLLY_INTERFACE_SESSION, specs, G_N_ELEMENTS (specs), G_OBJECT (self));
  return self;
}

static void
woolly_session_call_with_fd (WoollySession *self, const char *method, int fd, GTask *task)
{
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GError) error    = NULL;
  int handle                  = g_unix_fd_list_append (fds, fd, &error);

  if (handle < 0) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, method, g_variant_new ("(h)", handle),
               "()", fds, WOOLLY_CALL_NO_AUTO_START | WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_session_get_object_path:
 * @self: a session
 *
 * The D-Bus object.
 *
 * Returns: (transfer none): an object path
 */
const char *
woolly_session_get_object_path (WoollySession *self)
{
  g_return_val_if_fail (WOOLLY_IS_SESSION (self), NULL);

  return self->remote->path;
}

/**
 * woolly_session_get_state:
 * @self: a session
 *
 * See [property@Woolly.Session:state].
 *
 * Returns: (transfer none): a word
 */
const char *
woolly_session_get_state (WoollySession *self)
{
  g_return_val_if_fail (WOOLLY_IS_SESSION (self), NULL);

  return woolly_values_get_string (self->values, "State");
}

/**
 * woolly_session_get_context_size:
 * @self: a session
 *
 * See [property@Woolly.Session:context-size].
 *
 * Returns: positions
 */
guint
woolly_session_get_context_size (WoollySession *self)
{
  g_return_val_if_fail (WOOLLY_IS_SESSION (self), 0);

  return (guint)woolly_values_get_number (self->values, "ContextSize");
}

/**
 * woolly_session_get_context_used:
 * @self: a session
 *
 * See [property@Woolly.Session:context-used].
 *
 * Returns: positions
 */
guint
woolly_session_get_context_used (WoollySession *self)
{
  g_return_val_if_fail (WOOLLY_IS_SESSION (self), 0);

  return (guint)woolly_values_get_number (self->values, "ContextUsed");
}

/**
 * woolly_session_generate_async:
 * @self: a session
 * @input: what to add to the conversation
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Continues the conversation. It is done when the service took the request; the rest is seen in the stream.
 * One generation at a time: a second one is refused with [error@Woolly.Error.BUSY].
 */
void
woolly_session_generate_async (WoollySession *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_generate_async);
  woolly_generation_start (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, NULL, input, options, task);
}

/**
 * woolly_session_generate_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.generate_async].
 *
 * Returns: (transfer full): the generation
 */
WoollyGeneration *
woolly_session_generate_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return woolly_generation_start_finish (self->remote->bus, G_TASK (result), error);
}

/**
 * woolly_session_generate:
 * @self: a session
 * @input: what to add to the conversation
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.generate_async], blocking the thread.
 *
 * Returns: (transfer full): the generation
 */
WoollyGeneration *
woolly_session_generate (WoollySession *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                         GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), NULL);

  woolly_sync_begin (&sync);
  woolly_session_generate_async (self, input, options, cancellable, woolly_sync_cb, &sync);
  return woolly_session_generate_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_fork_async:
 * @self: a session
 * @options: (nullable): a dictionary of type `a{sv}`, scope SESSION; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Makes a second session with the same past. Options that are not given are as in this one.
 */
void
woolly_session_fork_async (WoollySession *self, GVariant *options, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_fork_async);
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, "Fork",
               g_variant_new ("(@a{sv})", woolly_call_options (options)), "(o)", NULL, WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_session_fork_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.fork_async].
 *
 * Returns: (transfer full): the copy
 */
WoollySession *
woolly_session_fork_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  const char *path              = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(&o)", &path);
  return woolly_session_new (self->remote->bus, path);
}

/**
 * woolly_session_fork:
 * @self: a session
 * @options: (nullable): a dictionary of type `a{sv}`, scope SESSION; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.fork_async], blocking the thread.
 *
 * Returns: (transfer full): the copy
 */
WoollySession *
woolly_session_fork (WoollySession *self, GVariant *options, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), NULL);

  woolly_sync_begin (&sync);
  woolly_session_fork_async (self, options, cancellable, woolly_sync_cb, &sync);
  return woolly_session_fork_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_truncate_async:
 * @self: a session
 * @n_tokens: tokens to keep from the beginning
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Forgets all that came after.
 */
void
woolly_session_truncate_async (WoollySession *self, guint n_tokens, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_truncate_async);
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, "Truncate",
               g_variant_new ("(u)", n_tokens), "()", NULL, WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_session_truncate_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.truncate_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_truncate_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_session_truncate:
 * @self: a session
 * @n_tokens: tokens to keep from the beginning
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.truncate_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_truncate (WoollySession *self, guint n_tokens, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_session_truncate_async (self, n_tokens, cancellable, woolly_sync_cb, &sync);
  return woolly_session_truncate_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_save_async:
 * @self: a session
 * @fd: where to, open for writing; stays open here
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Writes what the session holds to a file.
 */
void
woolly_session_save_async (WoollySession *self, int fd, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_save_async);
  woolly_session_call_with_fd (self, "Save", fd, task);
}

/**
 * woolly_session_save_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.save_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_save_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_session_save:
 * @self: a session
 * @fd: where to, open for writing; stays open here
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.save_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_save (WoollySession *self, int fd, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_session_save_async (self, fd, cancellable, woolly_sync_cb, &sync);
  return woolly_session_save_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_restore_async:
 * @self: a session
 * @fd: what [method@Woolly.Session.save] wrote, open for reading; stays open here
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Puts a saved past in the place of this one.
 */
void
woolly_session_restore_async (WoollySession *self, int fd, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_restore_async);
  woolly_session_call_with_fd (self, "Restore", fd, task);
}

/**
 * woolly_session_restore_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.restore_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_restore_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_session_restore:
 * @self: a session
 * @fd: what [method@Woolly.Session.save] wrote, open for reading; stays open here
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.restore_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_session_restore (WoollySession *self, int fd, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_session_restore_async (self, fd, cancellable, woolly_sync_cb, &sync);
  return woolly_session_restore_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_fetch_tokens_async:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads the token ids of what the session holds.
 */
void
woolly_session_fetch_tokens_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_fetch_tokens_async);
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, "GetTokens", NULL, "(au)", NULL,
               WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_session_fetch_tokens_finish:
 * @self: a session
 * @result: what the callback got
 * @n_tokens: (out): number of token ids
 * @error: return location
 *
 * Ends [method@Woolly.Session.fetch_tokens_async].
 *
 * Returns: (transfer full) (array length=n_tokens): token ids
 */
guint32 *
woolly_session_fetch_tokens_finish (WoollySession *self, GAsyncResult *result, gsize *n_tokens, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) tokens   = NULL;
  gconstpointer data;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  *n_tokens = 0;
  reply     = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  tokens = g_variant_get_child_value (reply->value, 0);
  data   = g_variant_get_fixed_array (tokens, n_tokens, sizeof (guint32));
  /* Never NULL without an error, not even for no tokens. */
  return *n_tokens > 0 ? g_memdup2 (data, *n_tokens * sizeof (guint32)) : g_new0 (guint32, 1);
}

/**
 * woolly_session_fetch_tokens:
 * @self: a session
 * @n_tokens: (out): number of token ids
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.fetch_tokens_async], blocking the thread.
 *
 * Returns: (transfer full) (array length=n_tokens): token ids
 */
guint32 *
woolly_session_fetch_tokens (WoollySession *self, gsize *n_tokens, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), NULL);

  woolly_sync_begin (&sync);
  woolly_session_fetch_tokens_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_session_fetch_tokens_finish (self, woolly_sync_wait (&sync), n_tokens, error);
}

/**
 * woolly_session_refresh_async:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads the properties anew; the used part of the context changes without a notification.
 */
void
woolly_session_refresh_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_refresh_async);
  woolly_values_refresh (self->values, FALSE, task);
}

/**
 * woolly_session_refresh_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.refresh_async].
 *
 * Returns: whether they were read
 */
gboolean
woolly_session_refresh_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * woolly_session_refresh:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.refresh_async], blocking the thread.
 *
 * Returns: whether they were read
 */
gboolean
woolly_session_refresh (WoollySession *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_session_refresh_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_session_refresh_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_session_close_async:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Cancels what it generates and frees it. Dropping the last reference does the same without waiting.
 */
void
woolly_session_close_async (WoollySession *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                            gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_SESSION (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_session_close_async);
  self->remote->closed = TRUE;
  woolly_call (self->remote->bus, self->remote->path, WOOLLY_INTERFACE_SESSION, "Close", NULL, "()", NULL,
               WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_session_close_finish:
 * @self: a session
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Session.close_async].
 *
 * Returns: whether it was closed now
 */
gboolean
woolly_session_close_finish (WoollySession *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_session_close:
 * @self: a session
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Session.close_async], blocking the thread.
 *
 * Returns: whether it was closed now
 */
gboolean
woolly_session_close (WoollySession *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_SESSION (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_session_close_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_session_close_finish (self, woolly_sync_wait (&sync), error);
}
