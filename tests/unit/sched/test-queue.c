/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-account.h"
#include "wly-error.h"
#include "wly-queue.h"

#include <string.h>

typedef struct {
  const char *name;
  WlyQueueItem *item;
  gboolean started;
  guint position;
} Item;

static GString *started; /* names, in order */

static void
start_cb (gpointer data)
{
  Item *item = data;

  g_assert_false (item->started);
  item->started  = TRUE;
  item->position = 0;
  g_string_append (started, item->name);
}

static void
moved_cb (guint position, gpointer data)
{
  Item *item = data;

  g_assert_false (item->started);
  item->position = position;
}

static const WlyQueueLimits wide = { .max_running = 1, .max_waiting = 64, .max_waiting_per_app = 16 };

static void
push (WlyQueue *queue, Item *item, const char *name, guint priority, const char *app)
{
  g_autoptr (GError) error = NULL;

  *item      = (Item){ .name = name, .position = G_MAXUINT };
  item->item = wly_queue_push (queue, &wide, priority, app, start_cb, moved_cb, item, &error);
  g_assert_no_error (error);
  wly_queue_settle (queue);
}

static void
finish_all (WlyQueue *queue, Item *items, guint n_items)
{
  for (guint left = n_items; left > 0; left--)
    for (guint i = 0; i < n_items; i++)
      if (items[i].item != NULL && items[i].started) {
        wly_queue_remove (queue, g_steal_pointer (&items[i].item));
        break;
      }
  g_assert_cmpuint (wly_queue_get_length (queue), ==, 0);
}

static void
test_turns (void)
{
  WlyQueue *queue = wly_queue_new ();
  Item items[6];

  started = g_string_new (NULL);
  push (queue, &items[0], "A", 1, "greedy");
  push (queue, &items[1], "B", 1, "greedy");
  push (queue, &items[2], "C", 1, "greedy");
  push (queue, &items[3], "D", 1, "greedy");
  push (queue, &items[4], "x", 1, "other");
  push (queue, &items[5], "y", 1, "other");
  g_assert_cmpuint (items[4].position, ==, 1); /* only what runs is before it */
  g_assert_cmpuint (items[3].position, ==, 5);
  finish_all (queue, items, 6);
  g_assert_cmpstr (started->str, ==, "AxByCD");
  g_string_free (started, TRUE);
  wly_queue_free (queue);
}

static void
test_priorities (void)
{
  WlyQueue *queue = wly_queue_new ();
  Item items[4];

  started = g_string_new (NULL);
  push (queue, &items[0], "a", 2, "app"); /* begins at once: nothing is taken from it */
  push (queue, &items[1], "b", 2, "app");
  push (queue, &items[2], "n", 1, "app");
  push (queue, &items[3], "i", 0, "app");
  g_assert_cmpuint (items[3].position, ==, 1);
  finish_all (queue, items, 4);
  g_assert_cmpstr (started->str, ==, "ainb");
  g_string_free (started, TRUE);
  wly_queue_free (queue);
}

static void
test_leaving_the_line (void)
{
  WlyQueue *queue = wly_queue_new ();
  Item items[3];

  started = g_string_new (NULL);
  push (queue, &items[0], "a", 1, "app");
  push (queue, &items[1], "b", 1, "app");
  push (queue, &items[2], "c", 1, "app");
  g_assert_cmpuint (items[2].position, ==, 2);
  wly_queue_remove (queue, g_steal_pointer (&items[1].item));
  g_assert_cmpuint (items[2].position, ==, 1);
  g_assert_cmpuint (wly_queue_get_length (queue), ==, 2);
  finish_all (queue, items, 3);
  g_assert_cmpstr (started->str, ==, "ac");
  g_string_free (started, TRUE);
  wly_queue_free (queue);
}

