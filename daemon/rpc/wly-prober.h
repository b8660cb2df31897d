/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Runs `woolly-worker --probe`: what is in this file?  Some at a time, each for some seconds, not counting those in
 * which it waited for a processor.
 *
 * The answer comes from a process that read a hostile file: it is bounded in size, checked for its form, and what is in
 * it is the reader's to distrust.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define WLY_TYPE_PROBER (wly_prober_get_type ())
G_DECLARE_FINAL_TYPE (WlyProber, wly_prober, WLY, PROBER, GObject)

/* @n_at_once: how many processes may run at the same time. */
WlyProber *wly_prober_new (guint n_at_once, guint timeout_ms);

/* @arguments: those behind --probe; @fds become descriptors 4, 5, …, which --files says, and are duplicated here.
 * Cancelling ends the process.
 * Errors: what the probe said; WLY_ERROR_WORKER_LOST and the like where it died; WLY_ERROR_TIMED_OUT. */
void wly_prober_run_async (WlyProber *prober, const char *const *arguments, const int *fds, gsize n_fds,
                           GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data);

/* a{sv} in normal form. (transfer full) */
GVariant *wly_prober_run_finish (WlyProber *prober, GAsyncResult *result, GError **error);

/* Ends those that run; their answers are errors, and no new ones are started. */
void wly_prober_stop (WlyProber *prober);

G_END_DECLS
