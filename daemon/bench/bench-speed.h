/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How fast a network computes: prefill and decode of some sequences at once, with so many positions before them.
 */
#pragma once

#include "bench-engine.h"
#include "bench-profile.h"

G_BEGIN_DECLS

typedef enum {
  BENCH_PREFILL, /* n tokens of each sequence, as many in a step as the network takes; one output row each */
  BENCH_DECODE,  /* n steps of one token of each sequence, with its output row; nothing is sampled */
} BenchKind;

typedef struct {
  BenchKind kind;
  guint n;
  guint depth; /* positions that each sequence has before */
  guint batch; /* sequences */
} BenchTest;

typedef struct {
  BenchTest test;
  GArray *rates;         /* double: tokens per second of all sequences together, for each repetition */
  GArray *steps_ms;      /* double: each step of all repetitions */
  BenchProfile *profile; /* of all repetitions */
  double total_s;        /* of all repetitions */
} BenchResult;

/* The sequences of a network while it is measured.  Each has keys and values of its own: the depth is computed once and
 * copied, so that no test takes longer to prepare than to run, and nothing is shared in the caches of the machine. */
typedef struct BenchSpeed BenchSpeed;

BenchSpeed *bench_speed_new (BenchEngine *engine, enum wlp_type kv);
void bench_speed_free (BenchSpeed *speed); /* NULL is fine */

/* Runs it once more and adds what it gave to @result, which the first one fills. */
gboolean bench_speed_run (BenchSpeed *speed, BenchResult *result, GError **error);

BenchResult *bench_result_new (const BenchTest *test);
void bench_result_free (BenchResult *result); /* NULL is fine */
const char *bench_result_kind (const BenchResult *result);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchSpeed, bench_speed_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchResult, bench_result_free)

G_END_DECLS
