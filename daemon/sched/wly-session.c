/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-session.h"

#include "wly-error.h"
#include "wly-options.h"
#include "wly-os.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 60000
#define MAX_TOKENS      1048576 /* as the option context allows */
#define BYTES_PER_TOKEN 4

struct _WlySession {
  GObject parent_instance;
  guint64 number;
  WlyModel *model;
  WlyAccount *account;
  GVariant *options;
  int tokens_fd;
  guint64 worker_serial; /* of the worker that knows it; 0: none */
  WlySessionState state;
  gboolean in_use;
  GQueue waiting; /* GTask* */
  gboolean closed;
  guint32 context_size;
  guint32 context_used;
};

enum { SIGNAL_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlySession, wly_session, G_TYPE_OBJECT)

WlySession *
wly_session_new (WlyModel *model, WlyAccount *account, GVariant *options, GError **error)
{
  static guint64 last_number  = 0;
  g_autoptr (WlySession) self = g_object_new (WLY_TYPE_SESSION, NULL);

  self->tokens_fd = wly_os_memfd_new ("woolly-tokens", error);
  if (self->tokens_fd < 0)
    return NULL;
  self->number  = ++last_number;
  self->model   = g_object_ref (model);
  self->account = wly_account_ref (account);
  self->options = g_variant_ref_sink (options);
  return g_steal_pointer (&self);
}

static void
changed (WlySession *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

gboolean
wly_session_begin (WlySession *self, GError **error)
{
  if (self->closed)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_CLOSED, "the session is closed");
  else if (self->in_use)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_BUSY, "the session does something already; one thing at a time");
  else
    return self->in_use = TRUE;
  return FALSE;
}

static void
stop_waiting (WlySession *self, GTask *task)
{
  g_queue_remove (&self->waiting, task);
  g_source_remove (GPOINTER_TO_UINT (g_task_get_task_data (task)));
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

void
wly_session_end (WlySession *self)
{
  g_autoptr (WlySession) guard = g_object_ref (self);

  self->in_use = FALSE;
  wly_session_set_state (self, WLY_SESSION_IDLE);
  /* each may begin something, for which the next one waits */
  while (!self->in_use && !g_queue_is_empty (&self->waiting))
    stop_waiting (self, g_queue_peek_head (&self->waiting));
}

static gboolean
waited_cb (gpointer data)
{
  GTask *task      = data;
  WlySession *self = g_task_get_source_object (task);

  g_queue_remove (&self->waiting, task);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
  return G_SOURCE_REMOVE;
}

void
wly_session_wait_async (WlySession *self, guint timeout_ms, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  if (!self->in_use) {
    g_task_return_boolean (task, TRUE);
    g_object_unref (task);
    return;
  }
  g_task_set_task_data (task, GUINT_TO_POINTER (g_timeout_add (timeout_ms, waited_cb, task)), NULL);
  g_queue_push_tail (&self->waiting, task);
}

gboolean
wly_session_wait_finish (WlySession *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
wly_session_set_state (WlySession *self, WlySessionState state)
{
  if (self->state == state)
    return;
  self->state = state;
  changed (self);
}

void
wly_session_set_context_used (WlySession *self, guint32 n_tokens)
{
  self->context_used = n_tokens;
}

/* The worker that knows this session, NULL where none does. */
static WlyWorkerProcess *
own_worker (WlySession *self)
{
  WlyWorkerProcess *worker = wly_model_get_worker (self->model);

  return worker != NULL && wly_worker_process_get_serial (worker) == self->worker_serial ? worker : NULL;
}

/* A file description of its own for each worker, at position 0. */
static gboolean
append_tokens_fd (GUnixFDList *fds, int tokens_fd, GError **error)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", tokens_fd);
  int fd                = open (path, O_RDWR | O_CLOEXEC);
  gboolean ok;

  if (fd < 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot open the session's memory file again: %s",
                 g_strerror (errno));
    return FALSE;
  }
  ok = g_unix_fd_list_append (fds, fd, error) >= 0;
  close (fd);
  return ok;
}

