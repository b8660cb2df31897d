/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-model.h"

#include "wly-bus-call.h"
#include "wly-bus-embed.h"
#include "wly-bus-generation.h"
#include "wly-bus-hold.h"
#include "wly-bus-interfaces.h"
#include "wly-bus-session.h"
#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-model-id.h"
#include "wly-options.h"
#include "woolly-names.h"

/* The worker takes texts one after the other, and a long one takes seconds: one that waits behind many of them is no
 * sign that the worker hangs. */
#define CALL_TIMEOUT_MS (10 * 60 * 1000)
#define MAX_TOKENS      1048576

/* --- properties -------------------------------------------------------------------------------------------------- */

static GVariant *
last_error (const GError *error)
{
  if (error == NULL)
    return g_variant_new ("(ss)", "", "");
  return g_variant_new ("(ss)", wly_error_dbus_name ((WlyErrorCode)error->code), error->message);
}

static GVariant *
files_for (WlyBusModel *self, WlyBusCaller *caller)
{
  WlyModelFiles *files = wly_model_get_files (self->model);
  const char *const *paths;
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_STRING_ARRAY);

  paths = wly_model_files_get_paths (files);
  for (gsize i = 0; paths[i] != NULL; i++) {
    g_autofree char *name = g_filename_to_utf8 (paths[i], -1, NULL, NULL, NULL);
    if (caller != NULL && wly_bus_caller_get_kind (caller) == WLY_CALLER_HOST && name != NULL)
      g_variant_builder_add (&builder, "s", name);
  }
  return g_variant_builder_end (&builder);
}

static GVariant *
state_property (WlyBusModel *self, WlyBusCaller *caller, const char *name)
{
  WlyModel *model = self->model;

  if (g_str_equal (name, "Id"))
    return g_variant_new_string (wly_model_get_id (model));
  if (g_str_equal (name, "Files"))
    return files_for (self, caller);
  if (g_str_equal (name, "Size"))
    return g_variant_new_uint64 (wly_model_files_get_size (wly_model_get_files (model)));
  if (g_str_equal (name, "State"))
    return g_variant_new_string (wly_model_state_to_string (wly_model_get_state (model)));
  if (g_str_equal (name, "LoadProgress"))
    return g_variant_new_double (wly_model_get_progress (model));
  if (g_str_equal (name, "Device"))
    return g_variant_new_string (wly_model_get_device (model));
  if (g_str_equal (name, "MemoryInUse"))
    return g_variant_new_uint64 (wly_model_get_memory (model));
  if (g_str_equal (name, "QueueLength"))
    return g_variant_new_uint32 (wly_queue_get_length (wly_bus_get_queue (model)));
  return last_error (wly_model_get_error (model));
}

static GVariant *
property_cb (gpointer data, WlyBusCaller *caller, const char *name)
{
  static const char *const none[] = { NULL };
  static const WlyModelInfo empty = {
    .name         = "",
    .architecture = "",
    .quantization = "",
    .license      = "",
    .organization = "",
    .description  = "",
    .url          = "",
    .pooling      = "",
  };
  WlyBusModel *self        = data;
  const WlyModelInfo *info = wly_model_get_info (self->model);

  if (info == NULL)
    info = &empty;
  if (g_str_equal (name, "Name"))
    return g_variant_new_string (info->name);
  if (g_str_equal (name, "Architecture"))
    return g_variant_new_string (info->architecture);
  if (g_str_equal (name, "Quantization"))
    return g_variant_new_string (info->quantization);
  if (g_str_equal (name, "License"))
    return g_variant_new_string (info->license);
  if (g_str_equal (name, "Organization"))
    return g_variant_new_string (info->organization);
  if (g_str_equal (name, "Description"))
    return g_variant_new_string (info->description);
  if (g_str_equal (name, "Url"))
    return g_variant_new_string (info->url);
  if (g_str_equal (name, "Pooling"))
    return g_variant_new_string (info->pooling);
  if (g_str_equal (name, "Parameters"))
    return g_variant_new_uint64 (info->n_parameters);
  if (g_str_equal (name, "ContextLength"))
    return g_variant_new_uint32 (info->context_length);
  if (g_str_equal (name, "VocabularySize"))
    return g_variant_new_uint32 (info->vocabulary_size);
  if (g_str_equal (name, "Capabilities"))
    return g_variant_new_strv (info->capabilities != NULL ? (const char *const *)info->capabilities : none, -1);
  return state_property (self, caller, name);
}

