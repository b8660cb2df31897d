/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One worker process, as woollyd sees it: started, called over its socket, watched, killed.
 *
 * The worker is taken for hostile.  A reply of another type than the interface says, a flood of signals or silence past
 * a call's time limit ends it.  Signals of this object carry values that are well-formed, not values that are true.
 *
 * Signals:
 *   "exited" (GError *error)                       once; what it died of.  No call succeeds after it.
 *   "load-progress" (guint64 done, guint64 total)
 *   "generation-changed" (guint64 generation, const char *state, GVariant *result)
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

#define WLY_TYPE_WORKER_PROCESS (wly_worker_process_get_type ())
G_DECLARE_FINAL_TYPE (WlyWorkerProcess, wly_worker_process, WLY, WORKER_PROCESS, GObject)

/* Starts one with these plugin files (NULL-terminated).  Lives until it is killed or dies; dropping the last reference
 * does not end it, wly_worker_process_kill() does. */
WlyWorkerProcess *wly_worker_process_new (const char *const *plugins, GError **error);

/* Calls a method of org.woolly.Worker1; @parameters is sunk.  May be called before the worker is ready.
 * @timeout_ms: 0 for none; past it the worker counts as stuck and is killed. */
void wly_worker_process_call_async (WlyWorkerProcess *process, const char *method, GVariant *parameters,
                                    GUnixFDList *fds, guint timeout_ms, GAsyncReadyCallback callback,
                                    gpointer user_data);

/* (transfer full): the reply, of the type that the interface says.
 * Errors: WLY_ERROR, by the name that the worker gave; what it died of where it died. */
GVariant *wly_worker_process_call_finish (WlyWorkerProcess *process, GAsyncResult *result, GError **error);

/* Ends it at once; "exited" follows.  @error (transfer full): what "exited" says, NULL for the truth. */
void wly_worker_process_kill (WlyWorkerProcess *process, GError *error);

gboolean wly_worker_process_is_alive (WlyWorkerProcess *process);
int wly_worker_process_get_pid (WlyWorkerProcess *process);

/* Different for every process that was ever started here. */
guint64 wly_worker_process_get_serial (WlyWorkerProcess *process);

G_END_DECLS
