/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-queue.h"

#include "wly-error.h"

struct WlyQueue {
  GPtrArray *waiting; /* WlyQueueItem*, in order */
  GPtrArray *running;
  guint64 next_serial;
  guint max_running;
};

struct WlyQueueItem {
  guint priority;
  guint turn;
  guint64 serial;
  char *app;
  guint position;
  gboolean running;
  WlyQueueStartCb start;
  WlyQueueMovedCb moved;
  gpointer user_data;
};

WlyQueue *
wly_queue_new (void)
{
  WlyQueue *self = g_new0 (WlyQueue, 1);

  self->waiting     = g_ptr_array_new ();
  self->running     = g_ptr_array_new ();
  self->max_running = 1;
  return self;
}

void
wly_queue_free (WlyQueue *self)
{
  if (self == NULL)
    return;
  g_assert (wly_queue_get_length (self) == 0);
  g_ptr_array_unref (self->waiting);
  g_ptr_array_unref (self->running);
  g_free (self);
}

static guint
count_app (const GPtrArray *items, const char *app, guint priority)
{
  guint n = 0;

  for (guint i = 0; i < items->len; i++) {
    const WlyQueueItem *item = items->pdata[i];
    n += g_str_equal (item->app, app) && (priority == G_MAXUINT || item->priority == priority);
  }
  return n;
}

static int
compare_items (gconstpointer a, gconstpointer b)
{
  const WlyQueueItem *item_a = *(WlyQueueItem *const *)a, *item_b = *(WlyQueueItem *const *)b;

  if (item_a->priority != item_b->priority)
    return item_a->priority < item_b->priority ? -1 : 1;
  if (item_a->turn != item_b->turn)
    return item_a->turn < item_b->turn ? -1 : 1;
  return item_a->serial < item_b->serial ? -1 : 1;
}

static WlyQueueItem *
first_moved (WlyQueue *self)
{
  for (guint i = 0; i < self->waiting->len; i++) {
    WlyQueueItem *item = self->waiting->pdata[i];
    guint position     = self->running->len + i;
    if (item->position != position) {
      item->position = position;
      return item;
    }
  }
  return NULL;
}

/* Callbacks may push and remove: after each one the lists are looked at anew. */
void
wly_queue_settle (WlyQueue *self)
{
  WlyQueueItem *item;

  while (self->waiting->len > 0 && self->running->len < self->max_running) {
    item           = g_ptr_array_steal_index (self->waiting, 0);
    item->running  = TRUE;
    item->position = 0;
    g_ptr_array_add (self->running, item);
    item->start (item->user_data);
  }
  while ((item = first_moved (self)) != NULL)
    item->moved (item->position, item->user_data);
}

WlyQueueItem *
wly_queue_push (WlyQueue *self, const WlyQueueLimits *limits, guint priority, const char *app, WlyQueueStartCb start,
                WlyQueueMovedCb moved, gpointer user_data, GError **error)
{
  gboolean waits = self->running->len >= limits->max_running || self->waiting->len > 0;
  WlyQueueItem *item;

  if (waits && self->waiting->len >= limits->max_waiting) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "%u requests wait for this model already", self->waiting->len);
    return NULL;
  }
  if (waits && count_app (self->waiting, app, G_MAXUINT) >= limits->max_waiting_per_app) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_BUSY, "%u requests of this app wait for this model already",
                 limits->max_waiting_per_app);
    return NULL;
  }
  item            = g_new0 (WlyQueueItem, 1);
  item->priority  = priority;
  item->turn      = count_app (self->waiting, app, priority) + count_app (self->running, app, priority);
  item->serial    = self->next_serial++;
  item->app       = g_strdup (app);
  item->position  = G_MAXUINT;
  item->start     = start;
  item->moved     = moved;
  item->user_data = user_data;

  self->max_running = limits->max_running;
  g_ptr_array_add (self->waiting, item);
  g_ptr_array_sort (self->waiting, compare_items);
  return item;
}

void
wly_queue_remove (WlyQueue *self, WlyQueueItem *item)
{
  if (!g_ptr_array_remove (item->running ? self->running : self->waiting, item))
    g_assert_not_reached ();
  g_free (item->app);
  g_free (item);
  wly_queue_settle (self);
}

guint
wly_queue_get_length (WlyQueue *self)
{
  return self->waiting->len + self->running->len;
}

gboolean
wly_queue_item_is_running (WlyQueueItem *item)
{
  return item->running;
}
