/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-manager.h"

#include "config.h"
#include "wly-bus-call.h"
#include "wly-bus-generation.h"
#include "wly-bus-hold.h"
#include "wly-bus-interfaces.h"
#include "wly-bus-model.h"
#include "wly-bus-session.h"
#include "wly-bus-text.h"
#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-options.h"
#include "wly-os.h"
#include "wly-prober.h"
#include "woolly-names.h"

#include <unistd.h>

#define INTERFACE_VERSION 1

static GVariant *
property_cb (gpointer data, WlyBusCaller *caller, const char *name)
{
  WlyBus *bus    = data;
  guint64 in_use = 0;

  if (g_str_equal (name, "Version"))
    return g_variant_new_string (WOOLLY_VERSION);
  if (g_str_equal (name, "InterfaceVersion"))
    return g_variant_new_uint32 (INTERFACE_VERSION);
  if (g_str_equal (name, "MemoryBudget"))
    return g_variant_new_uint64 (wly_residency_get_budget (bus->context->residency));
  for (guint i = 0; i < bus->listed->len; i++)
    in_use += wly_model_get_memory (((WlyBusModel *)bus->listed->pdata[i])->model);
  for (guint i = 0; i < bus->given->len; i++)
    in_use += wly_model_get_memory (((WlyBusModel *)bus->given->pdata[i])->model);
  return g_variant_new_uint64 (in_use);
}

/* A call with (name, …, options) as arguments: begun, its options checked; NULL where it is answered already. */
static WlyBusCall *
begin (WlyBus *bus, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation, guint scopes)
{
  WlyBusCall *call         = wly_bus_call_new (bus, caller, invocation);
  g_autoptr (GError) error = NULL;

  if (call == NULL)
    return NULL;
  call->options = g_variant_get_child_value (parameters, g_variant_n_children (parameters) - 1);
  if (wly_options_check (scopes, call->options, &error))
    return call;
  wly_bus_call_fail (call, error);
  return NULL;
}

static const char *
peek_name (GVariant *parameters)
{
  g_autoptr (GVariant) name = g_variant_get_child_value (parameters, 0);

  return g_variant_get_string (name, NULL); /* lives in the message */
}

/* --- Resolve, OpenSession -------------------------------------------------------------------------------------------
 */

static void
resolved_cb (WlyBusCall *call, WlyModel *model, const GError *error, gpointer data)
{
  g_autofree char *path = model != NULL ? wly_bus_path_of_model (call->bus, model) : NULL;

  if (model == NULL)
    wly_bus_call_fail (call, error);
  else
    wly_bus_call_return (call, g_variant_new ("(o)", path));
}

static void
resolve_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin (data, caller, parameters, invocation, 0);

  if (call != NULL)
    wly_bus_call_resolve (call, peek_name (parameters), resolved_cb, NULL);
}

static void
session_model_cb (WlyBusCall *call, WlyModel *model, const GError *not_found, gpointer data)
{
  g_autoptr (WlySession) session = NULL;
  g_autoptr (GError) error       = not_found != NULL ? g_error_copy (not_found) : NULL;
  WlyBusSession *exported        = NULL;

  if (model != NULL)
    session = wly_session_new (model, wly_bus_caller_get_account (call->caller), call->options, &error);
  if (session != NULL)
    exported = wly_bus_session_new (call->bus, call->caller, session, &error);
  if (exported != NULL)
    wly_bus_call_return (call, g_variant_new ("(o)", exported->path));
  else
    wly_bus_call_fail (call, error);
}

static void
open_session_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin (data, caller, parameters, invocation, 1u << WLY_SCOPE_SESSION);

  if (call != NULL)
    wly_bus_call_resolve (call, peek_name (parameters), session_model_cb, NULL);
}

/* --- Generate, GenerateText ------------------------------------------------------------------------------------------
 */

