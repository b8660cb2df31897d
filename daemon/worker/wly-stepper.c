/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-stepper.h"

#include "wly-error.h"
#include "wly-evict.h"

typedef struct {
  WlyWorkFunc work;
  WlyWorkFunc done;
  gpointer data;
} Job;

/* Something about a generation that the main thread is to hear. */
typedef struct {
  WlyStepper *stepper;
  WlyGeneration *generation;
  WlyGenerationState state;
  gboolean finished;
} Notice;

struct WlyStepper {
  const WlyStepperEvents *events;
  gpointer user_data;
  GThread *thread;

  GMutex mutex;
  GCond cond;
  GQueue jobs;     /* Job*, under the lock */
  GQueue arriving; /* WlyGeneration*, under the lock */
  gboolean kicked; /* under the lock: something changed, look again */
  gboolean stop;   /* atomic */
  int abort;       /* what the running step looks at between layers; set under the lock */
  guint n_step;    /* tokens of the running step, under the lock; 0: none runs */

  /* step thread */
  WlyNetwork *network;
  WlyBatchLimits limits;
  GPtrArray *sessions; /* WlySession* */
  GPtrArray *active;   /* WlyGeneration* */
  guint64 n_arrived, clock;
  guint64 n_steps, n_aborted;
  gboolean runnable; /* there may be something to compute */
};

/* ---- notices ---- */

static void
notice_free (gpointer data)
{
  Notice *notice = data;

  wly_generation_unref (notice->generation);
  g_free (notice);
}

static gboolean
notice_cb (gpointer data)
{
  Notice *notice      = data;
  WlyStepper *stepper = notice->stepper;

  if (notice->finished)
    stepper->events->finished (notice->generation, stepper->user_data);
  else
    stepper->events->changed (notice->generation, notice->state, stepper->user_data);
  return G_SOURCE_REMOVE;
}

static void
notify (WlyStepper *stepper, WlyGeneration *generation, gboolean finished)
{
  Notice *notice = g_new (Notice, 1);

  notice->stepper    = stepper;
  notice->generation = wly_generation_ref (generation);
  notice->state      = generation->state;
  notice->finished   = finished;
  g_idle_add_full (G_PRIORITY_DEFAULT, notice_cb, notice, notice_free);
}

static void
set_state (WlyStepper *stepper, WlyGeneration *generation, WlyGenerationState state)
{
  if (generation->state == state)
    return;
  generation->state = state;
  notify (stepper, generation, FALSE);
}

/* It has ended: away with it, and what had to make room may try again. */
static void
retire (WlyStepper *stepper, WlyGeneration *generation)
{
  notify (stepper, generation, TRUE);
  g_ptr_array_remove (stepper->active, generation);
  wly_evict_resume (stepper->active);
}

static void
fail (WlyStepper *stepper, WlyGeneration *generation, const char *reason, GError *error)
{
  wly_generation_end (generation, reason, error);
  retire (stepper, generation);
}

/* ---- what runs next ---- */

/* Where a newcomer starts: with the least that anybody has had, so that nobody waits for it to catch up. */
static guint64
first_virtual_time (const WlyStepper *stepper)
{
  guint64 least = G_MAXUINT64;

  for (guint i = 0; i < stepper->active->len; i++) {
    const WlyGeneration *generation = g_ptr_array_index (stepper->active, i);

    least = MIN (least, generation->virtual_time);
  }
  return least == G_MAXUINT64 ? 0 : least;
}

static void
take_in (WlyStepper *stepper, WlyGeneration *generation)
{
  generation->virtual_time       = first_virtual_time (stepper);
  generation->order              = stepper->n_arrived++;
  generation->session->last_used = ++stepper->clock;
  g_ptr_array_add (stepper->active, generation);
  if (g_atomic_int_get (&generation->cancelled))
    fail (stepper, generation, "cancelled", NULL);
  else if (wly_generation_start (generation))
    notify (stepper, generation, FALSE);
  else
    retire (stepper, generation);
}

static void
end_cancelled (WlyStepper *stepper)
{
  for (guint i = stepper->active->len; i > 0; i--) {
    WlyGeneration *generation = g_ptr_array_index (stepper->active, i - 1);

    if (g_atomic_int_get (&generation->cancelled))
      fail (stepper, generation, "cancelled", NULL);
  }
}

