/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Marks on the timeline of sysprof.  Nothing else knows that profiler; where nobody records this process, and in a
 * build without it, all of this does nothing.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* (any thread) Whether somebody records this process: found out once, when first asked. */
gboolean wly_trace_is_on (void);

/* (any thread) A mark in @group (of up to 23 bytes): what @name (of up to 39) says was done from @begin_ns to @end_ns
 * of CLOCK_MONOTONIC.  @text says more; never a word of a prompt or an answer. */
void wly_trace_mark (const char *group, const char *name, guint64 begin_ns, guint64 end_ns, const char *text);

/* (any thread) Around what is to be marked: when it began, in nanoseconds, 0 where nobody records; and its end, which
 * marks it in the group "Woolly" unless @begin_ns is 0. */
guint64 wly_trace_begin (void);
void wly_trace_end (guint64 begin_ns, const char *name, const char *format, ...) G_GNUC_PRINTF (3, 4);

/* The descriptor through which whoever records this process is reached, to be handed to a child; -1: nobody does. */
int wly_trace_fd (void);
/* Takes @environment over and gives it back for a child that has that descriptor as @fd; (transfer full). */
char **wly_trace_environ (char **environment, int fd);

G_END_DECLS
