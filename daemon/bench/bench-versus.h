/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One test beside a peer: pairs of runs, each of the two in turn the first one.
 */
#pragma once

#include "bench-peer.h"

G_BEGIN_DECLS

typedef struct {
  BenchTest test;
  const BenchPeer *peer;
  GArray *ours;   /* double: tokens per second */
  GArray *theirs; /* double, as many */
  GArray *ratios; /* double: ours by theirs, of each pair */
} BenchVersus;

BenchVersus *bench_versus_new (const BenchTest *test, const BenchPeer *peer);
void bench_versus_free (BenchVersus *versus); /* NULL is fine */

/* Runs one pair; of every second pair, the peer comes first: A B, B A, A B … */
gboolean bench_versus_run (BenchVersus *versus, BenchSpeed *speed, const char *model, guint n_threads, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchVersus, bench_versus_free)

G_END_DECLS
