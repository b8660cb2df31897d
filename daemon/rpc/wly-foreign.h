/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that callers hand over.  They may lie on a file system that does not answer, as a FUSE mount whose program is
 * stuck: then looking at one, reading it, and even closing it waits for ever.  Nothing that asks the file system for
 * anything runs in the main thread; duplicating a descriptor, or passing it on, asks for nothing.
 *
 * The functions are called in the main thread, if not said otherwise.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* How many threads one app may have at work, and all apps together. */
#define WLY_FOREIGN_MAX_PER_APP 4
#define WLY_FOREIGN_MAX_THREADS 64

/* What is done with a file, in a thread of its own.  It must give something, or set @error. */
typedef gpointer (*WlyForeignFunc) (gpointer data, GError **error);

typedef struct {
  WlyForeignFunc func;
  gpointer data;
  GDestroyNotify free_data;   /* in the main thread, once the thread has come back; NULL for none */
  GDestroyNotify free_result; /* of a result that came too late; NULL for none */
} WlyForeignWork;

/* Does @work, when the app has a thread free for it.  A thread that does not come back in time is left alone, and
 * counts until it does.
 * @app: whose file it is.
 * @limit_ms: how long it may take, waiting included; 0 is for ever.
 * Errors: those of the function; WLY_ERROR_TIMED_OUT; WLY_ERROR_BUSY where all threads of the app are stuck, or too
 * many are at work. */
void wly_foreign_run_async (gpointer source, const char *app, guint limit_ms, const WlyForeignWork *work,
                            GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);
gpointer wly_foreign_run_finish (GAsyncResult *result, GError **error);

/* Closes it elsewhere; from any thread. */
void wly_foreign_close (int fd);

/* Sees to it that the list's descriptors are closed elsewhere, whoever gives up the last reference; from any thread. */
void wly_foreign_guard (GUnixFDList *list);

G_END_DECLS
