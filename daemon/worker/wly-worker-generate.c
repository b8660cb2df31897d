/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Generate, Cancel, and the life of a generation as the main thread sees it.
 *
 *   TEXT   the text thread reads the body and makes tokens of it
 *   STEP   the step thread has it
 *   DRAIN  computed; the reader has not taken all of the text yet
 *   ENDED  woollyd was told; then come the last frames
 *
 * woollyd hears of the end before the reader does, so that a reader that sees the last frame can use the session at
 * once.
 */
#include "wly-worker-private.h"

#include "wly-error.h"
#include "wly-options.h"
#include "wly-prompt.h"
#include "wly-structure.h"

#include <unistd.h>

#define GENERATE_SCOPES (1u << WLY_SCOPE_GENERATE | 1u << WLY_SCOPE_WORKER)

typedef enum {
  PHASE_TEXT,
  PHASE_STEP,
  PHASE_DRAIN,
  PHASE_ENDED,
} Phase;

typedef struct {
  WlyCall call; /* for its descriptors; it was replied to */
  WlyGeneration *generation;
  Phase phase;
  gboolean stalled;
  gboolean in_text; /* the text thread has it, though it may have ended */
  gboolean told;    /* all that there is to say about its end was said */
  /* for the text thread */
  WlyOpened *opened;
  int body_fd;
  int *fds;
  gsize n_fds;
  WlyPast past;
} Run;

static void
run_free (Run *run)
{
  wly_call_clear (&run->call);
  wly_generation_unref (run->generation);
  g_clear_pointer (&run->opened, wly_opened_unref);
  g_free (run->fds);
  g_free (run);
}

/* ---- the end ---- */

static void
emit_changed (WlyWorker *worker, guint64 number, WlyGenerationState state, GVariant *result)
{
  wly_rpc_worker1_emit_generation_changed (worker->skeleton, number, wly_generation_state_name (state), result);
}

static GVariant *
empty_result (void)
{
  return g_variant_new_array (G_VARIANT_TYPE ("{sv}"), NULL, 0);
}

/* woollyd has the signal: now the reader may know. */
static void
flushed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;

  g_dbus_connection_flush_finish (G_DBUS_CONNECTION (source), result, NULL);
  wly_generation_write_end (run->generation);
  wly_stream_finish (run->generation->stream);
  run->call.worker->n_ending--;
  run->told = TRUE;
  if (!run->in_text)
    run_free (run);
}

static void
announce (Run *run)
{
  WlyWorker *worker         = run->call.worker;
  WlyGeneration *generation = run->generation;

  if (run->phase == PHASE_ENDED)
    return;
  run->phase                = PHASE_ENDED;
  generation->session->busy = FALSE;
  wly_stream_unwatch (generation->stream);
  emit_changed (worker, generation->number, wly_generation_final_state (generation),
                wly_generation_result (generation));
  g_hash_table_remove (worker->generations, &generation->number);
  worker->n_ending++;
  g_dbus_connection_flush (worker->connection, NULL, flushed_cb, run);
}

/* The reader has to take the text before it is done; what is cancelled or failed is over at once. */
static void
drain (Run *run)
{
  WlyGeneration *generation = run->generation;

  run->phase = PHASE_DRAIN;
  if (run->stalled)
    wly_generation_set_error (
        generation, g_error_new_literal (WLY_ERROR, WLY_ERROR_READER_STALLED,
                                         "The stream was not read for too long; what was generated until then "
                                         "is in the session"));
  if (wly_generation_final_state (generation) != WLY_GENERATION_DONE || wly_stream_is_empty (generation->stream))
    announce (run);
}

/* ---- what ends it early ---- */

static void
cancel_run (Run *run)
{
  WlyGeneration *generation = run->generation;

  switch (run->phase) {
  case PHASE_TEXT:
    /* the text thread may be busy for seconds, with this text or with those before it; none of it is needed any more */
    g_atomic_int_set (&generation->cancelled, 1);
    generation->reason = "cancelled";
    drain (run);
    break;
  case PHASE_STEP:
    wly_stepper_cancel (run->call.worker->stepper, generation);
    break;
  case PHASE_DRAIN:
    generation->reason = "cancelled";
    announce (run);
    break;
  case PHASE_ENDED:
    break;
  }
}

static void
hung_up_cb (gpointer data)
{
  cancel_run (data);
}

