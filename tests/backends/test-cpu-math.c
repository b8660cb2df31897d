/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The error bounds that cpu-math.h promises, and its corners.
 */
#include "cpu-math.h"

#include <glib.h>
#include <math.h>

/* Units in the last place of the right result. */
static double
ulps (float got, double right)
{
  const float rounded = (float)right;

  if (got == rounded)
    return 0;
  return fabs ((double)got - right) / ((double)nextafterf (fabsf (rounded), INFINITY) - (double)fabsf (rounded));
}

static void
test_exp (void)
{
  double worst = 0;

  for (int i = -870000; i <= 880000; i++) {
    const float x = (float)i * 1e-4f + (float)(i % 97) * 1e-7f;

    worst = MAX (worst, ulps (cpu_exp (x), exp ((double)x)));
  }
  g_test_message ("exp: %.2f ulp", worst);
  g_assert_cmpfloat (worst, <=, 2);
  g_assert_cmpfloat (cpu_exp (0), ==, 1);
  g_assert_cmpfloat (cpu_exp (-88), ==, 0);
  g_assert_cmpfloat (cpu_exp (-INFINITY), ==, 0);
  g_assert_true (isinf (cpu_exp (89)) && isinf (cpu_exp (INFINITY)) && isnan (cpu_exp (NAN)));
}

static void
test_tanh (void)
{
  double worst = 0;

  for (int i = -1500000; i <= 1500000; i++) {
    const float x = (float)i * 1e-5f;

    worst = MAX (worst, ulps (cpu_tanh (x), tanh ((double)x)));
    g_assert_cmpfloat (cpu_tanh (-x), ==, -cpu_tanh (x));
  }
  g_test_message ("tanh: %.2f ulp", worst);
  g_assert_cmpfloat (worst, <=, 3);
  g_assert_cmpfloat (cpu_tanh (INFINITY), ==, 1);
  g_assert_cmpfloat (cpu_tanh (-1e30f), ==, -1);
  g_assert_cmpfloat (cpu_tanh (1e-30f), ==, 1e-30f);
  g_assert_true (isnan (cpu_tanh (NAN)));
}

static void
test_erf (void)
{
  double worst = 0;

  for (int i = -600000; i <= 600000; i++) {
    const float x = (float)i * 1e-5f;

    worst = MAX (worst, fabs ((double)cpu_erf (x) - erf ((double)x)));
  }
  g_test_message ("erf: %.3g", worst);
  g_assert_cmpfloat (worst, <=, 3e-7);
  g_assert_cmpfloat (fabs ((double)cpu_erf (INFINITY) - 1), <=, 3e-7);
  g_assert_cmpfloat (cpu_erf (0), ==, 0);
  g_assert_true (isnan (cpu_erf (NAN)));
}

static void
test_sincos (void)
{
  double worst = 0, s, c;

  for (int i = -2000000; i <= 2000000; i++) {
    const double angle = i % 3 == 0 ? i * 1e-3 : (i % 3 == 1 ? i * 0.7 : i * 499.99);

    cpu_sincos (angle, &s, &c);
    worst = MAX (worst, MAX (fabs (s - sin (angle)), fabs (c - cos (angle))));
  }
  g_test_message ("sincos: %.3g", worst);
  g_assert_cmpfloat (worst, <=, 1e-15);
  cpu_sincos (0, &s, &c);
  g_assert_cmpfloat (s, ==, 0);
  g_assert_cmpfloat (c, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-math/exp", test_exp);
  g_test_add_func ("/backends/cpu-math/tanh", test_tanh);
  g_test_add_func ("/backends/cpu-math/erf", test_erf);
  g_test_add_func ("/backends/cpu-math/sincos", test_sincos);
  return g_test_run ();
}