static WlyGenerationState
running_state (const WlyGeneration *generation)
{
  return generation->n_out > 0 ? WLY_GENERATION_GENERATING : WLY_GENERATION_PREFILL;
}

/* Those that can compute now, without those whose reader has to catch up. */
static GPtrArray *
collect_runnable (WlyStepper *stepper)
{
  GPtrArray *runnable = g_ptr_array_new ();

  for (guint i = 0; i < stepper->active->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (stepper->active, i);
    gboolean full             = wly_stream_is_full (generation->stream);

    set_state (stepper, generation, full ? WLY_GENERATION_PAUSED : running_state (generation));
    if (!full && !generation->preempted)
      g_ptr_array_add (runnable, generation);
  }
  return runnable;
}

/* The batch's items; @in_step gets their generations, in the same order. */
static GArray *
choose_items (WlyStepper *stepper, GPtrArray *runnable, GPtrArray *in_step, guint *ret_n_tokens)
{
  GArray *items                     = g_array_new (FALSE, TRUE, sizeof (WlyStepItem));
  g_autofree WlyBatchEntry *entries = g_new0 (WlyBatchEntry, runnable->len);

  for (guint i = 0; i < runnable->len; i++) {
    const WlyGeneration *generation = g_ptr_array_index (runnable, i);

    /* what others of the same prefix have computed meanwhile */
    wly_sequence_adopt (generation->session->sequence);
    entries[i].n_pending    = wly_generation_n_pending (generation);
    entries[i].prefill      = entries[i].n_pending > 1 || !generation->committed;
    entries[i].priority     = generation->priority;
    entries[i].weight       = generation->weight;
    entries[i].virtual_time = generation->virtual_time;
    entries[i].order        = generation->order;
  }
  *ret_n_tokens = wly_batch_fill (entries, runnable->len, &stepper->limits);
  for (guint i = 0; i < runnable->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (runnable, i);
    WlyStepItem item          = { .sequence = generation->session->sequence, .n_tokens = entries[i].n_take };

    if (entries[i].n_take == 0)
      continue;
    item.want_output = entries[i].n_take == entries[i].n_pending;
    g_array_append_val (items, item);
    g_ptr_array_add (in_step, wly_generation_ref (generation));
  }
  return items;
}

/* ---- a step ---- */

/* What wly_stepper_cancel() looks at; FALSE: one of them was cancelled before the step began. */
static gboolean
announce_step (WlyStepper *stepper, GPtrArray *in_step, const GArray *items, guint n_tokens)
{
  gboolean go = TRUE;

  g_mutex_lock (&stepper->mutex);
  __atomic_store_n (&stepper->abort, g_atomic_int_get (&stepper->stop), __ATOMIC_RELAXED);
  stepper->n_step = n_tokens;
  for (guint i = 0; i < in_step->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (in_step, i);

    generation->n_step_tokens = g_array_index (items, WlyStepItem, i).n_tokens;
    go &= !g_atomic_int_get (&generation->cancelled);
  }
  g_mutex_unlock (&stepper->mutex);
  return go;
}

static void
close_step (WlyStepper *stepper, GPtrArray *in_step)
{
  g_mutex_lock (&stepper->mutex);
  stepper->n_step = 0;
  for (guint i = 0; i < in_step->len; i++)
    ((WlyGeneration *)g_ptr_array_index (in_step, i))->n_step_tokens = 0;
  g_mutex_unlock (&stepper->mutex);
}

static void
deliver (WlyStepper *stepper, GPtrArray *in_step, const GArray *items)
{
  for (guint i = 0; i < in_step->len; i++) {
    WlyGeneration *generation = g_ptr_array_index (in_step, i);
    const WlyStepItem *item   = &g_array_index (items, WlyStepItem, i);

    generation->virtual_time =
        wly_batch_charge (generation->virtual_time, item->n_tokens, generation->priority, generation->weight);
    generation->session->last_used = ++stepper->clock;
    if (!item->want_output)
      wly_generation_progress (generation);
    else if (!wly_generation_advance (generation, item->output))
      retire (stepper, generation);
  }
}

