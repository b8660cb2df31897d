/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-worker-process.h"

#include "wly-error.h"
#include "wly-rpc-worker1.h"
#include "wly-worker-exit.h"
#include "wly-worker-spawn.h"
#include "woolly-names.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The first step of the handshake must come within this time. */
#define CONNECT_MS 10000
/* A closed socket without an exit: how long until it is helped along.  An exit without a closed socket: how long the
 * last words are waited for. */
#define LINGER_MS 500
/* Signals that a worker may send at once, and for long; an honest one sends some ten a second. */
#define SIGNALS_AT_ONCE    4096
#define SIGNALS_PER_SECOND 500
#define MAX_MESSAGE_BYTES  1024
/* What a signal says, and what an answer may hold.  woollyd passes answers on, and the bus throws out who sends it more
 * than it takes. */
#define MAX_SIGNAL_BYTES (64 * 1024)
#define MAX_REPLY_BYTES  (64 * 1024 * 1024)

struct _WlyWorkerProcess {
  GObject parent_instance;
  GPid pid; /* 0: reaped */
  int wait_status;
  guint64 serial;
  GDBusConnection *connection; /* NULL until the handshake is done */
  GCancellable *connecting;
  guint timer;      /* of the handshake, then of a closed socket, or of an open one behind an exit */
  gboolean hung_up; /* all that it ever said was read */
  guint subscription;
  GQueue waiting;     /* Call*: made before the handshake was done */
  GPtrArray *calls;   /* Call*: all that are unfinished */
  GError *killed_for; /* what "exited" shall say */
  GError *exit_error; /* set once it is gone */
  gboolean kill_sent;
  /* in GDBus's thread alone: */
  gint64 n_allowed_us; /* signals that may come, in microseconds of their rate */
  gint64 counted_us;
  gboolean flooded;
};

typedef struct {
  GTask *task;
  const char *method; /* of the interface's description: static */
  GVariant *parameters;
  GUnixFDList *fds;
  guint timeout_ms;
} Call;

enum { SIGNAL_EXITED, SIGNAL_LOAD_PROGRESS, SIGNAL_GENERATION_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyWorkerProcess, wly_worker_process, G_TYPE_OBJECT)

static void send_call (WlyWorkerProcess *self, Call *call);

static void
call_free (Call *call)
{
  g_clear_pointer (&call->parameters, g_variant_unref);
  g_clear_object (&call->fds);
  g_clear_object (&call->task);
  g_free (call);
}

/* Takes the call off the list and gives its task back. (transfer full) */
static GTask *
call_end (WlyWorkerProcess *self, Call *call)
{
  GTask *task = g_object_ref (call->task);

  g_ptr_array_remove_fast (self->calls, call); /* frees it */
  return task;
}

void
wly_worker_process_kill (WlyWorkerProcess *self, GError *error)
{
  if (self->killed_for == NULL)
    self->killed_for = g_steal_pointer (&error);
  g_clear_error (&error);
  if (self->pid == 0 || self->kill_sent)
    return;
  self->kill_sent = TRUE;
  kill (self->pid, SIGKILL);
}

static gboolean
linger_cb (gpointer data)
{
  WlyWorkerProcess *self = data;

  self->timer = 0;
  wly_worker_process_kill (self, g_error_new_literal (WLY_ERROR, WLY_ERROR_WORKER_LOST,
                                                      "the worker process closed its socket and was ended"));
  return G_SOURCE_REMOVE;
}

static void
fail_calls (WlyWorkerProcess *self)
{
  g_queue_clear (&self->waiting);
  while (self->calls->len > 0) {
    g_autoptr (GTask) task = call_end (self, self->calls->pdata[self->calls->len - 1]);
    if (!g_task_get_completed (task))
      g_task_return_error (task, g_error_copy (self->exit_error));
  }
}

/* What it said before it died was read by now, or will not come. */
static void
finish (WlyWorkerProcess *self)
{
  g_clear_handle_id (&self->timer, g_source_remove);
  self->exit_error =
      self->killed_for != NULL ? g_steal_pointer (&self->killed_for) : wly_worker_exit_error (self->wait_status);
  if (self->connection != NULL) {
    g_signal_handlers_disconnect_by_data (self->connection, self);
    g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
    g_dbus_connection_close (self->connection, NULL, NULL, NULL);
    g_clear_object (&self->connection); /* its filter holds us */
  }
  fail_calls (self);
  g_signal_emit (self, signals[SIGNAL_EXITED], 0, self->exit_error);
}

static gboolean
finish_cb (gpointer data)
{
  g_autoptr (WlyWorkerProcess) self = g_object_ref (data);

  self->timer = 0;
  finish (self);
  return G_SOURCE_REMOVE;
}

