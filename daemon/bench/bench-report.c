/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-report.h"

#include "bench-samples.h"

#include <glib/gi18n.h>

#define MIB (1024.0 * 1024)

double
bench_report_macs_per_s (const BenchResult *result)
{
  return result->total_s > 0 ? (double)bench_profile_total (result->profile).n_macs / result->total_s : 0;
}

double
bench_report_bytes_per_s (const BenchResult *result)
{
  return result->total_s > 0 ? (double)bench_profile_total (result->profile).n_bytes / result->total_s : 0;
}

/* ---- text ---- */

static void
print_head (const BenchReport *report)
{
  const struct wlp_metadata *facts = wly_gguf_metadata (report->gguf);
  g_autofree char *name            = g_path_get_basename (report->path);

  g_print (_ ("%s: %s, %s, %.3g million parameters, %.3g MiB\n"), name, facts->ops->architecture (facts),
           wly_gguf_quantization (report->gguf), (double)wly_gguf_n_parameters (report->gguf) / 1e6,
           (double)wly_gguf_file_bytes (report->gguf) / MIB);
  g_print (_ ("%s (%s), threads %u, activations %s, cache %s, steps of up to %u tokens\n\n"), report->engine->device.id,
           report->choice->engine.isa != NULL ? report->choice->engine.isa : report->engine->device.features,
           report->n_threads, report->choice->engine.float_activations ? "f32" : "int8", report->choice->kv_name,
           report->chunk);
}

static void
print_results (const BenchReport *report)
{
  g_print ("%-8s %7s %7s %6s %10s %7s %9s %9s %9s\n", _ ("test"), _ ("tokens"), _ ("depth"), _ ("batch"),
           _ ("tokens/s"), "±", _ ("ms/step"), "GMAC/s", "GB/s");
  for (guint i = 0; i < report->results->len; i++) {
    const BenchResult *result = g_ptr_array_index (report->results, i);
    const BenchSummary rate   = bench_samples_summary (result->rates);

    g_print ("%-8s %7u %7u %6u %10.2f %5.1f %% %8.2f %9.1f %9.2f\n", bench_result_kind (result), result->test.n,
             result->test.depth, result->test.batch, rate.median, rate.spread * 100,
             bench_samples_rank (result->steps_ms, 0.5), bench_report_macs_per_s (result) / 1e9,
             bench_report_bytes_per_s (result) / 1e9);
  }
}

static void
print_profile (const BenchReport *report, const BenchResult *result)
{
  const double all_ns = MAX ((double)bench_profile_total (result->profile).time_ns, 1);

  g_print ("\n%s %u, %s %u, %s %u\n", bench_result_kind (result), result->test.n, _ ("depth"), result->test.depth,
           _ ("batch"), result->test.batch);
  g_print ("  %-28s %8s %10s %7s %9s %9s\n", _ ("operator"), _ ("calls"), _ ("ms"), "%", "GMAC/s", "GB/s");
  for (guint i = 0; i < result->profile->n; i++) {
    const struct wlp_profile_entry *entry = &result->profile->entries[i];
    const double ns                       = MAX ((double)entry->time_ns, 1);

    if (entry->n_calls > 0)
      g_print ("  %-28s %8" G_GUINT64_FORMAT " %10.2f %7.1f %9.1f %9.2f\n", entry->name, entry->n_calls, ns / 1e6,
               100 * ns / all_ns, (double)entry->n_macs / ns, (double)entry->n_bytes / ns);
  }
}

static void
print_memory (const BenchReport *report)
{
  g_print (_ ("memory   peak %.1f MiB; weights in place %.1f, packed %.1f, cache %.1f, scratch %.1f MiB\n"),
           (double)report->peak_bytes / MIB, (double)report->memory.mapped_bytes / MIB,
           (double)report->memory.packed_bytes / MIB, (double)report->memory.cache_bytes / MIB,
           (double)report->memory.scratch_bytes / MIB);
}

void
bench_report_text (const BenchReport *report)
{
  print_head (report);
  print_results (report);
  g_print ("\n");
  for (guint i = 0; i < report->first_tokens->len; i++) {
    const BenchFirstToken *first = &g_array_index (report->first_tokens, BenchFirstToken, i);

    g_print (_ ("start    prompt of %u: first token after %.3f s, %.3f s of it to load\n"), first->n_tokens,
             first->total_s, first->load_s);
  }
  print_memory (report);
  for (guint i = 0; report->with_profile && i < report->results->len; i++)
    print_profile (report, g_ptr_array_index (report->results, i));
}

/* ---- CSV ---- */

void
bench_report_csv (const BenchReport *report)
{
  g_print ("kind,n,depth,batch,tokens_per_second,min,max,spread,step_ms,macs_per_second,bytes_per_second\n");
  for (guint i = 0; i < report->results->len; i++) {
    const BenchResult *result = g_ptr_array_index (report->results, i);
    const BenchSummary rate   = bench_samples_summary (result->rates);
    const double values[]     = { rate.median,
                                  rate.min,
                                  rate.max,
                                  rate.spread,
                                  bench_samples_rank (result->steps_ms, 0.5),
                                  bench_report_macs_per_s (result),
                                  bench_report_bytes_per_s (result) };
    char text[G_ASCII_DTOSTR_BUF_SIZE];

    g_print ("%s,%u,%u,%u", bench_result_kind (result), result->test.n, result->test.depth, result->test.batch);
    for (guint k = 0; k < G_N_ELEMENTS (values); k++)
      g_print (",%s", g_ascii_formatd (text, sizeof text, "%.8g", values[k]));
    g_print ("\n");
  }
}
