/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-request.h"

#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-frame.h"
#include "wly-model-hold.h"
#include "wly-options.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CALL_TIMEOUT_MS 60000
/* A worker that does not end a cancelled generation within this time is stuck. */
#define CANCEL_MS         10000
#define MAX_TRIES         2
#define LOAD_FRAME_US     (100 * 1000)
#define MAX_MESSAGE_BYTES 1024

struct _WlyRequest {
  GObject parent_instance;
  guint64 number;
  WlySettings *settings;
  WlySession *session;
  gboolean owns_session;
  WlyModel *model;
  WlyQueue *queue;
  WlyQueueItem *item; /* NULL once it ended */
  WlyModelHold *hold; /* while it runs */
  GVariant *options;
  int body_fd;
  GUnixFDList *fds;
  int stream_fd; /* our end; -1 once the worker has it */
  guint hang_up_source;
  WlyStreamFormat format;
  WlyRequestState state;
  guint position;
  GVariant *result;
  GCancellable *cancellable; /* of waiting for the model */
  guint64 worker_serial;     /* of the worker it was handed to; 0: none yet */
  gboolean opening;          /* the worker is opening the session */
  guint32 n_past;            /* tokens of the session when it was handed over */
  gboolean taken_over;       /* the worker said so */
  gboolean cancelled;
  guint cancel_timer;
  guint n_tries;
  gint64 created_us, started_us, loaded_us, last_load_frame_us;
};

enum { SIGNAL_CHANGED, SIGNAL_ENDED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyRequest, wly_request, G_TYPE_OBJECT)

static const char *const state_names[] = { "queued", "loading", "prefill",   "generating",
                                           "paused", "done",    "cancelled", "failed" };

static void try_load (WlyRequest *self);

const char *
wly_request_state_to_string (WlyRequestState state)
{
  return state_names[state];
}

static void
set_state (WlyRequest *self, WlyRequestState state)
{
  self->state = state;
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/* --- the stream while it is ours ---------------------------------------------------------------------------------- */

/* All or nothing: a frame that does not fit the socket is news that nobody reads. */
static void
write_frame (WlyRequest *self, enum woolly_frame_type type, GVariant *values)
{
  g_autoptr (GByteArray) out = g_byte_array_new ();

  wly_frame_append (out, self->format, type, values);
  if (self->stream_fd < 0 || self->worker_serial != 0 || out->len == 0)
    return;
  /* one short message of a local socket goes as a whole or not at all */
  if (send (self->stream_fd, out->data, out->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    g_debug ("request %" G_GUINT64_FORMAT ": a frame was not written: %s", self->number, g_strerror (errno));
}

static void
write_error (WlyRequest *self, const GError *error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "name", "s", wly_error_dbus_name (error->code));
  g_variant_dict_insert (&dict, "message", "s", error->message);
  write_frame (self, WOOLLY_FRAME_ERROR, g_variant_dict_end (&dict));
}

static void
close_stream (WlyRequest *self)
{
  g_clear_handle_id (&self->hang_up_source, g_source_remove);
  if (self->stream_fd >= 0)
    close (self->stream_fd);
  self->stream_fd = -1;
}

static gboolean
hang_up_cb (int fd, GIOCondition condition, gpointer data)
{
  WlyRequest *self = data;

  self->hang_up_source = 0;
  wly_request_cancel (self);
  return G_SOURCE_REMOVE;
}

static void
watch_hang_up (WlyRequest *self)
{
  if (self->hang_up_source == 0)
    self->hang_up_source = g_unix_fd_add (self->stream_fd, G_IO_HUP | G_IO_ERR, hang_up_cb, self);
}

/* --- the end -------------------------------------------------------------------------------------------------------
 */

/* Options of the result that have their type; what else a worker says is left out. */
static void
add_result_of_worker (GVariant *from_worker, GVariantDict *dict)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, from_worker);
  while (g_variant_iter_loop (&iter, "{&sv}", &key, &value)) {
    const WlyOption *option = wly_options_find (WLY_SCOPE_RESULT, key);
    if (option == NULL || !g_variant_is_of_type (value, G_VARIANT_TYPE (option->type)))
      continue;
    if (g_variant_is_of_type (value, G_VARIANT_TYPE_STRING) && g_variant_get_size (value) > MAX_MESSAGE_BYTES)
      continue;
    g_variant_dict_insert_value (dict, key, value);
  }
}

