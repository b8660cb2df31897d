/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Two threads that work on texts and tell the main thread about each: one takes long pieces, and short ones where there
 * is no long one; the other short ones alone.  So nobody's short text waits for anybody's long one.
 *
 * Apps take turns: an app's n-th unfinished piece has turn n, and lower turns go first, so that many texts of one app
 * do not keep another one waiting.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* More bytes than this make a piece a long one: that is some 20 ms. */
#define WLY_LANE_SHORT_BYTES (256 * 1024)

typedef struct WlyLane WlyLane;

typedef void (*WlyWorkFunc) (gpointer data);

WlyLane *wly_lane_new (const char *name);
/* Waits until all work was done; @done of the last pieces runs when the main context is next iterated. */
void wly_lane_free (WlyLane *lane);

/* (main thread) @work runs in one of the threads, then @done in the main thread.  @app: whose turn it is; @n_bytes: of
 * the text, G_MAXSIZE where nobody knows. */
void wly_lane_push (WlyLane *lane, guint64 app, gsize n_bytes, WlyWorkFunc work, WlyWorkFunc done, gpointer data);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyLane, wly_lane_free)

G_END_DECLS
