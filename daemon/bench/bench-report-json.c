/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-report.h"
#include "bench-samples.h"

#include <json-glib/json-glib.h>

static void
add_string (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_string_value (builder, value);
}

static void
add_count (JsonBuilder *builder, const char *key, guint64 value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, (gint64)value);
}

static void
add_number (JsonBuilder *builder, const char *key, double value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_double_value (builder, value);
}

static void
add_model (JsonBuilder *builder, const BenchReport *report)
{
  const struct wlp_metadata *facts = wly_gguf_metadata (report->gguf);

  json_builder_set_member_name (builder, "model");
  json_builder_begin_object (builder);
  add_string (builder, "path", report->path);
  add_string (builder, "architecture", facts->ops->architecture (facts));
  add_string (builder, "quantization", wly_gguf_quantization (report->gguf));
  add_count (builder, "parameters", wly_gguf_n_parameters (report->gguf));
  add_count (builder, "bytes", wly_gguf_file_bytes (report->gguf));
  json_builder_end_object (builder);
}

static void
add_settings (JsonBuilder *builder, const BenchReport *report)
{
  const BenchEngineOptions *engine = &report->choice->engine;

  json_builder_set_member_name (builder, "settings");
  json_builder_begin_object (builder);
  add_string (builder, "device", report->engine->device.id);
  add_string (builder, "features", report->engine->device.features);
  add_string (builder, "isa", engine->isa != NULL ? engine->isa : "");
  add_string (builder, "pack", engine->pack != NULL ? engine->pack : "");
  add_string (builder, "activations", engine->float_activations ? "f32" : "int8");
  add_string (builder, "kv", report->choice->kv_name);
  add_count (builder, "threads", report->n_threads);
  add_count (builder, "chunk", report->chunk);
  json_builder_end_object (builder);
}

static void
add_profile (JsonBuilder *builder, const BenchResult *result)
{
  json_builder_set_member_name (builder, "profile");
  json_builder_begin_array (builder);
  for (guint i = 0; i < result->profile->n; i++) {
    const struct wlp_profile_entry *entry = &result->profile->entries[i];

    json_builder_begin_object (builder);
    add_string (builder, "operator", entry->name);
    add_count (builder, "calls", entry->n_calls);
    add_count (builder, "time_ns", entry->time_ns);
    add_count (builder, "macs", entry->n_macs);
    add_count (builder, "bytes", entry->n_bytes);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_samples (JsonBuilder *builder, const char *key, const GArray *samples)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (guint i = 0; i < samples->len; i++)
    json_builder_add_double_value (builder, g_array_index (samples, double, i));
  json_builder_end_array (builder);
}

static void
add_result (JsonBuilder *builder, const BenchReport *report, const BenchResult *result)
{
  const BenchSummary rate = bench_samples_summary (result->rates);

  json_builder_begin_object (builder);
  add_string (builder, "kind", bench_result_kind (result));
  add_count (builder, "n", result->test.n);
  add_count (builder, "depth", result->test.depth);
  add_count (builder, "batch", result->test.batch);
  add_number (builder, "tokens_per_second", rate.median);
  add_number (builder, "min", rate.min);
  add_number (builder, "max", rate.max);
  add_number (builder, "mean", rate.mean);
  add_number (builder, "spread", rate.spread);
  add_samples (builder, "samples", result->rates);
  add_number (builder, "step_ms", bench_samples_rank (result->steps_ms, 0.5));
  add_number (builder, "step_ms_p99", bench_samples_rank (result->steps_ms, 0.99));
  add_number (builder, "macs_per_second", bench_report_macs_per_s (result));
  add_number (builder, "bytes_per_second", bench_report_bytes_per_s (result));
  if (report->with_profile)
    add_profile (builder, result);
  json_builder_end_object (builder);
}

static void
add_first_tokens (JsonBuilder *builder, const BenchReport *report)
{
  json_builder_set_member_name (builder, "first_token");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->first_tokens->len; i++) {
    const BenchFirstToken *first = &g_array_index (report->first_tokens, BenchFirstToken, i);

    json_builder_begin_object (builder);
    add_count (builder, "prompt", first->n_tokens);
    add_number (builder, "load_seconds", first->load_s);
    add_number (builder, "seconds", first->total_s);
    json_builder_end_object (builder);
  }
  json_builder_end_array (builder);
}

static void
add_memory (JsonBuilder *builder, const BenchReport *report)
{
  json_builder_set_member_name (builder, "memory");
  json_builder_begin_object (builder);
  add_count (builder, "peak_bytes", report->peak_bytes);
  add_count (builder, "mapped_bytes", report->memory.mapped_bytes);
  add_count (builder, "packed_bytes", report->memory.packed_bytes);
  add_count (builder, "cache_bytes", report->memory.cache_bytes);
  add_count (builder, "scratch_bytes", report->memory.scratch_bytes);
  json_builder_end_object (builder);
}

void
bench_report_json (const BenchReport *report)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autoptr (JsonNode) root       = NULL;
  g_autofree char *text           = NULL;

  json_builder_begin_object (builder);
  add_model (builder, report);
  add_settings (builder, report);
  add_first_tokens (builder, report);
  add_memory (builder, report);
  json_builder_set_member_name (builder, "results");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->results->len; i++)
    add_result (builder, report, g_ptr_array_index (report->results, i));
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  root = json_builder_get_root (builder);
  text = json_to_string (root, TRUE);
  g_print ("%s\n", text);
}
