/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The methods of a model; its properties are in woolly-model.c.
 */
#include "woolly-model-private.h"

#include "woolly-call.h"
#include "woolly-input-private.h"
#include "woolly-sync.h"

#include "introspection/woolly-names.h"

static void
call_model (WoollyModel *self, const char *method, GVariant *params, const char *reply_type, GUnixFDList *fds,
            WoollyCallFlags flags, GTask *task)
{
  woolly_call (woolly_model_get_bus (self), woolly_model_get_object_path (self), WOOLLY_INTERFACE_MODEL, method, params,
               reply_type, fds, flags, task);
}

/* A method (input, options), or (input) where @options is NULL. */
static void
call_with_input (WoollyModel *self, const char *method, WoollyInput *input, GVariant *options, const char *reply_type,
                 GTask *task)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) sunk   = options != NULL ? g_variant_ref_sink (options) : NULL;
  GVariant *body              = woolly_input_build (input, &fds, &error);

  if (body == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  call_model (self, method,
              sunk != NULL ? g_variant_new ("(@a{sv}@a{sv})", body, sunk) : g_variant_new ("(@a{sv})", body),
              reply_type, fds, WOOLLY_CALL_SLOW, task);
}

static gboolean
finish_empty (WoollyModel *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_model_load_async:
 * @self: a model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Brings the model into memory and keeps it there for this program, until [method@Woolly.Model.unload_async] or until
 * the program leaves the bus. It is done when the load was started; [property@Woolly.Model:state] tells the rest.
 */
void
woolly_model_load_async (WoollyModel *self, GVariant *options, GCancellable *cancellable, GAsyncReadyCallback callback,
                         gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_load_async);
  call_model (self, "Load", g_variant_new ("(@a{sv})", woolly_call_options (options)), "()", NULL, WOOLLY_CALL_NONE,
              task);
}

/**
 * woolly_model_load_finish:
 * @self: a model
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Model.load_async].
 *
 * Returns: whether the service took it
 */
gboolean
woolly_model_load_finish (WoollyModel *self, GAsyncResult *result, GError **error)
{
  return finish_empty (self, result, error);
}

/**
 * woolly_model_load:
 * @self: a model
 * @options: (nullable): a dictionary of type `a{sv}`, scope LOAD; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.load_async], blocking the thread.
 *
 * Returns: whether the service took it
 */
gboolean
woolly_model_load (WoollyModel *self, GVariant *options, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_model_load_async (self, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_load_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_model_unload_async:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Ends this program's hold. The model leaves memory when nobody else uses it.
 */
void
woolly_model_unload_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_unload_async);
  call_model (self, "Unload", NULL, "()", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_model_unload_finish:
 * @self: a model
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Model.unload_async].
 *
 * Returns: whether the service took it
 */
gboolean
woolly_model_unload_finish (WoollyModel *self, GAsyncResult *result, GError **error)
{
  return finish_empty (self, result, error);
}

/**
 * woolly_model_unload:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.unload_async], blocking the thread.
 *
 * Returns: whether the service took it
 */
gboolean
woolly_model_unload (WoollyModel *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_model_unload_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_model_unload_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_model_tokenize_async:
 * @self: a model
 * @input: what to read
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Turns text into tokens. Needs the header of the model file only, not its weights.
 */
void
woolly_model_tokenize_async (WoollyModel *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_tokenize_async);
  call_with_input (self, "Tokenize", input, woolly_call_options (options), "(au)", task);
}

/**
 * woolly_model_tokenize_finish:
 * @self: a model
 * @result: what the callback got
 * @n_tokens: (out): number of token ids
 * @error: return location
 *
 * Ends [method@Woolly.Model.tokenize_async].
 *
 * Returns: (transfer full) (array length=n_tokens): token ids
 */
guint32 *
woolly_model_tokenize_finish (WoollyModel *self, GAsyncResult *result, gsize *n_tokens, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) tokens   = NULL;
  gconstpointer data;
  gsize n = 0;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  *n_tokens = 0;
  reply     = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  tokens    = g_variant_get_child_value (reply->value, 0);
  data      = g_variant_get_fixed_array (tokens, &n, sizeof (guint32));
  *n_tokens = n;
  /* Never NULL without an error, not even for no tokens. */
  return n > 0 ? g_memdup2 (data, n * sizeof (guint32)) : g_new0 (guint32, 1);
}

/**
 * woolly_model_tokenize:
 * @self: a model
 * @input: what to read
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @n_tokens: (out): number of token ids
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.tokenize_async], blocking the thread.
 *
 * Returns: (transfer full) (array length=n_tokens): token ids
 */