/* A step did not work: who has to give way, or fails. */
static void
recover (WlyStepper *stepper, GPtrArray *in_step, const GError *error)
{
  if (g_error_matches (error, WLY_ERROR, WLY_ERROR_CANCELLED)) {
    stepper->n_aborted++;
    return;
  }
  if (g_error_matches (error, WLY_ERROR, WLY_ERROR_NO_MEMORY)
      && wly_evict_one (stepper->sessions, stepper->active, in_step))
    return;
  for (guint i = 0; i < in_step->len; i++)
    fail (stepper, g_ptr_array_index (in_step, i), "error", g_error_copy (error));
}

static void
step (WlyStepper *stepper)
{
  g_autoptr (GPtrArray) runnable = NULL;
  g_autoptr (GPtrArray) in_step  = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_generation_unref);
  g_autoptr (GArray) items       = NULL;
  g_autoptr (GError) error       = NULL;
  guint n_tokens;
  gboolean stepped;

  end_cancelled (stepper);
  runnable          = collect_runnable (stepper);
  stepper->runnable = runnable->len > 0;
  if (runnable->len == 0)
    return;
  items = choose_items (stepper, runnable, in_step, &n_tokens);
  if (!announce_step (stepper, in_step, items, n_tokens)) {
    close_step (stepper, in_step);
    return;
  }
  stepped =
      wly_network_step (stepper->network, (WlyStepItem *)(void *)items->data, items->len, &stepper->abort, &error);
  close_step (stepper, in_step);
  if (stepped) {
    stepper->n_steps++;
    deliver (stepper, in_step, items);
  } else {
    recover (stepper, in_step, error);
  }
}

/* ---- the thread ---- */

static gboolean
job_done_cb (gpointer data)
{
  Job *job = data;

  job->done (job->data);
  return G_SOURCE_REMOVE;
}

/* Jobs go first: they are short, but for a load, when there is nothing to compute. */
static void
do_jobs (WlyStepper *stepper)
{
  for (;;) {
    Job *job;
    WlyGeneration *generation = NULL;

    g_mutex_lock (&stepper->mutex);
    job = g_queue_pop_head (&stepper->jobs);
    if (job == NULL)
      generation = g_queue_pop_head (&stepper->arriving);
    g_mutex_unlock (&stepper->mutex);
    if (job != NULL) {
      job->work (job->data);
      g_idle_add_full (G_PRIORITY_DEFAULT, job_done_cb, job, g_free);
    } else if (generation != NULL) {
      take_in (stepper, generation);
      stepper->runnable = TRUE;
    } else {
      return;
    }
  }
}

static void
wait_for_work (WlyStepper *stepper)
{
  g_mutex_lock (&stepper->mutex);
  while (!stepper->runnable && !stepper->kicked && !g_atomic_int_get (&stepper->stop)
         && g_queue_is_empty (&stepper->jobs) && g_queue_is_empty (&stepper->arriving))
    g_cond_wait (&stepper->cond, &stepper->mutex);
  stepper->kicked = FALSE;
  g_mutex_unlock (&stepper->mutex);
}

static void
clean_up (WlyStepper *stepper)
{
  while (stepper->active->len > 0)
    fail (stepper, g_ptr_array_index (stepper->active, stepper->active->len - 1), "cancelled", NULL);
  while (stepper->sessions->len > 0)
    wly_stepper_close_session (stepper, g_ptr_array_index (stepper->sessions, 0));
  g_clear_pointer (&stepper->network, wly_network_free);
}

static gpointer
step_thread (gpointer data)
{
  WlyStepper *stepper = data;

  while (!g_atomic_int_get (&stepper->stop)) {
    wait_for_work (stepper);
    do_jobs (stepper);
    if (stepper->network != NULL && !g_atomic_int_get (&stepper->stop))
      step (stepper);
  }
  do_jobs (stepper);
  clean_up (stepper);
  return NULL;
}

WlyStepper *
wly_stepper_new (const WlyStepperEvents *events, gpointer user_data)
{
  WlyStepper *stepper = g_new0 (WlyStepper, 1);

  stepper->events    = events;
  stepper->user_data = user_data;
  stepper->sessions  = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_session_unref);
  stepper->active    = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_generation_unref);
  g_mutex_init (&stepper->mutex);
  g_cond_init (&stepper->cond);
  stepper->thread = g_thread_new ("step", step_thread, stepper);
  return stepper;
}

