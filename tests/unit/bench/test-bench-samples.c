/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bench-samples.h"

#include <math.h>

static GArray *
samples_new (const double *values, guint n)
{
  GArray *samples = g_array_new (FALSE, FALSE, sizeof (double));

  g_array_append_vals (samples, values, n);
  return samples;
}

static void
test_rank (void)
{
  const double values[]      = { 40, 10, 30, 20 };
  g_autoptr (GArray) samples = samples_new (values, G_N_ELEMENTS (values));

  g_assert_cmpfloat (bench_samples_rank (samples, 0), ==, 10);
  g_assert_cmpfloat (bench_samples_rank (samples, 1), ==, 40);
  g_assert_cmpfloat (bench_samples_rank (samples, 0.5), ==, 25);
  g_assert_cmpfloat_with_epsilon (bench_samples_rank (samples, 0.1), 13, 1e-12);
  g_assert_cmpfloat (g_array_index (samples, double, 0), ==, 40); /* left as they were */
}

static void
test_summary (void)
{
  const double values[]      = { 8, 12, 10, 14, 6 };
  g_autoptr (GArray) samples = samples_new (values, G_N_ELEMENTS (values));
  const BenchSummary summary = bench_samples_summary (samples);

  g_assert_cmpuint (summary.n, ==, 5);
  g_assert_cmpfloat (summary.min, ==, 6);
  g_assert_cmpfloat (summary.max, ==, 14);
  g_assert_cmpfloat (summary.median, ==, 10);
  g_assert_cmpfloat_with_epsilon (summary.mean, 10, 1e-12);
  g_assert_cmpfloat_with_epsilon (summary.spread, 0.2, 1e-12); /* quartiles 8 and 12 */
}

static void
test_few (void)
{
  const double value       = 3;
  g_autoptr (GArray) none  = samples_new (NULL, 0);
  g_autoptr (GArray) one   = samples_new (&value, 1);
  const BenchSummary empty = bench_samples_summary (none);

  g_assert_cmpfloat (bench_samples_rank (one, 0.99), ==, 3);
  g_assert_cmpfloat (bench_samples_summary (one).spread, ==, 0);
  g_assert_cmpfloat (empty.median, ==, 0);
  g_assert_cmpfloat (empty.spread, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/samples/rank", test_rank);
  g_test_add_func ("/bench/samples/summary", test_summary);
  g_test_add_func ("/bench/samples/few", test_few);
  return g_test_run ();
}
