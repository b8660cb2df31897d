/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-report.h"

#include "bench-json.h"
#include "bench-samples.h"

static void
add_model (JsonBuilder *builder, const BenchReport *report)
{
  const struct wlp_metadata *facts = wly_gguf_metadata (report->gguf);

  bench_json_object (builder, "model");
  bench_json_string (builder, "path", report->path);
  bench_json_string (builder, "architecture", facts->ops->architecture (facts));
  bench_json_string (builder, "quantization", wly_gguf_quantization (report->gguf));
  bench_json_count (builder, "parameters", wly_gguf_n_parameters (report->gguf));
  bench_json_count (builder, "bytes", wly_gguf_file_bytes (report->gguf));
  json_builder_end_object (builder);
}

static void
add_settings (JsonBuilder *builder, const BenchReport *report)
{
  const BenchEngineOptions *engine = &report->choice->engine;

  bench_json_object (builder, "settings");
  bench_json_string (builder, "device", report->engine->device.id);
  bench_json_string (builder, "features", report->engine->device.features);
  bench_json_string (builder, "isa", engine->isa != NULL ? engine->isa : "");
  bench_json_string (builder, "pack", engine->pack != NULL ? engine->pack : "");
  bench_json_string (builder, "activations", engine->float_activations ? "f32" : "int8");
  bench_json_string (builder, "kv", report->choice->kv_name);
  bench_json_count (builder, "threads", report->n_threads);
  bench_json_count (builder, "chunk", report->chunk);
  json_builder_end_object (builder);
}

static void
add_work (JsonBuilder *builder, const BenchReport *report, const BenchWork *work)
{
  bench_json_number (builder, "macs_per_second", work->macs_per_s);
  bench_json_number (builder, "bytes_per_second", work->bytes_per_s);
  if (report->limits == NULL)
    return;
  bench_json_number (builder, "macs_per_cycle", work->macs_per_cycle);
  bench_json_number (builder, "macs_share", work->macs_share);
  bench_json_number (builder, "bytes_share", work->bytes_share);
}

