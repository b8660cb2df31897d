/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model.h"

#include "wly-error.h"
#include "wly-model-load.h"
#include "wly-model-waiters.h"
#include "wly-os.h"

#include <string.h>

#define OPEN_TIMEOUT_MS 30000
#define LOAD_TIMEOUT_MS (30 * 60 * 1000) /* a large model from a slow disk */
#define MAX_TEXT_BYTES  256
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
  GVariant *load_options; /* in force while loading and ready */
  guint64 done_bytes, total_bytes;
  guint64 pack_bytes; /* what the worker may use for packed weights */
  char *device;
  WlyResident *resident;
  gulong room_handler;
  int n_busy, n_held;
  guint quarantine_timer;
  guint restart_timer;
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

static gboolean
options_fit (WlyModel *self, GVariant *options)
{
  return options == NULL || g_variant_n_children (options) == 0
         || (self->load_options != NULL && g_variant_equal (options, self->load_options));
}

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

  if (is_dying (self))
    return FALSE;
  if (!waiter->loaded)
    return self->state == WLY_MODEL_OPENED || self->state == WLY_MODEL_LOADING || self->state == WLY_MODEL_READY;
  return self->state == WLY_MODEL_READY && options_fit (self, waiter->options);
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
  self->total_bytes = total;
  self->done_bytes  = MIN (done, total);
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

static gboolean
quarantine_over_cb (gpointer data)
{
  WlyModel *self = data;

  self->quarantine_timer = 0;
  if (self->state == WLY_MODEL_QUARANTINED)
    set_state (self, idle_state (self));
  return G_SOURCE_REMOVE;
}

static void
enter_quarantine (WlyModel *self)
{
  gint64 left_us = wly_quarantine_left_us (self->context->quarantine, wly_model_files_get_identity (self->files),
                                           g_get_monotonic_time ());
  g_autoptr (GError) error =
      g_error_new (WLY_ERROR, WLY_ERROR_MODEL_QUARANTINED,
                   "the worker process died again and again with this model; it is left alone for %" G_GINT64_FORMAT
                   " s, or until its file changes or the quarantine is cleared",
                   left_us / G_USEC_PER_SEC + 1);

  g_clear_handle_id (&self->quarantine_timer, g_source_remove);
  self->quarantine_timer = g_timeout_add ((guint)(left_us / 1000 + 1), quarantine_over_cb, self);
  set_error (self, error);
  set_state (self, WLY_MODEL_QUARANTINED);
  fail_waiters (self, FALSE, error);
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
  g_clear_pointer (&self->load_options, g_variant_unref);
  g_free (self->device);
  self->device     = g_strdup ("");
  self->done_bytes = self->total_bytes = 0;
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
    enter_quarantine (self);
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

static GVariant *
open_parameters (GUnixFDList *fds)
{
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));

  for (int i = 0; i < g_unix_fd_list_get_length (fds); i++)
    g_variant_builder_add (&handles, "h", i);
  return g_variant_new ("(ah)", &handles);
}

typedef struct {
  WlyModel *model;
  char **plugins;
} Opening;

/* FALSE: what is on the way leads nowhere any more, and who waits is answered by somebody else. */
static gboolean
goes_on_opening (WlyModel *self)
{
  if (self->state != WLY_MODEL_OPENING || self->worker != NULL)
    return FALSE; /* it was begun anew meanwhile */
  if (self->next_files == NULL)
    return TRUE;
  take_next_files (self);
  step (self);
  return FALSE;
}

static void
files_opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autofree Opening *opening = data;
  g_autoptr (WlyModel) self   = opening->model;
  g_auto (GStrv) plugins      = opening->plugins;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = wly_model_files_open_finish (result, &error);

  if (!goes_on_opening (self))
    return;
  if (fds != NULL)
    self->worker = wly_worker_process_new ((const char *const *)plugins, &error);
  if (self->worker == NULL) {
    fail_open (self, error);
    return;
  }
  g_signal_connect (self->worker, "exited", G_CALLBACK (exited_cb), self);
  g_signal_connect (self->worker, "load-progress", G_CALLBACK (load_progress_cb), self);
  g_signal_connect (self->worker, "generation-changed", G_CALLBACK (generation_changed_cb), self);
  wly_worker_process_call_async (self->worker, "Open", open_parameters (fds), fds, OPEN_TIMEOUT_MS, opened_cb,
                                 g_object_ref (self));
}

static guint
file_ms (WlyModel *self)
{
  return wly_settings_get_uint32 (self->context->settings, "limits", "file-ms");
}

