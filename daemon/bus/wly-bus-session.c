/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-session.h"

#include "wly-bus-generation.h"
#include "wly-bus-interfaces.h"
#include "wly-error.h"
#include "wly-options.h"
#include "wly-session-file.h"
#include "woolly-names.h"

/* How long a call waits for what runs to end, before it is refused. */
#define WAIT_MS 500

static const char *const state_names[] = { "idle", "waiting", "generating" };

static GVariant *
property_cb (gpointer data, WlyBusCaller *caller, const char *name)
{
  WlyBusSession *self = data;

  if (g_str_equal (name, "Model"))
    return g_variant_new_object_path (self->model_path);
  if (g_str_equal (name, "State"))
    return g_variant_new_string (state_names[wly_session_get_state (self->session)]);
  if (g_str_equal (name, "ContextSize"))
    return g_variant_new_uint32 (wly_session_get_context_size (self->session));
  return g_variant_new_uint32 (wly_session_get_context_used (self->session));
}

/* --- calls, one at a time --------------------------------------------------------------------------------------------
 */

/* The call's subject is the session, its input the parameters. */
typedef void (*ProceedCb) (WlyBusCall *call, WlySession *session, GVariant *parameters);

typedef struct {
  WlyBusCall *call;
  ProceedCb proceed;
} Entering;

static void
waited_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Entering *entering = data;
  WlyBusCall *call              = entering->call;

  wly_session_wait_finish (WLY_SESSION (source), result, NULL);
  entering->proceed (call, WLY_SESSION (source), call->input);
}

static void
enter (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation, ProceedCb proceed)
{
  WlyBusSession *self = data;
  WlyBusCall *call    = wly_bus_call_new (self->bus, caller, invocation);
  Entering *entering;

  if (call == NULL)
    return;
  call->subject     = g_object_ref (G_OBJECT (self->session));
  call->input       = g_variant_ref (parameters);
  entering          = g_new (Entering, 1);
  entering->call    = call;
  entering->proceed = proceed;
  wly_session_wait_async (self->session, WAIT_MS, waited_cb, entering);
}

static void
proceed_to_generate (WlyBusCall *call, WlySession *session, GVariant *parameters)
{
  g_autoptr (GVariant) input = g_variant_get_child_value (parameters, 0);
  g_autoptr (GError) error   = NULL;

  call->options = g_variant_get_child_value (parameters, 1);
  if (!wly_options_check (1u << WLY_SCOPE_GENERATE, call->options, &error)
      || !wly_bus_call_take_body (call, input, &error))
    wly_bus_call_fail (call, error);
  else
    wly_bus_generation_begin (call, session, FALSE);
}

static void
generate_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  enter (data, caller, parameters, invocation, proceed_to_generate);
}

/* For what works on the session by itself; FALSE where the call is answered already. */
static gboolean
begin (WlyBusCall *call, WlySession *session)
{
  g_autoptr (GError) error = NULL;

  if (!wly_session_begin (session, &error)) {
    wly_bus_call_fail (call, error);
    return FALSE;
  }
  wly_bus_call_use_model (call, wly_session_get_model (session));
  return TRUE;
}

static void
finish (WlyBusCall *call, GVariant *reply, const GError *error)
{
  wly_session_end (WLY_SESSION (call->subject));
  if (error != NULL)
    wly_bus_call_fail (call, error);
  else
    wly_bus_call_return (call, reply);
}

static void
forked_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call            = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (WlySession) fork = wly_session_fork_finish (WLY_SESSION (source), result, &error);
  WlyBusSession *exported     = fork != NULL ? wly_bus_session_new (call->bus, call->caller, fork, &error) : NULL;

  finish (call, exported != NULL ? g_variant_new ("(o)", exported->path) : NULL, error);
}

static void
proceed_to_fork (WlyBusCall *call, WlySession *session, GVariant *parameters)
{
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  g_autoptr (GError) error     = NULL;

  if (!begin (call, session))
    return;
  if (!wly_options_check (1u << WLY_SCOPE_SESSION, options, &error))
    finish (call, NULL, error);
  else
    wly_session_fork_async (session, options, forked_cb, call);
}

static void
fork_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  enter (data, caller, parameters, invocation, proceed_to_fork);
}

static void
truncated_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  wly_session_truncate_finish (WLY_SESSION (source), result, &error);
  finish (data, NULL, error);
}

static void
proceed_to_truncate (WlyBusCall *call, WlySession *session, GVariant *parameters)
{
  guint32 n_tokens;

  if (!begin (call, session))
    return;
  g_variant_get (parameters, "(u)", &n_tokens);
  wly_session_truncate_async (session, n_tokens, truncated_cb, call);
}

static void
truncate_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  enter (data, caller, parameters, invocation, proceed_to_truncate);
}

/* The descriptor that the method's first argument is; -1 and @error set where there is none. */
static int
peek_fd (GVariant *parameters, GDBusMethodInvocation *invocation, GError **error)
{
  GUnixFDList *fds = g_dbus_message_get_unix_fd_list (g_dbus_method_invocation_get_message (invocation));
  gint32 handle;
  int n_fds       = 0;
  const int *list = fds != NULL ? g_unix_fd_list_peek_fds (fds, &n_fds) : NULL;

  g_variant_get (parameters, "(h)", &handle);
  if (handle >= 0 && handle < n_fds)
    return list[handle];
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: the message carries no such descriptor");
  return -1;
}

static guint
file_ms (WlyBusCall *call)
{
  return wly_settings_get_uint32 (call->bus->settings, "limits", "file-ms");
}

