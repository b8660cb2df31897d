/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-trace.h"

#include "config.h"

#ifdef HAVE_SYSPROF
#include <fcntl.h>
#include <sysprof-capture.h>
#include <time.h>

#define GROUP    "Woolly"
#define VARIABLE "SYSPROF_CONTROL_FD" /* what the recorder sets, and libsysprof-capture reads */

static guint64
now_ns (void)
{
  struct timespec now;

  clock_gettime (CLOCK_MONOTONIC, &now);
  return (guint64)now.tv_sec * 1000000000u + (guint64)now.tv_nsec;
}

gboolean
wly_trace_is_on (void)
{
  enum { UNKNOWN, OFF, ON };
  static gsize state = UNKNOWN;

  if (g_once_init_enter (&state))
    g_once_init_leave (&state, sysprof_collector_is_active () ? ON : OFF);
  return state == ON;
}

void
wly_trace_mark (const char *group, const char *name, guint64 begin_ns, guint64 end_ns, const char *text)
{
  if (wly_trace_is_on ())
    sysprof_collector_mark ((gint64)begin_ns, (gint64)(end_ns - begin_ns), group, name, text);
}

guint64
wly_trace_begin (void)
{
  return wly_trace_is_on () ? now_ns () : 0;
}

void
wly_trace_end (guint64 begin_ns, const char *name, const char *format, ...)
{
  g_autofree char *text = NULL;
  guint64 end_ns;
  va_list args;

  if (begin_ns == 0)
    return;
  end_ns = now_ns ();
  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  wly_trace_mark (GROUP, name, begin_ns, end_ns, text);
}

/* A variable that outlived its recorder may name anything: what was handed to this process has no close-on-exec flag,
 * as all that it opens itself has. */
int
wly_trace_fd (void)
{
  const char *text = g_getenv (VARIABLE);
  gint64 fd        = -1;

  if (text == NULL || !g_ascii_string_to_signed (text, 10, 0, G_MAXINT, &fd, NULL))
    return -1;
  return fcntl ((int)fd, F_GETFD) == 0 ? (int)fd : -1;
}

char **
wly_trace_environ (char **environment, int fd)
{
  g_autofree char *text = g_strdup_printf ("%d", fd);

  return g_environ_setenv (environment, VARIABLE, text, TRUE);
}
#else
gboolean
wly_trace_is_on (void)
{
  return FALSE;
}

void
wly_trace_mark (const char *group, const char *name, guint64 begin_ns, guint64 end_ns, const char *text)
{
}

guint64
wly_trace_begin (void)
{
  return 0;
}

void
wly_trace_end (guint64 begin_ns, const char *name, const char *format, ...)
{
}

int
wly_trace_fd (void)
{
  return -1;
}

char **
wly_trace_environ (char **environment, int fd)
{
  return environment;
}
#endif
