/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each attempt is made in a child that has sealed itself, with a second thread that was there before.
 */
#include "config.h"
#include "wly-error.h"
#include "wly-sanitizer.h"
#include "wly-seal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* 0: it worked; else errno.  It may also end the process. */
typedef int (*Attempt) (void);

#define ALLOWED 0
#define KILLED  (-1)

static int
result_of (long code)
{
  return code >= 0 ? 0 : errno;
}

static int
try_inet (void)
{
  return result_of (socket (AF_INET, SOCK_STREAM, 0));
}

static int
try_unix (void)
{
  return result_of (socket (AF_UNIX, SOCK_STREAM, 0));
}

static int
try_write (void)
{
  return result_of (open ("/dev/null", O_WRONLY));
}

static int
try_create (void)
{
  return result_of (open ("/tmp/woolly-seal-test", O_RDWR | O_CREAT, 0600));
}

static int
try_read (void)
{
  return result_of (open ("/dev/null", O_RDONLY));
}

static int
try_exec (void)
{
  char *arguments[] = { (char *)"true", NULL };

  return result_of (execv ("/bin/true", arguments));
}

static int
try_ptrace (void)
{
  return result_of (ptrace (PTRACE_TRACEME, 0, NULL, NULL));
}

static int
try_fork (void)
{
  return result_of (syscall (SYS_clone, SIGCHLD, NULL, NULL, NULL, NULL));
}

static int
try_kill (void)
{
  return result_of (kill (getppid (), 0));
}

static int
try_code (void)
{
  void *page = mmap (NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return page == MAP_FAILED ? errno : 0;
}

static int
try_io_uring (void)
{
  return result_of (syscall (425 /* io_uring_setup */, 1, NULL));
}

static gpointer
idle_thread (gpointer data)
{
  return data;
}

/* What a worker does all the time. */
static int
try_work (void)
{
  void *memory    = mmap (NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  GThread *thread = g_thread_new ("later", idle_thread, memory);
  struct rlimit core;

  if (memory == MAP_FAILED || g_thread_join (thread) != memory)
    return EIO;
  if (prctl (PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 && errno != EPERM)
    return EACCES;
  if (getrlimit (RLIMIT_CORE, &core) != 0 || core.rlim_max != 0)
    return ERANGE;
  g_usleep (1000);
  return 0;
}

typedef struct {
  GMutex mutex;
  Attempt attempt;
  int result;
} Early;

/* Waits until the process is sealed. */
static gpointer
early_thread (gpointer data)
{
  Early *early = data;

  g_mutex_lock (&early->mutex);
  early->result = early->attempt ();
  g_mutex_unlock (&early->mutex);
  return NULL;
}

static int
run_sealed (Attempt attempt, WlySealProfile profile, gboolean in_early_thread)
{
  Early early = { .attempt = attempt };
  GThread *thread;

  g_mutex_init (&early.mutex);
  g_mutex_lock (&early.mutex);
  thread = g_thread_new ("early", early_thread, &early);
  if (!wly_seal_process (profile, NULL))
    return 255;
  if (!in_early_thread)
    early.attempt = try_work;
  g_mutex_unlock (&early.mutex);
  g_thread_join (thread);
  return in_early_thread ? early.result : attempt ();
}

static int
outcome_in (Attempt attempt, WlySealProfile profile, gboolean in_early_thread)
{
  pid_t pid = fork ();
  int status;

  if (pid == 0)
    _exit (run_sealed (attempt, profile, in_early_thread));
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  if (WIFSIGNALED (status)) {
    g_assert_cmpint (WTERMSIG (status), ==, SIGSYS);
    return KILLED;
  }
  return WEXITSTATUS (status);
}

static void
assert_outcome (Attempt attempt, WlySealProfile profile, int expected)
{
  g_assert_cmpint (outcome_in (attempt, profile, FALSE), ==, expected);
  /* the filter brings no_new_privs to threads that were there before; without it they do not have it */
#ifdef HAVE_SECCOMP
  g_assert_cmpint (outcome_in (attempt, profile, TRUE), ==, expected);
#endif
}

static gboolean
skip_without_filter (void)
{
#ifdef HAVE_SECCOMP
  return FALSE;
#else
  g_test_skip ("built without libseccomp");
  return TRUE;
#endif
}

static void
test_work (void)
{
  assert_outcome (try_work, WLY_SEAL_WORKER, ALLOWED);
  assert_outcome (try_work, WLY_SEAL_LOADER, ALLOWED);
}

static void
test_worker (void)
{
  if (skip_without_filter ())
    return;
  assert_outcome (try_inet, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_unix, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_write, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_create, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_exec, WLY_SEAL_WORKER, KILLED);
  assert_outcome (try_io_uring, WLY_SEAL_WORKER, KILLED);
  /* the run-time libraries of sanitizers need these */
  if (WLY_SANITIZED)
    return;
  assert_outcome (try_read, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_ptrace, WLY_SEAL_WORKER, KILLED);
  assert_outcome (try_fork, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_kill, WLY_SEAL_WORKER, EPERM);
  assert_outcome (try_code, WLY_SEAL_WORKER, EPERM);
}

static void
test_loader (void)
{
  if (skip_without_filter ())
    return;
  assert_outcome (try_read, WLY_SEAL_LOADER, ALLOWED);
  assert_outcome (try_code, WLY_SEAL_LOADER, ALLOWED);
  assert_outcome (try_write, WLY_SEAL_LOADER, EPERM);
  assert_outcome (try_create, WLY_SEAL_LOADER, EPERM);
  assert_outcome (try_inet, WLY_SEAL_LOADER, EPERM);
  assert_outcome (try_exec, WLY_SEAL_LOADER, KILLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/seal/work", test_work);
  g_test_add_func ("/worker/seal/worker", test_worker);
  g_test_add_func ("/worker/seal/loader", test_loader);
  return g_test_run ();
}
