/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The verbs of woolly-bench.  A verb gets the arguments behind its name, with its name as the first one, and gives the
 * program's exit status.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

enum {
  WOOLLY_BENCH_OK     = 0,
  WOOLLY_BENCH_FAILED = 1,
  WOOLLY_BENCH_USAGE  = 2,
};

typedef int (*WoollyBenchVerb) (int argc, char **argv);

/* woolly-bench-dequantise.c */
int woolly_bench_dequantise (int argc, char **argv);
/* woolly-bench-kld.c */
int woolly_bench_kld (int argc, char **argv);
/* woolly-bench-limits.c */
int woolly_bench_limits (int argc, char **argv);
/* woolly-bench-logits.c */
int woolly_bench_logits (int argc, char **argv);
/* woolly-bench-speed.c */
int woolly_bench_speed (int argc, char **argv);

/* woolly-bench.c: for the verbs. */

/* Parses the options of a verb, of two lists that may be NULL; the arguments that are none stay in @argv.  @summary is
 * what --help says.  FALSE: a message was printed, return WOOLLY_BENCH_USAGE. */
gboolean woolly_bench_parse (int *argc, char ***argv, const GOptionEntry *entries, const GOptionEntry *more,
                             const char *arguments, const char *summary);
/* "woolly-bench: message" on stderr; gives WOOLLY_BENCH_FAILED.  Frees nothing. */
int woolly_bench_fail (const GError *error);

G_END_DECLS