static void
test_limits (void)
{
  const WlyQueueLimits narrow     = { .max_running = 2, .max_waiting = 3, .max_waiting_per_app = 2 };
  static const char *const apps[] = { "a", "a", "a", "a", "b" };
  WlyQueue *queue                 = wly_queue_new ();
  g_autoptr (GError) error        = NULL;
  Item items[6] = { { .name = "-" }, { .name = "-" }, { .name = "-" }, { .name = "-" }, { .name = "-" } };

  started = g_string_new (NULL);
  for (guint i = 0; i < 4; i++) {
    items[i].item = wly_queue_push (queue, &narrow, 1, apps[i], start_cb, moved_cb, &items[i], &error);
    wly_queue_settle (queue);
  }
  g_assert_no_error (error);
  g_assert_cmpuint (started->len, ==, 2);
  g_assert_null (wly_queue_push (queue, &narrow, 1, "a", start_cb, moved_cb, &items[5], &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_BUSY);
  g_clear_error (&error);
  items[4].item = wly_queue_push (queue, &narrow, 1, "b", start_cb, moved_cb, &items[4], &error);
  g_assert_no_error (error);
  g_assert_null (wly_queue_push (queue, &narrow, 1, "c", start_cb, moved_cb, &items[5], &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_BUSY);
  finish_all (queue, items, 5);
  g_string_free (started, TRUE);
  wly_queue_free (queue);
}

static void
test_quotas (void)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  g_autoptr (WlyAccounts) accounts = NULL;
  g_autoptr (WlyAccount) one       = NULL;
  g_autoptr (WlyAccount) two       = NULL;
  g_autoptr (WlyAccount) again     = NULL;
  g_autoptr (GError) error         = NULL;

  g_assert_true (wly_settings_set (settings, "limits", "objects-per-caller", "2", NULL));
  g_assert_true (wly_settings_set (settings, "limits", "objects", "3", NULL));
  accounts = wly_accounts_new (settings);
  one      = wly_account_new (accounts, "one", "same");
  two      = wly_account_new (accounts, "two", "same");
  g_assert_true (wly_account_take_object (one, NULL));
  g_assert_true (wly_account_take_object (one, NULL));
  g_assert_false (wly_account_take_object (one, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "this app"));
  g_clear_error (&error);
  g_assert_true (wly_account_take_object (two, NULL));
  g_assert_false (wly_account_take_object (two, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "service"));
  wly_account_give_object (one);
  g_assert_true (wly_account_take_object (two, NULL));
  again = wly_account_new (accounts, "two", "same"); /* by another connection */
  g_clear_error (&error);
  g_assert_false (wly_account_take_object (again, &error));
  g_assert_nonnull (strstr (error->message, "this app"));
  g_assert_true (wly_account_take_request (one, NULL)); /* counted apart */
  g_assert_cmpuint (wly_accounts_get_count (accounts, WLY_ACCOUNTS_OBJECTS), ==, 3);
  g_assert_cmpuint (wly_accounts_get_count (accounts, WLY_ACCOUNTS_REQUESTS), ==, 1);
}

static void
test_salts (void)
{
  g_autoptr (WlySettings) settings = wly_settings_new ();
  g_autoptr (WlyAccounts) accounts = wly_accounts_new (settings);
  g_autoptr (WlyAccounts) others   = wly_accounts_new (settings);
  g_autoptr (WlyAccount) one       = wly_account_new (accounts, "1", "app");
  g_autoptr (WlyAccount) same      = wly_account_new (accounts, "2", "app");
  g_autoptr (WlyAccount) two       = wly_account_new (accounts, "3", "another");
  g_autoptr (WlyAccount) later     = wly_account_new (others, "1", "app");

  g_assert_cmpuint (wly_account_get_salt (one), ==, wly_account_get_salt (same));
  g_assert_cmpuint (wly_account_get_salt (one), !=, wly_account_get_salt (two));
  g_assert_cmpuint (wly_account_get_salt (one), !=, wly_account_get_salt (later)); /* not to be guessed from the name */
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/sched/queue/turns", test_turns);
  g_test_add_func ("/sched/queue/priorities", test_priorities);
  g_test_add_func ("/sched/queue/leaving-the-line", test_leaving_the_line);
  g_test_add_func ("/sched/queue/limits", test_limits);
  g_test_add_func ("/sched/account/quotas", test_quotas);
  g_test_add_func ("/sched/account/salts", test_salts);
  return g_test_run ();
}
