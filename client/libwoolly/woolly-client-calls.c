/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a client asks the service's manager; the connection and the list of models are in woolly-client.c.
 */
#include "woolly-client-private.h"

#include "woolly-call.h"
#include "woolly-files.h"
#include "woolly-generation-private.h"
#include "woolly-hold-private.h"
#include "woolly-input-private.h"
#include "woolly-model-private.h"
#include "woolly-session-private.h"
#include "woolly-sync.h"

#include "introspection/woolly-names.h"

/* GenerateText answers after its own timeout; the call waits a little longer. */
#define TEXT_TIMEOUT_MS 20000
#define TEXT_GRACE_MS   10000

static void
refreshed_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task   = user_data;
  g_autoptr (GError) error = NULL;

  if (woolly_model_refresh_finish (WOOLLY_MODEL (source), result, &error))
    g_task_return_pointer (task, g_object_ref (source), g_object_unref);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
model_path_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_task_propagate_pointer (G_TASK (result), &error);
  g_autoptr (WoollyModel) model = NULL;
  GCancellable *cancellable     = g_task_get_cancellable (task);
  const char *path              = NULL;

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  g_variant_get (reply->value, "(&o)", &path);
  model = woolly_client_adopt_model (WOOLLY_CLIENT (source), path);
  woolly_model_refresh_async (model, cancellable, refreshed_cb, g_steal_pointer (&task));
}

/* Calls a method that returns a model's path; @task (transfer full) gets the model, its properties read. */
static void
woolly_client_call_for_model (WoollyClient *self, const char *method, GVariant *params, GUnixFDList *fds, GTask *task)
{
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, method, params, "(o)", fds,
               WOOLLY_CALL_NONE, g_task_new (self, g_task_get_cancellable (task), model_path_cb, task));
}

static void
open_files (WoollyClient *self, GUnixFDList *files, GTask *task)
{
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));

  for (int i = 0; i < g_unix_fd_list_get_length (files); i++)
    g_variant_builder_add (&handles, "h", i);
  woolly_client_call_for_model (self, "OpenFiles",
                                g_variant_new ("(ah@a{sv})", &handles, g_variant_new ("a{sv}", NULL)), files, task);
}

static void
generate_text (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options, GTask *task)
{
  g_autoptr (GVariant) sunk   = g_variant_ref_sink (woolly_call_options (options));
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error    = NULL;
  GVariant *body              = woolly_input_build (input, &fds, &error);
  guint32 timeout_ms          = TEXT_TIMEOUT_MS;

  if (body == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  g_variant_lookup (sunk, "timeout-ms", "u", &timeout_ms);
  woolly_call_timed (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "GenerateText",
                     g_variant_new ("(s@a{sv}@a{sv})", model, body, sunk), "(sa{sv})", fds, WOOLLY_CALL_NONE,
                     (int)MIN (timeout_ms, (guint32)G_MAXINT - TEXT_GRACE_MS) + TEXT_GRACE_MS, task);
}

/**
 * woolly_client_resolve_model_async:
 * @self: a client
 * @name: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Finds the model that a name stands for. Where there is none, the error lists names that come near.
 */
void
woolly_client_resolve_model_async (WoollyClient *self, const char *name, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (name != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_resolve_model_async);
  woolly_client_call_for_model (self, "Resolve", g_variant_new ("(s@a{sv})", name, g_variant_new ("a{sv}", NULL)), NULL,
                                task);
}

/**
 * woolly_client_resolve_model_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.resolve_model_async].
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_resolve_model_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * woolly_client_resolve_model:
 * @self: a client
 * @name: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.resolve_model_async], blocking the thread.
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_resolve_model (WoollyClient *self, const char *name, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_resolve_model_async (self, name, cancellable, woolly_sync_cb, &sync);
  return woolly_client_resolve_model_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_open_files_async:
 * @self: a client
 * @files: a GGUF file, or all parts of a split one in order, open for reading
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Opens a model that is not in the catalogue. Nobody else sees it, and it is gone when this program leaves the bus.
 */
void
woolly_client_open_files_async (WoollyClient *self, GUnixFDList *files, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (G_IS_UNIX_FD_LIST (files));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_open_files_async);
  open_files (self, files, task);
}

/**
 * woolly_client_open_files_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.open_files_async].
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_open_files_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * woolly_client_open_files:
 * @self: a client
 * @files: a GGUF file, or all parts of a split one in order, open for reading
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.open_files_async], blocking the thread.
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_open_files (WoollyClient *self, GUnixFDList *files, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_open_files_async (self, files, cancellable, woolly_sync_cb, &sync);
  return woolly_client_open_files_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_open_path_async:
 * @self: a client
 * @path: (type filename): a GGUF file, or any part of a split one
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Opens a file, and the other parts of a split one (`-00001-of-00003.gguf`), and hands them to
 * [method@Woolly.Client.open_files]. The service never sees the path.
 */