static void
set_result (WlyRequest *self, GVariant *from_worker, const GError *error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  gint64 started_us          = self->started_us != 0 ? self->started_us : g_get_monotonic_time ();

  if (from_worker != NULL)
    add_result_of_worker (from_worker, &dict);
  if (error != NULL) {
    gboolean cancelled = g_error_matches (error, WLY_ERROR, WLY_ERROR_CANCELLED);
    g_variant_dict_insert (&dict, "reason", "s", cancelled ? "cancelled" : "error");
    g_variant_dict_insert (&dict, "error", "s", wly_error_dbus_name (error->code));
    g_variant_dict_insert (&dict, "message", "s", error->message);
  }
  g_variant_dict_insert (&dict, "queue-us", "t", (guint64)(started_us - self->created_us));
  g_variant_dict_insert (&dict, "load-us", "t",
                         (guint64)(self->loaded_us != 0 ? self->loaded_us - self->started_us : 0));
  g_variant_unref (self->result);
  self->result = g_variant_ref_sink (g_variant_dict_end (&dict));
}

static void
finish (WlyRequest *self, WlyRequestState state, GVariant *from_worker, const GError *error)
{
  g_autoptr (WlyRequest) own = NULL;
  guint32 used;

  if (wly_request_has_ended (self))
    return;
  own = self; /* of wly_request_new() */
  if (error != NULL)
    write_error (self, error);
  set_result (self, from_worker, error);
  close_stream (self);
  g_clear_handle_id (&self->cancel_timer, g_source_remove);
  g_signal_handlers_disconnect_by_data (self->model, self);
  if (from_worker != NULL && g_variant_lookup (from_worker, "context-used", "u", &used))
    wly_session_set_context_used (self->session, used);
  set_state (self, state);
  wly_session_end (self->session);
  if (self->owns_session)
    wly_session_close (self->session);
  g_cancellable_cancel (self->cancellable);
  g_clear_pointer (&self->hold, wly_model_hold_free);
  wly_account_give_request (wly_session_get_account (self->session));
  g_signal_emit (self, signals[SIGNAL_ENDED], 0);
  wly_queue_remove (self->queue, g_steal_pointer (&self->item)); /* others begin: last */
}

static void
fail (WlyRequest *self, const GError *error)
{
  gboolean cancelled = g_error_matches (error, WLY_ERROR, WLY_ERROR_CANCELLED);

  finish (self, cancelled ? WLY_REQUEST_CANCELLED : WLY_REQUEST_FAILED, NULL, error);
}

static void
fail_cancelled (WlyRequest *self)
{
  g_autoptr (GError) error = g_error_new_literal (WLY_ERROR, WLY_ERROR_CANCELLED, "the generation was cancelled");

  fail (self, error);
}

/* Before the worker has taken over: its death costs one more try. */
static void
fail_or_retry (WlyRequest *self, const GError *error)
{
  gboolean lost = g_error_matches (error, WLY_ERROR, WLY_ERROR_WORKER_LOST);

  if (wly_request_has_ended (self))
    return;
  self->worker_serial = 0; /* the stream is ours again */
  if (lost && self->cancelled) {
    fail_cancelled (self);
  } else if (lost && self->n_tries < MAX_TRIES) {
    watch_hang_up (self);
    try_load (self);
  } else {
    fail (self, error);
  }
}

/* The worker said that it works at it, or its session has grown: then something may have been streamed. */
static gboolean
has_begun (WlyRequest *self)
{
  guint32 n_tokens;

  return self->state >= WLY_REQUEST_PREFILL || !wly_session_get_n_tokens (self->session, &n_tokens, NULL)
         || n_tokens != self->n_past;
}

/* --- the worker ----------------------------------------------------------------------------------------------------
 */