static void
stalled_cb (gpointer data)
{
  Run *run = data;

  run->stalled = TRUE;
  if (run->phase == PHASE_DRAIN)
    drain (run);
  else
    cancel_run (run);
}

static void
drained_cb (gpointer data)
{
  Run *run = data;

  if (run->phase == PHASE_STEP)
    wly_stepper_wake (run->call.worker->stepper);
  else if (run->phase == PHASE_DRAIN && wly_stream_is_empty (run->generation->stream))
    announce (run);
}

static const WlyStreamEvents stream_events = { hung_up_cb, stalled_cb, drained_cb };

/* ---- what the stepper says ---- */

static void
changed_cb (WlyGeneration *generation, WlyGenerationState state, gpointer data)
{
  WlyWorker *worker = data;
  Run *run          = g_hash_table_lookup (worker->generations, &generation->number);

  if (run != NULL && run->phase == PHASE_STEP)
    emit_changed (worker, generation->number, state, empty_result ());
}

static void
finished_cb (WlyGeneration *generation, gpointer data)
{
  WlyWorker *worker = data;
  Run *run          = g_hash_table_lookup (worker->generations, &generation->number);

  g_return_if_fail (run != NULL && run->generation == generation);
  drain (run);
}

const WlyStepperEvents wly_worker_stepper_events = { changed_cb, finished_cb };

/* ---- text ---- */

static void
text_work (gpointer data)
{
  Run *run                  = data;
  WlyGeneration *generation = run->generation;
  g_auto (WlyBody) body     = { 0 };
  GError **error            = &run->call.error;

  if (g_atomic_int_get (&generation->cancelled))
    return;
  if (!wly_body_read (run->body_fd, run->fds, run->n_fds, &body, error)
      || !wly_prompt_tokens (run->opened, &body, &run->past, generation->prompt, error)
      || !wly_structure_make (run->opened, &body, generation->prompt, generation->options, generation->session->salt,
                              &generation->grammar, error))
    return;
  wly_sampling_find_breakers (&generation->sampling, generation->options, wly_opened_tokenizer (run->opened, NULL));
  generation->parser =
      wly_pieces_new (run->opened, &body, generation->prompt, wly_structure_is_own (generation->options));
}

static void
text_done (gpointer data)
{
  Run *run                  = data;
  WlyGeneration *generation = run->generation;

  run->in_text = FALSE;
  if (run->phase == PHASE_ENDED) {
    if (run->told)
      run_free (run);
    return;
  }
  g_clear_object (&run->call.fd_list);
  if (run->call.error != NULL) {
    generation->reason = "error";
    wly_generation_set_error (generation, g_steal_pointer (&run->call.error));
    drain (run);
  } else if (g_atomic_int_get (&generation->cancelled)) {
    generation->reason = "cancelled";
    drain (run);
  } else {
    run->phase = PHASE_STEP;
    wly_stepper_begin (run->call.worker->stepper, generation);
  }
}

/* ---- Generate ---- */

static WlyStream *
take_stream (GUnixFDList *fd_list, GVariant *handle, GVariant *options, GError **error)
{
  gint n                = fd_list != NULL ? g_unix_fd_list_get_length (fd_list) : 0;
  g_autofree char *word = wly_options_dup_string (WLY_SCOPE_GENERATE, options, "stream");
  guint32 stall_ms      = wly_options_get_uint32 (WLY_SCOPE_WORKER, options, "stall-ms");
  gint32 index          = g_variant_get_handle (handle);
  int fd                = index >= 0 && index < n ? g_unix_fd_list_get (fd_list, index, error) : -1;

  if (fd >= 0)
    return wly_stream_new (fd, wly_stream_format_parse (word), stall_ms, error);
  if (error == NULL || *error == NULL)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The generation came without its stream");
  return NULL;
}

static WlySession *
take_session (WlyWorker *worker, guint64 number, GError **error)
{
  WlySession *session = g_hash_table_lookup (worker->sessions, &number);

  if (session == NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, "There is no session %" G_GUINT64_FORMAT, number);
  else if (session->busy) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "Session %" G_GUINT64_FORMAT " is in use", number);
    session = NULL;
  }
  return session;
}

