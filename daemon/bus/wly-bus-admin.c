/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-admin.h"

#include "wly-bus-call.h"
#include "wly-bus-interfaces.h"
#include "wly-bus-job.h"
#include "wly-error.h"
#include "wly-options.h"

static void
answer (GDBusMethodInvocation *invocation, GVariant *reply, const GError *error)
{
  if (error != NULL)
    wly_bus_return_error (invocation, error);
  else
    g_dbus_method_invocation_return_value (invocation, reply);
}

/* The model that the method's first argument names; answered where there is none. */
static WlyModel *
find_model (WlyBus *bus, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) path = g_variant_get_child_value (parameters, 0);
  WlyModel *model           = wly_bus_find_model (bus, caller, g_variant_get_string (path, NULL));

  if (model == NULL)
    g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (WLY_ERROR_NOT_FOUND),
                                                "no model has this object path");
  return model;
}

static void
import_known_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call             = data;
  g_autoptr (GError) error     = NULL;
  g_autoptr (WlyImport) import = wly_import_new_finish (result, &error);
  WlyBusJob *job               = NULL;

  if (import != NULL && wly_bus_caller_is_gone (call->caller))
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");
  else if (import != NULL)
    job = wly_bus_job_new (call->bus, call->caller, import, &error);
  if (job != NULL)
    wly_bus_call_return (call, g_variant_new ("(o)", job->path));
  else
    wly_bus_call_fail (call, error);
}

static void
import_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus                  = data;
  GUnixFDList *fds             = g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  WlyBusCall *call             = wly_bus_call_new (bus, caller, invocation);
  g_autofree char *name        = NULL;
  g_autoptr (GError) error     = NULL;
  int n_fds                    = 0;
  const int *list              = fds != NULL ? g_unix_fd_list_peek_fds (fds, &n_fds) : NULL;
  gint32 handle;

  if (call == NULL)
    return;
  g_variant_get_child (parameters, 0, "h", &handle);
  if (handle < 0 || handle >= n_fds)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: the message carries no such descriptor");
  else
    wly_options_check (1u << WLY_SCOPE_IMPORT, options, &error);
  if (error != NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  if (wly_options_has (options, "name"))
    name = wly_options_dup_string (WLY_SCOPE_IMPORT, options, "name");
  wly_import_new_async (bus->context, wly_account_get_app (wly_bus_caller_get_account (caller)), list[handle], name,
                        import_known_cb, call);
}

static void
pull_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 1);
  g_autoptr (GError) error     = NULL;

  if (wly_options_check (1u << WLY_SCOPE_PULL, options, &error))
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_NOT_SUPPORTED,
                         "no downloader is installed; download the file yourself and import it");
  wly_bus_return_error (invocation, error);
}

static void
remove_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus              = data;
  WlyModel *model          = find_model (bus, caller, parameters, invocation);
  g_autoptr (GError) error = NULL;

  if (model == NULL)
    return;
  wly_catalogue_remove_files (bus->catalogue, model, &error);
  answer (invocation, NULL, error);
}

static void
unload_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyModel *model          = find_model (data, caller, parameters, invocation);
  g_autoptr (GError) error = NULL;
  gboolean force;

  if (model == NULL)
    return;
  g_variant_get_child (parameters, 1, "b", &force);
  wly_model_unload (model, force, &error);
  answer (invocation, NULL, error);
}

static void
clear_quarantine_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyModel *model = find_model (data, caller, parameters, invocation);

  if (model == NULL)
    return;
  wly_model_clear_quarantine (model);
  answer (invocation, NULL, NULL);
}

static void
get_settings_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus = data;

  answer (invocation, g_variant_new ("(@a{sv})", wly_settings_to_variant (bus->settings)), NULL);
}

static void
reload_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  wly_bus_reload (data);
  answer (invocation, NULL, NULL);
}

static void
quit_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus = data;

  answer (invocation, NULL, NULL);
  bus->quit (bus->quit_data);
}

static const WlyBusMethod methods[] = {
  { "Import", import_cb },
  { "Pull", pull_cb },
  { "Remove", remove_cb },
  { "Unload", unload_cb },
  { "ClearQuarantine", clear_quarantine_cb },
  { "GetSettings", get_settings_cb },
  { "Reload", reload_cb },
  { "Quit", quit_cb },
  { NULL, NULL },
};

WlyBusObject *
wly_bus_admin_new (WlyBus *bus)
{
  WlyBusObject *object = wly_bus_object_new (&bus->shared, &org_woolly_woolly1_admin_interface, methods, NULL, bus);

  wly_bus_object_set_host_only (object);
  return object;
}