static void
saved_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  wly_session_file_save_finish (WLY_SESSION (source), result, &error);
  finish (data, NULL, error);
}

static void
proceed_to_save (WlyBusCall *call, WlySession *session, GVariant *parameters)
{
  g_autoptr (GError) error = NULL;
  int fd                   = peek_fd (parameters, call->invocation, &error);

  if (!begin (call, session))
    return;
  if (fd < 0)
    finish (call, NULL, error);
  else
    wly_session_file_save_async (session, fd, file_ms (call), saved_cb, call);
}

static void
save_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  enter (data, caller, parameters, invocation, proceed_to_save);
}

static void
restored_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error = NULL;

  wly_session_file_restore_finish (WLY_SESSION (source), result, &error);
  finish (data, NULL, error);
}

static void
proceed_to_restore (WlyBusCall *call, WlySession *session, GVariant *parameters)
{
  g_autoptr (GError) error = NULL;
  int fd                   = peek_fd (parameters, call->invocation, &error);

  if (!begin (call, session))
    return;
  if (fd < 0)
    finish (call, NULL, error);
  else
    wly_session_file_restore_async (session, fd, file_ms (call), restored_cb, call);
}

static void
restore_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  enter (data, caller, parameters, invocation, proceed_to_restore);
}

static void
get_tokens_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusSession *self        = data;
  g_autoptr (GError) error   = NULL;
  g_autoptr (GBytes) bytes   = wly_session_get_tokens (self->session, &error);
  g_autofree guint32 *tokens = NULL;
  gsize n_tokens;
  const guint8 *data_bytes;

  if (bytes == NULL) {
    wly_bus_return_error (invocation, error);
    return;
  }
  data_bytes = g_bytes_get_data (bytes, &n_tokens);
  n_tokens /= sizeof (guint32);
  tokens = g_new (guint32, MAX (n_tokens, 1));
  for (gsize i = 0; i < n_tokens; i++)
    tokens[i] = (guint32)data_bytes[4 * i] | (guint32)data_bytes[4 * i + 1] << 8 | (guint32)data_bytes[4 * i + 2] << 16
                | (guint32)data_bytes[4 * i + 3] << 24;
  g_dbus_method_invocation_return_value (
      invocation,
      g_variant_new ("(@au)", g_variant_new_fixed_array (G_VARIANT_TYPE_UINT32, tokens, n_tokens, sizeof (guint32))));
}

static void
close_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusSession *self = data;

  wly_bus_list_remove (self->bus->sessions, self, (GDestroyNotify)wly_bus_session_free);
  g_dbus_method_invocation_return_value (invocation, NULL); /* last: then it is unknown already */
}

static const WlyBusMethod methods[] = {
  { "Generate", generate_cb }, { "Fork", fork_cb },
  { "Truncate", truncate_cb }, { "Save", save_cb },
  { "Restore", restore_cb },   { "GetTokens", get_tokens_cb },
  { "Close", close_cb },       { NULL, NULL },
};

static void
changed_cb (WlySession *session, gpointer data)
{
  WlyBusSession *self = data;

  wly_bus_object_changed (self->object);
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  WlyBusSession *self = data;

  wly_bus_list_remove (self->bus->sessions, self, (GDestroyNotify)wly_bus_session_free);
}

WlyBusSession *
wly_bus_session_new (WlyBus *bus, WlyBusCaller *caller, WlySession *session, GError **error)
{
  WlyBusSession *self;

  if (wly_bus_caller_is_gone (caller)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_DISCONNECTED, "the caller has left the bus");
    return NULL;
  }
  if (!wly_account_take_object (wly_bus_caller_get_account (caller), error))
    return NULL;
  self             = g_new0 (WlyBusSession, 1);
  self->bus        = bus;
  self->caller     = g_object_ref (caller);
  self->session    = g_object_ref (session);
  self->model_path = wly_bus_path_of_model (bus, wly_session_get_model (session));
  self->path       = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, WOOLLY_PATH_SESSIONS, wly_session_get_number (session));
  self->object = wly_bus_object_new (&bus->shared, &org_woolly_woolly1_session_interface, methods, property_cb, self);
  self->gone_handler = g_signal_connect (caller, "gone", G_CALLBACK (gone_cb), self);
  g_signal_connect (session, "changed", G_CALLBACK (changed_cb), self);
  if (!wly_bus_object_export (self->object, self->path, wly_bus_caller_get_name (caller), error)) {
    wly_bus_session_free (self);
    return NULL;
  }
  g_ptr_array_add (bus->sessions, self);
  return self;
}

static void
cancel_generations (WlyBusSession *self)
{
  for (guint i = 0; i < self->bus->generations->len; i++) {
    WlyBusGeneration *generation = self->bus->generations->pdata[i];
    if (wly_request_get_session (generation->request) == self->session)
      wly_request_cancel (generation->request);
  }
}

void
wly_bus_session_free (WlyBusSession *self)
{
  g_signal_handlers_disconnect_by_data (self->session, self);
  g_signal_handler_disconnect (self->caller, self->gone_handler);
  wly_bus_object_unexport (self->object);
  cancel_generations (self);
  wly_session_close (self->session);
  wly_account_give_object (wly_bus_caller_get_account (self->caller));
  wly_bus_touch (self->bus);
  g_object_unref (self->object);
  g_object_unref (self->session);
  g_object_unref (self->caller);
  g_free (self->model_path);
  g_free (self->path);
  g_free (self);
}