/* --- load and unload -----------------------------------------------------------------------------------------------
 */

static void
load_ended_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  /* State and LastError have told it; the caller did not wait */
  wly_model_ensure_finish (WLY_MODEL (source), result, NULL);
}

static void
load_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusModel *self            = data;
  g_autoptr (GVariant) options = g_variant_get_child_value (parameters, 0);
  g_autoptr (GError) error     = NULL;

  if (!wly_options_check (1u << WLY_SCOPE_LOAD, options, &error)
      || !wly_model_accept_options (self->model, options, &error)
      || !wly_bus_hold_add (self->bus, caller, self->model, &error)) {
    wly_bus_return_error (invocation, error);
    return;
  }
  wly_model_ensure_async (self->model, TRUE, options, NULL, load_ended_cb, NULL);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

static void
unload_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusModel *self = data;

  wly_bus_hold_remove (self->bus, caller, self->model);
  /* nobody else wants it: it leaves now and not when its time is up; one that is used stays, which is no error */
  if (!wly_model_is_held (self->model) && !wly_model_is_busy (self->model))
    wly_model_unload (self->model, FALSE, NULL);
  g_dbus_method_invocation_return_value (invocation, NULL);
}

/* --- text and tokens ------------------------------------------------------------------------------------------------
 */

static GVariant *
body_parameters (WlyBusCall *call, GUnixFDList *fds)
{
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));
  int n_fds                        = 0;
  const int *list                  = call->fds != NULL ? g_unix_fd_list_peek_fds (call->fds, &n_fds) : NULL;
  int body                         = g_unix_fd_list_append (fds, call->body_fd, NULL);
  gboolean ok                      = body >= 0;

  wly_foreign_guard (fds);
  for (int i = 0; i < n_fds && ok; i++) {
    int handle = g_unix_fd_list_append (fds, list[i], NULL);
    ok         = handle >= 0;
    g_variant_builder_add (&handles, "h", handle);
  }
  if (!ok)
    return NULL;
  return g_variant_new ("(hah@a{sv})", body, &handles, wly_bus_call_worker_options (call));
}

static void
tokenized_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call            = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) reply  = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);
  g_autoptr (GVariant) tokens = NULL;

  if (reply == NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  tokens = g_variant_get_child_value (reply, 0);
  if (g_str_equal (g_dbus_method_invocation_get_method_name (call->invocation), "Count"))
    wly_bus_call_return (call, g_variant_new ("(t)", (guint64)g_variant_n_children (tokens)));
  else
    wly_bus_call_return (call, reply);
}

static void
pass_reply_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);

  if (reply == NULL)
    wly_bus_call_fail (data, error);
  else
    wly_bus_call_return (data, reply);
}

/* The model is opened: the call goes to its worker as it came. */
static void
forward_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  WlyBusCall *call            = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  const char *method          = g_dbus_method_invocation_get_method_name (call->invocation);
  gboolean ok                 = wly_model_ensure_finish (WLY_MODEL (source), result, &error);
  WlyWorkerProcess *worker    = wly_model_get_worker (call->model);
  gboolean renders            = g_str_equal (method, "Render");
  GVariant *parameters        = NULL;

  if (ok && worker == NULL)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process ended");
  else if (ok && g_str_equal (method, "Detokenize"))
    parameters = g_variant_new ("(@au@a{sv})", call->input, wly_bus_call_worker_options (call));
  else if (ok)
    parameters = body_parameters (call, fds);
  if (error == NULL && parameters == NULL)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_BUSY, "the service has no more descriptors");
  if (error != NULL)
    wly_bus_call_fail (call, error);
  else if (renders || g_str_equal (method, "Detokenize"))
    wly_worker_process_call_async (worker, method, parameters, fds, CALL_TIMEOUT_MS, pass_reply_cb, call);
  else
    wly_worker_process_call_async (worker, "Tokenize", parameters, fds, CALL_TIMEOUT_MS, tokenized_cb, call);
}

