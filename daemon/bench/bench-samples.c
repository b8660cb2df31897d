/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-samples.h"

static int
compare_cb (gconstpointer a, gconstpointer b)
{
  const double x = *(const double *)a;
  const double y = *(const double *)b;

  return (x > y) - (x < y);
}

double
bench_samples_rank (const GArray *samples, double rank)
{
  g_autoptr (GArray) sorted = NULL;
  double at;
  guint below;
  double low;

  if (samples->len == 0)
    return 0;
  sorted = g_array_copy ((GArray *)samples);
  g_array_sort (sorted, compare_cb);
  at    = CLAMP (rank, 0, 1) * (sorted->len - 1);
  below = (guint)at;
  low   = g_array_index (sorted, double, below);
  return below + 1 < sorted->len ? low + (at - below) * (g_array_index (sorted, double, below + 1) - low) : low;
}

BenchSummary
bench_samples_summary (const GArray *samples)
{
  BenchSummary summary = { .n      = samples->len,
                           .min    = bench_samples_rank (samples, 0),
                           .max    = bench_samples_rank (samples, 1),
                           .median = bench_samples_rank (samples, 0.5) };

  for (guint i = 0; i < samples->len; i++)
    summary.mean += g_array_index (samples, double, i) / samples->len;
  if (summary.median > 0)
    summary.spread = (bench_samples_rank (samples, 0.75) - bench_samples_rank (samples, 0.25)) / 2 / summary.median;
  return summary;
}