/* Tells what the thread had to say, and of generations that came too late for it. */
static void
settle (WlyStepper *stepper)
{
  for (;;) {
    WlyGeneration *generation;

    while (g_main_context_iteration (NULL, FALSE))
      ;
    generation = g_queue_pop_head (&stepper->arriving);
    if (generation == NULL)
      return;
    wly_generation_end (generation, "cancelled", NULL);
    notify (stepper, generation, TRUE);
    wly_generation_unref (generation);
  }
}

void
wly_stepper_free (WlyStepper *stepper)
{
  if (stepper == NULL)
    return;
  wly_stepper_stop (stepper);
  g_thread_join (stepper->thread);
  settle (stepper);
  g_ptr_array_unref (stepper->active);
  g_ptr_array_unref (stepper->sessions);
  g_cond_clear (&stepper->cond);
  g_mutex_clear (&stepper->mutex);
  g_free (stepper);
}

/* ---- from the main thread ---- */

void
wly_stepper_push (WlyStepper *stepper, WlyWorkFunc work, WlyWorkFunc done, gpointer data)
{
  Job *job = g_new (Job, 1);

  *job = (Job){ work, done, data };
  g_mutex_lock (&stepper->mutex);
  g_queue_push_tail (&stepper->jobs, job);
  g_cond_signal (&stepper->cond);
  g_mutex_unlock (&stepper->mutex);
}

void
wly_stepper_begin (WlyStepper *stepper, WlyGeneration *generation)
{
  g_mutex_lock (&stepper->mutex);
  g_queue_push_tail (&stepper->arriving, wly_generation_ref (generation));
  g_cond_signal (&stepper->cond);
  g_mutex_unlock (&stepper->mutex);
}

void
wly_stepper_cancel (WlyStepper *stepper, WlyGeneration *generation)
{
  g_mutex_lock (&stepper->mutex);
  g_atomic_int_set (&generation->cancelled, 1);
  /* the others of the batch compute their share again, to the same bits: worth it where theirs is the smaller one */
  if (stepper->n_step > 0 && (guint64)generation->n_step_tokens * 2 >= stepper->n_step)
    __atomic_store_n (&stepper->abort, 1, __ATOMIC_RELAXED);
  stepper->kicked = TRUE;
  g_cond_signal (&stepper->cond);
  g_mutex_unlock (&stepper->mutex);
}

void
wly_stepper_wake (WlyStepper *stepper)
{
  g_mutex_lock (&stepper->mutex);
  stepper->kicked = TRUE;
  g_cond_signal (&stepper->cond);
  g_mutex_unlock (&stepper->mutex);
}

void
wly_stepper_stop (WlyStepper *stepper)
{
  g_mutex_lock (&stepper->mutex);
  g_atomic_int_set (&stepper->stop, TRUE);
  __atomic_store_n (&stepper->abort, 1, __ATOMIC_RELAXED);
  g_cond_signal (&stepper->cond);
  g_mutex_unlock (&stepper->mutex);
}

gboolean
wly_stepper_stopped (WlyStepper *stepper)
{
  return g_atomic_int_get (&stepper->stop);
}

/* ---- from jobs ---- */

void
wly_stepper_set_network (WlyStepper *stepper, WlyNetwork *network, const WlyBatchLimits *limits)
{
  stepper->network = network;
  stepper->limits  = *limits;
}

WlyNetwork *
wly_stepper_network (WlyStepper *stepper)
{
  return stepper->network;
}

void
wly_stepper_add_session (WlyStepper *stepper, WlySession *session)
{
  g_ptr_array_add (stepper->sessions, wly_session_ref (session));
}

void
wly_stepper_close_session (WlyStepper *stepper, WlySession *session)
{
  for (guint i = stepper->active->len; i > 0; i--) {
    WlyGeneration *generation = g_ptr_array_index (stepper->active, i - 1);

    if (generation->session == session)
      fail (stepper, generation, "cancelled", NULL);
  }
  wly_session_close (session);
  g_ptr_array_remove (stepper->sessions, session);
  wly_evict_resume (stepper->active);
  stepper->runnable = TRUE;
}

void
wly_stepper_counts (WlyStepper *stepper, guint64 *ret_n_steps, guint64 *ret_n_aborted)
{
  *ret_n_steps   = stepper->n_steps;
  *ret_n_aborted = stepper->n_aborted;
}
