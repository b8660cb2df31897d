/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-admin.h"

#include "woolly-call.h"
#include "woolly-client-private.h"
#include "woolly-job-private.h"
#include "woolly-sync.h"

#include "introspection/woolly-names.h"

/**
 * WoollyAdmin:
 *
 * What changes the service for everybody. Sandboxed programs are refused with [error@Woolly.Error.ACCESS_DENIED].
 */
struct _WoollyAdmin {
  GObject parent_instance;

  WoollyBus *bus;
};

G_DEFINE_FINAL_TYPE (WoollyAdmin, woolly_admin, G_TYPE_OBJECT)

static void
woolly_admin_finalize (GObject *object)
{
  g_clear_object (&WOOLLY_ADMIN (object)->bus);
  G_OBJECT_CLASS (woolly_admin_parent_class)->finalize (object);
}

static void
woolly_admin_class_init (WoollyAdminClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = woolly_admin_finalize;
}

static void
woolly_admin_init (WoollyAdmin *self)
{
}

/**
 * woolly_admin_new:
 * @client: a client
 *
 * Makes the object that these calls are methods of.
 *
 * Returns: (transfer full): a new object
 */
WoollyAdmin *
woolly_admin_new (WoollyClient *client)
{
  WoollyAdmin *self;

  g_return_val_if_fail (WOOLLY_IS_CLIENT (client), NULL);

  self      = g_object_new (WOOLLY_TYPE_ADMIN, NULL);
  self->bus = g_object_ref (woolly_client_get_bus (client));
  return self;
}

static void
import_file (WoollyAdmin *self, int fd, GVariant *options, GTask *task)
{
  g_autoptr (GVariant) sunk   = g_variant_ref_sink (woolly_call_options (options));
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GError) error    = NULL;
  int handle                  = g_unix_fd_list_append (fds, fd, &error);

  if (handle < 0) {
    g_task_return_error (task, g_steal_pointer (&error));
    g_object_unref (task);
    return;
  }
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Import",
               g_variant_new ("(h@a{sv})", handle, sunk), "(o)", fds, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_import_async:
 * @self: an admin
 * @fd: a GGUF file, open for reading; stays open here
 * @options: (nullable): a dictionary of type `a{sv}`, scope IMPORT; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Copies a file into the model folder.
 */
void
woolly_admin_import_async (WoollyAdmin *self, int fd, GVariant *options, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_import_async);
  import_file (self, fd, options, task);
}

/**
 * woolly_admin_import_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.import_async].
 *
 * Returns: (transfer full): its progress
 */
WoollyJob *
woolly_admin_import_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  const char *path              = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(&o)", &path);
  return woolly_job_new (self->bus, path);
}

/**
 * woolly_admin_import:
 * @self: an admin
 * @fd: a GGUF file, open for reading; stays open here
 * @options: (nullable): a dictionary of type `a{sv}`, scope IMPORT; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.import_async], blocking the thread.
 *
 * Returns: (transfer full): its progress
 */
WoollyJob *
woolly_admin_import (WoollyAdmin *self, int fd, GVariant *options, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), NULL);

  woolly_sync_begin (&sync);
  woolly_admin_import_async (self, fd, options, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_import_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_pull_async:
 * @self: an admin
 * @source: an https address, or the name of a model in a known registry
 * @options: (nullable): a dictionary of type `a{sv}`, scope PULL; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Downloads a model.
 */
void
woolly_admin_pull_async (WoollyAdmin *self, const char *source, GVariant *options, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));
  g_return_if_fail (source != NULL);

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_pull_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Pull",
               g_variant_new ("(s@a{sv})", source, woolly_call_options (options)), "(o)", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_pull_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.pull_async].
 *
 * Returns: (transfer full): its progress
 */
WoollyJob *
woolly_admin_pull_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;
  const char *path              = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  if (reply == NULL)
    return NULL;
  g_variant_get (reply->value, "(&o)", &path);
  return woolly_job_new (self->bus, path);
}

/**
 * woolly_admin_pull:
 * @self: an admin
 * @source: an https address, or the name of a model in a known registry
 * @options: (nullable): a dictionary of type `a{sv}`, scope PULL; floating ones are taken
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.pull_async], blocking the thread.
 *
 * Returns: (transfer full): its progress
 */
