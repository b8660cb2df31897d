/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model.h"

#include "wly-error.h"
#include "wly-model-load.h"
#include "wly-model-open.h"
#include "wly-model-pause.h"
#include "wly-model-probe.h"
#include "wly-model-waiters.h"
#include "wly-os.h"

#define OPEN_TIMEOUT_MS 30000
#define LOAD_TIMEOUT_MS (30 * 60 * 1000) /* a large model from a slow disk */
/* What an opened model is booked with: nothing to speak of, but it is there to be asked to leave. */
#define OPENED_BYTES 1

struct _WlyModel {
  GObject parent_instance;
  WlyModelContext *context;
  char *id;
  WlyModelFiles *files;
  WlyModelFiles *next_files; /* on disk now, while a worker still runs on the old ones */
  WlyModelInfo *info;
  WlyModelState state;
  GError *error;
  gboolean probing;
  GCancellable *probe_cancellable;
  gboolean files_refused; /* a probe or a worker said so: asking again gives the same */
  WlyModelWaiters *waiters;
  WlyWorkerProcess *worker;
  WlyModelLoad load; /* in force while loading and ready */
  WlyResident *resident;
  gulong room_handler;
  int n_busy, n_held;
  WlyModelPause *pause;
};

enum { SIGNAL_CHANGED, SIGNAL_WORKER_GONE, SIGNAL_UNLOADED, SIGNAL_GENERATION_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (WlyModel, wly_model, G_TYPE_OBJECT)

static void step (WlyModel *self);

static const char *const state_names[] = { "unknown", "available", "opening",     "opened", "loading",
                                           "ready",   "unloading", "quarantined", "failed" };

const char *
wly_model_state_to_string (WlyModelState state)
{
  return state_names[state];
}

static void
changed (WlyModel *self)
{
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
set_state (WlyModel *self, WlyModelState state)
{
  if (self->state == state)
    return;
  g_debug ("model %s: %s -> %s", self->id, state_names[self->state], state_names[state]);
  self->state = state;
  changed (self);
}

static void
set_error (WlyModel *self, const GError *error)
{
  g_clear_error (&self->error);
  if (error != NULL) {
    self->error = g_error_copy (error);
    g_message ("model %s: %s", self->id, error->message);
  }
  changed (self);
}

/* --- who waits ------------------------------------------------------------------------------------------------- */

/* Its worker died, and only "exited" has not said so yet: what comes now is for the next one. */
static gboolean
is_dying (WlyModel *self)
{
  return self->worker != NULL && !wly_worker_process_is_alive (self->worker);
}

static gboolean
is_satisfied_cb (const WlyModelWaiter *waiter, gpointer data)
{
  WlyModel *self = data;

  if (!waiter->loaded)
    return self->state == WLY_MODEL_OPENED || self->state == WLY_MODEL_LOADING || self->state == WLY_MODEL_READY;
  return self->state == WLY_MODEL_READY && wly_model_load_fits (&self->load, waiter->options);
}

static void
fail_waiters (WlyModel *self, gboolean only_loaded, const GError *error)
{
  wly_model_waiters_fail (self->waiters, only_loaded, error);
}

static void stop_worker (WlyModel *self, GError *why);

static void
update_use (WlyModel *self)
{
  /* while somebody waits for it, it does not leave */
  gboolean busy = self->n_busy > 0 || !wly_model_waiters_is_empty (self->waiters);

  wly_residency_set_use (self->resident, busy, self->n_held > 0);
  /* a load costs seconds and gigabytes: it does not go on for somebody who left */
  if (self->state == WLY_MODEL_LOADING && !busy && self->n_held == 0)
    stop_worker (self, g_error_new_literal (WLY_ERROR, WLY_ERROR_CANCELLED, "nobody waits for the model any more"));
}

static void
waiter_cancelled_cb (gpointer data)
{
  update_use (data);
}

/* --- the worker ------------------------------------------------------------------------------------------------- */

static void
load_progress_cb (WlyWorkerProcess *worker, guint64 done, guint64 total, gpointer data)
{
  WlyModel *self = data;

  if (self->state != WLY_MODEL_LOADING)
    return;
  self->load.total_bytes = total;
  self->load.done_bytes  = MIN (done, total);
  changed (self);
}

static void
generation_changed_cb (WlyWorkerProcess *worker, guint64 generation, const char *state, GVariant *result, gpointer data)
{
  g_signal_emit (data, signals[SIGNAL_GENERATION_CHANGED], 0, generation, state, result);
}

static gboolean
is_about_files (const GError *error)
{
  return g_error_matches (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL)
         || g_error_matches (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL);
}

/* What it is while no process works for it. */
static WlyModelState
idle_state (WlyModel *self)
{
  if (self->files_refused)
    return WLY_MODEL_FAILED;
  return self->info != NULL ? WLY_MODEL_AVAILABLE : WLY_MODEL_UNKNOWN;
}

/* Whether a worker may be started now; if not, quarantine answers who waits, and a shorter pause ends by itself. */
static gboolean
may_begin (WlyModel *self)
{
  g_autoptr (GError) error = NULL;
  gboolean may             = wly_model_pause_check (self->pause, wly_model_files_get_identity (self->files), &error);

  if (error != NULL) {
    set_error (self, error);
    set_state (self, WLY_MODEL_QUARANTINED);
    fail_waiters (self, FALSE, error);
  }
  return may;
}

static void
pause_over_cb (gpointer data)
{
  g_autoptr (WlyModel) self = g_object_ref (data);

  if (self->state == WLY_MODEL_QUARANTINED)
    set_state (self, idle_state (self));
  step (self);
}

static void
take_next_files (WlyModel *self)
{
  if (self->next_files == NULL)
    return;
  g_clear_pointer (&self->files, wly_model_files_unref);
  self->files         = g_steal_pointer (&self->next_files);
  self->files_refused = FALSE;
  g_clear_pointer (&self->info, wly_model_info_free);
  set_error (self, NULL);
  set_state (self, WLY_MODEL_UNKNOWN);
  wly_model_probe (self);
}

/* Forgets the process; the model has nothing in memory. */
static void
drop_worker (WlyModel *self)
{
  g_signal_handlers_disconnect_by_data (self->worker, self);
  g_clear_object (&self->worker);
  wly_model_load_clear (&self->load);
  if (self->room_handler != 0)
    g_signal_handler_disconnect (self->context->residency, self->room_handler);
  self->room_handler = 0;
}

static void
exited_cb (WlyWorkerProcess *worker, GError *error, gpointer data)
{
  g_autoptr (WlyModel) self = g_object_ref (data);
  gboolean wanted           = self->state == WLY_MODEL_UNLOADING;
  gboolean at_work          = self->state == WLY_MODEL_OPENING || self->state == WLY_MODEL_LOADING;
  const char *identity      = wly_model_files_get_identity (self->files);
  gboolean quarantined      = FALSE;

  drop_worker (self);
  set_state (self, idle_state (self));
  if (!wanted) {
    set_error (self, error);
    if (!g_error_matches (error, WLY_ERROR, WLY_ERROR_MODEL_CHANGED))
      quarantined = wly_quarantine_note_death (self->context->quarantine, identity, g_get_monotonic_time ());
    if (at_work) /* else who waits came when it was dead already */
      fail_waiters (self, FALSE, error);
  }
  if (quarantined)
    may_begin (self);
  g_signal_emit (self, signals[SIGNAL_WORKER_GONE], 0, error);
  wly_residency_set_bytes (self->resident, 0);
  take_next_files (self);
  step (self);
}

static void
stop_worker (WlyModel *self, GError *why)
{
  set_state (self, WLY_MODEL_UNLOADING);
  wly_worker_process_kill (self->worker, why);
}

static void
evict_cb (const char *why, gpointer data)
{
  WlyModel *self = data;

  g_message ("model %s: unloaded, %s", self->id, why);
  if (self->worker != NULL && self->state != WLY_MODEL_UNLOADING)
    stop_worker (self, g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the model was unloaded: %s", why));
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static void
take_info (WlyModel *self, GVariant *dictionary)
{
  g_clear_pointer (&self->info, wly_model_info_free);
  self->info = wly_model_info_new (dictionary);
}

/* Opening failed, but the process is there, or never was. */
static void
fail_open (WlyModel *self, const GError *error)
{
  self->files_refused = is_about_files (error);
  set_error (self, error);
  if (self->worker != NULL)
    stop_worker (self, NULL);
  else
    set_state (self, idle_state (self));
  fail_waiters (self, FALSE, error); /* they may ask again: last */
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self       = data;
  WlyWorkerProcess *worker        = WLY_WORKER_PROCESS (source);
  g_autoptr (GError) error        = NULL;
  g_autoptr (GVariant) reply      = wly_worker_process_call_finish (worker, result, &error);
  g_autoptr (GVariant) dictionary = NULL;

  if (self->worker != worker || self->state != WLY_MODEL_OPENING || !wly_worker_process_is_alive (worker))
    return; /* exited_cb() answers */
  if (reply == NULL) {
    fail_open (self, error);
    return;
  }
  g_variant_get (reply, "(@a{sv})", &dictionary);
  take_info (self, dictionary);
  set_error (self, NULL);
  wly_residency_set_bytes (self->resident, OPENED_BYTES);
  set_state (self, WLY_MODEL_OPENED);
  step (self);
}

static void
files_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self   = data;
  g_auto (GStrv) plugins      = NULL;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = wly_model_open_finish (result, &plugins, &error);

  if (self->state != WLY_MODEL_OPENING || self->worker != NULL)
    return; /* it was begun anew meanwhile, and that is answered by itself */
  if (self->next_files != NULL) {
    take_next_files (self);
    step (self);
    return;
  }
  if (fds != NULL)
    self->worker = wly_worker_process_new ((const char *const *)plugins, &error);
  if (self->worker == NULL) {
    fail_open (self, error);
    return;
  }
  g_signal_connect (self->worker, "exited", G_CALLBACK (exited_cb), self);
  g_signal_connect (self->worker, "load-progress", G_CALLBACK (load_progress_cb), self);
  g_signal_connect (self->worker, "generation-changed", G_CALLBACK (generation_changed_cb), self);
  wly_worker_process_call_async (self->worker, "Open", wly_model_open_parameters (fds), fds, OPEN_TIMEOUT_MS, opened_cb,
                                 g_object_ref (self));
}

static void
start_open (WlyModel *self)
{
  const GError *files_error = wly_model_files_get_error (self->files);

  if (files_error != NULL || self->files_refused) {
    g_autoptr (GError) error = g_error_copy (files_error != NULL ? files_error : self->error);
    fail_waiters (self, FALSE, error);
    return;
  }
  set_state (self, WLY_MODEL_OPENING);
  wly_model_open_async (self->context, self->files, files_opened_cb, g_object_ref (self));
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

static void
limit_weights (WlyModel *self, guint64 n_bytes)
{
  if (self->state != WLY_MODEL_READY || self->worker == NULL || is_dying (self))
    return;
  self->load.pack_bytes = n_bytes;
  wly_worker_process_call_async (self->worker, "LimitWeights", g_variant_new ("(t)", n_bytes), NULL, LOAD_TIMEOUT_MS,
                                 NULL, NULL);
}

static guint64
share_of (const WlyModel *self)
{
  return self->info != NULL ? wly_residency_get_share (self->context->residency, self->info->weights_bytes) : 0;
}

/* Another one has booked memory; where this one used it, it gives it back. */
static void
booked_cb (WlyResidency *residency, gpointer data)
{
  WlyModel *self        = data;
  const guint64 n_bytes = share_of (self);

  if (n_bytes < self->load.pack_bytes)
    limit_weights (self, n_bytes);
}

/* Another one has left; its memory is of use to this one until somebody books it. */
static void
freed_cb (WlyResidency *residency, gpointer data)
{
  WlyModel *self        = data;
  const guint64 n_bytes = share_of (self);

  if (n_bytes > self->load.pack_bytes)
    limit_weights (self, n_bytes);
}

/* What was booked stays booked; a worker that says it needs more is believed up to what would scare nobody away. */
static void
book_more (WlyModel *self, guint64 n_bytes)
{
  if (n_bytes > wly_residency_get_bytes (self->resident)
      && n_bytes <= wly_residency_get_budget (self->context->residency))
    wly_residency_set_bytes (self->resident, n_bytes);
}

static void
loaded_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self       = data;
  WlyWorkerProcess *worker        = WLY_WORKER_PROCESS (source);
  g_autoptr (GError) error        = NULL;
  g_autoptr (GVariant) reply      = wly_worker_process_call_finish (worker, result, &error);
  g_autoptr (GVariant) dictionary = NULL;

  if (self->worker != worker || self->state != WLY_MODEL_LOADING || !wly_worker_process_is_alive (worker))
    return;
  if (reply == NULL) {
    wly_model_load_clear (&self->load);
    wly_residency_set_bytes (self->resident, OPENED_BYTES);
    set_error (self, error);
    set_state (self, WLY_MODEL_OPENED);
    fail_waiters (self, TRUE, error);
    step (self);
    return;
  }
  g_variant_get (reply, "(@a{sv})", &dictionary);
  book_more (self, wly_model_load_finish (&self->load, dictionary));
  set_error (self, NULL);
  set_state (self, WLY_MODEL_READY);
  step (self);
}

static void
room_cb (WlyResidency *residency, gpointer data)
{
  g_autoptr (WlyModel) self = g_object_ref (data);

  g_signal_handler_disconnect (residency, self->room_handler);
  self->room_handler = 0;
  step (self);
}

static void
start_load (WlyModel *self)
{
  g_autoptr (GError) error = NULL;
  guint64 kv_bytes;
  guint64 n_bytes = wly_model_load_estimate (self->info, self->context->settings, &kv_bytes);

  if (self->room_handler != 0)
    return; /* memory is awaited */
  switch (wly_residency_admit (self->context->residency, self->resident, n_bytes, &error)) {
  case WLY_ADMISSION_NO:
    set_error (self, error);
    fail_waiters (self, TRUE, error);
    return;
  case WLY_ADMISSION_WAIT:
    self->room_handler = g_signal_connect (self->context->residency, "room", G_CALLBACK (room_cb), self);
    return;
  case WLY_ADMISSION_YES:
    break;
  }
  self->load.options     = wly_model_waiters_dup_options (self->waiters);
  self->load.total_bytes = self->info->weights_bytes;
  self->load.pack_bytes  = share_of (self);
  set_state (self, WLY_MODEL_LOADING);
  wly_worker_process_call_async (self->worker, "Load",
                                 wly_model_load_parameters (&self->load, self->context->settings, kv_bytes), NULL,
                                 LOAD_TIMEOUT_MS, loaded_cb, g_object_ref (self));
}

/* --- the next step for those who wait ---------------------------------------------------------------------------- */

gboolean
wly_model_accept_options (WlyModel *self, GVariant *options, GError **error)
{
  if ((self->state != WLY_MODEL_READY && self->state != WLY_MODEL_LOADING)
      || wly_model_load_fits (&self->load, options))
    return TRUE;
  if (self->state == WLY_MODEL_READY && !wly_model_is_busy (self) && !wly_model_is_held (self)) {
    stop_worker (self, NULL);
    return TRUE;
  }
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_BUSY,
                       "the model is in use and loaded with other options; try again when it is free");
  return FALSE;
}

/* It is ready, but somebody wants it loaded with other options. */
static void
load_anew (WlyModel *self)
{
  g_autoptr (GError) error = NULL;

  if (!wly_model_accept_options (self, wly_model_waiters_first (self->waiters, TRUE)->options, &error))
    fail_waiters (self, TRUE, error);
}

/* What is to be done for those who wait, in this state. */
static void
go_on (WlyModel *self)
{
  switch (self->state) {
  case WLY_MODEL_UNKNOWN:
  case WLY_MODEL_AVAILABLE:
  case WLY_MODEL_FAILED:
    if (may_begin (self))
      start_open (self);
    break;
  case WLY_MODEL_QUARANTINED:
    fail_waiters (self, FALSE, self->error);
    break;
  case WLY_MODEL_OPENED:
    start_load (self);
    break;
  case WLY_MODEL_READY:
    load_anew (self);
    break;
  default:
    break; /* on the way */
  }
}

static void
step (WlyModel *self)
{
  if (!is_dying (self)) { /* else exited_cb() comes back */
    wly_model_waiters_answer (self->waiters, is_satisfied_cb, self);
    if (!wly_model_waiters_is_empty (self->waiters))
      go_on (self);
  }
  update_use (self);
}

void
wly_model_ensure_async (WlyModel *self, gboolean loaded, GVariant *options, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer user_data)
{
  wly_model_waiters_add (self->waiters, g_task_new (self, cancellable, callback, user_data), loaded, options);
  step (self);
}

gboolean
wly_model_ensure_finish (WlyModel *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- from outside ------------------------------------------------------------------------------------------------ */

gboolean
wly_model_unload (WlyModel *self, gboolean force, GError **error)
{
  g_autoptr (WlyModel) guard = g_object_ref (self);
  g_autoptr (GError) why     = NULL;

  if ((self->worker == NULL || self->state == WLY_MODEL_UNLOADING) && wly_model_waiters_is_empty (self->waiters))
    return TRUE;
  if (!force && (wly_model_is_busy (self) || !wly_model_waiters_is_empty (self->waiters))) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_BUSY, "the model is in use; unload it with force, or wait");
    return FALSE;
  }
  why = g_error_new_literal (WLY_ERROR, WLY_ERROR_CANCELLED, "the model was unloaded by the user");
  if (self->worker != NULL && self->state != WLY_MODEL_UNLOADING)
    stop_worker (self, g_error_copy (why));
  /* who waits for it would have it loaded again */
  fail_waiters (self, FALSE, why);
  g_signal_emit (self, signals[SIGNAL_UNLOADED], 0, why);
  update_use (self);
  return TRUE;
}

void
wly_model_set_files (WlyModel *self, WlyModelFiles *files)
{
  const char *known = wly_model_files_get_identity (self->next_files != NULL ? self->next_files : self->files);

  if (g_str_equal (known, wly_model_files_get_identity (files))
      && (wly_model_files_get_error (files) == NULL) == (wly_model_files_get_error (self->files) == NULL))
    return;
  g_clear_pointer (&self->next_files, wly_model_files_unref);
  self->next_files = wly_model_files_ref (files);
  wly_model_pause_end (self->pause);
  if (self->worker == NULL && self->state != WLY_MODEL_OPENING) {
    take_next_files (self);
    step (self); /* who waited for the end of the pause */
  } else if (self->worker != NULL && !wly_model_is_busy (self) && self->state != WLY_MODEL_UNLOADING) {
    stop_worker (self, NULL);
  }
}

void
wly_model_clear_quarantine (WlyModel *self)
{
  wly_quarantine_clear (self->context->quarantine, wly_model_files_get_identity (self->files));
  wly_model_pause_end (self->pause);
  step (self); /* nothing needs to be waited for any more */
  if (self->state != WLY_MODEL_QUARANTINED)
    return;
  set_error (self, NULL);
  set_state (self, idle_state (self));
  wly_model_probe (self);
}

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self  = data;
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_model_probe_run_finish (result, &error);
  gboolean waits             = self->state == WLY_MODEL_UNKNOWN;

