/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-waiters.h"

#include "wly-error.h"

struct WlyModelWaiters {
  GQueue tasks; /* GTask*, task data: Entry */
  WlyModelWaitersCancelledCb cancelled;
  gpointer user_data;
};

typedef struct {
  WlyModelWaiter waiter; /* first: one is the other */
  WlyModelWaiters *waiters;
  gulong cancelled_handler;
} Entry;

WlyModelWaiters *
wly_model_waiters_new (WlyModelWaitersCancelledCb cancelled, gpointer user_data)
{
  WlyModelWaiters *self = g_new0 (WlyModelWaiters, 1);

  g_queue_init (&self->tasks);
  self->cancelled = cancelled;
  self->user_data = user_data;
  return self;
}

void
wly_model_waiters_free (WlyModelWaiters *self)
{
  if (self == NULL)
    return;
  g_assert (g_queue_is_empty (&self->tasks)); /* each task holds the model, which holds this */
  g_free (self);
}

static void
entry_free (gpointer data)
{
  Entry *entry = data;

  g_clear_pointer (&entry->waiter.options, g_variant_unref);
  g_free (entry);
}

static void
cancelled_cb (GCancellable *cancellable, gpointer data)
{
  GTask *task           = data;
  Entry *entry          = g_task_get_task_data (task);
  WlyModelWaiters *self = entry->waiters;

  if (!g_queue_remove (&self->tasks, task))
    return;
  entry->cancelled_handler = 0;
  g_signal_handlers_disconnect_by_func (cancellable, cancelled_cb, task);
  self->cancelled (self->user_data);
  g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_CANCELLED, "cancelled");
  g_object_unref (task);
}

void
wly_model_waiters_add (WlyModelWaiters *self, GTask *task, gboolean loaded, GVariant *options)
{
  GCancellable *cancellable = g_task_get_cancellable (task);
  Entry *entry              = g_new0 (Entry, 1);

  g_task_set_check_cancellable (task, FALSE);
  entry->waiters        = self;
  entry->waiter.loaded  = loaded;
  entry->waiter.options = options != NULL ? g_variant_ref (options) : NULL;
  g_task_set_task_data (task, entry, entry_free);
  if (cancellable != NULL && g_cancellable_is_cancelled (cancellable)) {
    g_task_return_new_error (task, WLY_ERROR, WLY_ERROR_CANCELLED, "cancelled");
    g_object_unref (task);
    return;
  }
  g_queue_push_tail (&self->tasks, task);
  if (cancellable != NULL)
    entry->cancelled_handler = g_signal_connect (cancellable, "cancelled", G_CALLBACK (cancelled_cb), task);
}

gboolean
wly_model_waiters_is_empty (WlyModelWaiters *self)
{
  return g_queue_is_empty (&self->tasks);
}

const WlyModelWaiter *
wly_model_waiters_first (WlyModelWaiters *self, gboolean loaded)
{
  for (GList *item = self->tasks.head; item != NULL; item = item->next) {
    const WlyModelWaiter *waiter = g_task_get_task_data (item->data);
    if (!loaded || waiter->loaded)
      return waiter;
  }
  return NULL;
}

GVariant *
wly_model_waiters_dup_options (WlyModelWaiters *self)
{
  for (GList *item = self->tasks.head; item != NULL; item = item->next) {
    const WlyModelWaiter *waiter = g_task_get_task_data (item->data);
    if (waiter->options != NULL && g_variant_n_children (waiter->options) > 0)
      return g_variant_ref (waiter->options);
  }
  return NULL;
}

/* (transfer full) array of GTask*, which are off the list. */
static GPtrArray *
take (WlyModelWaiters *self, WlyModelWaitersMatchCb match, gpointer user_data)
{
  GPtrArray *taken = g_ptr_array_new_with_free_func (g_object_unref);
  GList *next;

  for (GList *item = self->tasks.head; item != NULL; item = next) {
    GTask *task  = item->data;
    Entry *entry = g_task_get_task_data (task);
    next         = item->next;
    if (!match (&entry->waiter, user_data))
      continue;
    g_queue_delete_link (&self->tasks, item);
    if (entry->cancelled_handler != 0)
      g_signal_handler_disconnect (g_task_get_cancellable (task), entry->cancelled_handler);
    g_ptr_array_add (taken, task);
  }
  return taken;
}

static gboolean
match_level (const WlyModelWaiter *waiter, gpointer data)
{
  return waiter->loaded || !GPOINTER_TO_INT (data);
}

void
wly_model_waiters_fail (WlyModelWaiters *self, gboolean only_loaded, const GError *error)
{
  g_autoptr (GPtrArray) taken = take (self, match_level, GINT_TO_POINTER (only_loaded));
  g_autoptr (GError) copy     = g_error_copy (error); /* the callbacks may free the original */

  for (guint i = 0; i < taken->len; i++)
    g_task_return_error (taken->pdata[i], g_error_copy (copy));
}

void
wly_model_waiters_answer (WlyModelWaiters *self, WlyModelWaitersMatchCb match, gpointer user_data)
{
  g_autoptr (GPtrArray) taken = take (self, match, user_data);

  for (guint i = 0; i < taken->len; i++)
    g_task_return_boolean (taken->pdata[i], TRUE);
}
