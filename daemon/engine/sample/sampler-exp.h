/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * exp() for the sampler: the same bits on every machine and with every C library, error below 2 units in the last
 * place.
 */
#pragma once

#include <glib.h>

#include <string.h>

G_BEGIN_DECLS

/* @x <= 0, minus infinity too; 0 below -708. */
static inline double
wly_sampler_exp (double x)
{
  /* x = n ln 2 + r, |r| <= ln 2 / 2; exp (r) by its series, whose first term left out is below 2^-56. */
  static const double factorials[] = {
    1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
    1.0 / 720,        1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0
  };
  double n;
  double r;
  double sum = 0;
  guint64 bits;
  double power;

  if (!(x >= -708.0))
    return 0;
  n = (double)(gint64)(x * 1.4426950408889634 - 0.5);
  r = (x - n * 0x1.62e42fee00000p-1) - n * 0x1.a39ef35793c76p-33;
  for (gsize i = 0; i < G_N_ELEMENTS (factorials); i++)
    sum = sum * r + factorials[i];
  bits = (guint64)(1023 + (gint64)n) << 52;
  memcpy (&power, &bits, sizeof power);
  return sum * power;
}

G_END_DECLS