static void
connection_closed_cb (GDBusConnection *connection, gboolean remote_peer_vanished, GError *error, gpointer data)
{
  g_autoptr (WlyWorkerProcess) self = g_object_ref (data);

  self->hung_up = TRUE;
  /* the exit status says more than the closed socket does: give it a moment to arrive */
  if (self->pid == 0)
    finish (self);
  else if (self->timer == 0)
    self->timer = g_timeout_add (LINGER_MS, linger_cb, self);
}

static void
exited_cb (GPid pid, int wait_status, gpointer data)
{
  WlyWorkerProcess *self = data;

  g_spawn_close_pid (pid);
  self->pid         = 0;
  self->wait_status = wait_status;
  g_clear_handle_id (&self->timer, g_source_remove);
  g_cancellable_cancel (self->connecting);
  /* the end of a generation may still lie in the socket: it must not be taken for lost */
  if (self->connection == NULL || self->hung_up)
    finish (self);
  else
    self->timer = g_timeout_add (LINGER_MS, finish_cb, self);
}

static const GVariantType *
reply_type (const char *method, GVariantType **ret_owned)
{
  GDBusMethodInfo *info = g_dbus_interface_info_lookup_method (wly_rpc_worker1_interface_info (), method);
  GString *type         = g_string_new ("(");

  g_assert (info != NULL);
  for (gsize i = 0; info->out_args != NULL && info->out_args[i] != NULL; i++)
    g_string_append (type, info->out_args[i]->signature);
  g_string_append_c (type, ')');
  *ret_owned = g_variant_type_new (type->str);
  g_string_free (type, TRUE);
  return *ret_owned;
}

static GError *
error_of_reply (GError *error, const char *method)
{
  g_autofree char *name = g_dbus_error_get_remote_error (error);
  g_autofree char *text = NULL;

  if (name == NULL)
    return g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker's answer to %s cannot be used: %s", method,
                        error->message);
  g_dbus_error_strip_remote_error (error);
  text = g_utf8_make_valid (error->message, MIN (strlen (error->message), MAX_MESSAGE_BYTES));
  return g_error_new_literal (WLY_ERROR, wly_error_from_dbus_name (name), text);
}

static void
reply_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task      = data; /* a reference of its own: the call may be gone */
  WlyWorkerProcess *self      = g_task_get_source_object (task);
  Call *call                  = g_task_get_task_data (task);
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) reply  = NULL;
  g_autoptr (GTask) call_task = NULL;

  reply = g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), NULL, result, &error);
  if (self->exit_error != NULL) /* fail_calls() answered it */
    return;
  if (reply != NULL && g_variant_get_size (reply) > MAX_REPLY_BYTES) {
    wly_worker_process_kill (
        self, g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker's answer to %s is too long", call->method));
    return; /* the call ends with the process */
  }
  if (reply != NULL) {
    call_task = call_end (self, call);
    g_task_return_pointer (call_task, g_steal_pointer (&reply), (GDestroyNotify)g_variant_unref);
    return;
  }
  if (g_dbus_error_is_remote_error (error)) {
    const char *method = call->method;
    call_task          = call_end (self, call);
    g_task_return_error (call_task, error_of_reply (error, method));
    return;
  }
  /* Silence, nonsense or a closed socket: it is of no use any more.  The call ends with the process. */
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    wly_worker_process_kill (
        self, g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker did not answer %s in time", call->method));
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CLOSED))
    wly_worker_process_kill (self, error_of_reply (error, call->method));
  /* where it was closed, connection_closed_cb() says so */
}

static void
send_call (WlyWorkerProcess *self, Call *call)
{
  g_autoptr (GVariantType) owned = NULL;
  const GVariantType *type       = reply_type (call->method, &owned);

  g_dbus_connection_call_with_unix_fd_list (self->connection, NULL, WOOLLY_WORKER_OBJECT_PATH, WOOLLY_WORKER_INTERFACE,
                                            call->method, call->parameters, type, G_DBUS_CALL_FLAGS_NONE,
                                            call->timeout_ms == 0 ? G_MAXINT : (int)call->timeout_ms, call->fds, NULL,
                                            reply_cb, g_object_ref (call->task));
  g_clear_pointer (&call->parameters, g_variant_unref);
  g_clear_object (&call->fds);
}