/* Tokenize, Count and Render: (input[, options]). */
static void
text_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusModel *self          = data;
  WlyBusCall *call           = wly_bus_call_new (self->bus, caller, invocation);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) input = g_variant_get_child_value (parameters, 0);

  if (call == NULL)
    return;
  if (g_variant_n_children (parameters) > 1)
    call->options = g_variant_get_child_value (parameters, 1);
  if ((call->options != NULL && !wly_options_check (1u << WLY_SCOPE_TOKENIZE, call->options, &error))
      || !wly_bus_call_take_body (call, input, &error)) {
    wly_bus_call_fail (call, error);
    return;
  }
  wly_bus_call_use_model (call, self->model);
  wly_model_ensure_async (self->model, FALSE, NULL, NULL, forward_cb, call);
}

static void
detokenize_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  WlyBusModel *self        = data;
  WlyBusCall *call         = wly_bus_call_new (self->bus, caller, invocation);
  g_autoptr (GError) error = NULL;

  if (call == NULL)
    return;
  call->input   = g_variant_get_child_value (parameters, 0);
  call->options = g_variant_get_child_value (parameters, 1);
  if (g_variant_n_children (call->input) > MAX_TOKENS)
    g_set_error (&error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "tokens: more than %d", MAX_TOKENS);
  else
    wly_options_check (1u << WLY_SCOPE_TOKENIZE, call->options, &error);
  if (error != NULL) {
    wly_bus_call_fail (call, error);
    return;
  }
  wly_bus_call_use_model (call, self->model);
  wly_model_ensure_async (self->model, FALSE, NULL, NULL, forward_cb, call);
}

/* --- who uses it -----------------------------------------------------------------------------------------------------
 */

typedef struct {
  WlyBusCaller *caller;
  guint32 n_sessions, n_generations, n_holds;
} User;

static User *
find_user (GHashTable *users, WlyBusCaller *caller)
{
  User *user = g_hash_table_lookup (users, caller);

  if (user == NULL) {
    user         = g_new0 (User, 1);
    user->caller = caller;
    g_hash_table_insert (users, caller, user);
  }
  return user;
}

static GHashTable *
collect_users (WlyBusModel *self)
{
  GHashTable *users = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  WlyBus *bus       = self->bus;

  for (guint i = 0; i < bus->sessions->len; i++) {
    WlyBusSession *session = bus->sessions->pdata[i];
    if (wly_session_get_model (session->session) == self->model)
      find_user (users, session->caller)->n_sessions++;
  }
  for (guint i = 0; i < bus->generations->len; i++) {
    WlyBusGeneration *generation = bus->generations->pdata[i];
    if (!wly_request_has_ended (generation->request)
        && wly_session_get_model (wly_request_get_session (generation->request)) == self->model)
      find_user (users, generation->caller)->n_generations++;
  }
  for (guint i = 0; i < bus->holds->len; i++) {
    WlyBusHold *hold = bus->holds->pdata[i];
    if (wly_model_hold_get_model (hold->hold) == self->model)
      find_user (users, hold->caller)->n_holds++;
  }
  return users;
}

static GVariant *
user_row (const User *user)
{
  g_auto (GVariantDict) row = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&row, "name", "s", wly_bus_caller_get_name (user->caller));
  g_variant_dict_insert (&row, "app", "s", wly_bus_caller_get_app (user->caller));
  g_variant_dict_insert (&row, "kind", "s", wly_bus_identity_kind_to_string (wly_bus_caller_get_kind (user->caller)));
  g_variant_dict_insert (&row, "sessions", "u", user->n_sessions);
  g_variant_dict_insert (&row, "generations", "u", user->n_generations);
  g_variant_dict_insert (&row, "holds", "u", user->n_holds);
  return g_variant_dict_end (&row);
}

