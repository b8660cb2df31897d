/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-fault.h"

#include "wly-worker-exit.h"

#include <glib.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Pages of a map behind the end of its file. */
static void
sigbus_handler (int number, siginfo_t *info, void *context)
{
  static const char message[] = "woolly-worker: a model's file was cut while it was in use\n";
  struct sigaction action     = { .sa_handler = SIG_DFL };

  if (info->si_code == BUS_ADRERR) {
    gssize written = write (STDERR_FILENO, message, sizeof message - 1);

    (void)written; /* there is nobody left to tell */
    _exit (WLY_WORKER_EXIT_MODEL_CHANGED);
  }
  /* a real bug: the instruction is tried again, and ends the process as it would have without this handler */
  sigaction (SIGBUS, &action, NULL);
}

static const char *
field (const GLogField *fields, gsize n_fields, const char *key)
{
  for (gsize i = 0; i < n_fields; i++)
    if (g_str_equal (fields[i].key, key) && fields[i].length < 0)
      return fields[i].value;
  return "";
}

/* Lines on stderr, which the service manager or the terminal of woollyd takes; GLib's own writer would want to look at
 * files and sockets that a sealed worker cannot have. */
static GLogWriterOutput
log_writer (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  const char *message = field (fields, n_fields, "MESSAGE");
  const char *domain  = field (fields, n_fields, "GLIB_DOMAIN");

  if (!g_log_writer_default_would_drop (level, domain))
    g_log_writer_standard_streams (level, fields, n_fields, data);
  if ((level & G_LOG_LEVEL_ERROR) && g_str_equal (domain, "GLib") && strstr (message, "failed to allocate") != NULL)
    _exit (WLY_WORKER_EXIT_NO_MEMORY);
  return G_LOG_WRITER_HANDLED;
}

void
wly_fault_install (void)
{
  struct sigaction action = { .sa_sigaction = sigbus_handler, .sa_flags = SA_SIGINFO };

  sigemptyset (&action.sa_mask);
  sigaction (SIGBUS, &action, NULL);
  signal (SIGPIPE, SIG_IGN);
  signal (SIGXFSZ, SIG_IGN);
  tzset (); /* the log's time stamps must not look for a file later */
  g_log_set_writer_func (log_writer, NULL, NULL);
}