static void
generation_changed_cb (WlyModel *model, guint64 generation, const char *state, GVariant *result, gpointer data)
{
  WlyRequest *self = data;

  if (generation != self->number || self->worker_serial == 0)
    return;
  for (int i = WLY_REQUEST_PREFILL; i <= WLY_REQUEST_FAILED; i++) {
    if (!g_str_equal (state, state_names[i]))
      continue;
    if (i >= WLY_REQUEST_DONE) {
      finish (self, (WlyRequestState)i, result, NULL);
    } else {
      wly_session_set_state (self->session, WLY_SESSION_GENERATING);
      set_state (self, (WlyRequestState)i);
    }
    return;
  }
}

static void
worker_gone_cb (WlyModel *model, GError *error, gpointer data)
{
  WlyRequest *self = data;

  /* what is not taken over yet learns it from its own call */
  if (self->taken_over)
    fail (self, error);
}

/* Somebody wants the memory back: what waits must not take it again. */
static void
unloaded_cb (WlyModel *model, GError *error, gpointer data)
{
  WlyRequest *self = data;

  if (!self->taken_over && self->worker_serial == 0)
    fail (self, error);
}

static void
model_changed_cb (WlyModel *model, gpointer data)
{
  WlyRequest *self           = data;
  gint64 now_us              = g_get_monotonic_time ();
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  guint64 done, total;

  if (self->state != WLY_REQUEST_LOADING || wly_model_get_state (model) != WLY_MODEL_LOADING
      || now_us - self->last_load_frame_us < LOAD_FRAME_US)
    return;
  self->last_load_frame_us = now_us;
  wly_model_get_progress_bytes (model, &done, &total);
  g_variant_dict_insert (&dict, "done", "t", done);
  g_variant_dict_insert (&dict, "total", "t", total);
  write_frame (self, WOOLLY_FRAME_LOAD, g_variant_dict_end (&dict));
}

static gboolean
stuck_cb (gpointer data)
{
  WlyRequest *self         = data;
  WlyWorkerProcess *worker = wly_model_get_worker (self->model);

  self->cancel_timer = 0;
  if (worker != NULL && wly_worker_process_get_serial (worker) == self->worker_serial)
    wly_worker_process_kill (worker, g_error_new_literal (WLY_ERROR, WLY_ERROR_WORKER_LOST,
                                                          "the worker did not end a cancelled generation"));
  return G_SOURCE_REMOVE;
}

static void
send_cancel (WlyRequest *self)
{
  WlyWorkerProcess *worker = wly_model_get_worker (self->model);

  if (worker != NULL && wly_worker_process_get_serial (worker) == self->worker_serial)
    wly_worker_process_call_async (worker, "Cancel", g_variant_new ("(t)", self->number), NULL, CALL_TIMEOUT_MS, NULL,
                                   NULL);
  if (self->cancel_timer == 0)
    self->cancel_timer = g_timeout_add (CANCEL_MS, stuck_cb, self);
}

static void
generate_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyRequest) self = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GVariant) reply  = wly_worker_process_call_finish (WLY_WORKER_PROCESS (source), result, &error);

  if (wly_request_has_ended (self))
    return;
  if (reply == NULL && has_begun (self)) {
    fail (self, error); /* what was said may not be told again from the beginning */
  } else if (reply == NULL) {
    fail_or_retry (self, error);
  } else {
    self->taken_over = TRUE;
    close_stream (self); /* the worker's copy is the only one now: its death ends the stream */
  }
}

static GVariant *
generate_parameters (WlyRequest *self, GUnixFDList *fds)
{
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));
  g_auto (GVariantDict) dict       = G_VARIANT_DICT_INIT (self->options);
  int n_fds                        = 0;
  const int *list                  = self->fds != NULL ? g_unix_fd_list_peek_fds (self->fds, &n_fds) : NULL;
  int body                         = g_unix_fd_list_append (fds, self->body_fd, NULL);
  int stream                       = g_unix_fd_list_append (fds, self->stream_fd, NULL);
  gboolean ok                      = body >= 0 && stream >= 0;

  wly_foreign_guard (fds);
  for (int i = 0; i < n_fds && ok; i++) {
    int handle = g_unix_fd_list_append (fds, list[i], NULL);
    ok         = handle >= 0;
    g_variant_builder_add (&handles, "h", handle);
  }
  if (!ok)
    return NULL;
  g_variant_dict_remove (&dict, "timeout-ms");
  g_variant_dict_insert (&dict, "weight", "u", wly_account_get_weight (wly_session_get_account (self->session)));
  g_variant_dict_insert (&dict, "stall-ms", "u", wly_settings_get_uint32 (self->settings, "limits", "stall-ms"));
  return g_variant_new ("(tthahh@a{sv})", self->number, wly_session_get_number (self->session), body, &handles, stream,
                        g_variant_dict_end (&dict));
}

