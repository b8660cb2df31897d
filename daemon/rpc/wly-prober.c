/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-prober.h"

#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-os.h"
#include "wly-probe-answer.h"
#include "wly-worker-exit.h"
#include "wly-worker-spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_ANSWER_BYTES (16 * 1024 * 1024)
/* A machine that is busy may make a probe take this many times as long. */
#define MAX_STRETCH 12

struct _WlyProber {
  GObject parent_instance;
  GQueue waiting;     /* Probe* */
  GPtrArray *running; /* Probe* */
  gboolean stopped;
  guint n_at_once;
  guint timeout_ms;
};

G_DEFINE_FINAL_TYPE (WlyProber, wly_prober, G_TYPE_OBJECT)

typedef struct {
  GTask *task;
  char **arguments;
  int *fds;
  gsize n_fds;
  GPid pid;
  int answer_fd;
  guint answer_source;
  guint timeout_source;
  gboolean closed; /* the answer is whole */
  gboolean exited;
  gboolean timed_out;
  gint64 started_us;
  gulong cancelled_handler;
  gboolean too_long;
  int wait_status;
  GByteArray *answer;
} Probe;

static void start_next (WlyProber *self);

static void
probe_free (Probe *probe)
{
  g_clear_handle_id (&probe->answer_source, g_source_remove);
  g_clear_handle_id (&probe->timeout_source, g_source_remove);
  if (probe->cancelled_handler != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (probe->task), probe->cancelled_handler);
  for (gsize i = 0; i < probe->n_fds; i++)
    wly_foreign_close (probe->fds[i]); /* a caller's, perhaps */
  if (probe->answer_fd >= 0)
    close (probe->answer_fd);
  g_free (probe->fds);
  g_strfreev (probe->arguments);
  g_byte_array_unref (probe->answer);
  g_object_unref (probe->task);
  g_free (probe);
}

static void
probe_kill (Probe *probe)
{
  if (!probe->exited)
    kill (probe->pid, SIGKILL);
}

static void
probe_finish (Probe *probe)
{
  g_autoptr (GVariant) answer = wly_probe_answer_new (probe->answer->data, probe->answer->len);
  GTask *task                 = probe->task;
  gboolean ok      = WIFEXITED (probe->wait_status) && WEXITSTATUS (probe->wait_status) == WLY_WORKER_EXIT_OK;
  gboolean refused = WIFEXITED (probe->wait_status) && WEXITSTATUS (probe->wait_status) == WLY_WORKER_EXIT_PROBE_FAILED;

  if (g_task_return_error_if_cancelled (task))
    return;
  if (probe->timed_out)
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_TIMED_OUT, "the probe took too long and was ended");
  else if (probe->too_long || ((ok || refused) && answer == NULL))
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_WORKER_LOST, "the probe gave no answer that can be read");
  else if (ok)
    g_task_return_pointer (task, g_steal_pointer (&answer), (GDestroyNotify)g_variant_unref);
  else if (refused)
    g_task_return_error (task, wly_probe_answer_error (answer));
  else
    g_task_return_error (task, wly_worker_exit_error (probe->wait_status));
}

static void
probe_maybe_finish (Probe *probe)
{
  g_autoptr (WlyProber) self = NULL;

  if (!probe->closed || !probe->exited)
    return;
  self = g_object_ref (g_task_get_source_object (probe->task));
  g_ptr_array_remove_fast (self->running, probe);
  probe_finish (probe);
  probe_free (probe);
  start_next (self);
}

/* Reads what is there; FALSE: there will be no more, or no more is wanted. */
static gboolean
read_answer (Probe *probe)
{
  guint8 buffer[4096];

  for (;;) {
    ssize_t n = read (probe->answer_fd, buffer, sizeof buffer);

    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return errno == EAGAIN;
    if (n == 0)
      return FALSE;
    if (probe->answer->len + (gsize)n > MAX_ANSWER_BYTES) {
      probe->too_long = TRUE;
      return FALSE;
    }
    g_byte_array_append (probe->answer, buffer, (guint)n);
  }
}

static gboolean
answer_cb (int fd, GIOCondition condition, gpointer data)
{
  Probe *probe = data;

  if (read_answer (probe))
    return G_SOURCE_CONTINUE;
  if (probe->too_long)
    probe_kill (probe);
  probe->answer_source = 0;
  probe->closed        = TRUE;
  probe_maybe_finish (probe);
  return G_SOURCE_REMOVE;
}

static void
exited_cb (GPid pid, int wait_status, gpointer data)
{
  Probe *probe = data;

  g_spawn_close_pid (pid);
  probe->exited      = TRUE;
  probe->wait_status = wait_status;
  g_clear_handle_id (&probe->timeout_source, g_source_remove);
  /* something that the probe left behind may still hold the other end: nothing more is waited for */
  if (!probe->closed) {
    g_clear_handle_id (&probe->answer_source, g_source_remove);
    read_answer (probe);
    probe->closed = TRUE;
  }
  probe_maybe_finish (probe);
}