void
woolly_client_open_path_async (WoollyClient *self, const char *path, GCancellable *cancellable,
                               GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GUnixFDList) files = NULL;
  g_autoptr (GError) error      = NULL;
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (path != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_open_path_async);
  files = woolly_files_open (path, &error);
  if (files == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  open_files (self, files, task);
}

/**
 * woolly_client_open_path_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.open_path_async].
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_open_path_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * woolly_client_open_path:
 * @self: a client
 * @path: (type filename): a GGUF file, or any part of a split one
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.open_path_async], blocking the thread.
 *
 * Returns: (transfer full): the model
 */
WoollyModel *
woolly_client_open_path (WoollyClient *self, const char *path, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_open_path_async (self, path, cancellable, woolly_sync_cb, &sync);
  return woolly_client_open_path_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_open_session_async:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope SESSION; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Opens a conversation with a context of its own.
 */
void
woolly_client_open_session_async (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (model != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_open_session_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "OpenSession",
               g_variant_new ("(s@a{sv})", model, woolly_call_options (options)), "(o)", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_client_open_session_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.open_session_async].
 *
 * Returns: (transfer full): the session
 */
WoollySession *
woolly_client_open_session_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  const char *path              = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(&o)", &path);
  return woolly_session_new (woolly_client_get_bus (self), path);
}

/**
 * woolly_client_open_session:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope SESSION; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.open_session_async], blocking the thread.
 *
 * Returns: (transfer full): the session
 */
WoollySession *
woolly_client_open_session (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                            GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_open_session_async (self, model, options, cancellable, woolly_sync_cb, &sync);
  return woolly_client_open_session_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_generate_async:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @input: what to generate from
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Generates once, without a session. It is done when the service took the request; loading, waiting and the answer are
 * seen in the stream.
 */
void
woolly_client_generate_async (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                              GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (model != NULL);
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_generate_async);
  woolly_generation_start (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, model, input,
                           options, task);
}

/**
 * woolly_client_generate_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.generate_async].
 *
 * Returns: (transfer full): the generation
 */
WoollyGeneration *
woolly_client_generate_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return woolly_generation_start_finish (woolly_client_get_bus (self), G_TASK (result), error);
}

/**
 * woolly_client_generate:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @input: what to generate from
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.generate_async], blocking the thread.
 *
 * Returns: (transfer full): the generation
 */
WoollyGeneration *
woolly_client_generate (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                        GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_generate_async (self, model, input, options, cancellable, woolly_sync_cb, &sync);
  return woolly_client_generate_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_generate_text_async:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @input: what to generate from
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Generates once and waits for the whole text, at most for the time of the option `timeout-ms`; then it gives what is
 * there.
 */
void
woolly_client_generate_text_async (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                                   GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (model != NULL);
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_generate_text_async);
  generate_text (self, model, input, options, task);
}

/**
 * woolly_client_generate_text_finish:
 * @self: a client
 * @result: what the callback got
 * @ret_result: (out) (optional): of type `a{sv}`, scope RESULT
 * @error: return location
 *
 * Ends [method@Woolly.Client.generate_text_async].
 *
 * Returns: (transfer full): the text
 */
char *
woolly_client_generate_text_finish (WoollyClient *self, GAsyncResult *result, GVariant **ret_result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return woolly_reply_finish_text (result, ret_result, error);
}

/**
 * woolly_client_generate_text:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @input: what to generate from
 * @options: (nullable): a dictionary of type `a{sv}`, scope GENERATE; floating ones are taken
 * @ret_result: (out) (optional): of type `a{sv}`, scope RESULT
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.generate_text_async], blocking the thread.
 *
 * Returns: (transfer full): the text
 */
char *
woolly_client_generate_text (WoollyClient *self, const char *model, WoollyInput *input, GVariant *options,
                             GVariant **ret_result, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_generate_text_async (self, model, input, options, cancellable, woolly_sync_cb, &sync);
  return woolly_client_generate_text_finish (self, woolly_sync_wait (&sync), ret_result, error);
}

/**
 * woolly_client_hold_model_async:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Loads a model and keeps it in memory for as long as the hold is there. It is done when the load was started;
 * [property@Woolly.Model:state] tells when it is ready.
 */
void
woolly_client_hold_model_async (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (model != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_hold_model_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "HoldModel",
               g_variant_new ("(s@a{sv})", model, woolly_call_options (options)), "(h)", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_client_hold_model_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.hold_model_async].
 *
 * Returns: (transfer full): the hold
 */
WoollyHold *
woolly_client_hold_model_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  int handle                    = -1;
  int fd;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(h)", &handle);
  fd = woolly_reply_take_fd (reply, handle, error);
  return fd >= 0 ? woolly_hold_new (fd) : NULL;
}

/**
 * woolly_client_hold_model:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.hold_model_async], blocking the thread.
 *
 * Returns: (transfer full): the hold
 */
