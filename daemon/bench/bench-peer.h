/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Another engine's benchmark, run as a program: llama-bench, and llama-batched-bench beside it where a test has more
 * sequences than one.
 */
#pragma once

#include "bench-speed.h"

G_BEGIN_DECLS

typedef struct {
  char *command;      /* as it was given, "llama-bench -fa 1" */
  char **argv;        /* its words, the first one with its path */
  char *batched;      /* path of llama-batched-bench; NULL: there is none beside it */
  gboolean has_depth; /* it knows -d; an older one has -gp, for generation only */
} BenchPeer;

/* Errors: WLY_ERROR_NOT_FOUND (no such program on the PATH), WLY_ERROR_INVALID_ARGS (no command line). */
BenchPeer *bench_peer_new (const char *command, GError **error);
void bench_peer_free (BenchPeer *peer); /* NULL is fine */

/* Whether it has such a test. */
gboolean bench_peer_can (const BenchPeer *peer, const BenchTest *test);
/* Tokens per second of one run; a negative number on failure.  Error: WLY_ERROR_FAILED, with the end of what it wrote.
 */
double bench_peer_run (const BenchPeer *peer, const char *model, const BenchTest *test, guint n_threads,
                       GError **error);

/* What it printed: tokens per second of the last test; a negative number where there is none. */
double bench_peer_parse_json (const char *text);
double bench_peer_parse_batched (const char *text); /* of generation, from the last row of the table */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchPeer, bench_peer_free)

G_END_DECLS