  self->probing = FALSE;
  if (g_cancellable_is_cancelled (self->probe_cancellable))
    return;
  if (self->next_files != NULL && waits) {
    take_next_files (self);
  } else if (reply != NULL && self->info == NULL) {
    take_info (self, reply);
    if (waits)
      set_state (self, WLY_MODEL_AVAILABLE);
  } else if (error != NULL && waits) {
    set_error (self, error);
    self->files_refused = is_about_files (error); /* of a probe that died, a worker may still say more */
    set_state (self, WLY_MODEL_FAILED);
  }
  changed (self);
}

void
wly_model_probe (WlyModel *self)
{
  if (self->probing || self->info != NULL || self->state != WLY_MODEL_UNKNOWN)
    return;
  self->probing = TRUE;
  wly_model_probe_run_async (self->context, self->files, self->probe_cancellable, probed_cb, g_object_ref (self));
}

void
wly_model_cancel_probe (WlyModel *self)
{
  g_cancellable_cancel (self->probe_cancellable);
}

gboolean
wly_model_is_probing (WlyModel *self)
{
  return self->probing;
}

void
wly_model_add_use (WlyModel *self, int n_busy, int n_held)
{
  self->n_busy += n_busy;
  self->n_held += n_held;
  g_assert (self->n_busy >= 0 && self->n_held >= 0);
  if (self->next_files != NULL && self->n_busy == 0 && self->worker != NULL && self->state != WLY_MODEL_UNLOADING)
    stop_worker (self, NULL);
  update_use (self);
}

