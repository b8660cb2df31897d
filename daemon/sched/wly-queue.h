/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The order in which a model's requests begin.
 *
 * Higher priorities go first.  Within one, apps take turns: an app's n-th unfinished request has turn n, and lower
 * turns go first, so that one app that asks sixteen times does not keep another waiting sixteen times.  What has begun
 * is the worker's to share out.  The queue knows items, not requests.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyQueue WlyQueue;
typedef struct WlyQueueItem WlyQueueItem;

/* The item may begin. */
typedef void (*WlyQueueStartCb) (gpointer user_data);
/* Its position has changed: @position requests are before it. */
typedef void (*WlyQueueMovedCb) (guint position, gpointer user_data);

typedef struct {
  guint max_running;
  guint max_waiting;
  guint max_waiting_per_app;
} WlyQueueLimits;

WlyQueue *wly_queue_new (void);
void wly_queue_free (WlyQueue *queue); /* it must be empty */

/* Puts an item in line; wly_queue_settle() lets it begin. @priority: 0 is the most urgent. @limits: at this time.
 * Errors: WLY_ERROR_BUSY. */
WlyQueueItem *wly_queue_push (WlyQueue *queue, const WlyQueueLimits *limits, guint priority, const char *app,
                              WlyQueueStartCb start, WlyQueueMovedCb moved, gpointer user_data, GError **error);

/* Lets begin what may, and tells those that wait where they are. */
void wly_queue_settle (WlyQueue *queue);

/* Takes it out, whether it has begun or not; others may begin before this returns. */
void wly_queue_remove (WlyQueue *queue, WlyQueueItem *item);

guint wly_queue_get_length (WlyQueue *queue); /* waiting and running */
gboolean wly_queue_item_is_running (WlyQueueItem *item);

G_END_DECLS