WoollyJob *
woolly_admin_pull (WoollyAdmin *self, const char *source, GVariant *options, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), NULL);

  woolly_sync_begin (&sync);
  woolly_admin_pull_async (self, source, options, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_pull_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_remove_async:
 * @self: an admin
 * @model: a model of the catalogue
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Deletes a model's files from the user's model folder.
 */
void
woolly_admin_remove_async (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));
  g_return_if_fail (WOOLLY_IS_MODEL (model));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_remove_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Remove",
               g_variant_new ("(o)", woolly_model_get_object_path (model)), "()", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_remove_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.remove_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_remove_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_admin_remove:
 * @self: an admin
 * @model: a model of the catalogue
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.remove_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_remove (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_admin_remove_async (self, model, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_remove_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_unload_async:
 * @self: an admin
 * @model: a model of the catalogue
 * @force: end what is being generated, too
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Unloads a model whoever uses it.
 */
void
woolly_admin_unload_async (WoollyAdmin *self, WoollyModel *model, gboolean force, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));
  g_return_if_fail (WOOLLY_IS_MODEL (model));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_unload_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Unload",
               g_variant_new ("(ob)", woolly_model_get_object_path (model), force), "()", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_unload_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.unload_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_unload_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_admin_unload:
 * @self: an admin
 * @model: a model of the catalogue
 * @force: end what is being generated, too
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.unload_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_unload (WoollyAdmin *self, WoollyModel *model, gboolean force, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_admin_unload_async (self, model, force, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_unload_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_clear_quarantine_async:
 * @self: an admin
 * @model: a model of the catalogue
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Lets a model be tried again whose workers kept dying.
 */
void
woolly_admin_clear_quarantine_async (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable,
                                     GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));
  g_return_if_fail (WOOLLY_IS_MODEL (model));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_clear_quarantine_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "ClearQuarantine",
               g_variant_new ("(o)", woolly_model_get_object_path (model)), "()", NULL, WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_clear_quarantine_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.clear_quarantine_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_clear_quarantine_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_admin_clear_quarantine:
 * @self: an admin
 * @model: a model of the catalogue
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.clear_quarantine_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_clear_quarantine (WoollyAdmin *self, WoollyModel *model, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_admin_clear_quarantine_async (self, model, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_clear_quarantine_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_fetch_settings_async:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Reads the settings in force.
 */
void
woolly_admin_fetch_settings_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                                   gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_fetch_settings_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "GetSettings", NULL, "(a{sv})", NULL,
               WOOLLY_CALL_NONE, task);
}

/**
 * woolly_admin_fetch_settings_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.fetch_settings_async].
 *
 * Returns: (transfer full): of type `a{sv}`, as `group.key`
 */
GVariant *
woolly_admin_fetch_settings_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL ? g_variant_get_child_value (reply->value, 0) : NULL;
}

/**
 * woolly_admin_fetch_settings:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.fetch_settings_async], blocking the thread.
 *
 * Returns: (transfer full): of type `a{sv}`, as `group.key`
 */
GVariant *
woolly_admin_fetch_settings (WoollyAdmin *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), NULL);

  woolly_sync_begin (&sync);
  woolly_admin_fetch_settings_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_fetch_settings_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_reload_async:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Makes the service read its configuration and the model folders again.
 */
void
woolly_admin_reload_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_reload_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Reload", NULL, "()", NULL, WOOLLY_CALL_NONE,
               task);
}

/**
 * woolly_admin_reload_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.reload_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_reload_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_admin_reload:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.reload_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_reload (WoollyAdmin *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_admin_reload_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_reload_finish (self, woolly_sync_wait (&sync), error);
}

/**
 * woolly_admin_quit_async:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @callback: (scope async): called when it is done
 * @user_data: for the callback
 *
 * Ends the service once what it does now is done. Does not start it for that.
 */
void
woolly_admin_quit_async (WoollyAdmin *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task;

  g_return_if_fail (WOOLLY_IS_ADMIN (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, woolly_admin_quit_async);
  woolly_call (self->bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_ADMIN, "Quit", NULL, "()", NULL,
               WOOLLY_CALL_NO_AUTO_START, task);
}

/**
 * woolly_admin_quit_finish:
 * @self: an admin
 * @result: what the callback got
 * @error: return location
 *
 * Ends [method@Woolly.Admin.quit_async].
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_quit_finish (WoollyAdmin *self, GAsyncResult *result, GError **error)
{
  g_autoptr (WoollyReply) reply = NULL;

  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  reply = g_task_propagate_pointer (G_TASK (result), error);
  return reply != NULL;
}

/**
 * woolly_admin_quit:
 * @self: an admin
 * @cancellable: (nullable): a cancellable
 * @error: return location
 *
 * As [method@Woolly.Admin.quit_async], blocking the thread.
 *
 * Returns: whether it was done
 */
gboolean
woolly_admin_quit (WoollyAdmin *self, GCancellable *cancellable, GError **error)
{
  g_auto (WoollySync) sync = WOOLLY_SYNC_INIT;

  g_return_val_if_fail (WOOLLY_IS_ADMIN (self), FALSE);

  woolly_sync_begin (&sync);
  woolly_admin_quit_async (self, cancellable, woolly_sync_cb, &sync);
  return woolly_admin_quit_finish (self, woolly_sync_wait (&sync), error);
}