static void
add_profile (JsonBuilder *builder, const BenchReport *report, const BenchResult *result)
{
  bench_json_array (builder, "profile");
  for (guint i = 0; i < result->profile->n; i++) {
    const struct wlp_profile_entry *entry = &result->profile->entries[i];
    const BenchWork work = bench_report_work (report, entry->n_macs, entry->n_bytes, (double)entry->time_ns / 1e9);

    json_builder_begin_object (builder);
    bench_json_string (builder, "operator", entry->name);
    bench_json_count (builder, "calls", entry->n_calls);
    bench_json_count (builder, "time_ns", entry->time_ns);
    bench_json_count (builder, "macs", entry->n_macs);
    bench_json_count (builder, "bytes", entry->n_bytes);
    add_work (builder, report, &work);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_samples (JsonBuilder *builder, const char *key, const GArray *samples)
{
  bench_json_array (builder, key);
  for (guint i = 0; i < samples->len; i++)
    json_builder_add_double_value (builder, g_array_index (samples, double, i));
  json_builder_end_array (builder);
}

static void
add_result (JsonBuilder *builder, const BenchReport *report, const BenchResult *result)
{
  const BenchSummary rate = bench_samples_summary (result->rates);
  const BenchWork work    = bench_report_result_work (report, result);

  json_builder_begin_object (builder);
  bench_json_string (builder, "kind", bench_result_kind (result));
  bench_json_count (builder, "n", result->test.n);
  bench_json_count (builder, "depth", result->test.depth);
  bench_json_count (builder, "batch", result->test.batch);
  bench_json_number (builder, "tokens_per_second", rate.median);
  bench_json_number (builder, "min", rate.min);
  bench_json_number (builder, "max", rate.max);
  bench_json_number (builder, "mean", rate.mean);
  bench_json_number (builder, "spread", rate.spread);
  add_samples (builder, "samples", result->rates);
  bench_json_number (builder, "step_ms", bench_samples_rank (result->steps_ms, 0.5));
  bench_json_number (builder, "step_ms_p99", bench_samples_rank (result->steps_ms, 0.99));
  add_work (builder, report, &work);
  if (report->with_profile)
    add_profile (builder, report, result);
  json_builder_end_object (builder);
}

static void
add_versus (JsonBuilder *builder, const BenchVersus *versus)
{
  json_builder_begin_object (builder);
  bench_json_string (builder, "peer", versus->peer->command);
  bench_json_string (builder, "kind", versus->test.kind == BENCH_PREFILL ? "prefill" : "decode");
  bench_json_count (builder, "n", versus->test.n);
  bench_json_count (builder, "depth", versus->test.depth);
  bench_json_count (builder, "batch", versus->test.batch);
  bench_json_number (builder, "tokens_per_second", bench_samples_rank (versus->ours, 0.5));
  bench_json_number (builder, "peer_tokens_per_second", bench_samples_rank (versus->theirs, 0.5));
  bench_json_number (builder, "ratio", bench_samples_rank (versus->ratios, 0.5));
  add_samples (builder, "samples", versus->ours);
  add_samples (builder, "peer_samples", versus->theirs);
  add_samples (builder, "ratios", versus->ratios);
  json_builder_end_object (builder);
}

static void
add_first_tokens (JsonBuilder *builder, const char *key, const GArray *first_tokens)
{
  bench_json_array (builder, key);
  for (guint i = 0; i < first_tokens->len; i++) {
    const BenchFirstToken *first = &g_array_index (first_tokens, BenchFirstToken, i);

    json_builder_begin_object (builder);
    bench_json_count (builder, "prompt", first->n_tokens);
    bench_json_number (builder, "load_seconds", first->load_s);
    bench_json_number (builder, "seconds", first->total_s);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_memory (JsonBuilder *builder, const BenchReport *report)
{
  bench_json_object (builder, "memory");
  bench_json_count (builder, "peak_bytes", report->peak_bytes);
  bench_json_count (builder, "mapped_bytes", report->memory.mapped_bytes);
  bench_json_count (builder, "packed_bytes", report->memory.packed_bytes);
  bench_json_count (builder, "cache_bytes", report->memory.cache_bytes);
  bench_json_count (builder, "scratch_bytes", report->memory.scratch_bytes);
  json_builder_end_object (builder);
}

void
bench_report_limits_json (JsonBuilder *builder, const BenchLimits *limits)
{
  bench_json_number (builder, "hz", limits->hz);
  bench_json_count (builder, "threads", limits->n_threads);
  bench_json_string (builder, "isa", limits->isa != NULL ? limits->isa : "");
  bench_json_string (builder, "instruction", limits->instruction != NULL ? limits->instruction : "");
  bench_json_number (builder, "macs_per_second_1", limits->macs_per_s[0]);
  bench_json_number (builder, "macs_per_second", bench_limits_macs (limits));
  bench_json_number (builder, "bytes_per_second", bench_limits_read (limits));
  bench_json_count (builder, "read_bytes", limits->read_bytes);
  bench_json_array (builder, "reads");
  for (guint i = 0; i < G_N_ELEMENTS (limits->reads); i++) {
    const BenchRead *read = &limits->reads[i];

    json_builder_begin_object (builder);
    bench_json_count (builder, "threads", read->n_threads);
    bench_json_count (builder, "page_bytes", read->is_huge ? 2 * 1024 * 1024 : 4096);
    bench_json_number (builder, "huge_share", read->huge_share);
    bench_json_number (builder, "bytes_per_second", read->bytes_per_s);
    bench_json_number (builder, "median", read->median);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

void
bench_report_json (const BenchReport *report)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_model (builder, report);
  add_settings (builder, report);
  add_first_tokens (builder, "first_token", report->first_tokens);
  if (report->bus->len > 0)
    add_first_tokens (builder, "first_token_bus", report->bus);
  add_memory (builder, report);
  if (report->limits != NULL) {
    bench_json_object (builder, "limits");
    bench_report_limits_json (builder, report->limits);
    json_builder_end_object (builder);
  }
  bench_json_array (builder, "results");
  for (guint i = 0; i < report->results->len; i++)
    add_result (builder, report, g_ptr_array_index (report->results, i));
  json_builder_end_array (builder);
  if (report->versus->len > 0) {
    bench_json_array (builder, "versus");
    for (guint i = 0; i < report->versus->len; i++)
      add_versus (builder, g_ptr_array_index (report->versus, i));
    json_builder_end_array (builder);
  }
  json_builder_end_object (builder);
  bench_json_print (builder);
}
