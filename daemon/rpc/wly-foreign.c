/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-foreign.h"

#include "wly-error.h"

#include <unistd.h>

/* A close that hangs keeps its thread.  Most take no time: more threads than some are there only while that is so. */
#define MAX_CLOSERS 256

#define GUARDED_KEY "wly-foreign-guarded"

typedef struct {
  char *name;
  guint n_running; /* threads */
  guint n_stuck;   /* of them, those that nobody waits for any more */
  GQueue waiting;  /* Job* */
  guint n_pins;    /* functions that go on with it after an answer, which may call anything here */
} App;

typedef struct {
  App *app;
  GTask *task; /* NULL once it is answered */
  WlyForeignWork work;
  GMainContext *context;
  gboolean running;
  guint timer;
  gulong cancelled_handler;
  gpointer result; /* the thread's until done_cb() */
  GError *error;
} Job;

static GHashTable *apps = NULL; /* name -> App; only those with something to do */
static guint n_threads  = 0;

/* --- work --------------------------------------------------------------------------------------------------------- */

/* Pinned. */
static App *
find_app (const char *name)
{
  App *app;

  if (apps == NULL)
    apps = g_hash_table_new (g_str_hash, g_str_equal);
  app = g_hash_table_lookup (apps, name);
  if (app == NULL) {
    app       = g_new0 (App, 1);
    app->name = g_strdup (name);
    g_queue_init (&app->waiting);
    g_hash_table_insert (apps, app->name, app);
  }
  app->n_pins++;
  return app;
}

static void
unpin_app (App *app)
{
  if (--app->n_pins > 0 || app->n_running > 0 || !g_queue_is_empty (&app->waiting))
    return;
  g_hash_table_remove (apps, app->name);
  g_free (app->name);
  g_free (app);
}

static void
job_free (Job *job)
{
  if (job->work.free_data != NULL)
    job->work.free_data (job->work.data);
  g_clear_error (&job->error);
  g_main_context_unref (job->context);
  g_free (job);
}

/* The task is to be answered now; nothing else will do it. (transfer full) */
static GTask *
take_task (Job *job)
{
  if (job->timer != 0)
    g_source_remove (job->timer);
  job->timer = 0;
  if (job->cancelled_handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (job->task), job->cancelled_handler);
  job->cancelled_handler = 0;
  return g_steal_pointer (&job->task);
}

static void
refuse (Job *job)
{
  g_autoptr (GTask) task = take_task (job);

  job_free (job);
  g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_BUSY,
                           "files that were given before do not answer; no more are looked at until they do");
}

static void start_next (App *app);

/* In the main thread, after the thread. */
static gboolean
done_cb (gpointer data)
{
  Job *job               = data;
  App *app               = job->app;
  g_autoptr (GTask) task = NULL;
  gpointer result        = g_steal_pointer (&job->result);
  GError *error          = g_steal_pointer (&job->error);

  app->n_pins++;
  app->n_running--;
  n_threads--;
  if (job->task != NULL)
    task = take_task (job);
  else
    app->n_stuck--;
  if (task != NULL && error != NULL)
    g_task_return_error (task, g_steal_pointer (&error));
  else if (task != NULL)
    g_task_return_pointer (task, result, job->work.free_result);
  else if (result != NULL && job->work.free_result != NULL)
    job->work.free_result (result);
  g_clear_error (&error);
  job_free (job);
  start_next (app);
  unpin_app (app);
  return G_SOURCE_REMOVE;
}

static gpointer
job_thread (gpointer data)
{
  Job *job                   = data;
  g_autoptr (GSource) source = g_idle_source_new ();
  GMainContext *context      = g_main_context_ref (job->context);

  job->result = job->work.func (job->work.data, &job->error);
  g_source_set_priority (source, G_PRIORITY_DEFAULT);
  g_source_set_callback (source, done_cb, job, NULL);
  g_source_attach (source, context);
  g_main_context_unref (context);
  return NULL;
}

static void
start (Job *job)
{
  App *app = job->app;
  GThread *thread =
      n_threads < WLY_FOREIGN_MAX_THREADS ? g_thread_try_new ("wly-foreign", job_thread, job, NULL) : NULL;

  if (thread == NULL) {
    refuse (job);
    return;
  }
  g_thread_unref (thread);
  job->running = TRUE;
  app->n_running++;
  n_threads++;
}

