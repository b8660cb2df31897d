/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What "speed" found out, for people and programs.
 */
#pragma once

#include "bench-limits.h"
#include "bench-options.h"
#include "bench-versus.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* From opening the file to the first row of logits, the way there. */
typedef struct {
  guint n_tokens; /* of the prompt */
  double load_s;  /* until the first step can begin */
  double total_s;
} BenchFirstToken;

typedef struct {
  const char *path;
  WlyGguf *gguf;
  const BenchEngine *engine;
  const BenchChoice *choice;
  guint n_threads;
  guint chunk;
  gboolean with_profile;
  GArray *first_tokens; /* of BenchFirstToken; the first one is of this engine */
  GArray *bus;          /* of BenchFirstToken, through the service */
  GPtrArray *results;   /* of BenchResult */
  GPtrArray *versus;    /* of BenchVersus */
  struct wlp_memory memory;
  guint64 peak_bytes;        /* resident, highest so far */
  const BenchLimits *limits; /* NULL: not measured */
} BenchReport;

/* Work of a result by the second, over all its threads, and how much of the machine's limits that is; 0 where the
 * backend does not count, or nothing is known of the limit. */
typedef struct {
  double macs_per_s;
  double macs_share;
  double macs_per_cycle; /* of one core */
  double bytes_per_s;
  double bytes_share;
} BenchWork;

/* Of an operator that was at work for so long, too. */
BenchWork bench_report_work (const BenchReport *report, guint64 n_macs, guint64 n_bytes, double seconds);
BenchWork bench_report_result_work (const BenchReport *report, const BenchResult *result);

void bench_report_text (const BenchReport *report);
void bench_report_limits_text (const BenchLimits *limits);
/* bench-report-csv.c */
void bench_report_csv (const BenchReport *report);
/* bench-report-json.c */
void bench_report_json (const BenchReport *report);
void bench_report_limits_json (JsonBuilder *builder, const BenchLimits *limits); /* members of an object */

G_END_DECLS
