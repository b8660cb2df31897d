/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-batch.h"

static const WlyBatchLimits limits = { .max_tokens = 256, .max_sequences = 64, .prefill_chunk = 128 };

static void
test_decode_first (void)
{
  WlyBatchEntry entries[] = {
    { .n_pending = 5000, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 0 },
    { .n_pending = 1, .priority = WLY_PRIORITY_BACKGROUND, .weight = 100, .virtual_time = 1000, .order = 1 },
    { .n_pending = 1, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 2 },
  };

  g_assert_cmpuint (wly_batch_fill (entries, G_N_ELEMENTS (entries), &limits), ==, 130);
  g_assert_cmpuint (entries[0].n_take, ==, 128);
  g_assert_cmpuint (entries[1].n_take, ==, 1);
  g_assert_cmpuint (entries[2].n_take, ==, 1);
}

/* A short prompt that has just come goes before the rest of a long one that has had its share. */
static void
test_short_before_long (void)
{
  WlyBatchEntry entries[] = {
    { .n_pending = 5000, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 0 },
    { .n_pending = 5000, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 1 },
    { .n_pending = 20, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 2 },
  };
  const WlyBatchLimits small = { .max_tokens = 128, .max_sequences = 64, .prefill_chunk = 128 };

  entries[0].virtual_time = wly_batch_charge (0, 128, WLY_PRIORITY_NORMAL, 100);
  entries[1].virtual_time = wly_batch_charge (0, 256, WLY_PRIORITY_NORMAL, 100);
  g_assert_cmpuint (wly_batch_fill (entries, G_N_ELEMENTS (entries), &small), ==, 128);
  g_assert_cmpuint (entries[2].n_take, ==, 20);
  g_assert_cmpuint (entries[0].n_take, ==, 108);
  g_assert_cmpuint (entries[1].n_take, ==, 0);
}

/* Tokens that two prompts without end get in @n_steps steps. */
static void
share (const WlyBatchEntry *first, const WlyBatchEntry *second, guint n_steps, guint64 ret_tokens[2])
{
  WlyBatchEntry entries[]  = { *first, *second };
  const WlyBatchLimits one = { .max_tokens = 16, .max_sequences = 1, .prefill_chunk = 16 };

  ret_tokens[0] = ret_tokens[1] = 0;
  for (guint i = 0; i < n_steps; i++) {
    wly_batch_fill (entries, 2, &one);
    for (guint e = 0; e < 2; e++) {
      ret_tokens[e] += entries[e].n_take;
      entries[e].virtual_time =
          wly_batch_charge (entries[e].virtual_time, entries[e].n_take, entries[e].priority, entries[e].weight);
    }
  }
}

static void
test_shares (void)
{
  WlyBatchEntry a = {
    .n_pending = 1000000, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 300, .order = 0
  };
  WlyBatchEntry b = {
    .n_pending = 1000000, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 1
  };
  guint64 tokens[2];

  share (&a, &b, 400, tokens);
  g_assert_cmpuint (tokens[0], ==, 300 * 16);
  g_assert_cmpuint (tokens[1], ==, 100 * 16);

  /* by priority, 16 : 1, and the last one is not starved */
  a.weight   = 100;
  a.priority = WLY_PRIORITY_INTERACTIVE;
  b.priority = WLY_PRIORITY_BACKGROUND;
  share (&a, &b, 340, tokens);
  g_assert_cmpuint (tokens[0], ==, 320 * 16);
  g_assert_cmpuint (tokens[1], ==, 20 * 16);
}

/* A batch that decoding sequences fill leaves a prompt its turns. */
static void
test_scarce (void)
{
  WlyBatchEntry entries[] = {
    { .n_pending = 1, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 0 },
    { .n_pending = 1, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 1 },
    { .n_pending = 100, .prefill = TRUE, .priority = WLY_PRIORITY_NORMAL, .weight = 100, .order = 2 },
  };
  const WlyBatchLimits two = { .max_tokens = 2, .max_sequences = 2, .prefill_chunk = 1 };
  guint taken[3]           = { 0 };

  for (guint i = 0; i < 300; i++) {
    g_assert_cmpuint (wly_batch_fill (entries, 3, &two), ==, 2);
    for (guint e = 0; e < 3; e++) {
      taken[e] += entries[e].n_take;
      entries[e].virtual_time =
          wly_batch_charge (entries[e].virtual_time, entries[e].n_take, entries[e].priority, entries[e].weight);
    }
  }
  for (guint e = 0; e < 3; e++)
    g_assert_cmpuint (taken[e], ==, 200);
}

static void
test_limits (void)
{
  g_autofree WlyBatchEntry *entries = g_new0 (WlyBatchEntry, 100);
  guint n_taken                     = 0;

  for (guint i = 0; i < 100; i++)
    entries[i] = (WlyBatchEntry){ .n_pending = 1, .priority = WLY_PRIORITY_NORMAL, .weight = 1, .order = i };
  g_assert_cmpuint (wly_batch_fill (entries, 100, &limits), ==, 64);
  for (guint i = 0; i < 100; i++)
    n_taken += entries[i].n_take;
  g_assert_cmpuint (n_taken, ==, 64);
  g_assert_cmpuint (entries[63].n_take, ==, 1);
  g_assert_cmpuint (entries[64].n_take, ==, 0);
  g_assert_cmpuint (wly_batch_fill (entries, 0, &limits), ==, 0);
  /* the clock stops rather than starting again */
  g_assert_cmpuint (wly_batch_charge (G_MAXUINT64 - 1, 100, WLY_PRIORITY_BACKGROUND, 1), ==, G_MAXUINT64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/worker/batch/decode-first", test_decode_first);
  g_test_add_func ("/worker/batch/short-before-long", test_short_before_long);
  g_test_add_func ("/worker/batch/shares", test_shares);
  g_test_add_func ("/worker/batch/scarce", test_scarce);
  g_test_add_func ("/worker/batch/limits", test_limits);
  return g_test_run ();
}
