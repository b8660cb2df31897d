/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus.h"

#include "wly-bus-admin.h"
#include "wly-bus-generation.h"
#include "wly-bus-hold.h"
#include "wly-bus-job.h"
#include "wly-bus-manager.h"
#include "wly-bus-model.h"
#include "wly-bus-session.h"
#include "wly-error.h"
#include "wly-foreign.h"
#include "woolly-names.h"

void
wly_bus_touch (WlyBus *self)
{
  self->last_activity_us = g_get_monotonic_time ();
  if (self->activity != NULL)
    self->activity (self->activity_data);
}

void
wly_bus_list_remove (GPtrArray *list, gpointer item, GDestroyNotify free_func)
{
  guint index;

  if (g_ptr_array_find (list, item, &index))
    free_func (g_ptr_array_steal_index (list, index));
}

static void
activity_cb (gpointer data)
{
  wly_bus_touch (data);
}

static void
added_cb (WlyCatalogue *catalogue, WlyModel *model, gpointer data)
{
  WlyBus *self = data;

  g_ptr_array_add (self->listed, wly_bus_model_new (self, model, NULL, NULL));
}

static void
removed_cb (WlyCatalogue *catalogue, WlyModel *model, gpointer data)
{
  WlyBus *self = data;

  for (guint i = 0; i < self->listed->len; i++) {
    WlyBusModel *listed = self->listed->pdata[i];
    if (listed->model == model) {
      wly_bus_list_remove (self->listed, listed, (GDestroyNotify)wly_bus_model_free);
      return;
    }
  }
}

WlyQueue *
wly_bus_get_queue (WlyModel *model)
{
  WlyQueue *queue = g_object_get_data (G_OBJECT (model), "wly-queue");

  if (queue == NULL) {
    queue = wly_queue_new ();
    g_object_set_data_full (G_OBJECT (model), "wly-queue", queue, (GDestroyNotify)wly_queue_free);
  }
  return queue;
}

static WlyBusModel *
find_exported (GPtrArray *models, WlyModel *model, const char *path)
{
  for (guint i = 0; i < models->len; i++) {
    WlyBusModel *exported = models->pdata[i];
    if (exported->model == model || g_strcmp0 (exported->path, path) == 0)
      return exported;
  }
  return NULL;
}

char *
wly_bus_path_of_model (WlyBus *self, WlyModel *model)
{
  WlyBusModel *exported = find_exported (self->listed, model, NULL);

  if (exported == NULL)
    exported = find_exported (self->given, model, NULL);
  return g_strdup (exported != NULL ? exported->path : "/"); /* its file was removed meanwhile */
}

WlyModel *
wly_bus_find_model (WlyBus *self, WlyBusCaller *caller, const char *path)
{
  WlyBusModel *exported = find_exported (self->listed, NULL, path);

  if (exported == NULL)
    exported = find_exported (self->given, NULL, path);
  if (exported == NULL || (exported->owner != NULL && exported->owner != caller))
    return NULL;
  return exported->model;
}

static gboolean
has_running (WlyBus *self)
{
  for (guint i = 0; i < self->generations->len; i++)
    if (!wly_request_has_ended (((WlyBusGeneration *)self->generations->pdata[i])->request))
      return TRUE;
  for (guint i = 0; i < self->jobs->len; i++)
    if (wly_bus_job_is_running (self->jobs->pdata[i]))
      return TRUE;
  return FALSE;
}

gboolean
wly_bus_is_working (WlyBus *self)
{
  return self->n_calls > 0 || wly_accounts_get_count (self->accounts, WLY_ACCOUNTS_REQUESTS) > 0 || has_running (self);
}

gboolean
wly_bus_is_idle (WlyBus *self)
{
  return !wly_bus_is_working (self) && self->sessions->len == 0 && self->generations->len == 0 && self->holds->len == 0
         && self->given->len == 0 && wly_residency_get_total_bytes (self->context->residency) == 0;
}

void
wly_bus_cancel_all (WlyBus *self)
{
  for (guint i = 0; i < self->generations->len; i++)
    wly_request_cancel (((WlyBusGeneration *)self->generations->pdata[i])->request);
}

static void
load_settings (WlyBus *self)
{
  g_auto (GStrv) warnings = wly_settings_load (self->settings, self->settings_file);

  for (gsize i = 0; warnings[i] != NULL; i++)
    g_warning ("%s", warnings[i]);
}