static WlyBusCall *
begin_generate (WlyBus *bus, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call           = begin (bus, caller, parameters, invocation, 1u << WLY_SCOPE_GENERATE);
  g_autoptr (GVariant) input = g_variant_get_child_value (parameters, 1);
  g_autoptr (GError) error   = NULL;

  if (call == NULL)
    return NULL;
  if (wly_bus_call_take_body (call, input, &error))
    return call;
  wly_bus_call_fail (call, error);
  return NULL;
}

static void
generate_model_cb (WlyBusCall *call, WlyModel *model, const GError *not_found, gpointer data)
{
  g_autoptr (WlySession) session = NULL;
  g_autoptr (GError) error       = not_found != NULL ? g_error_copy (not_found) : NULL;

  if (model != NULL)
    session = wly_session_new (model, wly_bus_caller_get_account (call->caller), g_variant_new ("a{sv}", NULL), &error);
  if (session != NULL)
    wly_bus_generation_begin (call, session, TRUE);
  else
    wly_bus_call_fail (call, error);
}

static void
generate_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin_generate (data, caller, parameters, invocation);

  if (call != NULL)
    wly_bus_call_resolve (call, peek_name (parameters), generate_model_cb, NULL);
}

static void
generate_text_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin_generate (data, caller, parameters, invocation);

  if (call != NULL)
    wly_bus_text_begin (call, peek_name (parameters));
}

/* --- HoldModel, EstimateModel
 * ----------------------------------------------------------------------------------------- */

static void
load_ended_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  /* State and LastError have told it; the caller did not wait */
  wly_model_ensure_finish (WLY_MODEL (source), result, NULL);
}

static void
hold_cb (WlyBusCall *call, WlyModel *model, const GError *not_found, gpointer data)
{
  g_autoptr (GError) error = not_found != NULL ? g_error_copy (not_found) : NULL;
  int guard                = -1;

  if (model != NULL && wly_bus_caller_is_gone (call->caller))
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");
  else if (model != NULL && wly_model_accept_options (model, call->options, &error))
    guard = wly_bus_hold_add_guard (call->bus, call->caller, model, &error);
  if (guard < 0) {
    wly_bus_call_fail (call, error);
    return;
  }
  wly_model_ensure_async (model, TRUE, call->options, NULL, load_ended_cb, NULL);
  wly_bus_call_return_fd (call, g_variant_new ("(h)", 0), guard);
}

static void
hold_model_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin (data, caller, parameters, invocation, 1u << WLY_SCOPE_LOAD);

  if (call != NULL)
    wly_bus_call_resolve (call, peek_name (parameters), hold_cb, NULL);
}

static void
estimated_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call         = data;
  g_autoptr (GError) error = NULL;
  const WlyModelInfo *info;
  g_autofree char *kv_type   = NULL;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  guint64 budget             = wly_residency_get_budget (call->bus->context->residency);
  guint64 kv_bytes, sum;

  if (!wly_model_ensure_finish (WLY_MODEL (source), result, &error)) {
    wly_bus_call_fail (call, error);
    return;
  }
  info     = wly_model_get_info (WLY_MODEL (source));
  kv_type  = wly_options_dup_string (WLY_SCOPE_LOAD, call->options, "kv-type");
  kv_bytes = wly_model_info_kv_bytes (info, wly_options_get_uint32 (WLY_SCOPE_LOAD, call->options, "context"), kv_type);
  g_variant_dict_insert (&dict, "weights-bytes", "t", info->weights_bytes);
  g_variant_dict_insert (&dict, "kv-bytes", "t", kv_bytes);
  g_variant_dict_insert (&dict, "budget-bytes", "t", budget);
  g_variant_dict_insert (&dict, "fits", "b",
                         g_uint64_checked_add (&sum, info->weights_bytes, kv_bytes) && sum <= budget);
  wly_bus_call_return (call, g_variant_new ("(@a{sv})", g_variant_dict_end (&dict)));
}

