/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-speed.h"

#include "wly-error.h"

#include <glib/gi18n.h>

struct BenchSpeed {
  BenchEngine *engine;
  WlyNetwork *network;
  enum wlp_type kv;
  GPtrArray *sequences; /* of WlySequence; number i has salt i, so that no two share a block */
  guint64 n_drawn;      /* tokens */
};

BenchResult *
bench_result_new (const BenchTest *test)
{
  BenchResult *result = g_new0 (BenchResult, 1);

  result->test     = *test;
  result->rates    = g_array_new (FALSE, FALSE, sizeof (double));
  result->steps_ms = g_array_new (FALSE, FALSE, sizeof (double));
  result->profile  = g_new0 (BenchProfile, 1);
  return result;
}

void
bench_result_free (BenchResult *result)
{
  if (result == NULL)
    return;
  g_array_unref (result->rates);
  g_array_unref (result->steps_ms);
  bench_profile_free (result->profile);
  g_free (result);
}

const char *
bench_result_kind (const BenchResult *result)
{
  return result->test.kind == BENCH_PREFILL ? "prefill" : "decode";
}

BenchSpeed *
bench_speed_new (BenchEngine *engine, enum wlp_type kv)
{
  BenchSpeed *speed = g_new0 (BenchSpeed, 1);

  speed->engine    = engine;
  speed->network   = engine->network;
  speed->kv        = kv;
  speed->sequences = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_sequence_free);
  return speed;
}

void
bench_speed_free (BenchSpeed *speed)
{
  if (speed == NULL)
    return;
  g_ptr_array_unref (speed->sequences);
  g_free (speed);
}

/* ---- sequences ---- */

/* Tokens that were never seen together: what was computed before is of no use. */
static gboolean
append_tokens (BenchSpeed *speed, WlySequence *sequence, guint n, GError **error)
{
  const guint32 n_vocab     = MAX (wly_network_n_vocab (speed->network), 1);
  g_autofree gint32 *tokens = g_new (gint32, n);

  for (guint i = 0; i < n; i++) {
    guint64 h = ++speed->n_drawn * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);

    h         = (h ^ (h >> 31)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
    tokens[i] = (gint32)((h >> 33) % n_vocab);
  }
  return wly_sequence_append (sequence, tokens, n, NULL, error);
}

static guint
n_pending (const WlySequence *sequence)
{
  return wly_sequence_n_tokens (sequence) - wly_sequence_n_computed (sequence);
}

/* The next step of the first @n sequences: as many of their tokens as go into one batch.  Returns how many; 0: there is
 * nothing left. */
static guint
fill_step (BenchSpeed *speed, guint n, WlyStepItem *items, guint *ret_n_items)
{
  guint room    = wly_network_max_batch_tokens (speed->network);
  guint n_items = 0;
  guint total   = 0;

  for (guint i = 0; i < n && room > 0; i++) {
    WlySequence *sequence = g_ptr_array_index (speed->sequences, i);
    const guint pending   = n_pending (sequence);
    const guint take      = MIN (pending, room);

    if (take == 0)
      continue;
    items[n_items++] = (WlyStepItem){ .sequence = sequence, .n_tokens = take, .want_output = take == pending };
    room -= take;
    total += take;
  }
  *ret_n_items = n_items;
  return total;
}

/* Computes all that is pending; @steps_ms (NULL: none) gets the time of each step. */
static gboolean
run_pending (BenchSpeed *speed, guint n, GArray *steps_ms, GError **error)
{
  g_autofree WlyStepItem *items = g_new (WlyStepItem, n);
  guint n_items;

  while (fill_step (speed, n, items, &n_items) > 0) {
    const gint64 start = g_get_monotonic_time ();
    double step_ms;

    if (!wly_network_step (speed->network, items, n_items, NULL, error))
      return FALSE;
    step_ms = (double)(g_get_monotonic_time () - start) / 1000;
    if (steps_ms != NULL)
      g_array_append_val (steps_ms, step_ms);
  }
  return TRUE;
}

static WlySequence *
add_sequence (BenchSpeed *speed, GError **error)
{
  WlySequence *sequence = wly_sequence_new (wly_network_cache (speed->network), speed->kv, speed->sequences->len,
                                            wly_network_max_positions (speed->network), error);

  if (sequence != NULL)
    g_ptr_array_add (speed->sequences, sequence);
  return sequence;
}