void
wly_worker_process_call_async (WlyWorkerProcess *self, const char *method, GVariant *parameters, GUnixFDList *fds,
                               guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (self, NULL, callback, user_data);
  GDBusMethodInfo *info  = g_dbus_interface_info_lookup_method (wly_rpc_worker1_interface_info (), method);
  Call *call;

  g_variant_ref_sink (parameters);
  if (self->exit_error != NULL) {
    g_variant_unref (parameters);
    g_task_return_error (task, g_error_copy (self->exit_error));
    return;
  }
  g_assert (info != NULL);
  call             = g_new0 (Call, 1);
  call->task       = g_object_ref (task);
  call->method     = info->name;
  call->parameters = parameters;
  call->fds        = fds != NULL ? g_object_ref (fds) : NULL;
  call->timeout_ms = timeout_ms;
  g_task_set_task_data (task, call, NULL);
  g_ptr_array_add (self->calls, call);
  if (self->connection != NULL)
    send_call (self, call);
  else
    g_queue_push_tail (&self->waiting, call);
}

GVariant *
wly_worker_process_call_finish (WlyWorkerProcess *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
signal_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface, const char *name,
           GVariant *parameters, gpointer data)
{
  WlyWorkerProcess *self = data;

  if (self->exit_error != NULL)
    return;
  if (g_str_equal (name, "LoadProgress") && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(tt)"))) {
    guint64 done, total;
    g_variant_get (parameters, "(tt)", &done, &total);
    g_signal_emit (self, signals[SIGNAL_LOAD_PROGRESS], 0, done, total);
  } else if (g_str_equal (name, "GenerationChanged")
             && g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(tsa{sv})"))) {
    guint64 generation;
    const char *state;
    g_autoptr (GVariant) result = NULL;
    g_variant_get (parameters, "(t&s@a{sv})", &generation, &state, &result);
    g_signal_emit (self, signals[SIGNAL_GENERATION_CHANGED], 0, generation, state, result);
  }
}

static gboolean
flooded_cb (gpointer data)
{
  wly_worker_process_kill (data, g_error_new_literal (WLY_ERROR, WLY_ERROR_WORKER_LOST,
                                                      "the worker sent too many or too long messages and was ended"));
  return G_SOURCE_REMOVE;
}

/* In GDBus's thread: each signal that passes waits in the main loop's queue. */
static gboolean
allow_signal (WlyWorkerProcess *self, GDBusMessage *message)
{
  const gint64 cost_us = G_USEC_PER_SEC / SIGNALS_PER_SECOND;
  gint64 now_us        = g_get_monotonic_time ();
  GVariant *body       = g_dbus_message_get_body (message);
  gboolean small       = body == NULL || g_variant_get_size (body) <= MAX_SIGNAL_BYTES;

  self->n_allowed_us = MIN (self->n_allowed_us + now_us - self->counted_us, SIGNALS_AT_ONCE * cost_us);
  self->counted_us   = now_us;
  if (small && self->n_allowed_us >= cost_us) {
    self->n_allowed_us -= cost_us;
    return TRUE;
  }
  if (!self->flooded)
    g_idle_add_full (G_PRIORITY_HIGH, flooded_cb, g_object_ref (self), g_object_unref);
  self->flooded = TRUE;
  return FALSE;
}

/* Lets replies and the signals of the one object pass. */
static GDBusMessage *
filter_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  WlyWorkerProcess *self = data;

  if (!incoming)
    return message;
  switch (g_dbus_message_get_message_type (message)) {
  case G_DBUS_MESSAGE_TYPE_METHOD_RETURN:
  case G_DBUS_MESSAGE_TYPE_ERROR:
    return message;
  case G_DBUS_MESSAGE_TYPE_SIGNAL:
    if (g_strcmp0 (g_dbus_message_get_path (message), WOOLLY_WORKER_OBJECT_PATH) == 0
        && g_strcmp0 (g_dbus_message_get_interface (message), WOOLLY_WORKER_INTERFACE) == 0
        && allow_signal (self, message))
      return message;
    break;
  default:
    break;
  }
  g_object_unref (message);
  return NULL;
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyWorkerProcess) self      = data;
  g_autoptr (GError) error               = NULL;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_finish (result, &error);
  Call *call;

  if (self->exit_error != NULL)
    return;
  g_clear_handle_id (&self->timer, g_source_remove);
  if (connection == NULL) { /* it died in the handshake, or speaks something else */
    self->timer = g_timeout_add (LINGER_MS, linger_cb, self);
    return;
  }
  self->connection = g_steal_pointer (&connection);
  g_dbus_connection_set_exit_on_close (self->connection, FALSE);
  g_signal_connect (self->connection, "closed", G_CALLBACK (connection_closed_cb), self);
  g_dbus_connection_add_filter (self->connection, filter_cb, g_object_ref (self), g_object_unref);
  self->subscription = g_dbus_connection_signal_subscribe (self->connection, NULL, WOOLLY_WORKER_INTERFACE, NULL,
                                                           WOOLLY_WORKER_OBJECT_PATH, NULL, G_DBUS_SIGNAL_FLAGS_NONE,
                                                           signal_cb, g_object_ref (self), g_object_unref);
  g_dbus_connection_start_message_processing (self->connection);
  while ((call = g_queue_pop_head (&self->waiting)) != NULL)
    send_call (self, call);
}

