/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * OpenSession, ForkSession, TruncateSession, CloseSession.
 */
#include "wly-worker-private.h"

#include "wly-error.h"
#include "wly-options.h"

#include <fcntl.h>

#define SESSION_SCOPES (1u << WLY_SCOPE_SESSION | 1u << WLY_SCOPE_WORKER)

typedef struct {
  WlyCall call;
  WlySession *session;
  WlySession *fork; /* ForkSession: the copy */
  guint n_tokens;   /* TruncateSession */
} SessionCall;

static SessionCall *
session_call_new (WlyWorker *worker, GDBusMethodInvocation *invocation, WlySession *session)
{
  SessionCall *self = g_new0 (SessionCall, 1);

  wly_call_init (&self->call, worker, invocation, NULL);
  self->session = wly_session_ref (session);
  session->busy = TRUE;
  return self;
}

static void
session_call_free (SessionCall *self)
{
  wly_call_clear (&self->call);
  wly_session_unref (self->session);
  wly_session_unref (self->fork);
  g_free (self);
}

static WlySession *
find_session (WlyWorker *worker, guint64 number, GError **error)
{
  WlySession *session = g_hash_table_lookup (worker->sessions, &number);

  if (session == NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, "There is no session %" G_GUINT64_FORMAT, number);
  return session;
}

static WlySession *
find_idle_session (WlyWorker *worker, guint64 number, GError **error)
{
  WlySession *session = find_session (worker, number, error);

  if (session == NULL || !session->busy)
    return session;
  g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "Session %" G_GUINT64_FORMAT " is in use", number);
  return NULL;
}

/* The descriptor of a new session's token file, for the session to own; -1 with @error set. */
static int
take_tokens_fd (GUnixFDList *fd_list, GVariant *handle, GError **error)
{
  int fd;

  if (fd_list == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The session came without its token file");
    return -1;
  }
  fd = g_unix_fd_list_get (fd_list, g_variant_get_handle (handle), NULL);
  if (fd < 0)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The session's token file cannot be had");
  return fd;
}

static WlySession *
add_session (WlyWorker *worker, guint64 number, GUnixFDList *fd_list, GVariant *handle, GVariant *options,
             GError **error)
{
  const WlyTokenizer *tokenizer = wly_opened_tokenizer (worker->opened, error);
  WlySession *session;
  int fd;

  if (tokenizer == NULL || !wly_options_check (SESSION_SCOPES, options, error))
    return NULL;
  if (g_hash_table_contains (worker->sessions, &number)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is a session %" G_GUINT64_FORMAT " already", number);
    return NULL;
  }
  fd = take_tokens_fd (fd_list, handle, error);
  if (fd < 0)
    return NULL;
  session             = wly_session_new (number, fd);
  session->n_vocab    = wly_tokenizer_n_vocab (tokenizer);
  session->keep_token = wly_tokenizer_bos (tokenizer);
  g_hash_table_insert (worker->sessions, &session->number, session);
  return session;
}

/* What is given in @options, else what the session has. */
static void
read_session_options (WlySession *session, GVariant *options)
{
  if (wly_options_has (options, "context"))
    session->context = wly_options_get_uint32 (WLY_SCOPE_SESSION, options, "context");
  if (wly_options_has (options, "kv-type")) {
    g_autofree char *type = wly_options_dup_string (WLY_SCOPE_SESSION, options, "kv-type");

    session->kv_type = g_str_equal (type, "f32")    ? WLP_TYPE_F32
                       : g_str_equal (type, "q8_0") ? WLP_TYPE_Q8_0
                                                    : WLP_TYPE_F16;
  }
  if (wly_options_has (options, "overflow")) {
    g_autofree char *overflow = wly_options_dup_string (WLY_SCOPE_SESSION, options, "overflow");

    session->drop_oldest = g_str_equal (overflow, "drop-oldest");
  }
  if (wly_options_has (options, "salt"))
    session->salt = wly_options_get_uint64 (WLY_SCOPE_WORKER, options, "salt");
}

/* No more than the model was trained for; where nothing was asked for, no more than the cache can hold either. */
static void
bound_context (WlySession *session, WlyNetwork *network)
{
  guint n_train     = wly_network_program (network)->limits.n_ctx_train;
  guint64 per_token = wly_kv_cache_position_bytes (wly_network_program (network), session->kv_type);
  guint64 n_fit     = per_token > 0 ? wly_kv_cache_max_bytes (wly_network_cache (network)) / per_token : G_MAXINT32;

  if (session->context == 0)
    session->context = (guint)MIN (n_fit / WLP_BLOCK_POSITIONS * WLP_BLOCK_POSITIONS, G_MAXINT32);
  if (n_train > 0)
    session->context = MIN (session->context, n_train);
}

static void
refuse_call (SessionCall *self)
{
  wly_worker_refuse (self->call.invocation, g_steal_pointer (&self->call.error));
}

static void
forget_session (WlyWorker *worker, WlySession *session)
{
  if (g_hash_table_lookup (worker->sessions, &session->number) == session)
    g_hash_table_remove (worker->sessions, &session->number);
}

/* ---- OpenSession ---- */

static void
open_work (gpointer data)
{
  SessionCall *self   = data;
  WlyStepper *stepper = self->call.worker->stepper;
  WlyNetwork *network = wly_stepper_network (stepper);

  if (network == NULL || wly_stepper_stopped (stepper)) {
    self->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CLOSED, "The worker is ending");
    return;
  }
  bound_context (self->session, network);
  if (wly_session_open (self->session, wly_network_cache (network), &self->call.error))
    wly_stepper_add_session (stepper, self->session);
  else
    wly_session_close (self->session);
}

