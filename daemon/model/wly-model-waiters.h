/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who waits for a model to be opened or loaded.  Answering runs callbacks, which may ask again: who is to be answered
 * is taken off the list first.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct {
  gboolean loaded;   /* ready is what it waits for, else opened */
  GVariant *options; /* of scope LOAD, or NULL: any */
} WlyModelWaiter;

typedef struct WlyModelWaiters WlyModelWaiters;

typedef void (*WlyModelWaitersCancelledCb) (gpointer user_data);
typedef gboolean (*WlyModelWaitersMatchCb) (const WlyModelWaiter *waiter, gpointer user_data);

/* @cancelled: called after one was cancelled, and answered. */
WlyModelWaiters *wly_model_waiters_new (WlyModelWaitersCancelledCb cancelled, gpointer user_data);
void wly_model_waiters_free (WlyModelWaiters *waiters); /* nobody may be waiting */

/* Takes the task, which answers with a boolean. */
void wly_model_waiters_add (WlyModelWaiters *waiters, GTask *task, gboolean loaded, GVariant *options);

gboolean wly_model_waiters_is_empty (WlyModelWaiters *waiters);

/* The first one, or the first that waits for ready; NULL where there is none. */
const WlyModelWaiter *wly_model_waiters_first (WlyModelWaiters *waiters, gboolean loaded);

/* Options of the first that has any; NULL where all are content with the defaults. (transfer full) */
GVariant *wly_model_waiters_dup_options (WlyModelWaiters *waiters);

void wly_model_waiters_fail (WlyModelWaiters *waiters, gboolean only_loaded, const GError *error);

/* Tells those that match that they have what they waited for. */
void wly_model_waiters_answer (WlyModelWaiters *waiters, WlyModelWaitersMatchCb match, gpointer user_data);

G_END_DECLS
