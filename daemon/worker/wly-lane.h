/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A thread that does one piece of work after the other, and tells the main thread about each.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyLane WlyLane;

typedef void (*WlyWorkFunc) (gpointer data);

WlyLane *wly_lane_new (const char *name);
/* Waits until all work was done; @done of the last pieces runs when the main context is next iterated. */
void wly_lane_free (WlyLane *lane);

/* (main thread) @work runs in the lane's thread, then @done in the main thread. */
void wly_lane_push (WlyLane *lane, WlyWorkFunc work, WlyWorkFunc done, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyLane, wly_lane_free)

G_END_DECLS