WoollyHold *
woolly_client_hold_model (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                          GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_hold_model_async (self, model, options, cancellable, woolly_sync_cb, &sync);
  return woolly_client_hold_model_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_estimate_model_async:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Tells what a model would need, without loading it.
 */
void
woolly_client_estimate_model_async (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                                    GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));
  g_return_if_fail (model != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_estimate_model_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "EstimateModel",
               g_variant_new ("(s@a{sv})", model, woolly_call_options (options)), "(a{sv})", NULL, WOOLLY_CALL_SLOW,
               task);
}

/**
 * woolly_client_estimate_model_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.estimate_model_async].
 *
 * Returns: (transfer full): of type `a{sv}`, scope ESTIMATE
 */
GVariant *
woolly_client_estimate_model_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply->value, 0) : NULL;
}

/**
 * woolly_client_estimate_model:
 * @self: a client
 * @model: id, name or object path of a model, or a use-case as `chat`; the empty name is the default model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.estimate_model_async], blocking the thread.
 *
 * Returns: (transfer full): of type `a{sv}`, scope ESTIMATE
 */
GVariant *
woolly_client_estimate_model (WoollyClient *self, const char *model, GVariant *options, GCancellable *cancellable,
                              GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_estimate_model_async (self, model, options, cancellable, woolly_sync_cb, &sync);
  return woolly_client_estimate_model_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_list_plugins_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Tells what plugins the service found, refused ones with the reason.
 */
void
woolly_client_list_plugins_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_list_plugins_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "ListPlugins", NULL,
               "(aa{sv})", NULL, WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_client_list_plugins_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.list_plugins_async].
 *
 * Returns: (transfer full): of type `aa{sv}`, scope PLUGIN
 */
GVariant *
woolly_client_list_plugins_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply->value, 0) : NULL;
}

/**
 * woolly_client_list_plugins:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.list_plugins_async], blocking the thread.
 *
 * Returns: (transfer full): of type `aa{sv}`, scope PLUGIN
 */
GVariant *
woolly_client_list_plugins (WoollyClient *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_list_plugins_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_client_list_plugins_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_list_devices_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Tells what models can run on, the best first.
 */
void
woolly_client_list_devices_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_list_devices_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "ListDevices", NULL,
               "(aa{sv})", NULL, WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_client_list_devices_finish:
 * @self: a client
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Client.list_devices_async].
 *
 * Returns: (transfer full): of type `aa{sv}`, scope DEVICE
 */
GVariant *
woolly_client_list_devices_finish (WoollyClient *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply->value, 0) : NULL;
}

/**
 * woolly_client_list_devices:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.list_devices_async], blocking the thread.
 *
 * Returns: (transfer full): of type `aa{sv}`, scope DEVICE
 */
GVariant *
woolly_client_list_devices (WoollyClient *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), NULL);

  woolly_sync_begin (&sync);
  woolly_client_list_devices_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_client_list_devices_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_client_fetch_memory_async:
 * @self: a client
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Asks how much memory loaded models hold and may hold.
 */
void
woolly_client_fetch_memory_async (WoollyClient *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                  gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_CLIENT (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_client_fetch_memory_async);
  woolly_call (woolly_client_get_bus (self), WOOLLY_OBJECT_PATH, "org.freedesktop.DBus.Properties", "GetAll",
               g_variant_new ("(s)", WOOLLY_INTERFACE_MANAGER), "(a{sv})", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_client_fetch_memory_finish:
 * @self: a client
 * @result: what the callback got
 * @ret_in_use: (out) (optional): bytes that are held
 * @ret_budget: (out) (optional): bytes that may be held
 * @error: return location
 *
 * Ends [method@Woolly.Client.fetch_memory_async].
 *
 * Returns: whether the service told
 */
gboolean
woolly_client_fetch_memory_finish (WoollyClient *self, GAsyncResult *result, guint64 *ret_in_use, guint64 *ret_budget,
                                   GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) values   = NULL;
  guint64 in_use                = 0;
  guint64 budget                = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return FALSE;
  values = g_variant_get_child_value (reply->value, 0);
  g_variant_lookup (values, "MemoryInUse", "t", &in_use);
  g_variant_lookup (values, "MemoryBudget", "t", &budget);
  if (ret_in_use != NULL)
    *ret_in_use = in_use;
  if (ret_budget != NULL)
    *ret_budget = budget;
  return TRUE;
}

/**
 * woolly_client_fetch_memory:
 * @self: a client
 * @ret_in_use: (out) (optional): bytes that are held
 * @ret_budget: (out) (optional): bytes that may be held
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Client.fetch_memory_async], blocking the thread.
 *
 * Returns: whether the service told
 */
gboolean
woolly_client_fetch_memory (WoollyClient *self, guint64 *ret_in_use, guint64 *ret_budget, GCancellable *cancellable,
                            GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_client_fetch_memory_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_client_fetch_memory_finish (self, woolly_sync_wait (&sync), ret_in_use, ret_budget, error);
}