static void
plugins_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self = data;
  g_autoptr (GVariant) list = wly_plugins_list_finish (WLY_PLUGINS (source), result, NULL);
  Opening *opening;

  if (!goes_on_opening (self))
    return;
  opening          = g_new (Opening, 1);
  opening->plugins = wly_plugins_usable_files (list);
  opening->model   = g_steal_pointer (&self);
  wly_model_files_open_async (opening->model->files, file_ms (opening->model), files_opened_cb, opening);
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
  wly_plugins_list_async (self->context->plugins, plugins_cb, g_object_ref (self));
}

/* --- loading ---------------------------------------------------------------------------------------------------- */

/* Another one has booked memory; where this one used it, it gives it back. */
static void
booked_cb (WlyResidency *residency, gpointer data)
{
  WlyModel *self  = data;
  guint64 n_bytes = self->info != NULL ? wly_residency_get_share (residency, self->info->weights_bytes) : 0;

  if (self->state != WLY_MODEL_READY || is_dying (self) || n_bytes >= self->pack_bytes)
    return;
  self->pack_bytes = n_bytes;
  wly_worker_process_call_async (self->worker, "LimitWeights", g_variant_new ("(t)", n_bytes), NULL, LOAD_TIMEOUT_MS,
                                 NULL, NULL);
}

static GVariant *
load_parameters (WlyModel *self, guint64 kv_bytes)
{
  self->pack_bytes = wly_residency_get_share (self->context->residency, self->info->weights_bytes);
  return wly_model_load_parameters (self->load_options, self->context->settings, kv_bytes, self->pack_bytes);
}

static void
take_load_info (WlyModel *self, GVariant *dictionary)
{
  const char *device    = "";
  guint64 weights_bytes = 0, kv_bytes = 0, sum;

  g_variant_lookup (dictionary, "device", "&s", &device);
  g_variant_lookup (dictionary, "weights-bytes", "t", &weights_bytes);
  g_variant_lookup (dictionary, "kv-bytes", "t", &kv_bytes);
  g_free (self->device);
  self->device = strlen (device) <= MAX_TEXT_BYTES ? g_strdup (device) : g_strdup ("");
  /* what was booked stays booked; a worker that says it needs more is believed up to what would scare nobody away */
  if (g_uint64_checked_add (&sum, weights_bytes, kv_bytes) && sum > wly_residency_get_bytes (self->resident)
      && sum <= wly_residency_get_budget (self->context->residency))
    wly_residency_set_bytes (self->resident, sum);
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
    g_clear_pointer (&self->load_options, g_variant_unref);
    wly_residency_set_bytes (self->resident, OPENED_BYTES);
    set_error (self, error);
    set_state (self, WLY_MODEL_OPENED);
    fail_waiters (self, TRUE, error);
    step (self);
    return;
  }
  g_variant_get (reply, "(@a{sv})", &dictionary);
  take_load_info (self, dictionary);
  set_error (self, NULL);
  self->done_bytes = self->total_bytes;
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
  self->load_options = wly_model_waiters_dup_options (self->waiters);
  self->done_bytes   = 0;
  self->total_bytes  = self->info->weights_bytes;
  set_state (self, WLY_MODEL_LOADING);
  wly_worker_process_call_async (self->worker, "Load", load_parameters (self, kv_bytes), NULL, LOAD_TIMEOUT_MS,
                                 loaded_cb, g_object_ref (self));
}

/* --- the next step for those who wait ---------------------------------------------------------------------------- */

