/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts of several apps: long and short ones, many and few.
 */
#include "wly-lane.h"

#define LONG (WLY_LANE_SHORT_BYTES + 1)

typedef struct {
  GMutex mutex;
  GCond cond;
  guint n_open;    /* gates that may be passed */
  GString *worked; /* names, in the order in which work began */
  guint n_done;
} Scene;

typedef struct {
  Scene *scene;
  char name;
  gboolean gate;
} Work;

static void
work (gpointer data)
{
  Work *piece = data;

  g_mutex_lock (&piece->scene->mutex);
  g_string_append_c (piece->scene->worked, piece->name);
  g_cond_broadcast (&piece->scene->cond);
  while (piece->gate && piece->scene->n_open == 0)
    g_cond_wait (&piece->scene->cond, &piece->scene->mutex);
  piece->scene->n_open -= piece->gate;
  g_mutex_unlock (&piece->scene->mutex);
}

static void
done (gpointer data)
{
  Work *piece = data;

  piece->scene->n_done++;
  g_free (piece);
}

static void
push (WlyLane *lane, Scene *scene, guint64 app, gsize n_bytes, char name, gboolean gate)
{
  Work *piece = g_new (Work, 1);

  *piece = (Work){ scene, name, gate };
  wly_lane_push (lane, app, n_bytes, work, done, piece);
}

/* Waits until so much was begun. */
static void
wait_begun (Scene *scene, gsize n)
{
  g_mutex_lock (&scene->mutex);
  while (scene->worked->len < n)
    g_cond_wait (&scene->cond, &scene->mutex);
  g_mutex_unlock (&scene->mutex);
}

static void
open_gates (Scene *scene, guint n)
{
  g_mutex_lock (&scene->mutex);
  scene->n_open += n;
  g_cond_broadcast (&scene->cond);
  g_mutex_unlock (&scene->mutex);
}

static void
wait_done (Scene *scene, guint n)
{
  while (scene->n_done < n)
    g_main_context_iteration (NULL, TRUE);
}

static void
scene_init (Scene *scene)
{
  *scene = (Scene){ 0 };
  g_mutex_init (&scene->mutex);
  g_cond_init (&scene->cond);
  scene->worked = g_string_new (NULL);
}

static void
scene_clear (Scene *scene)
{
  g_string_free (scene->worked, TRUE);
  g_cond_clear (&scene->cond);
  g_mutex_clear (&scene->mutex);
}

/* Short texts pass while a long one that does not end is worked on, and others wait. */
static void
test_short_beside_long (void)
{
  WlyLane *lane = wly_lane_new ("test");
  Scene scene;

  scene_init (&scene);
  push (lane, &scene, 1, LONG, 'A', TRUE);
  push (lane, &scene, 1, G_MAXSIZE, 'B', FALSE);
  wait_begun (&scene, 1);
  for (guint i = 0; i < 10; i++)
    push (lane, &scene, 2, WLY_LANE_SHORT_BYTES, 's', FALSE);
  wait_done (&scene, 10);
  g_assert_cmpstr (scene.worked->str, ==, "Assssssssss");
  open_gates (&scene, 1);
  wait_done (&scene, 12);
  g_assert_cmpstr (scene.worked->str, ==, "AssssssssssB");
  wly_lane_free (lane);
  scene_clear (&scene);
}

/* The first of a second app does not wait for all of the first one. */
static void
test_turns (void)
{
  WlyLane *lane = wly_lane_new ("test");
  Scene scene;

  scene_init (&scene);
  push (lane, &scene, 1, LONG, 'a', TRUE); /* keeps the thread of long ones until all wait */
  wait_begun (&scene, 1);
  push (lane, &scene, 1, LONG, 'b', FALSE);
  push (lane, &scene, 1, LONG, 'c', FALSE);
  push (lane, &scene, 1, LONG, 'd', FALSE);
  push (lane, &scene, 2, LONG, 'x', FALSE);
  push (lane, &scene, 2, LONG, 'y', FALSE);
  push (lane, &scene, 3, LONG, 'z', FALSE);
  open_gates (&scene, 1);
  wait_done (&scene, 7);
  g_assert_cmpstr (scene.worked->str, ==, "axzbycd");
  wly_lane_free (lane);
  scene_clear (&scene);
}

/* What was pushed before it is freed is done. */
static void
test_free (void)
{
  WlyLane *lane = wly_lane_new ("test");
  Scene scene;

  scene_init (&scene);
  for (guint i = 0; i < 100; i++)
    push (lane, &scene, i % 3, i % 2 == 0 ? LONG : 1, 'x', FALSE);
  wly_lane_free (lane);
  g_assert_cmpuint (scene.worked->len, ==, 100);
  wait_done (&scene, 100);
  scene_clear (&scene);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/lane/short-beside-long", test_short_beside_long);
  g_test_add_func ("/worker/lane/turns", test_turns);
  g_test_add_func ("/worker/lane/free", test_free);
  return g_test_run ();
}