guint32 *
woolly_model_tokenize (WoollyModel *self, WoollyInput *input, GVariant *options, gsize *n_tokens,
                       GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_tokenize_async (self, input, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_tokenize_finish (self, woolly_sync_wait (&sync), n_tokens, error);
}

/**
 * woolly_model_detokenize_async:
 * @self: a model
 * @tokens: (array length=n_tokens): token ids
 * @n_tokens: number of token ids
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Turns tokens into text: bytes that are UTF-8 unless the tokens cut a character.
 */
void
woolly_model_detokenize_async (WoollyModel *self, const guint32 *tokens, gsize n_tokens, GVariant *options,
                               GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_detokenize_async);
  call_model (self, "Detokenize",
              g_variant_new ("(@au@a{sv})",
                             g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, tokens, n_tokens, sizeof (guint32)),
                             woolly_call_options (options)),
              "(ay)", NULL, WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_model_detokenize_finish:
 * @self: a model
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Model.detokenize_async].
 *
 * Returns: (transfer full): bytes
 */
GBytes *
woolly_model_detokenize_finish (WoollyModel *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) text     = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  text = g_variant_get_child_value (reply->value, 0);
  return g_variant_get_data_as_bytes (text);
}

/**
 * woolly_model_detokenize:
 * @self: a model
 * @tokens: (array length=n_tokens): token ids
 * @n_tokens: number of token ids
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.detokenize_async], blocking the thread.
 *
 * Returns: (transfer full): bytes
 */
GBytes *
woolly_model_detokenize (WoollyModel *self, const guint32 *tokens, gsize n_tokens, GVariant *options,
                         GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_detokenize_async (self, tokens, n_tokens, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_detokenize_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_model_count_async:
 * @self: a model
 * @input: what to read
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Counts tokens.
 */
void
woolly_model_count_async (WoollyModel *self, WoollyInput *input, GVariant *options, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_count_async);
  call_with_input (self, "Count", input, woolly_call_options (options), "(t)", task);
}

/**
 * woolly_model_count_finish:
 * @self: a model
 * @result: what the callback got
 * @ret_count: (out): number of tokens
 * @error: return location
 *
 * Ends [method@Woolly.Model.count_async].
 *
 * Returns: whether they were counted
 */
gboolean
woolly_model_count_finish (WoollyModel *self, GAsyncResult *result, guint64 *ret_count, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply->value, "(t)", ret_count);
  return TRUE;
}

/**
 * woolly_model_count:
 * @self: a model
 * @input: what to read
 * @options: (nullable): a dictionary of type `a{sv}`, scope TOKENIZE; floating ones are taken
 * @ret_count: (out): number of tokens
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.count_async], blocking the thread.
 *
 * Returns: whether they were counted
 */
gboolean
woolly_model_count (WoollyModel *self, WoollyInput *input, GVariant *options, guint64 *ret_count,
                    GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_model_count_async (self, input, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_count_finish (self, woolly_sync_wait (&sync), ret_count, error);
}

/**
 * woolly_model_render_async:
 * @self: a model
 * @input: messages
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Writes a conversation as the model's chat template does, without generating.
 */
void
woolly_model_render_async (WoollyModel *self, WoollyInput *input, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));
  g_return_if_fail (WOOLLY_IS_INPUT (input));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_render_async);
  call_with_input (self, "Render", input, NULL, "(sa(tt))", task);
}

/**
 * woolly_model_render_finish:
 * @self: a model
 * @result: what the callback got
 * @ret_trusted: (out) (optional): of type `a(tt)`: where the template itself wrote, in bytes
 * @error: return location
 *
 * Ends [method@Woolly.Model.render_async].
 *
 * Returns: (transfer full): the prompt
 */
char *
woolly_model_render_finish (WoollyModel *self, GAsyncResult *result, GVariant **ret_trusted, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return woolly_reply_finish_text (result, ret_trusted, error);
}

/**
 * woolly_model_render:
 * @self: a model
 * @input: messages
 * @ret_trusted: (out) (optional): of type `a(tt)`: where the template itself wrote, in bytes
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.render_async], blocking the thread.
 *
 * Returns: (transfer full): the prompt
 */
char *
woolly_model_render (WoollyModel *self, WoollyInput *input, GVariant **ret_trusted, GCancellable *cancellable,
                     GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_render_async (self, input, cancellable, woolly_sync_cb, &sync);
  return woolly_model_render_finish (self, woolly_sync_wait (&sync), ret_trusted, error);
}

/**
 * woolly_model_list_users_async:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Tells who uses the model. Sandboxed programs may not know.
 */
void
woolly_model_list_users_async (WoollyModel *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                               gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_list_users_async);
  call_model (self, "ListUsers", NULL, "(aa{sv})", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_model_list_users_finish:
 * @self: a model
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Model.list_users_async].
 *
 * Returns: (transfer full): of type `aa{sv}`, with the keys of scope USER
 */
GVariant *
woolly_model_list_users_finish (WoollyModel *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply->value, 0) : NULL;
}

/**
 * woolly_model_list_users:
 * @self: a model
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.list_users_async], blocking the thread.
 *
 * Returns: (transfer full): of type `aa{sv}`, with the keys of scope USER
 */
GVariant *
woolly_model_list_users (WoollyModel *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_list_users_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_model_list_users_finish (self, woolly_sync_wait (&sync), error);
}