/* Gives @to, which is empty, what @from has computed. */
static gboolean
copy_sequence (BenchSpeed *speed, const WlySequence *from, WlySequence *to, GError **error)
{
  const struct wlp_program *program = wly_network_program (speed->network);
  const guint n                     = wly_sequence_n_computed (from);
  struct wlp_sequence source        = { { 0 } };
  struct wlp_sequence target        = { { 0 } };

  if (n == 0)
    return TRUE;
  if (!wly_sequence_append (to, wly_sequence_tokens (from), n, NULL, error)
      || !wly_sequence_reserve (to, n - wly_sequence_n_computed (to), error))
    return FALSE;
  wly_sequence_describe (from, &source);
  wly_sequence_describe (to, &target);
  for (guint g = 0; g < program->n_groups; g++) {
    for (guint i = 0; i < source.n_blocks[g] && i < target.n_blocks[g]; i++) {
      if (source.blocks[g][i] != target.blocks[g][i]
          && speed->engine->ops->cache_copy (source.caches[g], source.blocks[g][i], target.blocks[g][i]) != 0) {
        g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("a block of the key-value cache cannot be copied"));
        return FALSE;
      }
    }
  }
  wly_sequence_commit (to, n - wly_sequence_n_computed (to));
  return TRUE;
}

/* All sequences back to @depth, and @batch of them there. */
static gboolean
set_depth (BenchSpeed *speed, guint depth, guint batch, GError **error)
{
  WlySequence *first = speed->sequences->len > 0 ? g_ptr_array_index (speed->sequences, 0) : NULL;

  if (first == NULL) {
    first = add_sequence (speed, error);
    if (first == NULL)
      return FALSE;
  }
  if (wly_sequence_n_tokens (first) < depth || batch < speed->sequences->len)
    g_ptr_array_set_size (speed->sequences, 1); /* their blocks are needed, or are not the same any more */
  for (guint i = 0; i < speed->sequences->len; i++)
    wly_sequence_truncate (g_ptr_array_index (speed->sequences, i), depth);
  if (wly_sequence_n_tokens (first) < depth
      && !append_tokens (speed, first, depth - wly_sequence_n_tokens (first), error))
    return FALSE;
  if (!run_pending (speed, speed->sequences->len, NULL, error))
    return FALSE;
  while (speed->sequences->len < batch) {
    WlySequence *sequence = add_sequence (speed, error);

    if (sequence == NULL || !copy_sequence (speed, first, sequence, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- tests ---- */

static gboolean
append_each (BenchSpeed *speed, guint batch, guint n, GError **error)
{
  for (guint i = 0; i < batch; i++)
    if (!append_tokens (speed, g_ptr_array_index (speed->sequences, i), n, error))
      return FALSE;
  return TRUE;
}

static gboolean
run_prefill (BenchSpeed *speed, const BenchTest *test, GArray *steps_ms, GError **error)
{
  return append_each (speed, test->batch, test->n, error) && run_pending (speed, test->batch, steps_ms, error);
}

static gboolean
run_decode (BenchSpeed *speed, const BenchTest *test, GArray *steps_ms, GError **error)
{
  for (guint i = 0; i < test->n; i++)
    if (!append_each (speed, test->batch, 1, error) || !run_pending (speed, test->batch, steps_ms, error))
      return FALSE;
  return TRUE;
}

gboolean
bench_speed_run (BenchSpeed *speed, BenchResult *result, GError **error)
{
  const BenchTest *test          = &result->test;
  g_autoptr (BenchProfile) begin = NULL;
  g_autoptr (BenchProfile) end   = NULL;
  gint64 start;
  double seconds;
  double rate;

  if (!set_depth (speed, test->depth, test->batch, error))
    return FALSE;
  begin = bench_profile_read (speed->network);
  start = g_get_monotonic_time ();
  if (!(test->kind == BENCH_PREFILL ? run_prefill : run_decode) (speed, test, result->steps_ms, error))
    return FALSE;
  seconds = (double)MAX (g_get_monotonic_time () - start, 1) / G_USEC_PER_SEC;
  end     = bench_profile_read (speed->network);
  bench_profile_add (result->profile, begin, end);
  rate = (double)test->n * test->batch / seconds;
  result->total_s += seconds;
  g_array_append_val (result->rates, rate);
  return TRUE;
}