gboolean
wly_model_is_busy (WlyModel *self)
{
  return self->n_busy > 0;
}

gboolean
wly_model_is_held (WlyModel *self)
{
  return self->n_held > 0;
}

WlyWorkerProcess *
wly_model_get_worker (WlyModel *self)
{
  if (self->worker == NULL || self->state == WLY_MODEL_OPENING || self->state == WLY_MODEL_UNLOADING
      || !wly_worker_process_is_alive (self->worker))
    return NULL;
  return self->worker;
}

const char *
wly_model_get_id (WlyModel *self)
{
  return self->id;
}

WlyModelFiles *
wly_model_get_files (WlyModel *self)
{
  return self->next_files != NULL ? self->next_files : self->files;
}

const WlyModelInfo *
wly_model_get_info (WlyModel *self)
{
  return self->info;
}

WlyModelState
wly_model_get_state (WlyModel *self)
{
  return self->state;
}

const GError *
wly_model_get_error (WlyModel *self)
{
  return self->error;
}

double
wly_model_get_progress (WlyModel *self)
{
  if (self->state == WLY_MODEL_READY)
    return 1;
  return self->load.total_bytes > 0 ? (double)self->load.done_bytes / (double)self->load.total_bytes : 0;
}

void
wly_model_get_progress_bytes (WlyModel *self, guint64 *ret_done, guint64 *ret_total)
{
  *ret_done  = self->load.done_bytes;
  *ret_total = self->load.total_bytes;
}

