/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a started worker gets, and what its end means.  tests/daemon drives probes and workers that misbehave.
 */
#include "wly-error.h"
#include "wly-prober.h"
#include "wly-worker-exit.h"
#include "wly-worker-process.h"
#include "wly-worker-spawn.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes a worker of a shell script; (transfer full): its folder. */
static char *
make_worker (const char *script)
{
  char *folder          = g_dir_make_tmp ("woolly-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (folder, "worker", NULL);
  g_autofree char *text = g_strconcat ("#!/bin/sh\n", script, NULL);

  g_assert_true (g_file_set_contents_full (path, text, -1, G_FILE_SET_CONTENTS_NONE, 0700, NULL));
  g_setenv ("WOOLLY_WORKER", path, TRUE);
  return folder;
}

static void
remove_worker (char *folder)
{
  g_unlink (g_getenv ("WOOLLY_WORKER"));
  g_rmdir (folder);
  g_free (folder);
}

static char *
read_all (int fd)
{
  GString *text = g_string_new (NULL);
  char buffer[1024];
  gssize n;

  while ((n = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (text, buffer, n);
  close (fd);
  return g_string_free (text, FALSE);
}

static void
test_what_it_gets (void)
{
  char *folder                  = make_worker ("echo arguments=\"$*\" >&3\n"
                                                                "env >&3\n"
                                                                "ls -1 /proc/$$/fd >&3\n"
                                                                "echo oom=\"$(cat /proc/self/oom_score_adj)\" >&3\n"
                                                                "echo folder=\"$(pwd)\" >&3\n");
  const char *const arguments[] = { "--plugin", "a b", NULL };
  g_autoptr (GError) error      = NULL;
  g_autofree char *said         = NULL;
  g_autofree char *own          = NULL;
  g_autofree char *oom          = NULL;
  int fds[2], leaked, status;
  GPid pid;

  g_setenv ("SECRET_OF_THE_USER", "1", TRUE);
  g_setenv ("WOOLLY_CPU_MASK", "none", TRUE);
  leaked = open ("/dev/null", O_RDONLY); /* not close-on-exec, and not handed over */
  g_assert_true (g_unix_open_pipe (fds, FD_CLOEXEC, NULL));
  g_assert_true (wly_worker_spawn (arguments, &fds[1], 1, &pid, &error));
  g_assert_no_error (error);
  close (fds[1]);
  said = read_all (fds[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);

  g_assert_nonnull (strstr (said, "arguments=--plugin a b\n"));
  g_assert_nonnull (strstr (said, "WOOLLY_CPU_MASK=none\n"));
  g_assert_null (strstr (said, "SECRET_OF_THE_USER"));
  g_assert_null (strstr (said, "HOME="));
  g_assert_nonnull (strstr (said, "\n3\n"));
  g_assert_nonnull (strstr (said, "folder=/\n"));
  for (int fd = 4; fd < 10; fd++) {
    g_autofree char *line = g_strdup_printf ("\n%d\n", fd);
    g_assert_null (strstr (said, line));
  }
  g_assert_true (g_file_get_contents ("/proc/self/oom_score_adj", &own, NULL, NULL));
  oom = g_strdup_printf ("oom=%d\n", (int)MIN (g_ascii_strtoll (own, NULL, 10) + 300, 1000));
  g_assert_nonnull (strstr (said, oom));
  close (leaked);
  remove_worker (folder);
}

static void
test_no_program (void)
{
  const char *const arguments[] = { NULL };
  g_autoptr (GError) error      = NULL;
  GPid pid;

  g_setenv ("WOOLLY_WORKER", "/nowhere/worker", TRUE);
  g_assert_false (wly_worker_spawn (arguments, NULL, 0, &pid, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_WORKER_LOST);
  g_assert_nonnull (strstr (error->message, "/nowhere/worker"));
}

static void
check_end (const char *script, WlyErrorCode code, const char *words)
{
  char *folder                  = make_worker (script);
  const char *const arguments[] = { NULL };
  g_autoptr (GError) error      = NULL;
  int status;
  GPid pid;

  g_assert_true (wly_worker_spawn (arguments, NULL, 0, &pid, NULL));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  error = wly_worker_exit_error (status);
  g_assert_error (error, WLY_ERROR, (int)code);
  g_assert_nonnull (strstr (error->message, words));
  remove_worker (folder);
}

static void
test_ends (void)
{
  g_autofree char *changed   = g_strdup_printf ("exit %d", WLY_WORKER_EXIT_MODEL_CHANGED);
  g_autofree char *no_memory = g_strdup_printf ("exit %d", WLY_WORKER_EXIT_NO_MEMORY);
  g_autofree char *seal      = g_strdup_printf ("exit %d", WLY_WORKER_EXIT_SEAL);

  check_end ("kill -9 $$", WLY_ERROR_WORKER_LOST, "signal 9");
  check_end ("exit 17", WLY_ERROR_WORKER_LOST, "17");
  check_end (changed, WLY_ERROR_MODEL_CHANGED, "cut");
  check_end (no_memory, WLY_ERROR_NO_MEMORY, "memory");
  check_end (seal, WLY_ERROR_WORKER_LOST, "seal");
}

static void
count_cb (guint *count)
{
  *count += 1;
}

typedef struct {
  guint n_ended;
  guint n_timed_out;
} Probes;

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  Probes *probes             = data;
  g_autoptr (GError) error   = NULL;
  g_autoptr (GVariant) reply = wly_prober_run_finish (WLY_PROBER (source), result, &error);

  g_assert_null (reply);
  probes->n_ended++;
  probes->n_timed_out += g_error_matches (error, WLY_ERROR, WLY_ERROR_TIMED_OUT);
}

/* Two at a time, each with its limit; a process that the probe left behind is not waited for. */
static void
test_probes (void)
{
  char *folder                  = make_worker ("sleep 3 &\nif [ $2 = hang ]; then wait; fi\nexit 9\n");
  g_autoptr (WlyProber) prober  = wly_prober_new (2, 200);
  const char *const hang[]      = { "hang", NULL };
  const char *const leave[]     = { "leave", NULL };
  g_autoptr (GCancellable) none = g_cancellable_new ();
  Probes probes                 = { 0 };

  for (int i = 0; i < 3; i++)
    wly_prober_run_async (prober, hang, NULL, 0, NULL, probed_cb, &probes);
  wly_prober_run_async (prober, leave, NULL, 0, NULL, probed_cb, &probes);
  wly_prober_run_async (prober, leave, NULL, 0, none, probed_cb, &probes);
  g_cancellable_cancel (none);
  while (probes.n_ended < 5)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (probes.n_timed_out, ==, 3);
  remove_worker (folder);
}

/* Those that run and those that wait end when nobody wants to know any more; the next one has its turn. */
static void
test_cancelled (void)
{
  char *folder                 = make_worker ("if [ $2 = hang ]; then exec sleep 1000; fi\nexit 9\n");
  g_autoptr (WlyProber) prober = wly_prober_new (1, 600000);
  const char *const hang[]     = { "hang", NULL };
  const char *const leave[]    = { "leave", NULL };
  g_autoptr (GCancellable) all = g_cancellable_new ();
  Probes probes                = { 0 };

  for (int i = 0; i < 3; i++)
    wly_prober_run_async (prober, hang, NULL, 0, all, probed_cb, &probes);
  wly_prober_run_async (prober, leave, NULL, 0, NULL, probed_cb, &probes);
  g_cancellable_cancel (all);
  while (probes.n_ended < 4)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (probes.n_timed_out, ==, 0);
  remove_worker (folder);
}

/* Between the death of a worker and the moment in which its end is told nobody may take it for one that works. */
static void
test_dead_before_it_is_told (void)
{
  char *folder                        = make_worker ("exec sleep 1000\n");
  g_autoptr (GError) error            = NULL;
  g_autoptr (WlyWorkerProcess) worker = wly_worker_process_new (NULL, &error);
  guint n_exited                      = 0;

  g_assert_no_error (error);
  g_assert_true (wly_worker_process_is_alive (worker));
  g_signal_connect_swapped (worker, "exited", G_CALLBACK (count_cb), &n_exited);
  kill (wly_worker_process_get_pid (worker), SIGKILL);
  while (wly_worker_process_is_alive (worker)) /* the main loop does not run */
    g_usleep (1000);
  g_assert_cmpuint (n_exited, ==, 0);
  while (n_exited == 0)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (n_exited, ==, 1);
  remove_worker (folder);
}

static void
test_stopped (void)
{
  char *folder                 = make_worker ("exec sleep 1000\n");
  g_autoptr (WlyProber) prober = wly_prober_new (1, 60000);
  const char *const hang[]     = { "hang", NULL };
  Probes probes                = { 0 };

  for (int i = 0; i < 3; i++)
    wly_prober_run_async (prober, hang, NULL, 0, NULL, probed_cb, &probes);
  wly_prober_stop (prober);
  while (probes.n_ended < 3)
    g_main_context_iteration (NULL, TRUE);
  g_assert_cmpuint (probes.n_timed_out, ==, 0);
  remove_worker (folder);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rpc/worker-spawn/what-it-gets", test_what_it_gets);
  g_test_add_func ("/rpc/worker-spawn/no-program", test_no_program);
  g_test_add_func ("/rpc/worker-spawn/ends", test_ends);
  g_test_add_func ("/rpc/prober/probes", test_probes);
  g_test_add_func ("/rpc/prober/stopped", test_stopped);
  g_test_add_func ("/rpc/prober/cancelled", test_cancelled);
  g_test_add_func ("/rpc/worker-process/dead-before-it-is-told", test_dead_before_it_is_told);
  return g_test_run ();
}
