/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench limits: what the machine could do at most.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-json.h"
#include "bench-peak.h"
#include "bench-report.h"
#include "wly-cpu-topology.h"
#include "wly-cpu.h"

#include <glib/gi18n.h>

#define MAX_THREADS 1024

int
woolly_bench_limits (int argc, char **argv)
{
  g_autofree char *isa         = NULL;
  gboolean json                = FALSE;
  int n_threads                = 0;
  const GOptionEntry entries[] = {
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads, N_ ("Threads; 0: one for each core"), N_ ("N") },
    { "isa", 0, 0, G_OPTION_ARG_STRING, &isa, N_ ("Instruction set to multiply with; the best one is the default"),
      N_ ("NAME") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print JSON"), NULL },
    { NULL },
  };
  BenchLimits limits;

  if (!woolly_bench_parse (&argc, &argv, entries, NULL, NULL,
                           _ ("Measures what this machine can do at most: reading memory, multiplying int8 numbers.")))
    return WOOLLY_BENCH_USAGE;
  if (argc != 1 || n_threads < 0 || n_threads > MAX_THREADS) {
    g_printerr (_ ("woolly-bench limits: it takes options only; “--help” lists them\n"));
    return WOOLLY_BENCH_USAGE;
  }
  if (isa != NULL && bench_peak_find (isa, wly_cpu_features ()) == NULL) {
    g_printerr (_ ("woolly-bench limits: the instruction set “%s” is unknown or not on this machine\n"), isa);
    return WOOLLY_BENCH_USAGE;
  }
  bench_limits_measure (n_threads > 0 ? (guint)n_threads : wly_cpu_n_cores (), isa, &limits);
  if (json) {
    g_autoptr (JsonBuilder) builder = json_builder_new ();

    json_builder_begin_object (builder);
    bench_report_limits_json (builder, &limits);
    json_builder_end_object (builder);
    bench_json_print (builder);
  } else {
    bench_report_limits_text (&limits);
  }
  return WOOLLY_BENCH_OK;
}