static GVariant *
worker_options (WlySession *self)
{
  g_autoptr (GVariant) filtered = g_variant_ref_sink (wly_options_filter (1u << WLY_SCOPE_SESSION, self->options));
  g_auto (GVariantDict) dict    = G_VARIANT_DICT_INIT (filtered);

  g_variant_dict_remove (&dict, "label");
  g_variant_dict_insert (&dict, "salt", "t", wly_account_get_salt (self->account));
  return g_variant_dict_end (&dict);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task     = data;
  WlySession *self           = g_task_get_source_object (task);
  WlyWorkerProcess *worker   = WLY_WORKER_PROCESS (source);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_worker_process_call_finish (worker, result, &error);
  g_autoptr (GVariant) info  = NULL;
  guint32 n_tokens           = 0;

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  g_variant_get (reply, "(@a{sv})", &info);
  g_variant_lookup (info, "context-size", "u", &self->context_size);
  if (g_variant_lookup (info, "tokens", "u", &n_tokens))
    self->context_used = n_tokens;
  self->worker_serial = wly_worker_process_get_serial (worker);
  if (self->closed) /* meanwhile */
    wly_worker_process_call_async (worker, "CloseSession", g_variant_new ("(t)", self->number), NULL, CALL_TIMEOUT_MS,
                                   NULL, NULL);
  changed (self);
  g_task_return_boolean (task, TRUE);
}

void
wly_session_open_async (WlySession *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task      = g_task_new (self, NULL, callback, user_data);
  WlyWorkerProcess *worker    = wly_model_get_worker (self->model);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GError *error               = NULL;

  if (own_worker (self) != NULL) {
    g_task_return_boolean (task, TRUE);
  } else if (worker == NULL || wly_model_get_state (self->model) != WLY_MODEL_READY) {
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the model is not loaded any more");
  } else if (!append_tokens_fd (fds, self->tokens_fd, &error)) {
    g_task_return_error (task, error);
  } else {
    wly_worker_process_call_async (worker, "OpenSession",
                                   g_variant_new ("(th@a{sv})", self->number, 0, worker_options (self)), fds,
                                   CALL_TIMEOUT_MS, opened_cb, g_steal_pointer (&task));
  }
}

gboolean
wly_session_open_finish (WlySession *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

gboolean
wly_session_get_n_tokens (WlySession *self, guint32 *ret_n_tokens, GError **error)
{
  struct stat status;

  if (fstat (self->tokens_fd, &status) != 0 || status.st_size < 0
      || status.st_size > (goffset)MAX_TOKENS * BYTES_PER_TOKEN) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_FAILED, "the session's memory file has a length that cannot be");
    return FALSE;
  }
  *ret_n_tokens = (guint32)(status.st_size / BYTES_PER_TOKEN);
  return TRUE;
}

GBytes *
wly_session_get_tokens (WlySession *self, GError **error)
{
  g_autofree guint8 *data = NULL;
  guint32 n_tokens;
  gsize n_bytes, at = 0;

  if (!wly_session_get_n_tokens (self, &n_tokens, error))
    return NULL;
  n_bytes = (gsize)n_tokens * BYTES_PER_TOKEN;
  data    = g_malloc (MAX (n_bytes, 1));
  while (at < n_bytes) {
    gssize n = pread (self->tokens_fd, data + at, n_bytes - at, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break; /* a worker may cut it at any time */
    at += (gsize)n;
  }
  return g_bytes_new_take (g_steal_pointer (&data), at - at % BYTES_PER_TOKEN);
}

gboolean
wly_session_set_tokens (WlySession *self, GBytes *tokens, GError **error)
{
  gsize n_bytes;
  const guint8 *data       = g_bytes_get_data (tokens, &n_bytes);
  WlyWorkerProcess *worker = own_worker (self);
  int fd                   = wly_os_memfd_new ("woolly-tokens", error);

  if (fd < 0)
    return FALSE;
  for (gsize at = 0; at < n_bytes;) {
    gssize n = pwrite (fd, data + at, n_bytes - at, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "no memory for the session's past: %s", g_strerror (errno));
      close (fd);
      return FALSE;
    }
    at += (gsize)n;
  }
  if (worker != NULL)
    wly_worker_process_call_async (worker, "CloseSession", g_variant_new ("(t)", self->number), NULL, CALL_TIMEOUT_MS,
                                   NULL, NULL);
  close (self->tokens_fd);
  self->tokens_fd     = fd;
  self->worker_serial = 0;
  self->context_used  = (guint32)(n_bytes / BYTES_PER_TOKEN);
  changed (self);
  return TRUE;
}

/* --- fork -------------------------------------------------------------------------------------------------------- */

static void
forked_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task     = data;
  WlySession *fork           = g_task_get_task_data (task);
  WlyWorkerProcess *worker   = WLY_WORKER_PROCESS (source);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_worker_process_call_finish (worker, result, &error);

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  fork->worker_serial = wly_worker_process_get_serial (worker);
  g_task_return_pointer (task, g_object_ref (fork), g_object_unref);
}

static GVariant *
merge_options (GVariant *base, GVariant *over)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (base);
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, over);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value))
    g_variant_dict_insert_value (&dict, key, value);
  return g_variant_dict_end (&dict);
}

