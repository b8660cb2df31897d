/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-signals.h"

#include "woollyctl-cmds.h"

#include <signal.h>
#include <unistd.h>

static GCancellable *cancellable;
static int last_signal; /* atomic */
static sigset_t watched;

/* A thread takes the signals, for blocking calls run no main loop of this program. */
static gpointer
signals_thread (gpointer data)
{
  while (TRUE) {
    int number = 0;

    if (sigwait (&watched, &number) != 0)
      continue;
    if (g_atomic_int_get (&last_signal) != 0)
      _exit (128 + number);
    g_atomic_int_set (&last_signal, number);
    g_cancellable_cancel (cancellable);
  }
  return NULL;
}

void
woollyctl_signals_init (void)
{
  cancellable = g_cancellable_new ();
  sigemptyset (&watched);
  sigaddset (&watched, SIGINT);
  sigaddset (&watched, SIGTERM);
  sigaddset (&watched, SIGHUP);
  pthread_sigmask (SIG_BLOCK, &watched, NULL);
  g_thread_unref (g_thread_new ("signals", signals_thread, NULL));
}

GCancellable *
woollyctl_signals_get_cancellable (void)
{
  return cancellable;
}

void
woollyctl_signals_reset (void)
{
  g_cancellable_reset (cancellable);
  g_atomic_int_set (&last_signal, 0);
}

int
woollyctl_signals_get_status (void)
{
  int number = g_atomic_int_get (&last_signal);

  return number != 0 ? 128 + number : WOOLLYCTL_INTERRUPTED;
}
