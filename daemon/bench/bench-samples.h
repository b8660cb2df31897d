/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Samples of one quantity, and what they say together.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint n;
  double min;
  double max;
  double mean;
  double median;
  double spread; /* half the distance between the quartiles, as a share of the median */
} BenchSummary;

/* The value that the share @rank (0 to 1) of the samples does not exceed, interpolated between two neighbours: 0 is the
 * smallest, 1 the largest.  @samples: array of double, in any order; 0 where there is none. */
double bench_samples_rank (const GArray *samples, double rank);
BenchSummary bench_samples_summary (const GArray *samples);

G_END_DECLS