/* @stream stays the caller's. */
static WlyGeneration *
make_generation (WlyWorker *worker, guint64 number, guint64 session_number, WlyStream *stream, GVariant *options,
                 GError **error)
{
  WlySession *session;

  if (!wly_options_check (GENERATE_SCOPES, options, error))
    return NULL;
  if (g_hash_table_contains (worker->generations, &number)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is a generation %" G_GUINT64_FORMAT " already",
                 number);
    return NULL;
  }
  session = take_session (worker, session_number, error);
  if (session == NULL)
    return NULL;
  return wly_generation_new (number, session, worker->opened, wly_stream_ref (stream), options, worker->device.id,
                             error);
}

/* The call is refused, and whoever reads the stream hears why, too. */
static void
refuse_generation (GDBusMethodInvocation *invocation, WlyStream *stream, GError *error)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "name", "s", wly_error_dbus_name ((WlyErrorCode)error->code));
  g_variant_dict_insert (&dict, "message", "s", error->message);
  wly_stream_write (stream, WOOLLY_FRAME_ERROR, g_variant_dict_end (&dict));
  wly_stream_finish (stream);
  wly_worker_refuse (invocation, error);
}

static Run *
run_new (WlyWorker *worker, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, WlyGeneration *generation)
{
  Run *run            = g_new0 (Run, 1);
  WlySession *session = generation->session;

  wly_call_init (&run->call, worker, invocation, fd_list);
  run->generation      = generation;
  run->opened          = wly_opened_ref (worker->opened);
  run->past.n_tokens   = wly_session_n_tokens (session);
  run->past.last_token = wly_session_last_token (session);
  generation->n_used   = run->past.n_tokens;
  session->busy        = TRUE;
  g_hash_table_insert (worker->generations, &generation->number, run);
  return run;
}

static gboolean
handle_generate_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, guint64 number,
                    guint64 session, GVariant *body, GVariant *fds, GVariant *handle, GVariant *options, gpointer data)
{
  WlyWorker *worker            = data;
  GError *error                = NULL;
  g_autoptr (WlyStream) stream = NULL;
  WlyGeneration *generation;
  Run *run;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  stream = take_stream (fd_list, handle, options, &error);
  if (stream == NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  generation = make_generation (worker, number, session, stream, options, &error);
  if (generation == NULL) {
    refuse_generation (invocation, stream, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  run          = run_new (worker, invocation, fd_list, generation);
  run->body_fd = wly_call_fd (&run->call, body);
  run->fds     = wly_call_fds (&run->call, fds, &run->n_fds, &run->call.error);
  wly_rpc_worker1_complete_generate (skeleton, invocation, NULL);
  wly_stream_watch (generation->stream, &stream_events, run);
  /* what is wrong from here on comes as GenerationChanged, and to the reader */
  if (run->call.error == NULL && run->body_fd < 0)
    run->call.error = g_error_new_literal (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "The request came without its body");
  if (run->call.error != NULL) {
    text_done (run);
  } else {
    run->in_text = TRUE;
    wly_lane_push (worker->text, run->generation->session->salt, wly_call_n_text_bytes (run->body_fd, run->n_fds),
                   text_work, text_done, run);
  }
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- Cancel ---- */

static gboolean
handle_cancel_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, guint64 number, gpointer data)
{
  WlyWorker *worker = data;
  Run *run          = g_hash_table_lookup (worker->generations, &number);

  if (run != NULL)
    cancel_run (run);
  wly_rpc_worker1_complete_cancel (skeleton, invocation);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
wly_worker_cancel_session (WlyWorker *worker, WlySession *session)
{
  g_autoptr (GList) runs = g_hash_table_get_values (worker->generations);

  for (GList *at = runs; at != NULL; at = at->next) {
    Run *run = at->data;

    if (run->generation->session == session)
      cancel_run (run);
  }
}

void
wly_worker_drop_generations (WlyWorker *worker)
{
  g_autoptr (GList) runs = g_hash_table_get_values (worker->generations);

  for (GList *at = runs; at != NULL; at = at->next) {
    Run *run = at->data;

    wly_stream_close (run->generation->stream);
    cancel_run (run);
  }
  while (worker->n_ending > 0)
    g_main_context_iteration (NULL, TRUE);
}

void
wly_worker_connect_generations (WlyWorker *worker)
{
  g_signal_connect (worker->skeleton, "handle-generate", G_CALLBACK (handle_generate_cb), worker);
  g_signal_connect (worker->skeleton, "handle-cancel", G_CALLBACK (handle_cancel_cb), worker);
}