static void
session_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyRequest) self = data;
  g_autoptr (GError) error    = NULL;
  gboolean ok                 = wly_session_open_finish (WLY_SESSION (source), result, &error);
  WlyWorkerProcess *worker    = wly_model_get_worker (self->model);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  GVariant *parameters;

  self->opening = FALSE;
  if (wly_request_has_ended (self))
    return;
  if (self->cancelled) {
    g_clear_error (&error);
    fail_cancelled (self);
    return;
  }
  if (ok && worker == NULL)
    g_set_error_literal (&error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process ended");
  if (error != NULL) {
    fail_or_retry (self, error);
    return;
  }
  if (!wly_session_get_n_tokens (self->session, &self->n_past, &error)) {
    fail (self, error);
    return;
  }
  parameters = generate_parameters (self, fds);
  if (parameters == NULL) {
    error = g_error_new_literal (WLY_ERROR, WLY_ERROR_BUSY, "the service has no more descriptors");
    fail (self, error);
    return;
  }
  g_clear_handle_id (&self->hang_up_source, g_source_remove); /* the worker sees it from here on */
  self->worker_serial = wly_worker_process_get_serial (worker);
  wly_worker_process_call_async (worker, "Generate", parameters, fds, CALL_TIMEOUT_MS, generate_cb,
                                 g_object_ref (self));
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyRequest) self = data;
  g_autoptr (GError) error    = NULL;

  if (!wly_model_ensure_finish (WLY_MODEL (source), result, &error)) {
    fail_or_retry (self, error);
    return;
  }
  if (wly_request_has_ended (self))
    return;
  self->loaded_us = g_get_monotonic_time ();
  self->opening   = TRUE;
  wly_session_open_async (self->session, session_opened_cb, g_object_ref (self));
}

static void
try_load (WlyRequest *self)
{
  self->n_tries++;
  if (self->state != WLY_REQUEST_LOADING)
    set_state (self, WLY_REQUEST_LOADING);
  wly_model_ensure_async (self->model, TRUE, NULL, self->cancellable, loaded_cb, g_object_ref (self));
}

static void
start_cb (gpointer data)
{
  WlyRequest *self = data;

  self->started_us = g_get_monotonic_time ();
  self->position   = 0;
  self->hold       = wly_model_hold_new (self->model, WLY_HOLD_BUSY);
  try_load (self);
}

static void
moved_cb (guint position, gpointer data)
{
  WlyRequest *self           = data;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  self->position = position;
  g_variant_dict_insert (&dict, "position", "u", position);
  write_frame (self, WOOLLY_FRAME_QUEUE, g_variant_dict_end (&dict));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

/* --- making one ----------------------------------------------------------------------------------------------------
 */

static guint
parse_priority (GVariant *options)
{
  static const char *const words[] = { "interactive", "normal", "background" };
  g_autofree char *word            = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "priority");

  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_str_equal (word, words[i]))
      return i;
  return 1;
}

static gboolean
enqueue (WlyRequest *self, GError **error)
{
  WlyAccount *account   = wly_session_get_account (self->session);
  WlyQueueLimits limits = {
    .max_running         = wly_settings_get_uint32 (self->settings, "models", "max-running"),
    .max_waiting         = wly_settings_get_uint32 (self->settings, "limits", "waiting-per-model"),
    .max_waiting_per_app = wly_settings_get_uint32 (self->settings, "limits", "waiting-per-app"),
  };

  self->item = wly_queue_push (self->queue, &limits, parse_priority (self->options), wly_account_get_app (account),
                               start_cb, moved_cb, self, error);
  return self->item != NULL;
}

