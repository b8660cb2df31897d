/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tells ThreadSanitizer of the order that GLib's locks, queues, thread pools and main contexts make.
 *
 * GLib of the distribution is not instrumented and locks by futexes of its own, so that the sanitizer would take every
 * field behind a GMutex for a race.  These functions stand before GLib's own in builds with -Db_sanitize=thread, and in
 * no other: they call GLib's, and say what it orders.
 */
#include <dlfcn.h>
#include <glib.h>

void __tsan_acquire (void *address);
void __tsan_release (void *address);

/* The next definition of the function that stands here, once. */
#define NEXT(name)                                                                                                     \
  static __typeof__ (name) *next;                                                                                      \
  if (g_once_init_enter (&next))                                                                                       \
    g_once_init_leave (&next, (__typeof__ (name) *)dlsym (RTLD_NEXT, #name));

#undef g_mutex_lock
void
g_mutex_lock (GMutex *mutex)
{
  NEXT (g_mutex_lock)
  next (mutex);
  __tsan_acquire (mutex);
}

#undef g_mutex_trylock
gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean locked;

  NEXT (g_mutex_trylock)
  locked = next (mutex);
  if (locked)
    __tsan_acquire (mutex);
  return locked;
}

#undef g_mutex_unlock
void
g_mutex_unlock (GMutex *mutex)
{
  NEXT (g_mutex_unlock)
  __tsan_release (mutex);
  next (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  NEXT (g_cond_wait)
  __tsan_release (mutex);
  next (cond, mutex);
  __tsan_acquire (mutex);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  NEXT (g_cond_wait_until)
  __tsan_release (mutex);
  signalled = next (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return signalled;
}

/* What was done before a push is seen after the pop; the queue stands for all its items. */
void
g_async_queue_push (GAsyncQueue *queue, gpointer data)
{
  NEXT (g_async_queue_push)
  __tsan_release (queue);
  next (queue, data);
}

gpointer
g_async_queue_pop (GAsyncQueue *queue)
{
  gpointer data;

  NEXT (g_async_queue_pop)
  data = next (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_try_pop (GAsyncQueue *queue)
{
  gpointer data;

  NEXT (g_async_queue_try_pop)
  data = next (queue);
  __tsan_acquire (queue);
  return data;
}

gpointer
g_async_queue_timeout_pop (GAsyncQueue *queue, guint64 timeout_us)
{
  gpointer data;

  NEXT (g_async_queue_timeout_pop)
  data = next (queue, timeout_us);
  __tsan_acquire (queue);
  return data;
}

/* What a thread of a pool does. */
typedef struct {
  GFunc work;
  gpointer user_data;
} Pool;

static void
pool_cb (gpointer data, gpointer user_data)
{
  const Pool *pool = user_data;

  __tsan_acquire (data);
  pool->work (data, pool->user_data);
}

GThreadPool *
g_thread_pool_new (GFunc work, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
  Pool *pool = g_new (Pool, 1); /* never freed: the pool does not say when it ends */

  NEXT (g_thread_pool_new)
  *pool = (Pool){ work, user_data };
  return next (pool_cb, pool, max_threads, exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  NEXT (g_thread_pool_push)
  __tsan_release (data);
  return next (pool, data, error);
}

/* A callback that another thread's main context will run. */
typedef struct {
  GSourceFunc callback;
  gpointer data;
  GDestroyNotify notify;
} Handover;

static Handover *
handover_new (GSourceFunc callback, gpointer data, GDestroyNotify notify)
{
  Handover *handover = g_new (Handover, 1);

  *handover = (Handover){ callback, data, notify };
  __tsan_release (handover);
  return handover;
}

static gboolean
handover_cb (gpointer data)
{
  Handover *handover = data;

  __tsan_acquire (handover);
  return handover->callback (handover->data);
}

static void
handover_free (gpointer data)
{
  Handover *handover = data;

  __tsan_acquire (handover);
  if (handover->notify != NULL)
    handover->notify (handover->data);
  g_free (handover);
}

guint
g_idle_add_full (gint priority, GSourceFunc callback, gpointer data, GDestroyNotify notify)
{
  NEXT (g_idle_add_full)
  return next (priority, handover_cb, handover_new (callback, data, notify), handover_free);
}

guint
g_idle_add (GSourceFunc callback, gpointer data)
{
  return g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, callback, data, NULL);
}

void
g_main_context_invoke_full (GMainContext *context, gint priority, GSourceFunc callback, gpointer data,
                            GDestroyNotify notify)
{
  NEXT (g_main_context_invoke_full)
  next (context, priority, handover_cb, handover_new (callback, data, notify), handover_free);
}

void
g_main_context_invoke (GMainContext *context, GSourceFunc callback, gpointer data)
{
  g_main_context_invoke_full (context, G_PRIORITY_DEFAULT, callback, data, NULL);
}
