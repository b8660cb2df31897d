/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts woolly-worker: clean environment, given descriptors and no others, first in line for the OOM killer.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The program: WOOLLY_WORKER, else the installed one. */
const char *wly_worker_spawn_program (void);

/* Starts it with these arguments (without the program's name; NULL-terminated).  @fds become the descriptors 3, 4, … of
 * the child and stay the caller's; where sysprof records this process, its descriptor comes behind them.  The child is
 * the caller's to reap.  To be called from the main thread only: the worker dies with the thread that forked it. */
gboolean wly_worker_spawn (const char *const *arguments, const int *fds, gsize n_fds, GPid *ret_pid, GError **error);

/* What a wait status means, as an error of WLY_ERROR; never NULL. (transfer full) */
GError *wly_worker_exit_error (int wait_status);

G_END_DECLS
