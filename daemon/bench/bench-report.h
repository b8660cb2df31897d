/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What "speed" found out, for people and programs.
 */
#pragma once

#include "bench-options.h"
#include "bench-speed.h"

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
  GPtrArray *results;   /* of BenchResult */
  struct wlp_memory memory;
  guint64 peak_bytes; /* resident, highest so far */
} BenchReport;

/* Work of a result by the second, over all its threads; 0 where the backend does not count. */
double bench_report_macs_per_s (const BenchResult *result);
double bench_report_bytes_per_s (const BenchResult *result);

void bench_report_text (const BenchReport *report);
void bench_report_csv (const BenchReport *report);
/* bench-report-json.c */
void bench_report_json (const BenchReport *report);

G_END_DECLS
