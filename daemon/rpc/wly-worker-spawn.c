/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-worker-spawn.h"

#include "config.h"
#include "wly-error.h"
#include "wly-trace.h"
#include "wly-worker-exit.h"
#include "woolly-names.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How much sooner than woollyd a worker is killed where memory runs out. */
#define OOM_SCORE_STEP 300
#define OOM_SCORE_MAX  1000

/* A worker sees nothing of the user's environment but what changes how it computes or is debugged. */
static const char *const kept_prefixes[]  = { "WOOLLY_", "ASAN_", "UBSAN_", "TSAN_", "LSAN_", NULL };
static const char *const kept_variables[] = { "G_DEBUG",           "G_MESSAGES_DEBUG", "LD_LIBRARY_PATH", "LD_PRELOAD",
                                              "LLVM_PROFILE_FILE", "GCOV_PREFIX",      "JOURNAL_STREAM",  NULL };

typedef struct {
  char oom_score[16];
} ChildSetup;

const char *
wly_worker_spawn_program (void)
{
  const char *program = g_getenv (WOOLLY_ENV_WORKER);

  return program != NULL && program[0] != '\0' ? program : WOOLLY_LIBEXECDIR "/woolly-worker";
}

static gboolean
is_kept (const char *variable)
{
  for (gsize i = 0; kept_prefixes[i] != NULL; i++)
    if (g_str_has_prefix (variable, kept_prefixes[i]))
      return TRUE;
  return g_strv_contains (kept_variables, variable);
}

static char **
clean_environment (void)
{
  g_auto (GStrv) names = g_listenv ();
  char **environment   = g_new0 (char *, 1);

  for (gsize i = 0; names[i] != NULL; i++)
    if (is_kept (names[i]))
      environment = g_environ_setenv (environment, names[i], g_getenv (names[i]), TRUE);
  return environment;
}

/* Runs between fork and exec: system calls only. */
static void
child_setup_cb (gpointer data)
{
  const ChildSetup *setup = data;
  int fd                  = open ("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

  if (fd >= 0) {
    ssize_t written = write (fd, setup->oom_score, strlen (setup->oom_score));
    (void)written; /* a worker without it is killed later than it should be, and works */
    close (fd);
  }
}

static int
own_oom_score (void)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/self/oom_score_adj", &text, NULL, NULL))
    return 0;
  return (int)g_ascii_strtoll (text, NULL, 10);
}

gboolean
wly_worker_spawn (const char *const *arguments, const int *fds, gsize n_fds, GPid *ret_pid, GError **error)
{
  const char *program        = wly_worker_spawn_program ();
  const int trace_fd         = wly_trace_fd ();
  const gsize n_all          = n_fds + (trace_fd >= 0 ? 1 : 0);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_auto (GStrv) environment = clean_environment ();
  g_autofree int *sources    = g_new (int, n_fds + 1);
  g_autofree int *targets    = g_new (int, n_fds + 1);
  g_autoptr (GError) local   = NULL;
  ChildSetup setup;

  g_ptr_array_add (argv, (gpointer)program);
  for (gsize i = 0; arguments[i] != NULL; i++)
    g_ptr_array_add (argv, (gpointer)arguments[i]);
  g_ptr_array_add (argv, NULL);
  for (gsize i = 0; i < n_all; i++) {
    sources[i] = i < n_fds ? fds[i] : trace_fd;
    targets[i] = WOOLLY_WORKER_FD + (int)i;
  }
  if (trace_fd >= 0)
    environment = wly_trace_environ (environment, targets[n_fds]);
  g_snprintf (setup.oom_score, sizeof setup.oom_score, "%d", MIN (own_oom_score () + OOM_SCORE_STEP, OOM_SCORE_MAX));

  if (!g_spawn_async_with_pipes_and_fds ("/", (const char *const *)argv->pdata, (const char *const *)environment,
                                         G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_STDOUT_TO_DEV_NULL, child_setup_cb, &setup,
                                         -1, -1, -1, sources, targets, n_all, ret_pid, NULL, NULL, NULL, &local)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_WORKER_LOST, "cannot start the worker %s: %s", program, local->message);
    return FALSE;
  }
  return TRUE;
}

GError *
wly_worker_exit_error (int wait_status)
{
  if (WIFSIGNALED (wait_status))
    return g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process was ended by signal %d (%s)",
                        WTERMSIG (wait_status), g_strsignal (WTERMSIG (wait_status)));
  switch (WEXITSTATUS (wait_status)) {
  case WLY_WORKER_EXIT_MODEL_CHANGED:
    return g_error_new_literal (WLY_ERROR, WLY_ERROR_MODEL_CHANGED, "the model's file was cut while it was in use");
  case WLY_WORKER_EXIT_NO_MEMORY:
    return g_error_new_literal (WLY_ERROR, WLY_ERROR_NO_MEMORY, "the worker process ran out of memory");
  case WLY_WORKER_EXIT_SEAL:
    return g_error_new_literal (WLY_ERROR, WLY_ERROR_WORKER_LOST,
                                "the worker process could not seal itself and gave up; its log says why");
  default:
    return g_error_new (WLY_ERROR, WLY_ERROR_WORKER_LOST, "the worker process ended with status %d",
                        WEXITSTATUS (wait_status));
  }
}
