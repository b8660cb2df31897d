/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Loops that do nothing but multiply int8 numbers, as fast as an instruction set can: operands stay in registers, and
 * there are more sums than the instruction takes cycles.  What a real kernel reaches is below.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  const char *isa;         /* as the backend calls it */
  const char *instruction; /* what is counted */
  guint64 features;        /* enum wlp_cpu_feature that it needs */
  guint macs;              /* in one round of the loop */
  void (*run) (guint n_rounds);
} BenchPeak;

/* The one of this name; with NULL, the best one for these features.  NULL: there is none of this name, or the features
 * do not suffice. */
const BenchPeak *bench_peak_find (const char *isa, guint64 features);

G_END_DECLS