void
wly_session_fork_async (WlySession *self, GVariant *options, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task      = g_task_new (self, NULL, callback, user_data);
  WlyWorkerProcess *worker    = own_worker (self);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (WlySession) fork = NULL;
  g_autoptr (GBytes) tokens   = NULL;
  g_autoptr (GError) error    = NULL;

  fork = wly_session_new (self->model, self->account, merge_options (self->options, options), &error);
  if (fork == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  fork->context_size = self->context_size;
  fork->context_used = self->context_used;
  if (worker == NULL) { /* no worker has it: a copy of the past is all there is to do */
    tokens = wly_session_get_tokens (self, &error);
    if (tokens == NULL || !wly_session_set_tokens (fork, tokens, &error))
      g_task_return_error (task, g_steal_pointer (&error));
    else
      g_task_return_pointer (task, g_steal_pointer (&fork), g_object_unref);
    return;
  }
  if (!append_tokens_fd (fds, fork->tokens_fd, &error)) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  g_task_set_task_data (task, g_object_ref (fork), g_object_unref);
  wly_worker_process_call_async (worker, "ForkSession",
                                 g_variant_new ("(tth@a{sv})", self->number, fork->number, 0, worker_options (fork)),
                                 fds, CALL_TIMEOUT_MS, forked_cb, g_steal_pointer (&task));
}

WlySession *
wly_session_fork_finish (WlySession *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- truncate ---------------------------------------------------------------------------------------------------- */

static void
truncated_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task     = data;
  WlySession *self           = g_task_get_source_object (task);
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);

  if (reply == NULL) {
    g_task_return_error (task, g_steal_pointer (&error));
    return;
  }
  self->context_used = GPOINTER_TO_UINT (g_task_get_task_data (task));
  g_task_return_boolean (task, TRUE);
}

void
wly_session_truncate_async (WlySession *self, guint32 n_tokens, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task   = g_task_new (self, NULL, callback, user_data);
  WlyWorkerProcess *worker = own_worker (self);
  GError *error            = NULL;
  guint32 n_there;

  g_task_set_task_data (task, GUINT_TO_POINTER (n_tokens), NULL);
  if (!wly_session_get_n_tokens (self, &n_there, &error)) {
    g_task_return_error (task, error);
  } else if (n_tokens > n_there) {
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "the session holds %u tokens, not %u", n_there,
                             n_tokens);
  } else if (worker != NULL) {
    wly_worker_process_call_async (worker, "TruncateSession", g_variant_new ("(tu)", self->number, n_tokens), NULL,
                                   CALL_TIMEOUT_MS, truncated_cb, g_steal_pointer (&task));
  } else if (ftruncate (self->tokens_fd, (off_t)n_tokens * BYTES_PER_TOKEN) != 0) {
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_FAILED, "cannot cut the session's memory file: %s",
                             g_strerror (errno));
  } else {
    self->context_used = n_tokens;
    g_task_return_boolean (task, TRUE);
  }
}

gboolean
wly_session_truncate_finish (WlySession *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

void
wly_session_close (WlySession *self)
{
  WlyWorkerProcess *worker = own_worker (self);

  if (self->closed)
    return;
  self->closed = TRUE;
  if (worker != NULL)
    wly_worker_process_call_async (worker, "CloseSession", g_variant_new ("(t)", self->number), NULL, CALL_TIMEOUT_MS,
                                   NULL, NULL);
}

gboolean
wly_session_is_closed (WlySession *self)
{
  return self->closed;
}

WlyModel *
wly_session_get_model (WlySession *self)
{
  return self->model;
}

WlyAccount *
wly_session_get_account (WlySession *self)
{
  return self->account;
}

guint64
wly_session_get_number (WlySession *self)
{
  return self->number;
}

GVariant *
wly_session_get_options (WlySession *self)
{
  return self->options;
}

WlySessionState
wly_session_get_state (WlySession *self)
{
  return self->state;
}

guint32
wly_session_get_context_size (WlySession *self)
{
  return self->context_size;
}

guint32
wly_session_get_context_used (WlySession *self)
{
  return self->context_used;
}

static void
wly_session_finalize (GObject *object)
{
  WlySession *self = WLY_SESSION (object);

  if (self->model != NULL)
    wly_session_close (self);
  if (self->tokens_fd >= 0)
    close (self->tokens_fd);
  g_clear_object (&self->model);
  g_clear_pointer (&self->account, wly_account_unref);
  g_clear_pointer (&self->options, g_variant_unref);
  G_OBJECT_CLASS (wly_session_parent_class)->finalize (object);
}

static void
wly_session_class_init (WlySessionClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_session_finalize;
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", WLY_TYPE_SESSION, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_session_init (WlySession *self)
{
  self->tokens_fd = -1;
  g_queue_init (&self->waiting);
}
