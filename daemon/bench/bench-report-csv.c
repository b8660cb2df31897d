/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One table for whatever was measured: each row has all columns, and those that say nothing of it are empty.
 */
#include "config.h"

#include "bench-report.h"

#include "bench-samples.h"

#include <math.h>

/* The columns of numbers, behind those that say what the row is of. */
enum {
  RATE,
  RATE_MIN,
  RATE_MAX,
  RATE_SPREAD,
  STEP_MS,
  MACS_PER_SECOND,
  MACS_SHARE,
  BYTES_PER_SECOND,
  BYTES_SHARE,
  PEER_RATE,
  PAIRS,
  RATIO,
  RATIO_MIN,
  RATIO_MAX,
  LOAD_SECONDS,
  SECONDS,
  N_VALUES,
};

static const char *const names[N_VALUES] = {
  [RATE]             = "tokens_per_second",
  [RATE_MIN]         = "min",
  [RATE_MAX]         = "max",
  [RATE_SPREAD]      = "spread",
  [STEP_MS]          = "step_ms",
  [MACS_PER_SECOND]  = "macs_per_second",
  [MACS_SHARE]       = "macs_share",
  [BYTES_PER_SECOND] = "bytes_per_second",
  [BYTES_SHARE]      = "bytes_share",
  [PEER_RATE]        = "peer_tokens_per_second",
  [PAIRS]            = "pairs",
  [RATIO]            = "ratio",
  [RATIO_MIN]        = "ratio_min",
  [RATIO_MAX]        = "ratio_max",
  [LOAD_SECONDS]     = "load_seconds",
  [SECONDS]          = "seconds",
};

typedef struct {
  const char *row; /* what it is of */
  BenchTest test;
  const char *peer;        /* NULL: none */
  double values[N_VALUES]; /* NAN: empty */
} Row;

static Row
row_init (const char *row, const BenchTest *test)
{
  Row self = { .row = row, .test = *test };

  for (guint i = 0; i < N_VALUES; i++)
    self.values[i] = NAN;
  return self;
}

/* In quotes, and those in it twice: a command may have commas. */
static void
print_text (const char *text)
{
  g_auto (GStrv) parts     = g_strsplit (text, "\"", -1);
  g_autofree char *escaped = g_strjoinv ("\"\"", parts);

  g_print ("\"%s\"", escaped);
}

static void
print_row (const Row *row)
{
  const BenchTest *test = &row->test;

  g_print ("%s,%s,%u,%u,%u,", row->row, test->kind == BENCH_PREFILL ? "prefill" : "decode", test->n, test->depth,
           test->batch);
  if (row->peer != NULL)
    print_text (row->peer);
  for (guint i = 0; i < N_VALUES; i++) {
    char text[G_ASCII_DTOSTR_BUF_SIZE] = "";

    if (!isnan (row->values[i]))
      g_ascii_formatd (text, sizeof text, "%.8g", row->values[i]);
    g_print (",%s", text);
  }
  g_print ("\n");
}

static void
set_rates (Row *row, const GArray *rates)
{
  const BenchSummary rate = bench_samples_summary (rates);

  row->values[RATE]        = rate.median;
  row->values[RATE_MIN]    = rate.min;
  row->values[RATE_MAX]    = rate.max;
  row->values[RATE_SPREAD] = rate.spread;
}

static void
print_result (const BenchReport *report, const BenchResult *result)
{
  const BenchWork work = bench_report_result_work (report, result);
  Row row              = row_init ("result", &result->test);

  set_rates (&row, result->rates);
  row.values[STEP_MS]          = bench_samples_rank (result->steps_ms, 0.5);
  row.values[MACS_PER_SECOND]  = work.macs_per_s;
  row.values[BYTES_PER_SECOND] = work.bytes_per_s;
  if (report->limits != NULL) {
    row.values[MACS_SHARE]  = work.macs_share;
    row.values[BYTES_SHARE] = work.bytes_share;
  }
  print_row (&row);
}

static void
print_first_tokens (const char *name, const GArray *first_tokens)
{
  for (guint i = 0; i < first_tokens->len; i++) {
    const BenchFirstToken *first = &g_array_index (first_tokens, BenchFirstToken, i);
    const BenchTest test         = { .kind = BENCH_PREFILL, .n = first->n_tokens, .batch = 1 };
    Row row                      = row_init (name, &test);

    row.values[LOAD_SECONDS] = first->load_s;
    row.values[SECONDS]      = first->total_s;
    print_row (&row);
  }
}

static void
print_versus (const BenchVersus *versus)
{
  Row row = row_init ("versus", &versus->test);

  row.peer = versus->peer->command;
  set_rates (&row, versus->ours);
  row.values[PEER_RATE] = bench_samples_rank (versus->theirs, 0.5);
  row.values[PAIRS]     = versus->ratios->len;
  row.values[RATIO]     = bench_samples_rank (versus->ratios, 0.5);
  row.values[RATIO_MIN] = bench_samples_rank (versus->ratios, 0);
  row.values[RATIO_MAX] = bench_samples_rank (versus->ratios, 1);
  print_row (&row);
}

void
bench_report_csv (const BenchReport *report)
{
  g_print ("row,kind,n,depth,batch,peer");
  for (guint i = 0; i < N_VALUES; i++)
    g_print (",%s", names[i]);
  g_print ("\n");
  for (guint i = 0; i < report->results->len; i++)
    print_result (report, g_ptr_array_index (report->results, i));
  print_first_tokens ("first_token", report->first_tokens);
  print_first_tokens ("first_token_bus", report->bus);
  for (guint i = 0; i < report->versus->len; i++)
    print_versus (g_ptr_array_index (report->versus, i));
}