gboolean
wly_model_accept_options (WlyModel *self, GVariant *options, GError **error)
{
  if ((self->state != WLY_MODEL_READY && self->state != WLY_MODEL_LOADING) || options_fit (self, options))
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

static gboolean
restart_cb (gpointer data)
{
  g_autoptr (WlyModel) self = g_object_ref (data);

  self->restart_timer = 0;
  step (self);
  return G_SOURCE_REMOVE;
}

/* From nothing in memory to opened: at once, but after deaths. */
static void
begin (WlyModel *self)
{
  WlyQuarantine *quarantine = self->context->quarantine;
  const char *identity      = wly_model_files_get_identity (self->files);
  gint64 now_us             = g_get_monotonic_time ();
  gint64 pause_us           = wly_quarantine_pause_us (quarantine, identity, now_us);

  g_clear_handle_id (&self->restart_timer, g_source_remove);
  if (wly_quarantine_left_us (quarantine, identity, now_us) > 0)
    enter_quarantine (self);
  else if (pause_us > 0)
    self->restart_timer = g_timeout_add ((guint)(pause_us / 1000 + 1), restart_cb, self);
  else
    start_open (self);
}

static void
step (WlyModel *self)
{
  wly_model_waiters_answer (self->waiters, is_satisfied_cb, self);
  if (!wly_model_waiters_is_empty (self->waiters)) {
    switch (self->state) {
    case WLY_MODEL_UNKNOWN:
    case WLY_MODEL_AVAILABLE:
    case WLY_MODEL_FAILED:
      begin (self);
      break;
    case WLY_MODEL_QUARANTINED:
      fail_waiters (self, FALSE, self->error);
      break;
    case WLY_MODEL_OPENED:
      if (!is_dying (self))
        start_load (self);
      break;
    case WLY_MODEL_READY:
      if (!is_dying (self))
        load_anew (self);
      break;
    default:
      break; /* on the way */
    }
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
  g_clear_handle_id (&self->quarantine_timer, g_source_remove);
  if (self->worker == NULL && self->state != WLY_MODEL_OPENING)
    take_next_files (self);
  else if (self->worker != NULL && !wly_model_is_busy (self) && self->state != WLY_MODEL_UNLOADING)
    stop_worker (self, NULL);
}

void
wly_model_clear_quarantine (WlyModel *self)
{
  wly_quarantine_clear (self->context->quarantine, wly_model_files_get_identity (self->files));
  g_clear_handle_id (&self->quarantine_timer, g_source_remove);
  step (self); /* nothing needs to be waited for any more */
  if (self->state != WLY_MODEL_QUARANTINED)
    return;
  set_error (self, NULL);
  set_state (self, idle_state (self));
  wly_model_probe (self);
}

static void
probe_ended (WlyModel *self, GVariant *reply, const GError *error)
{
  gboolean waits = self->state == WLY_MODEL_UNKNOWN;

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

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self  = data;
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_prober_run_finish (WLY_PROBER (source), result, &error);

  probe_ended (self, reply, error);
}

static void
probe_files_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (WlyModel) self   = data;
  g_autoptr (GError) error    = NULL;
  g_autoptr (GUnixFDList) fds = wly_model_files_open_finish (result, &error);
  g_autofree char *n_files    = NULL;
  const int *list;
  int n_fds;

  if (fds == NULL) {
    probe_ended (self, NULL, error);
    return;
  }
  list                          = g_unix_fd_list_peek_fds (fds, &n_fds);
  n_files                       = g_strdup_printf ("%d", n_fds);
  const char *const arguments[] = { "model", "--files", n_files, NULL };
  wly_prober_run_async (self->context->prober, arguments, list, (gsize)n_fds, self->probe_cancellable, probed_cb,
                        g_object_ref (self));
}

void
wly_model_probe (WlyModel *self)
{
  if (self->probing || self->info != NULL || self->state != WLY_MODEL_UNKNOWN)
    return;
  self->probing = TRUE;
  wly_model_files_open_async (self->files, file_ms (self), probe_files_cb, g_object_ref (self));
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
  return self->total_bytes > 0 ? (double)self->done_bytes / (double)self->total_bytes : 0;
}

void
wly_model_get_progress_bytes (WlyModel *self, guint64 *ret_done, guint64 *ret_total)
{
  *ret_done  = self->done_bytes;
  *ret_total = self->total_bytes;
}

const char *
wly_model_get_device (WlyModel *self)
{
  return self->device;
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
  g_clear_handle_id (&self->quarantine_timer, g_source_remove);
  g_clear_handle_id (&self->restart_timer, g_source_remove);
  g_clear_pointer (&self->resident, wly_residency_remove);
  G_OBJECT_CLASS (wly_model_parent_class)->dispose (object);
}

static void
wly_model_finalize (GObject *object)
{
  WlyModel *self = WLY_MODEL (object);

  g_free (self->id);
  g_free (self->device);
  g_clear_pointer (&self->files, wly_model_files_unref);
  g_clear_pointer (&self->next_files, wly_model_files_unref);
  g_clear_pointer (&self->info, wly_model_info_free);
  g_clear_error (&self->error);
  g_object_unref (self->probe_cancellable);
  wly_model_waiters_free (self->waiters);
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
  self->device  = g_strdup ("");

  self->probe_cancellable = g_cancellable_new ();
}

WlyModel *
wly_model_new (WlyModelContext *context, const char *id, WlyModelFiles *files)
{
  WlyModel *self = g_object_new (WLY_TYPE_MODEL, NULL);

  self->context  = wly_model_context_ref (context);
  self->id       = g_strdup (id);
  self->files    = wly_model_files_ref (files);
  self->resident = wly_residency_add (context->residency, id, evict_cb, self);
  g_signal_connect_object (context->residency, "booked", G_CALLBACK (booked_cb), self, 0);
  return self;
}