const char *
wly_model_get_device (WlyModel *self)
{
  return self->load.device != NULL ? self->load.device : "";
}

guint64
wly_model_get_memory (WlyModel *self)
{
  int pid = self->worker != NULL ? wly_worker_process_get_pid (self->worker) : 0;

  return pid != 0 ? wly_os_resident_bytes (pid) : 0;
}

static void
wly_model_dispose (GObject *object)
{
  WlyModel *self = WLY_MODEL (object);

  if (self->worker != NULL) {
    WlyWorkerProcess *worker = g_object_ref (self->worker);
    drop_worker (self);
    wly_worker_process_kill (worker, NULL);
    g_object_unref (worker);
  }
  wly_model_pause_end (self->pause);
  g_clear_pointer (&self->resident, wly_residency_remove);
  G_OBJECT_CLASS (wly_model_parent_class)->dispose (object);
}

static void
wly_model_finalize (GObject *object)
{
  WlyModel *self = WLY_MODEL (object);

  g_free (self->id);
  g_clear_pointer (&self->files, wly_model_files_unref);
  g_clear_pointer (&self->next_files, wly_model_files_unref);
  g_clear_pointer (&self->info, wly_model_info_free);
  g_clear_error (&self->error);
  g_object_unref (self->probe_cancellable);
  wly_model_waiters_free (self->waiters);
  wly_model_pause_free (self->pause);
  wly_model_context_unref (self->context);
  G_OBJECT_CLASS (wly_model_parent_class)->finalize (object);
}

