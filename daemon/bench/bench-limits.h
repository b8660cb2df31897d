/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What this machine can do at most: read memory, multiply int8 numbers.  Each figure is the best of many short runs, so
 * that other programs disturb it little.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint n_threads;
  gboolean is_huge;   /* 2 MB pages were asked for */
  double huge_share;  /* of the memory that got them; below 0: unknown */
  double bytes_per_s; /* the best run */
  double median;      /* of all runs */
} BenchRead;

typedef struct {
  guint n_threads; /* of the second figures */
  double hz;       /* cycles of a core, while it computes */
  const char *isa; /* of the multiplications; NULL: no loop for this instruction set */
  const char *instruction;
  double macs_per_s[2]; /* by one thread, by all; 0: not measured */
  guint64 read_bytes;   /* size of the memory that was read */
  BenchRead reads[4];   /* one thread and all, 4 KB and 2 MB pages */
} BenchLimits;

/* @isa: as the backend calls it; NULL: the best one.  Takes about a second. */
void bench_limits_measure (guint n_threads, const char *isa, BenchLimits *ret_limits);
/* The better figure of both, for a machine that others disturb now and then. */
void bench_limits_merge (BenchLimits *limits, const BenchLimits *other);

/* The highest rate of all threads together; 0: not measured. */
double bench_limits_read (const BenchLimits *limits);
double bench_limits_macs (const BenchLimits *limits);

G_END_DECLS