static gboolean
make_stream (WlyRequest *self, int *ret_stream, GError **error)
{
  g_autofree char *word = wly_options_dup_string (WLY_SCOPE_GENERATE, self->options, "stream");
  int fds[2];

  self->format = wly_stream_format_parse (word);
  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "no socket for the stream: %s", g_strerror (errno));
    return FALSE;
  }
  self->stream_fd = fds[0];
  *ret_stream     = fds[1];
  watch_hang_up (self);
  return TRUE;
}

WlyRequest *
wly_request_new (WlyQueue *queue, WlySettings *settings, const WlyRequestInput *input, int *ret_stream, GError **error)
{
  static guint64 last_number  = 0;
  g_autoptr (WlyRequest) self = g_object_new (WLY_TYPE_REQUEST, NULL);
  WlyAccount *account         = wly_session_get_account (input->session);

  self->settings     = g_object_ref (settings);
  self->session      = g_object_ref (input->session);
  self->owns_session = input->owns_session;
  self->model        = g_object_ref (wly_session_get_model (input->session));
  self->queue        = queue;
  self->body_fd      = input->body_fd;
  self->fds          = input->fds != NULL ? g_object_ref (input->fds) : NULL;
  self->options      = g_variant_ref (input->options);
  self->number       = ++last_number;
  self->created_us   = g_get_monotonic_time ();

  if (!wly_account_take_request (account, error))
    return NULL;
  if (!wly_session_begin (self->session, error)) {
    wly_account_give_request (account);
    return NULL;
  }
  if (!make_stream (self, ret_stream, error) || !enqueue (self, error)) {
    if (self->stream_fd >= 0)
      close (*ret_stream);
    close_stream (self);
    wly_session_end (self->session);
    wly_account_give_request (account);
    return NULL;
  }
  g_signal_connect (self->model, "changed", G_CALLBACK (model_changed_cb), self);
  g_signal_connect (self->model, "generation-changed", G_CALLBACK (generation_changed_cb), self);
  g_signal_connect (self->model, "worker-gone", G_CALLBACK (worker_gone_cb), self);
  g_signal_connect (self->model, "unloaded", G_CALLBACK (unloaded_cb), self);
  wly_session_set_state (self->session, WLY_SESSION_WAITING);
  g_object_ref (self); /* its own, until it ends: queue and model call it */
  wly_queue_settle (queue);
  return g_steal_pointer (&self);
}

void
wly_request_cancel (WlyRequest *self)
{
  if (wly_request_has_ended (self) || self->cancelled)
    return;
  self->cancelled = TRUE;
  /* what the session's past is must not change behind a worker that is reading it: session_opened_cb() goes on */
  if (self->opening)
    return;
  if (self->worker_serial != 0)
    send_cancel (self);
  else
    fail_cancelled (self);
}

guint64
wly_request_get_number (WlyRequest *self)
{
  return self->number;
}

WlySession *
wly_request_get_session (WlyRequest *self)
{
  return self->session;
}

WlyRequestState
wly_request_get_state (WlyRequest *self)
{
  return self->state;
}

gboolean
wly_request_has_ended (WlyRequest *self)
{
  return self->state >= WLY_REQUEST_DONE;
}

guint
wly_request_get_position (WlyRequest *self)
{
  return self->position;
}

GVariant *
wly_request_get_result (WlyRequest *self)
{
  return self->result;
}

static void
wly_request_finalize (GObject *object)
{
  WlyRequest *self = WLY_REQUEST (object);

  g_assert (self->item == NULL); /* whoever made it cancels it first */
  close_stream (self);
  if (self->body_fd >= 0)
    close (self->body_fd);
  g_clear_object (&self->fds);
  g_clear_object (&self->session);
  g_clear_object (&self->model);
  g_clear_object (&self->settings);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->options, g_variant_unref);
  g_clear_pointer (&self->result, g_variant_unref);
  G_OBJECT_CLASS (wly_request_parent_class)->finalize (object);
}

static void
wly_request_class_init (WlyRequestClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_request_finalize;
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", WLY_TYPE_REQUEST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_ENDED] =
      g_signal_new ("ended", WLY_TYPE_REQUEST, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
wly_request_init (WlyRequest *self)
{
  self->stream_fd   = -1;
  self->body_fd     = -1;
  self->cancellable = g_cancellable_new ();
  self->result      = g_variant_ref_sink (g_variant_new ("a{sv}", NULL));
}