static void
wly_model_class_init (WlyModelClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose  = wly_model_dispose;
  G_OBJECT_CLASS (klass)->finalize = wly_model_finalize;
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", WLY_TYPE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
  signals[SIGNAL_WORKER_GONE] = g_signal_new ("worker-gone", WLY_TYPE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                              G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
  signals[SIGNAL_UNLOADED]    = g_signal_new ("unloaded", WLY_TYPE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                              G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
  signals[SIGNAL_GENERATION_CHANGED] =
      g_signal_new ("generation-changed", WLY_TYPE_MODEL, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                    G_TYPE_UINT64, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_VARIANT);
}

static void
wly_model_init (WlyModel *self)
{
  self->waiters = wly_model_waiters_new (waiter_cancelled_cb, self);

  self->probe_cancellable = g_cancellable_new ();
}

WlyModel *
wly_model_new (WlyModelContext *context, const char *id, WlyModelFiles *files)
{
  WlyModel *self = g_object_new (WLY_TYPE_MODEL, NULL);

  self->context  = wly_model_context_ref (context);
  self->id       = g_strdup (id);
  self->files    = wly_model_files_ref (files);
  self->pause    = wly_model_pause_new (context->quarantine, pause_over_cb, self);
  self->resident = wly_residency_add (context->residency, id, evict_cb, self);
  g_signal_connect_object (context->residency, "booked", G_CALLBACK (booked_cb), self, 0);
  g_signal_connect_object (context->residency, "room", G_CALLBACK (freed_cb), self, 0);
  return self;
}
