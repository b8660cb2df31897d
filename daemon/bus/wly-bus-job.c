/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-job.h"

#include "wly-bus-interfaces.h"
#include "wly-error.h"
#include "wly-model-id.h"
#include "woolly-names.h"

static GVariant *
property_cb (gpointer data, WlyBusCaller *caller, const char *name)
{
  WlyBusJob *self = data;
  guint64 done, total;

  if (g_str_equal (name, "Kind"))
    return g_variant_new_string ("import");
  if (g_str_equal (name, "State"))
    return g_variant_new_string (self->state);
  if (g_str_equal (name, "Progress")) {
    wly_import_get_progress (self->import, &done, &total);
    return g_variant_new ("(tt)", done, total);
  }
  if (g_str_equal (name, "Model"))
    return g_variant_new_object_path (self->model_path != NULL ? self->model_path : "/");
  if (self->error == NULL)
    return g_variant_new ("(ss)", "", "");
  return g_variant_new ("(ss)", wly_error_dbus_name ((WlyErrorCode)self->error->code), self->error->message);
}

gboolean
wly_bus_job_is_running (WlyBusJob *self)
{
  return g_str_equal (self->state, "running");
}

static void
cancel_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusJob *self = data;

  wly_import_cancel (self->import);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
release_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusJob *self = data;

  if (wly_bus_job_is_running (self)) {
    g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (WLY_ERROR_BUSY),
                                                "the job still runs; cancel it first");
    return;
  }
  wly_bus_list_remove (self->bus->jobs, self, (GDestroyNotify)wly_bus_job_free);
  g_dbus_method_invocation_return_value (invocation, NULL); /* last: then it is unknown already */
}

static const WlyBusMethod methods[] = {
  { "Cancel", cancel_cb },
  { "Release", release_cb },
  { NULL, NULL },
};

static void
progress_cb (WlyImport *import, gpointer data)
{
  WlyBusJob *self = data;

  wly_bus_object_changed (self->object);
}

static WlyModel *
find_by_file (WlyBus *bus, const char *path)
{
  GPtrArray *models = wly_catalogue_get_models (bus->catalogue);

  for (guint i = 0; i < models->len; i++)
    if (g_strv_contains (wly_model_files_get_paths (wly_model_get_files (models->pdata[i])), path))
      return models->pdata[i];
  return NULL;
}

static void
ended_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusJob *self       = data;
  g_autofree char *path = wly_import_run_finish (WLY_IMPORT (source), result, &self->error);
  WlyModel *model;

  if (path != NULL) {
    wly_catalogue_rescan (self->bus->catalogue);
    model            = find_by_file (self->bus, path);
    self->model_path = model != NULL ? wly_model_id_to_path (wly_model_get_id (model)) : NULL;
    self->state      = "done";
  } else {
    self->state = g_error_matches (self->error, WLY_ERROR, WLY_ERROR_CANCELLED) ? "cancelled" : "failed";
  }
  wly_bus_object_changed (self->object);
  wly_bus_touch (self->bus);
  if (wly_bus_caller_is_gone (self->caller))
    wly_bus_list_remove (self->bus->jobs, self, (GDestroyNotify)wly_bus_job_free);
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  WlyBusJob *self = data;

  wly_bus_object_unexport (self->object);
  if (!wly_bus_job_is_running (self)) /* a running one goes on, and ends in ended_cb() */
    wly_bus_list_remove (self->bus->jobs, self, (GDestroyNotify)wly_bus_job_free);
}

WlyBusJob *
wly_bus_job_new (WlyBus *bus, WlyBusCaller *caller, WlyImport *import, GError **error)
{
  static guint64 last_number = 0;
  WlyBusJob *self;

  if (!wly_account_take_object (wly_bus_caller_get_account (caller), error))
    return NULL;
  self               = g_new0 (WlyBusJob, 1);
  self->bus          = bus;
  self->caller       = g_object_ref (caller);
  self->import       = g_object_ref (import);
  self->state        = "running";
  self->path         = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, WOOLLY_PATH_JOBS, ++last_number);
  self->object       = wly_bus_object_new (&bus->shared, &org_woolly_woolly1_job_interface, methods, property_cb, self);
  self->gone_handler = g_signal_connect (caller, "gone", G_CALLBACK (gone_cb), self);
  g_signal_connect (import, "progress", G_CALLBACK (progress_cb), self);
  if (!wly_bus_object_export (self->object, self->path, wly_bus_caller_get_name (caller), error)) {
    wly_bus_job_free (self);
    return NULL;
  }
  g_ptr_array_add (bus->jobs, self);
  wly_import_run_async (import, ended_cb, self);
  return self;
}

void
wly_bus_job_free (WlyBusJob *self)
{
  g_signal_handlers_disconnect_by_data (self->import, self);
  g_signal_handler_disconnect (self->caller, self->gone_handler);
  wly_bus_object_unexport (self->object);
  wly_account_give_object (wly_bus_caller_get_account (self->caller));
  wly_bus_touch (self->bus);
  g_clear_error (&self->error);
  g_object_unref (self->object);
  g_object_unref (self->import);
  g_object_unref (self->caller);
  g_free (self->model_path);
  g_free (self->path);
  g_free (self);
}
