/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-lane.h"

typedef struct {
  WlyWorkFunc work;
  WlyWorkFunc done;
  gpointer data;
} Piece;

struct WlyLane {
  GThread *thread;
  GAsyncQueue *queue;
};

static gboolean
done_cb (gpointer data)
{
  Piece *piece = data;

  piece->done (piece->data);
  return G_SOURCE_REMOVE;
}

static gpointer
lane_thread (gpointer data)
{
  GAsyncQueue *queue = data;

  for (;;) {
    Piece *piece = g_async_queue_pop (queue);

    if (piece->work == NULL) {
      g_free (piece);
      return NULL;
    }
    piece->work (piece->data);
    g_idle_add_full (G_PRIORITY_DEFAULT, done_cb, piece, g_free);
  }
}

WlyLane *
wly_lane_new (const char *name)
{
  WlyLane *lane = g_new0 (WlyLane, 1);

  lane->queue  = g_async_queue_new_full (g_free);
  lane->thread = g_thread_new (name, lane_thread, lane->queue);
  return lane;
}

void
wly_lane_free (WlyLane *lane)
{
  if (lane == NULL)
    return;
  g_async_queue_push (lane->queue, g_new0 (Piece, 1));
  g_thread_join (lane->thread);
  g_async_queue_unref (lane->queue);
  g_free (lane);
}

void
wly_lane_push (WlyLane *lane, WlyWorkFunc work, WlyWorkFunc done, gpointer data)
{
  Piece *piece = g_new (Piece, 1);

  piece->work = work;
  piece->done = done;
  piece->data = data;
  g_async_queue_push (lane->queue, piece);
}
