/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-report.h"

#include "bench-samples.h"

#include <glib/gi18n.h>

#define MIB (1024.0 * 1024)

BenchWork
bench_report_work (const BenchReport *report, guint64 n_macs, guint64 n_bytes, double seconds)
{
  const BenchLimits *limits = report->limits;
  BenchWork work            = { 0 };

  if (seconds <= 0)
    return work;
  work.macs_per_s  = (double)n_macs / seconds;
  work.bytes_per_s = (double)n_bytes / seconds;
  if (limits == NULL)
    return work;
  work.macs_per_cycle = work.macs_per_s / report->n_threads / limits->hz;
  if (bench_limits_macs (limits) > 0)
    work.macs_share = work.macs_per_s / bench_limits_macs (limits);
  if (bench_limits_read (limits) > 0)
    work.bytes_share = work.bytes_per_s / bench_limits_read (limits);
  return work;
}

BenchWork
bench_report_result_work (const BenchReport *report, const BenchResult *result)
{
  const struct wlp_profile_entry total = bench_profile_total (result->profile);

  return bench_report_work (report, total.n_macs, total.n_bytes, result->total_s);
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
  g_print ("%-8s %7s %7s %6s %10s %7s %9s %10s %6s %9s %6s\n", _ ("test"), _ ("tokens"), _ ("depth"), _ ("batch"),
           _ ("tokens/s"), "±", _ ("ms/step"), "GMAC/s", _ ("peak"), "GB/s", _ ("peak"));
  for (guint i = 0; i < report->results->len; i++) {
    const BenchResult *result = g_ptr_array_index (report->results, i);
    const BenchSummary rate   = bench_samples_summary (result->rates);
    const BenchWork work      = bench_report_result_work (report, result);

    g_print ("%-8s %7u %7u %6u %10.2f %5.1f %% %9.2f %10.1f %4.0f %% %9.2f %4.0f %%\n", bench_result_kind (result),
             result->test.n, result->test.depth, result->test.batch, rate.median, rate.spread * 100,
             bench_samples_rank (result->steps_ms, 0.5), work.macs_per_s / 1e9, work.macs_share * 100,
             work.bytes_per_s / 1e9, work.bytes_share * 100);
  }
}

static void
print_profile (const BenchReport *report, const BenchResult *result)
{
  const double all_ns = MAX ((double)bench_profile_total (result->profile).time_ns, 1);

  g_print ("\n%s %u, %s %u, %s %u\n", bench_result_kind (result), result->test.n, _ ("depth"), result->test.depth,
           _ ("batch"), result->test.batch);
  g_print ("  %-28s %8s %10s %6s %10s %10s %6s\n", _ ("operator"), _ ("calls"), _ ("ms"), "%", _ ("MAC/cycle"), "GB/s",
           _ ("peak"));
  for (guint i = 0; i < result->profile->n; i++) {
    const struct wlp_profile_entry *entry = &result->profile->entries[i];
    const double ns                       = MAX ((double)entry->time_ns, 1);
    const BenchWork work                  = bench_report_work (report, entry->n_macs, entry->n_bytes, ns / 1e9);

    if (entry->n_calls == 0)
      continue;
    g_print ("  %-28s %8" G_GUINT64_FORMAT " %10.2f %6.1f", entry->name, entry->n_calls, ns / 1e6, 100 * ns / all_ns);
    if (entry->n_macs > 0)
      g_print (" %10.2f %10.2f %4.0f %%", work.macs_per_cycle, work.bytes_per_s / 1e9, work.bytes_share * 100);
    g_print ("\n");
  }
}

void
bench_report_limits_text (const BenchLimits *limits)
{
  g_print (_ ("limits   %.2f GHz"), limits->hz / 1e9);
  if (limits->isa != NULL)
    g_print (_ ("; int8 by %s: %.1f GMAC/s with 1 thread, %.1f with %u, %.1f MAC/cycle"), limits->instruction,
             limits->macs_per_s[0] / 1e9, limits->macs_per_s[1] / 1e9, limits->n_threads,
             limits->macs_per_s[0] / limits->hz);
  g_print ("\n");
  for (guint i = 0; i < G_N_ELEMENTS (limits->reads); i++) {
    const BenchRead *read = &limits->reads[i];

    g_print (_ ("         read, %s pages, threads %u: %.1f GB/s, median %.1f"), read->is_huge ? "2 MB" : "4 KB",
             read->n_threads, read->bytes_per_s / 1e9, read->median / 1e9);
    if (read->is_huge && read->huge_share < 0.9)
      g_print (_ (" (but the system gave few such pages)"));
    g_print ("\n");
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

static void
print_versus (const BenchReport *report)
{
  for (guint i = 0; i < report->versus->len; i++) {
    const BenchVersus *versus = g_ptr_array_index (report->versus, i);
    const BenchTest *test     = &versus->test;

    if (i == 0 || ((BenchVersus *)g_ptr_array_index (report->versus, i - 1))->peer != versus->peer) {
      g_print (_ ("\nbeside %s, %u pairs\n"), versus->peer->command, versus->ratios->len);
      g_print ("%-8s %7s %7s %6s %10s %10s %7s %15s\n", _ ("test"), _ ("tokens"), _ ("depth"), _ ("batch"), "woolly",
               _ ("peer"), _ ("ratio"), _ ("of the pairs"));
    }
    g_print ("%-8s %7u %7u %6u %10.2f %10.2f %7.3f %7.3f-%.3f\n", test->kind == BENCH_PREFILL ? "prefill" : "decode",
             test->n, test->depth, test->batch, bench_samples_rank (versus->ours, 0.5),
             bench_samples_rank (versus->theirs, 0.5), bench_samples_rank (versus->ratios, 0.5),
             bench_samples_rank (versus->ratios, 0), bench_samples_rank (versus->ratios, 1));
  }
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
  for (guint i = 0; i < report->bus->len; i++) {
    const BenchFirstToken *first = &g_array_index (report->bus, BenchFirstToken, i);

    g_print (_ ("bus      prompt of %u: first token after %.3f s, %.3f s of it to load\n"), first->n_tokens,
             first->total_s, first->load_s);
  }
  print_memory (report);
  if (report->limits != NULL)
    bench_report_limits_text (report->limits);
  print_versus (report);
  for (guint i = 0; report->with_profile && i < report->results->len; i++)
    print_profile (report, g_ptr_array_index (report->results, i));
}