static void
open_done (gpointer data)
{
  SessionCall *self          = data;
  WlySession *session        = self->session;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  session->busy = FALSE;
  if (self->call.error != NULL) {
    forget_session (self->call.worker, session);
    refuse_call (self);
  } else {
    g_variant_dict_insert (&dict, "context-size", "u", session->context);
    g_variant_dict_insert (&dict, "tokens", "u", session->n_stored);
    wly_rpc_worker1_complete_open_session (self->call.worker->skeleton, self->call.invocation, NULL,
                                           g_variant_dict_end (&dict));
  }
  session_call_free (self);
}

static gboolean
handle_open_session_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list,
                        guint64 number, GVariant *tokens, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  GError *error     = NULL;
  WlySession *session;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  session = add_session (worker, number, fd_list, tokens, options, &error);
  if (session == NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  session->kv_type = WLP_TYPE_F16;
  read_session_options (session, options);
  wly_stepper_push (worker->stepper, open_work, open_done, session_call_new (worker, invocation, session));
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- ForkSession ---- */

static void
fork_work (gpointer data)
{
  SessionCall *self   = data;
  WlyStepper *stepper = self->call.worker->stepper;

  if (self->session->sequence == NULL) {
    self->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CLOSED, "The session was closed");
    return;
  }
  bound_context (self->fork, wly_stepper_network (stepper));
  if (wly_session_fork (self->session, self->fork, wly_network_cache (wly_stepper_network (stepper)),
                        &self->call.error))
    wly_stepper_add_session (stepper, self->fork);
}

static void
fork_done (gpointer data)
{
  SessionCall *self = data;

  self->session->busy = FALSE;
  self->fork->busy    = FALSE;
  if (self->call.error != NULL) {
    forget_session (self->call.worker, self->fork);
    refuse_call (self);
  } else {
    wly_rpc_worker1_complete_fork_session (self->call.worker->skeleton, self->call.invocation, NULL);
  }
  session_call_free (self);
}

static gboolean
handle_fork_session_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list,
                        guint64 number, guint64 fork_number, GVariant *tokens, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  GError *error     = NULL;
  WlySession *session, *fork = NULL;
  SessionCall *self;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  session = find_idle_session (worker, number, &error);
  if (session != NULL)
    fork = add_session (worker, fork_number, fd_list, tokens, options, &error);
  if (fork == NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  fork->context     = session->context;
  fork->kv_type     = session->kv_type;
  fork->salt        = session->salt;
  fork->drop_oldest = session->drop_oldest;
  read_session_options (fork, options);
  fork->busy = TRUE;
  self       = session_call_new (worker, invocation, session);
  self->fork = wly_session_ref (fork);
  wly_stepper_push (worker->stepper, fork_work, fork_done, self);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- TruncateSession ---- */

static void
truncate_work (gpointer data)
{
  SessionCall *self = data;
  guint n_present   = wly_session_n_tokens (self->session);

  if (self->session->sequence == NULL) {
    self->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CLOSED, "The session was closed");
  } else if (self->n_tokens > n_present) {
    self->call.error = g_error_new (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The session holds %u tokens, not %u", n_present,
                                    self->n_tokens);
  } else {
    wly_session_truncate (self->session, self->n_tokens);
    wly_session_store (self->session, &self->call.error);
  }
}

static void
truncate_done (gpointer data)
{
  SessionCall *self = data;

  self->session->busy = FALSE;
  if (self->call.error != NULL)
    refuse_call (self);
  else
    wly_rpc_worker1_complete_truncate_session (self->call.worker->skeleton, self->call.invocation);
  session_call_free (self);
}

static gboolean
handle_truncate_session_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, guint64 number, guint n_tokens,
                            gpointer data)
{
  WlyWorker *worker   = data;
  GError *error       = NULL;
  WlySession *session = find_idle_session (worker, number, &error);
  SessionCall *self;

  if (session == NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  self           = session_call_new (worker, invocation, session);
  self->n_tokens = n_tokens;
  wly_stepper_push (worker->stepper, truncate_work, truncate_done, self);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- CloseSession ---- */

static void
close_work (gpointer data)
{
  SessionCall *self = data;

  wly_stepper_close_session (self->call.worker->stepper, self->session);
}

static void
close_done (gpointer data)
{
  SessionCall *self = data;

  wly_rpc_worker1_complete_close_session (self->call.worker->skeleton, self->call.invocation);
  session_call_free (self);
}

static gboolean
handle_close_session_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, guint64 number, gpointer data)
{
  WlyWorker *worker   = data;
  GError *error       = NULL;
  WlySession *session = find_session (worker, number, &error);
  SessionCall *self;

  if (session == NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  self            = session_call_new (worker, invocation, session);
  session->closed = TRUE;
  wly_worker_cancel_session (worker, session);
  forget_session (worker, session);
  wly_stepper_push (worker->stepper, close_work, close_done, self);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
wly_worker_connect_sessions (WlyWorker *worker)
{
  g_signal_connect (worker->skeleton, "handle-open-session", G_CALLBACK (handle_open_session_cb), worker);
  g_signal_connect (worker->skeleton, "handle-fork-session", G_CALLBACK (handle_fork_session_cb), worker);
  g_signal_connect (worker->skeleton, "handle-truncate-session", G_CALLBACK (handle_truncate_session_cb), worker);
  g_signal_connect (worker->skeleton, "handle-close-session", G_CALLBACK (handle_close_session_cb), worker);
}