static gboolean
connect_timeout_cb (gpointer data)
{
  WlyWorkerProcess *self = data;

  self->timer = 0;
  wly_worker_process_kill (
      self, g_error_new_literal (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process did not become ready in time"));
  return G_SOURCE_REMOVE;
}

static gboolean
spawn (WlyWorkerProcess *self, const char *const *plugins, int fd, GError **error)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();

  for (gsize i = 0; plugins != NULL && plugins[i] != NULL; i++) {
    g_ptr_array_add (arguments, (gpointer) "--plugin");
    g_ptr_array_add (arguments, (gpointer)plugins[i]);
  }
  g_ptr_array_add (arguments, NULL);
  return wly_worker_spawn ((const char *const *)arguments->pdata, &fd, 1, &self->pid, error);
}

WlyWorkerProcess *
wly_worker_process_new (const char *const *plugins, GError **error)
{
  g_autoptr (WlyWorkerProcess) self    = g_object_new (WLY_TYPE_WORKER_PROCESS, NULL);
  static guint64 last_serial           = 0;
  g_autoptr (GSocket) socket           = NULL;
  g_autoptr (GSocketConnection) stream = NULL;
  int fds[2];
  gboolean ok;

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "no socket for a worker: %s", g_strerror (errno));
    return NULL;
  }
  ok = spawn (self, plugins, fds[1], error);
  close (fds[1]);
  if (!ok) {
    close (fds[0]);
    return NULL;
  }
  self->serial = ++last_serial;
  g_child_watch_add_full (G_PRIORITY_DEFAULT, self->pid, exited_cb, g_object_ref (self), g_object_unref);

  socket = g_socket_new_from_fd (fds[0], error);
  if (socket == NULL) {
    close (fds[0]);
    wly_worker_process_kill (self, NULL);
    return NULL;
  }
  stream      = g_socket_connection_factory_create_connection (socket);
  self->timer = g_timeout_add (CONNECT_MS, connect_timeout_cb, self);
  g_dbus_connection_new (G_IO_STREAM (stream), NULL,
                         G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT
                             | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING,
                         NULL, self->connecting, connected_cb, g_object_ref (self));
  return g_steal_pointer (&self);
}

/* GLib may have reaped it already and only not told yet: then it is no child of ours any more. */
static gboolean
has_exited (GPid pid)
{
  siginfo_t info = { 0 };

  return waitid (P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid != 0;
}

gboolean
wly_worker_process_is_alive (WlyWorkerProcess *self)
{
  return self->pid != 0 && !self->kill_sent && !has_exited (self->pid);
}

int
wly_worker_process_get_pid (WlyWorkerProcess *self)
{
  return self->pid;
}

guint64
wly_worker_process_get_serial (WlyWorkerProcess *self)
{
  return self->serial;
}

static void
wly_worker_process_finalize (GObject *object)
{
  WlyWorkerProcess *self = WLY_WORKER_PROCESS (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_object (&self->connection);
  g_clear_object (&self->connecting);
  g_queue_clear (&self->waiting);
  g_ptr_array_unref (self->calls);
  g_clear_error (&self->killed_for);
  g_clear_error (&self->exit_error);
  G_OBJECT_CLASS (wly_worker_process_parent_class)->finalize (object);
}

static void
wly_worker_process_class_init (WlyWorkerProcessClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_worker_process_finalize;
  signals[SIGNAL_EXITED] = g_signal_new ("exited", WLY_TYPE_WORKER_PROCESS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
  signals[SIGNAL_LOAD_PROGRESS] = g_signal_new ("load-progress", WLY_TYPE_WORKER_PROCESS, G_SIGNAL_RUN_LAST, 0, NULL,
                                                NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_UINT64);
  signals[SIGNAL_GENERATION_CHANGED] =
      g_signal_new ("generation-changed", WLY_TYPE_WORKER_PROCESS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                    3, G_TYPE_UINT64, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_VARIANT);
}

static void
wly_worker_process_init (WlyWorkerProcess *self)
{
  self->connecting = g_cancellable_new ();
  self->calls      = g_ptr_array_new_with_free_func ((GDestroyNotify)call_free);
  g_queue_init (&self->waiting);
}
