/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * ln() for the sampler: the same bits on every machine and with every C library, error below 2 units in the last place.
 */
#pragma once

#include <glib.h>

#include <string.h>

G_BEGIN_DECLS

/* @x a positive normal number. */
static inline double
wly_sampler_log (double x)
{
  /* x = m 2^e with m in [0.7, 1.4); ln m = 2 (s + s^3 / 3 + …) with s = (m - 1) / (m + 1), |s| < 0.1716: the first term
   * left out is below 2^-58 of the sum */
  static const double parts[] = { 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13, 1.0 / 11,
                                  1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0 };
  guint64 bits;
  gint64 e;
  double s, square, sum = 0;

  memcpy (&bits, &x, sizeof bits);
  e    = (gint64)(bits >> 52) - 1023;
  bits = (bits & ((G_GUINT64_CONSTANT (1) << 52) - 1)) | G_GUINT64_CONSTANT (1023) << 52;
  memcpy (&x, &bits, sizeof x);
  if (x > 1.4142135623730951) {
    x /= 2;
    e++;
  }
  s      = (x - 1) / (x + 1);
  square = s * s;
  for (gsize i = 0; i < G_N_ELEMENTS (parts); i++)
    sum = sum * square + parts[i];
  return (double)e * 0x1.62e42fee00000p-1 + ((double)e * 0x1.a39ef35793c76p-33 + 2 * s * sum);
}

G_END_DECLS