static void
estimate_cb (WlyBusCall *call, WlyModel *model, const GError *error, gpointer data)
{
  if (model == NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  wly_bus_call_use_model (call, model);
  wly_model_ensure_async (model, FALSE, NULL, NULL, estimated_cb, call);
}

static void
estimate_model_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusCall *call = begin (data, caller, parameters, invocation, 1u << WLY_SCOPE_LOAD);

  if (call != NULL)
    wly_bus_call_resolve (call, peek_name (parameters), estimate_cb, NULL);
}

/* --- OpenFiles
 * --------------------------------------------------------------------------------------------------------- */

/* In a list of their own, in the order in which the call names them. (transfer full) */
static GUnixFDList *
take_files (GVariant *handles, GDBusMethodInvocation *invocation, GError **error)
{
  GUnixFDList *list            = g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  gsize n_handles              = g_variant_n_children (handles);
  int n_fds                    = 0;
  const int *fds               = list != NULL ? g_unix_fd_list_peek_fds (list, &n_fds) : NULL;
  g_autoptr (GUnixFDList) used = g_unix_fd_list_new ();

  if (n_handles == 0 || n_handles > WLY_MODEL_MAX_FILES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "files: give one to %d descriptors", WLY_MODEL_MAX_FILES);
    return NULL;
  }
  wly_foreign_guard (used);
  for (gsize i = 0; i < n_handles; i++) {
    gint32 handle;
    g_variant_get_child (handles, i, "h", &handle);
    if (handle < 0 || handle >= n_fds) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "files: the message carries no descriptor %d", handle);
      return NULL;
    }
    if (g_unix_fd_list_append (used, fds[handle], error) < 0)
      return NULL;
  }
  return g_steal_pointer (&used);
}

static void
files_known_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call                = data;
  WlyBus *bus                     = call->bus;
  g_autoptr (GError) error        = NULL;
  g_autoptr (WlyModelFiles) files = wly_model_files_new_finish (result, &error);
  g_autoptr (WlyModel) model      = NULL;
  WlyBusModel *exported           = NULL;

  if (files != NULL && wly_bus_caller_is_gone (call->caller)) {
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");
  } else if (files != NULL) {
    model    = wly_model_new (bus->context, "opened file", files);
    exported = wly_bus_model_new (bus, model, call->caller, &error);
  }
  if (exported == NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  g_ptr_array_add (bus->given, exported);
  wly_model_probe (model);
  wly_bus_call_return (call, g_variant_new ("(o)", exported->path));
}

static void
open_files_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus                  = data;
  g_autoptr (GVariant) handles = g_variant_get_child_value (parameters, 0);
  WlyBusCall *call             = begin (bus, caller, parameters, invocation, 0);
  g_autoptr (GUnixFDList) fds  = NULL;
  g_autoptr (GError) error     = NULL;

  if (call == NULL)
    return;
  fds = take_files (handles, invocation, &error);
  if (fds == NULL)
    wly_bus_call_fail (call, error);
  else
    wly_model_files_new_async (fds, wly_account_get_app (wly_bus_caller_get_account (caller)),
                               wly_settings_get_uint32 (bus->settings, "limits", "file-ms"), files_known_cb, call);
}

/* --- RenderTemplate
 * ---------------------------------------------------------------------------------------------------- */

static void
rendered_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call             = data;
  g_autoptr (GError) error     = NULL;
  g_autoptr (GVariant) answer  = wly_prober_run_finish (WLY_PROBER (source), result, &error);
  g_autoptr (GVariant) text    = NULL;
  g_autoptr (GVariant) trusted = NULL;

  if (answer != NULL) {
    text    = g_variant_lookup_value (answer, "text", G_VARIANT_TYPE_STRING);
    trusted = g_variant_lookup_value (answer, "trusted", G_VARIANT_TYPE ("a(tt)"));
    if (text == NULL || trusted == NULL)
      g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the probe gave no answer that can be read");
  }
  if (error != NULL)
    wly_bus_call_fail (call, error);
  else
    wly_bus_call_return (call, g_variant_new ("(@s@a(tt))", text, trusted));
}