static void
list_users_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));
  g_autoptr (GHashTable) users     = NULL;
  GHashTableIter iter;
  gpointer user;

  if (wly_bus_caller_get_kind (caller) != WLY_CALLER_HOST) {
    g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (WLY_ERROR_ACCESS_DENIED),
                                                "only programs outside a sandbox may see who uses a model");
    return;
  }
  users = collect_users (data);
  g_hash_table_iter_init (&iter, users);
  while (g_hash_table_iter_next (&iter, NULL, &user))
    g_variant_builder_add_value (&builder, user_row (user));
  g_dbus_method_invocation_return_value (invocation, g_variant_new ("(aa{sv})", &builder));
}

static const WlyBusMethod methods[] = {
  { "Load", load_cb },
  { "Unload", unload_cb },
  { "Tokenize", text_cb },
  { "Detokenize", detokenize_cb },
  { "Count", text_cb },
  { "Render", text_cb },
  { "ListUsers", list_users_cb },
  { "Embed", wly_bus_embed_cb },
  { "Rerank", wly_bus_embed_cb },
  { NULL, NULL },
};

/* --- the object
 * ------------------------------------------------------------------------------------------------------- */

static void
changed_cb (WlyModel *model, gpointer data)
{
  WlyBusModel *self = data;

  wly_bus_object_changed (self->object);
  wly_bus_touch (self->bus);
}

static void
gone_cb (WlyBusCaller *caller, gpointer data)
{
  WlyBusModel *self = data;

  wly_bus_list_remove (self->bus->given, self, (GDestroyNotify)wly_bus_model_free);
}

static void
list_model (WlyBusModel *self)
{
  g_autoptr (GDBusObjectSkeleton) object = g_dbus_object_skeleton_new (self->path);

  wly_bus_object_set_listed (self->object, self->path);
  g_dbus_object_skeleton_add_interface (object, G_DBUS_INTERFACE_SKELETON (self->object));
  g_dbus_object_manager_server_export (self->bus->models, object);
}

WlyBusModel *
wly_bus_model_new (WlyBus *bus, WlyModel *model, WlyBusCaller *owner, GError **error)
{
  static guint64 last_number = 0;
  WlyBusModel *self;

  if (owner != NULL && !wly_account_take_object (wly_bus_caller_get_account (owner), error))
    return NULL;
  self         = g_new0 (WlyBusModel, 1);
  self->bus    = bus;
  self->model  = g_object_ref (model);
  self->object = wly_bus_object_new (&bus->shared, &org_woolly_woolly1_model_interface, methods, property_cb, self);
  self->changed_handler = g_signal_connect (model, "changed", G_CALLBACK (changed_cb), self);
  if (owner == NULL) {
    self->path = wly_model_id_to_path (wly_model_get_id (model));
    list_model (self);
    return self;
  }
  self->owner        = g_object_ref (owner);
  self->path         = g_strdup_printf ("%s/%" G_GUINT64_FORMAT, WOOLLY_PATH_FILES, ++last_number);
  self->gone_handler = g_signal_connect (owner, "gone", G_CALLBACK (gone_cb), self);
  if (wly_bus_object_export (self->object, self->path, wly_bus_caller_get_name (owner), error))
    return self;
  wly_bus_model_free (self);
  return NULL;
}

void
wly_bus_model_free (WlyBusModel *self)
{
  if (self->owner == NULL)
    g_dbus_object_manager_server_unexport (self->bus->models, self->path);
  wly_bus_object_unexport (self->object);
  g_signal_handler_disconnect (self->model, self->changed_handler);
  if (self->owner != NULL) {
    g_signal_handler_disconnect (self->owner, self->gone_handler);
    wly_account_give_object (wly_bus_caller_get_account (self->owner));
    wly_model_cancel_probe (self->model);
    wly_model_unload (self->model, FALSE, NULL);
  }
  wly_bus_touch (self->bus);
  g_clear_object (&self->owner);
  g_object_unref (self->object);
  g_object_unref (self->model);
  g_free (self->path);
  g_free (self);
}
