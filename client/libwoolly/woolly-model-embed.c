/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The methods of a model that makes vectors or scores.
 */
#include "woolly-model-private.h"

#include "woolly-call.h"
#include "woolly-sync.h"

#include "introspection/woolly-names.h"

#include <unistd.h>

/* All of the file, which is closed. */
static GBytes *
read_vectors (int fd, GError **error)
{
  g_autoptr (GMappedFile) file = g_mapped_file_new_from_fd (fd, FALSE, error);

  close (fd);
  return file != NULL ? g_mapped_file_get_bytes (file) : NULL;
}

/**
 * woolly_model_embed_async:
 * @self: a model
 * @texts: (array zero-terminated=1): texts
 * @options: (nullable): a dictionary of type `a{sv}`, scope EMBED; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Turns texts into vectors. Loads the model, whose capabilities have to name `embed`.
 */
void
woolly_model_embed_async (WoollyModel *self, const char *const *texts, GVariant *options, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));
  g_return_if_fail (texts != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_embed_async);
  woolly_call (woolly_model_get_bus (self), woolly_model_get_object_path (self), WOOLLY_INTERFACE_MODEL, "Embed",
               g_variant_new ("(^as@a{sv})", texts, woolly_call_options (options)), "(ha{sv})", NULL, WOOLLY_CALL_SLOW,
               task);
}

/**
 * woolly_model_embed_finish:
 * @self: a model
 * @result: what the callback got
 * @dimensions: (out): values of each vector
 * @error: return location
 *
 * Ends [method@Woolly.Model.embed_async].
 *
 * Returns: (transfer full): the vectors, one after the other in the order of the texts, as 32-bit floats
 */
GBytes *
woolly_model_embed_finish (WoollyModel *self, GAsyncResult *result, guint *dimensions, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) info     = NULL;
  int handle, fd;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  *dimensions = 0;
  reply       = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(h@a{sv})", &handle, &info);
  g_variant_lookup (info, "dimensions", "u", dimensions);
  fd = woolly_reply_take_fd (reply, handle, error);
  return fd >= 0 ? read_vectors (fd, error) : NULL;
}

/**
 * woolly_model_embed:
 * @self: a model
 * @texts: (array zero-terminated=1): texts
 * @options: (nullable): a dictionary of type `a{sv}`, scope EMBED; floating ones are taken
 * @dimensions: (out): values of each vector
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.embed_async], blocking the thread.
 *
 * Returns: (transfer full): the vectors, one after the other in the order of the texts, as 32-bit floats
 */
GBytes *
woolly_model_embed (WoollyModel *self, const char *const *texts, GVariant *options, guint *dimensions,
                    GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_embed_async (self, texts, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_embed_finish (self, woolly_sync_wait (&sync), dimensions, error);
}

/**
 * woolly_model_rerank_async:
 * @self: a model
 * @query: what is looked for
 * @documents: (array zero-terminated=1): texts
 * @options: (nullable): a dictionary of type `a{sv}`, scope RERANK; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Tells how well texts answer a query. Loads the model, whose capabilities have to name `rerank`.
 */
void
woolly_model_rerank_async (WoollyModel *self, const char *query, const char *const *documents, GVariant *options,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_MODEL (self));
  g_return_if_fail (query != NULL && documents != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_model_rerank_async);
  woolly_call (woolly_model_get_bus (self), woolly_model_get_object_path (self), WOOLLY_INTERFACE_MODEL, "Rerank",
               g_variant_new ("(s^as@a{sv})", query, documents, woolly_call_options (options)), "(ad)", NULL,
               WOOLLY_CALL_SLOW, task);
}

/**
 * woolly_model_rerank_finish:
 * @self: a model
 * @result: what the callback got
 * @n_scores: (out): number of scores
 * @error: return location
 *
 * Ends [method@Woolly.Model.rerank_async].
 *
 * Returns: (transfer full) (array length=n_scores): a score for each document; the greater the better
 */
double *
woolly_model_rerank_finish (WoollyModel *self, GAsyncResult *result, gsize *n_scores, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  g_autoptr (GVariant) scores   = NULL;
  gconstpointer data;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  *n_scores = 0;
  reply     = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  scores = g_variant_get_child_value (reply->value, 0);
  data   = g_variant_get_fixed_array (scores, n_scores, sizeof (double));
  return *n_scores > 0 ? g_memdup2 (data, *n_scores * sizeof (double)) : g_new0 (double, 1);
}

/**
 * woolly_model_rerank:
 * @self: a model
 * @query: what is looked for
 * @documents: (array zero-terminated=1): texts
 * @options: (nullable): a dictionary of type `a{sv}`, scope RERANK; floating ones are taken
 * @n_scores: (out): number of scores
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Model.rerank_async], blocking the thread.
 *
 * Returns: (transfer full) (array length=n_scores): a score for each document; the greater the better
 */
double *
woolly_model_rerank (WoollyModel *self, const char *query, const char *const *documents, GVariant *options,
                     gsize *n_scores, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_MODEL (self), NULL);

  woolly_sync_begin (&sync);
  woolly_model_rerank_async (self, query, documents, options, cancellable, woolly_sync_cb, &sync);
  return woolly_model_rerank_finish (self, woolly_sync_wait (&sync), n_scores, error);
}