/* The template, the body and the caller's descriptors go to a process that may die of them. */
static void
render_template_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  static const char *const arguments[] = { "template", NULL };

  WlyBus *bus                 = data;
  WlyBusCall *call            = wly_bus_call_new (bus, caller, invocation);
  g_autoptr (GVariant) input  = g_variant_get_child_value (parameters, 1);
  g_autoptr (GVariant) source = g_variant_get_child_value (parameters, 0);
  g_autofree int *fds         = NULL;
  g_autoptr (GError) error    = NULL;
  int n_fds                   = 0;
  const int *given            = NULL;
  gsize n_bytes;
  const char *text = g_variant_get_string (source, &n_bytes);
  int source_fd    = -1;

  if (call == NULL)
    return;
  if (n_bytes > WOOLLY_INLINE_BYTES)
    g_set_error (&error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "template: more than %d bytes", WOOLLY_INLINE_BYTES);
  else if (wly_bus_call_take_body (call, input, &error))
    source_fd = wly_os_memfd_new_sealed ("woolly-template", text, n_bytes, &error);
  if (source_fd < 0) {
    wly_bus_call_fail (call, error);
    return;
  }
  given  = call->fds != NULL ? g_unix_fd_list_peek_fds (call->fds, &n_fds) : NULL;
  n_fds  = MIN (n_fds, WLY_MODEL_MAX_FILES - 2);
  fds    = g_new (int, (gsize)n_fds + 2);
  fds[0] = source_fd;
  fds[1] = call->body_fd;
  for (int i = 0; i < n_fds; i++)
    fds[i + 2] = given[i];
  wly_prober_run_async (bus->context->prober, arguments, fds, (gsize)n_fds + 2, NULL, rendered_cb, call);
  close (source_fd);
}

/* --- ListPlugins, ListDevices
 * ------------------------------------------------------------------------------------------- */

static GVariant *
without_devices (GVariant *list)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  GVariantIter iter;
  GVariant *row;

  g_variant_iter_init (&iter, list);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row)) {
    g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (row);
    g_variant_dict_remove (&dict, "devices");
    g_variant_builder_add_value (&builder, g_variant_dict_end (&dict));
  }
  return g_variant_builder_end (&builder);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call             = data;
  g_autoptr (GError) error     = NULL;
  g_autoptr (GVariant) list    = wly_plugins_list_finish (WLY_PLUGINS (source), result, &error);
  g_autoptr (GVariant) devices = NULL;

  if (list == NULL) {
    wly_bus_call_fail (call, error);
  } else if (g_str_equal (g_dbus_method_invocation_get_method_name (call->invocation), "ListPlugins")) {
    wly_bus_call_return (call, g_variant_new ("(@aa{sv})", without_devices (list)));
  } else {
    devices = wly_plugins_devices (list);
    wly_bus_call_return (call, g_variant_new ("(@aa{sv})", devices));
  }
}

static void
list_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBus *bus      = data;
  WlyBusCall *call = wly_bus_call_new (bus, caller, invocation);

  if (call != NULL)
    wly_plugins_list_async (bus->context->plugins, listed_cb, call);
}

static const WlyBusMethod methods[] = {
  { "Resolve", resolve_cb },
  { "OpenSession", open_session_cb },
  { "Generate", generate_cb },
  { "GenerateText", generate_text_cb },
  { "HoldModel", hold_model_cb },
  { "EstimateModel", estimate_model_cb },
  { "OpenFiles", open_files_cb },
  { "ListPlugins", list_cb },
  { "ListDevices", list_cb },
  { "RenderTemplate", render_template_cb },
  { NULL, NULL },
};

WlyBusObject *
wly_bus_manager_new (WlyBus *bus)
{
  return wly_bus_object_new (&bus->shared, &org_woolly_woolly1_manager_interface, methods, property_cb, bus);
}
