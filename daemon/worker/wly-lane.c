/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-lane.h"

typedef struct {
  guint64 app;
  guint turn;
  gboolean is_long;
  WlyWorkFunc work;
  WlyWorkFunc done;
  gpointer data;
} Piece;

struct WlyLane {
  GThread *threads[2]; /* the second one takes short pieces alone */
  GMutex mutex;        /* of what follows */
  GCond cond;
  GQueue waiting;       /* Piece*, by turn, then as they came */
  GHashTable *n_of_app; /* app -> unfinished pieces */
  gboolean closing;
};

typedef struct {
  WlyLane *lane;
  gboolean short_only;
} Start;

static gboolean
done_cb (gpointer data)
{
  Piece *piece = data;

  piece->done (piece->data);
  return G_SOURCE_REMOVE;
}

static guint
count_of (WlyLane *lane, guint64 app)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (lane->n_of_app, &app));
}

static void
set_count (WlyLane *lane, guint64 app, guint n)
{
  if (n == 0)
    g_hash_table_remove (lane->n_of_app, &app);
  else
    g_hash_table_replace (lane->n_of_app, g_memdup2 (&app, sizeof app), GUINT_TO_POINTER (n));
}

/* The next piece for a thread; NULL where it has to wait.  The lock is held. */
static Piece *
take (WlyLane *lane, gboolean short_only)
{
  GList *first_short = NULL;
  GList *chosen      = NULL;
  Piece *piece;

  for (GList *at = lane->waiting.head; at != NULL && chosen == NULL; at = at->next) {
    piece = at->data;
    if (!piece->is_long && first_short == NULL)
      first_short = at;
    if (piece->is_long && !short_only)
      chosen = at;
  }
  chosen = chosen != NULL ? chosen : first_short;
  if (chosen == NULL)
    return NULL;
  piece = chosen->data;
  g_queue_delete_link (&lane->waiting, chosen);
  return piece;
}

static void
work_on (WlyLane *lane, Piece *piece)
{
  const guint64 app = piece->app;

  g_mutex_unlock (&lane->mutex);
  piece->work (piece->data);
  g_idle_add_full (G_PRIORITY_DEFAULT, done_cb, piece, g_free);
  g_mutex_lock (&lane->mutex);
  set_count (lane, app, count_of (lane, app) - 1);
}

static gpointer
lane_thread (gpointer data)
{
  g_autofree Start *start = data;
  WlyLane *lane           = start->lane;
  Piece *piece;

  g_mutex_lock (&lane->mutex);
  for (;;) {
    piece = take (lane, start->short_only);
    if (piece != NULL)
      work_on (lane, piece);
    else if (lane->closing)
      break;
    else
      g_cond_wait (&lane->cond, &lane->mutex);
  }
  g_mutex_unlock (&lane->mutex);
  return NULL;
}

WlyLane *
wly_lane_new (const char *name)
{
  WlyLane *lane = g_new0 (WlyLane, 1);

  g_mutex_init (&lane->mutex);
  g_cond_init (&lane->cond);
  g_queue_init (&lane->waiting);
  lane->n_of_app = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  for (int i = 0; i < 2; i++) {
    Start *start      = g_new (Start, 1);
    start->lane       = lane;
    start->short_only = i == 1;
    lane->threads[i]  = g_thread_new (name, lane_thread, start);
  }
  return lane;
}

void
wly_lane_free (WlyLane *lane)
{
  if (lane == NULL)
    return;
  g_mutex_lock (&lane->mutex);
  lane->closing = TRUE;
  g_cond_broadcast (&lane->cond);
  g_mutex_unlock (&lane->mutex);
  for (int i = 0; i < 2; i++)
    g_thread_join (lane->threads[i]);
  g_hash_table_unref (lane->n_of_app);
  g_cond_clear (&lane->cond);
  g_mutex_clear (&lane->mutex);
  g_free (lane);
}

static int
compare_turns (gconstpointer a, gconstpointer b, gpointer data)
{
  const Piece *piece_a = a, *piece_b = b;

  /* of equal ones the later one, which is the one that is put in, goes behind */
  return piece_a->turn <= piece_b->turn ? -1 : 1;
}

void
wly_lane_push (WlyLane *lane, guint64 app, gsize n_bytes, WlyWorkFunc work, WlyWorkFunc done, gpointer data)
{
  Piece *piece = g_new0 (Piece, 1);

  piece->app     = app;
  piece->is_long = n_bytes > WLY_LANE_SHORT_BYTES;
  piece->work    = work;
  piece->done    = done;
  piece->data    = data;
  g_mutex_lock (&lane->mutex);
  piece->turn = count_of (lane, app);
  set_count (lane, app, piece->turn + 1);
  g_queue_insert_sorted (&lane->waiting, piece, compare_turns, NULL);
  g_cond_broadcast (&lane->cond);
  g_mutex_unlock (&lane->mutex);
}
