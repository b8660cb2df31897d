/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-versus.h"

BenchVersus *
bench_versus_new (const BenchTest *test, const BenchPeer *peer)
{
  BenchVersus *versus = g_new0 (BenchVersus, 1);

  versus->test   = *test;
  versus->peer   = peer;
  versus->ours   = g_array_new (FALSE, FALSE, sizeof (double));
  versus->theirs = g_array_new (FALSE, FALSE, sizeof (double));
  versus->ratios = g_array_new (FALSE, FALSE, sizeof (double));
  return versus;
}

void
bench_versus_free (BenchVersus *versus)
{
  if (versus == NULL)
    return;
  g_array_unref (versus->ours);
  g_array_unref (versus->theirs);
  g_array_unref (versus->ratios);
  g_free (versus);
}

static gboolean
run_ours (BenchVersus *versus, BenchSpeed *speed, GError **error)
{
  g_autoptr (BenchResult) result = bench_result_new (&versus->test);

  if (!bench_speed_run (speed, result, error))
    return FALSE;
  g_array_append_vals (versus->ours, result->rates->data, 1);
  return TRUE;
}

static gboolean
run_theirs (BenchVersus *versus, const char *model, guint n_threads, GError **error)
{
  const double rate = bench_peer_run (versus->peer, model, &versus->test, n_threads, error);

  if (rate < 0)
    return FALSE;
  g_array_append_val (versus->theirs, rate);
  return TRUE;
}

gboolean
bench_versus_run (BenchVersus *versus, BenchSpeed *speed, const char *model, guint n_threads, GError **error)
{
  const guint pair            = versus->ratios->len;
  const gboolean theirs_first = pair % 2 == 1;
  double ratio;

  if (theirs_first && !run_theirs (versus, model, n_threads, error))
    return FALSE;
  if (!run_ours (versus, speed, error) || (!theirs_first && !run_theirs (versus, model, n_threads, error)))
    return FALSE;
  ratio = g_array_index (versus->ours, double, pair) / MAX (g_array_index (versus->theirs, double, pair), 1e-9);
  g_array_append_val (versus->ratios, ratio);
  return TRUE;
}
