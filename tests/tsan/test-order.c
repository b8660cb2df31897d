/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * That ThreadSanitizer knows the order that GLib makes, and still finds what has none.  Built with -Db_sanitize=thread
 * only.
 */
#include <glib.h>

static GMutex mutex;
static GCond cond;
static int guarded;
static int handed;

static gpointer
lock_thread (gpointer data)
{
  for (int i = 0; i < 1000; i++) {
    g_mutex_lock (&mutex);
    guarded++;
    g_cond_signal (&cond);
    g_mutex_unlock (&mutex);
  }
  return NULL;
}

static void
test_locks (void)
{
  GThread *threads[2];

  guarded = 0;
  for (int i = 0; i < 2; i++)
    threads[i] = g_thread_new ("lock", lock_thread, NULL);
  g_mutex_lock (&mutex);
  while (guarded < 2000)
    g_cond_wait (&cond, &mutex);
  g_assert_cmpint (guarded, ==, 2000);
  g_mutex_unlock (&mutex);
  for (int i = 0; i < 2; i++)
    g_thread_join (threads[i]);
}

static gpointer
queue_thread (gpointer data)
{
  for (int i = 1; i <= 1000; i++) {
    int *item = g_new (int, 1);

    *item = i;
    g_async_queue_push (data, item);
  }
  return NULL;
}

static void
test_queue (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();
  GThread *thread               = g_thread_new ("queue", queue_thread, queue);

  for (int i = 1; i <= 1000; i++) {
    g_autofree int *item = g_async_queue_pop (queue);

    g_assert_cmpint (*item, ==, i);
    *item = 0;
  }
  g_thread_join (thread);
}

static void
pool_thread (gpointer data, gpointer queue)
{
  int *item = data;

  *item += 1;
  g_async_queue_push (queue, item);
}

static void
test_pool (void)
{
  g_autoptr (GAsyncQueue) queue = g_async_queue_new ();
  GThreadPool *pool             = g_thread_pool_new (pool_thread, queue, 2, FALSE, NULL);
  int sum                       = 0;

  for (int i = 0; i < 1000; i++) {
    int *item = g_new (int, 1);

    *item = i;
    g_assert_true (g_thread_pool_push (pool, item, NULL));
  }
  for (int i = 0; i < 1000; i++) {
    g_autofree int *item = g_async_queue_pop (queue);

    sum += *item;
  }
  g_assert_cmpint (sum, ==, 1000 * 1001 / 2);
  g_thread_pool_free (pool, FALSE, TRUE);
}

static gboolean
handed_cb (gpointer data)
{
  g_assert_cmpint (handed, ==, 1);
  handed = 2;
  g_main_loop_quit (data);
  return G_SOURCE_REMOVE;
}

static gpointer
idle_thread (gpointer data)
{
  handed = 1;
  g_idle_add (handed_cb, data);
  return NULL;
}

static void
test_main_context (void)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  GThread *thread            = g_thread_new ("idle", idle_thread, loop);

  g_main_loop_run (loop);
  g_assert_cmpint (handed, ==, 2);
  g_thread_join (thread);
}

static gpointer
race_thread (gpointer data)
{
  for (int i = 0; i < 100000; i++)
    ++*(volatile int *)data;
  return NULL;
}

static void
test_race_is_found (void)
{
  if (g_test_subprocess ()) {
    int shared = 0;
    GThread *threads[2];

    for (int i = 0; i < 2; i++)
      threads[i] = g_thread_new ("race", race_thread, &shared);
    for (int i = 0; i < 2; i++)
      g_thread_join (threads[i]);
    return;
  }
  g_test_trap_subprocess (NULL, 0, 0);
  g_test_trap_assert_failed ();
  g_test_trap_assert_stderr ("*data race*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tsan/order/locks", test_locks);
  g_test_add_func ("/tsan/order/queue", test_queue);
  g_test_add_func ("/tsan/order/pool", test_pool);
  g_test_add_func ("/tsan/order/main-context", test_main_context);
  g_test_add_func ("/tsan/order/race-is-found", test_race_is_found);
  return g_test_run ();
}