static void
start_next (App *app)
{
  while (app->n_running < WLY_FOREIGN_MAX_PER_APP && !g_queue_is_empty (&app->waiting))
    start (g_queue_pop_head (&app->waiting));
}

/* All that wait, where none of the app's threads may come back. */
static void
refuse_if_stuck (App *app)
{
  while (app->n_stuck >= WLY_FOREIGN_MAX_PER_APP && !g_queue_is_empty (&app->waiting))
    refuse (g_queue_pop_head (&app->waiting));
}

/* Nobody waits for it any more.  Its thread goes on. */
static GTask *
give_up (Job *job)
{
  GTask *task = take_task (job);

  if (job->running) {
    job->app->n_stuck++;
    return task;
  }
  g_queue_remove (&job->app->waiting, job);
  job_free (job);
  return task;
}

static gboolean
time_up_cb (gpointer data)
{
  Job *job               = data;
  App *app               = job->app;
  gboolean running       = job->running;
  g_autoptr (GTask) task = give_up (job);

  app->n_pins++;
  if (running)
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_TIMED_OUT, "the file system of the given file does not answer");
  else
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_BUSY, "files that were given before do not answer");
  refuse_if_stuck (app);
  unpin_app (app);
  return G_SOURCE_REMOVE;
}

static void
cancelled_cb (GCancellable *cancellable, gpointer data)
{
  Job *job               = data;
  App *app               = job->app;
  g_autoptr (GTask) task = give_up (job);

  app->n_pins++;
  g_task_return_error_if_cancelled (task);
  refuse_if_stuck (app);
  unpin_app (app);
}

void
wly_foreign_run_async (gpointer source, const char *name, guint limit_ms, const WlyForeignWork *work,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  App *app = find_app (name);
  Job *job = g_new0 (Job, 1);

  job->app     = app;
  job->task    = g_task_new (source, cancellable, callback, user_data);
  job->work    = *work;
  job->context = g_main_context_ref_thread_default ();
  if (cancellable != NULL)
    job->cancelled_handler = g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), job);
  if (limit_ms > 0)
    job->timer = g_timeout_add (limit_ms, time_up_cb, job);
  g_queue_push_tail (&app->waiting, job);
  refuse_if_stuck (app);
  start_next (app);
  unpin_app (app);
}

gpointer
wly_foreign_run_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

/* --- closing ------------------------------------------------------------------------------------------------------ */

typedef struct {
  int fd;
  GUnixFDList *list; /* NULL: the descriptor */
} Closing;

static void last_reference_cb (gpointer data, GObject *list, gboolean is_last);

static void
close_thread (gpointer data, gpointer user_data)
{
  g_autofree Closing *closing = data;

  if (closing->list != NULL)
    g_object_remove_toggle_ref (G_OBJECT (closing->list), last_reference_cb, NULL);
  else
    close (closing->fd);
}

static void
close_elsewhere (int fd, GUnixFDList *list)
{
  static GThreadPool *closers = NULL;
  Closing *closing            = g_new (Closing, 1);

  if (g_once_init_enter (&closers))
    g_once_init_leave (&closers, g_thread_pool_new (close_thread, NULL, MAX_CLOSERS, FALSE, NULL));
  closing->fd   = fd;
  closing->list = list;
  g_thread_pool_push (closers, closing, NULL);
}

static void
last_reference_cb (gpointer data, GObject *list, gboolean is_last)
{
  if (is_last)
    close_elsewhere (-1, G_UNIX_FD_LIST (list));
}

void
wly_foreign_close (int fd)
{
  close_elsewhere (fd, NULL);
}

void
wly_foreign_guard (GUnixFDList *list)
{
  if (g_object_get_data (G_OBJECT (list), GUARDED_KEY) != NULL)
    return; /* of two that watch for the last reference, neither would see it */
  g_object_set_data (G_OBJECT (list), GUARDED_KEY, list);
  g_object_add_toggle_ref (G_OBJECT (list), last_reference_cb, NULL);
}