/* Time that the machine kept it waiting for a processor is not its own, up to a limit. */
static gboolean
timeout_cb (gpointer data)
{
  Probe *probe    = data;
  WlyProber *self = g_task_get_source_object (probe->task);
  gint64 past_us  = g_get_monotonic_time () - probe->started_us;
  gint64 delay_us = MIN (wly_os_run_delay_us (probe->pid), (gint64)self->timeout_ms * 1000 * (MAX_STRETCH - 1));
  gint64 left_us  = (gint64)self->timeout_ms * 1000 + delay_us - past_us;

  if (left_us > 0) {
    probe->timeout_source = g_timeout_add ((guint)(left_us / 1000 + 1), timeout_cb, probe);
    return G_SOURCE_REMOVE;
  }
  probe->timeout_source = 0;
  probe->timed_out      = TRUE;
  kill (probe->pid, SIGKILL);
  return G_SOURCE_REMOVE;
}

static void
cancelled_cb (GCancellable *cancellable, gpointer data)
{
  Probe *probe    = data;
  WlyProber *self = g_task_get_source_object (probe->task);

  if (g_queue_remove (&self->waiting, probe)) {
    g_task_return_error_if_cancelled (probe->task);
    probe_free (probe);
  } else {
    probe_kill (probe); /* exited_cb() answers */
  }
}

static gboolean
probe_spawn (WlyProber *self, Probe *probe, GError **error)
{
  g_autoptr (GPtrArray) arguments = g_ptr_array_new ();
  g_autofree char *n_files        = g_strdup_printf ("%" G_GSIZE_FORMAT, probe->n_fds);
  g_autofree int *fds             = g_new (int, probe->n_fds + 1);
  int pipe_fds[2];
  gboolean ok;

  if (!g_unix_open_pipe (pipe_fds, FD_CLOEXEC, error))
    return FALSE;
  g_unix_set_fd_nonblocking (pipe_fds[0], TRUE, NULL);
  g_ptr_array_add (arguments, (gpointer) "--probe");
  for (gsize i = 0; probe->arguments[i] != NULL; i++)
    g_ptr_array_add (arguments, probe->arguments[i]);
  if (probe->n_fds > 0) {
    g_ptr_array_add (arguments, (gpointer) "--files");
    g_ptr_array_add (arguments, n_files);
  }
  g_ptr_array_add (arguments, NULL);
  fds[0] = pipe_fds[1];
  for (gsize i = 0; i < probe->n_fds; i++)
    fds[i + 1] = probe->fds[i];

  ok = wly_worker_spawn ((const char *const *)arguments->pdata, fds, probe->n_fds + 1, &probe->pid, error);
  close (pipe_fds[1]);
  probe->answer_fd = pipe_fds[0];
  if (!ok)
    return FALSE;
  probe->answer_source  = g_unix_fd_add (probe->answer_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, answer_cb, probe);
  probe->started_us     = g_get_monotonic_time ();
  probe->timeout_source = g_timeout_add (self->timeout_ms, timeout_cb, probe);
  g_child_watch_add (probe->pid, exited_cb, probe);
  return TRUE;
}

static void
start_next (WlyProber *self)
{
  while (self->running->len < self->n_at_once && !g_queue_is_empty (&self->waiting)) {
    Probe *probe             = g_queue_pop_head (&self->waiting);
    g_autoptr (GError) error = NULL;

    if (self->stopped) {
      g_task_return_new_error (probe->task, WLY_ERROR, WLY_ERROR_CANCELLED, "the service ends");
      probe_free (probe);
    } else if (g_task_return_error_if_cancelled (probe->task)) {
      probe_free (probe);
    } else if (probe_spawn (self, probe, &error)) {
      g_ptr_array_add (self->running, probe);
    } else {
      g_task_return_error (probe->task, g_steal_pointer (&error));
      probe_free (probe);
    }
  }
}

void
wly_prober_run_async (WlyProber *self, const char *const *arguments, const int *fds, gsize n_fds,
                      GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  Probe *probe = g_new0 (Probe, 1);

  probe->task      = g_task_new (self, cancellable, callback, user_data);
  probe->arguments = g_strdupv ((char **)arguments);
  probe->fds       = g_new (int, MAX (n_fds, 1));
  probe->answer_fd = -1;
  probe->answer    = g_byte_array_new ();
  for (gsize i = 0; i < n_fds; i++) {
    int copy = fcntl (fds[i], F_DUPFD_CLOEXEC, 3);
    if (copy < 0) {
      g_task_return_new_error (probe->task, WLY_ERROR, WLY_ERROR_FAILED, "cannot duplicate a descriptor: %s",
                               g_strerror (errno));
      probe_free (probe);
      return;
    }
    probe->fds[probe->n_fds++] = copy;
  }
  if (cancellable != NULL)
    probe->cancelled_handler = g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), probe);
  g_queue_push_tail (&self->waiting, probe);
  start_next (self);
}

GVariant *
wly_prober_run_finish (WlyProber *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

void
wly_prober_stop (WlyProber *self)
{
  self->stopped = TRUE;
  for (guint i = 0; i < self->running->len; i++)
    probe_kill (self->running->pdata[i]);
}

static void
wly_prober_finalize (GObject *object)
{
  WlyProber *self = WLY_PROBER (object);

  g_ptr_array_unref (self->running);
  G_OBJECT_CLASS (wly_prober_parent_class)->finalize (object);
}

static void
wly_prober_class_init (WlyProberClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = wly_prober_finalize;
}

static void
wly_prober_init (WlyProber *self)
{
  g_queue_init (&self->waiting);
  self->running = g_ptr_array_new ();
}

WlyProber *
wly_prober_new (guint n_at_once, guint timeout_ms)
{
  WlyProber *self = g_object_new (WLY_TYPE_PROBER, NULL);

  self->n_at_once  = n_at_once;
  self->timeout_ms = timeout_ms;
  return self;
}
