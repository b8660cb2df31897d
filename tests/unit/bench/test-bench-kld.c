/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Divergences of small distributions, worked out by hand.
 */
#include "bench-kld.h"

#include <math.h>

#define LN3 1.0986122886681098f

/* p = (1/4, 3/4), q = (1/2, 1/2): 1/4 ln (1/2) + 3/4 ln (3/2) */
#define KLD (0.25 * log (0.5) + 0.75 * log (1.5))

static void
test_two (void)
{
  const float reference[] = { 0, LN3 };
  const float ours[]      = { 0, 0 };
  g_auto (BenchKld) kld   = { 0 };
  BenchKldSummary summary;

  bench_kld_init (&kld);
  bench_kld_add (&kld, ours, reference, 2, 1);
  summary = bench_kld_summary (&kld);
  g_assert_cmpuint (summary.n, ==, 1);
  g_assert_cmpfloat_with_epsilon (summary.mean, KLD, 1e-7);
  g_assert_cmpfloat_with_epsilon (summary.ppl, 2, 1e-7);
  g_assert_cmpfloat_with_epsilon (summary.ppl_reference, 4.0 / 3, 1e-7);
  g_assert_cmpfloat (summary.top1, ==, 0); /* of equals, the first one is the best */
  g_assert_cmpfloat (summary.mean_error, ==, 0);
}

/* The direction matters: the sum is weighted by the reference. */
static void
test_direction (void)
{
  const float reference[] = { 0, 0 };
  const float ours[]      = { 0, LN3 };
  g_auto (BenchKld) kld   = { 0 };

  bench_kld_init (&kld);
  bench_kld_add (&kld, ours, reference, 2, 0);
  g_assert_cmpfloat_with_epsilon (bench_kld_summary (&kld).mean, 0.5 * log (2) + 0.5 * log (2.0 / 3), 1e-7);
  g_assert_cmpfloat_with_epsilon (bench_kld_summary (&kld).ppl, 4, 1e-6);
}

/* A constant on all logits is no difference, even where exp() of them would overflow. */
static void
test_shift (void)
{
  const float reference[] = { 1, 2, 3, -4 };
  const float ours[]      = { 1001, 1002, 1003, 996 };
  g_auto (BenchKld) kld   = { 0 };

  bench_kld_init (&kld);
  bench_kld_add (&kld, ours, reference, 4, 2);
  g_assert_cmpfloat_with_epsilon (bench_kld_summary (&kld).mean, 0, 1e-9);
  g_assert_cmpfloat (bench_kld_summary (&kld).top1, ==, 1);
}

static void
test_many (void)
{
  const float even[]    = { 0, 0 };
  const float tilted[]  = { 0, LN3 };
  g_auto (BenchKld) kld = { 0 };
  BenchKldSummary summary;

  bench_kld_init (&kld);
  for (int i = 0; i < 3; i++)
    bench_kld_add (&kld, tilted, tilted, 2, 1);
  bench_kld_add (&kld, even, tilted, 2, 0);
  summary = bench_kld_summary (&kld);
  g_assert_cmpuint (summary.n, ==, 4);
  g_assert_cmpfloat_with_epsilon (summary.mean, KLD / 4, 1e-7);
  g_assert_cmpfloat_with_epsilon (summary.max, KLD, 1e-7);
  g_assert_cmpfloat_with_epsilon (summary.median, 0, 1e-7);
  g_assert_cmpfloat_with_epsilon (summary.p99, 0.97 * KLD, 1e-7); /* between the third and the fourth of four */
  /* deviations of a sample (0, 0, 0, K): s = K / 2, so the error of the mean is K / 4 */
  g_assert_cmpfloat_with_epsilon (summary.mean_error, KLD / 4, 1e-7);
  g_assert_cmpfloat (summary.top1, ==, 0.75);
  g_assert_cmpfloat_with_epsilon (summary.ppl, exp ((3 * -log (0.75) + log (2)) / 4), 1e-6);
  g_assert_cmpfloat_with_epsilon (summary.ppl_reference, exp ((3 * -log (0.75) + log (4)) / 4), 1e-6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bench/kld/two", test_two);
  g_test_add_func ("/bench/kld/direction", test_direction);
  g_test_add_func ("/bench/kld/shift", test_shift);
  g_test_add_func ("/bench/kld/many", test_many);
  return g_test_run ();
}