void
wly_bus_reload (WlyBus *self)
{
  load_settings (self);
  wly_model_context_configure (self->context);
  wly_catalogue_rescan (self->catalogue);
}

static void
clean_models_directory (WlyBus *self)
{
  g_autofree char *folder = wly_settings_dup_models_directory (self->settings);

  wly_import_clean (folder);
}

static GPtrArray *
owned_list (gpointer free_func)
{
  return g_ptr_array_new_with_free_func ((GDestroyNotify)free_func);
}

/* In GDBus's thread, of every message, whatever it is: descriptors that nobody asked for are closed, too. */
static GDBusMessage *
guard_files_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  GUnixFDList *fds = incoming ? g_dbus_message_get_unix_fd_list (message) : NULL;

  if (fds != NULL)
    wly_foreign_guard (fds);
  return message;
}

static gboolean
export_root (WlyBus *self, GError **error)
{
  self->manager = wly_bus_manager_new (self);
  self->admin   = wly_bus_admin_new (self);
  if (!wly_bus_object_export (self->manager, WOOLLY_OBJECT_PATH, NULL, error)
      || !wly_bus_object_export (self->admin, WOOLLY_OBJECT_PATH, NULL, error))
    return FALSE;
  self->models = g_dbus_object_manager_server_new (WOOLLY_OBJECT_PATH);
  g_dbus_object_manager_server_set_connection (self->models, self->shared.connection);
  return TRUE;
}

WlyBus *
wly_bus_new (GDBusConnection *connection, WlySettings *settings, const char *settings_file, GError **error)
{
  WlyBus *self = g_new0 (WlyBus, 1);

  self->settings      = g_object_ref (settings);
  self->settings_file = g_strdup (settings_file);
  load_settings (self);
  self->context              = wly_model_context_new (settings);
  self->catalogue            = wly_catalogue_new (self->context);
  self->accounts             = wly_accounts_new (settings);
  self->shared.connection    = g_object_ref (connection);
  self->files_filter         = g_dbus_connection_add_filter (connection, guard_files_cb, NULL, NULL);
  self->shared.callers       = wly_bus_callers_new (connection, self->accounts);
  self->shared.owned         = wly_bus_owned_new (connection);
  self->shared.activity      = activity_cb;
  self->shared.activity_data = self;
  self->listed               = owned_list (wly_bus_model_free);
  self->given                = owned_list (wly_bus_model_free);
  self->sessions             = owned_list (wly_bus_session_free);
  self->generations          = owned_list (wly_bus_generation_free);
  self->holds                = owned_list (wly_bus_hold_free);
  self->jobs                 = owned_list (wly_bus_job_free);
  if (!export_root (self, error)) {
    wly_bus_free (self);
    return NULL;
  }
  g_signal_connect (self->catalogue, "added", G_CALLBACK (added_cb), self);
  g_signal_connect (self->catalogue, "removed", G_CALLBACK (removed_cb), self);
  clean_models_directory (self);
  wly_catalogue_rescan (self->catalogue);
  return self;
}

void
wly_bus_free (WlyBus *self)
{
  if (self == NULL)
    return;
  self->activity = NULL;
  wly_prober_stop (self->context->prober);
  g_ptr_array_unref (self->generations);
  g_ptr_array_unref (self->sessions);
  g_ptr_array_unref (self->holds);
  g_ptr_array_unref (self->jobs);
  g_ptr_array_unref (self->given);
  g_signal_handlers_disconnect_by_data (self->catalogue, self);
  g_ptr_array_unref (self->listed);
  wly_bus_object_unexport (self->manager);
  wly_bus_object_unexport (self->admin);
  g_clear_object (&self->manager);
  g_clear_object (&self->admin);
  g_clear_object (&self->models);
  g_object_run_dispose (G_OBJECT (self->catalogue));
  g_object_unref (self->catalogue);
  wly_bus_callers_free (self->shared.callers);
  g_dbus_connection_remove_filter (self->shared.connection, self->files_filter);
  wly_bus_owned_free (self->shared.owned);
  wly_accounts_unref (self->accounts);
  wly_model_context_unref (self->context);
  g_object_unref (self->shared.connection);
  g_object_unref (self->settings);
  g_free (self->settings_file);
  g_free (self);
}
