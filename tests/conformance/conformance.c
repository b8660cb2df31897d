/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "conformance.h"

const char *
conformance_device (void)
{
  const char *device = g_getenv ("WOOLLY_TEST_DEVICE");

  g_assert_nonnull (device);
  return device;
}

char *
conformance_bundled_model (void)
{
  return g_build_filename (WLY_TEST_SOURCE_ROOT, "data", "models", "woolly-tiny-Q8_0.gguf", NULL);
}

WlyGguf *
conformance_model (const char *path)
{
  g_autoptr (GError) error = NULL;
  WlyGguf *gguf            = bench_model_open (path, &error);

  g_assert_no_error (error);
  return gguf;
}

BenchEngine *
conformance_engine (WlyGguf *gguf, const BenchEngineOptions *options)
{
  g_autoptr (GError) error = NULL;
  BenchEngine *engine      = bench_engine_new (gguf, options, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (engine->device.id, ==, options->device);
  return engine;
}

BenchLogits *
conformance_logits (const char *path)
{
  g_autoptr (GError) error = NULL;
  BenchLogits *logits      = bench_logits_read (path, &error);

  g_assert_no_error (error);
  return logits;
}

BenchLogits *
conformance_compute (WlyGguf *gguf, BenchEngineOptions options, const gint32 *tokens, guint n_tokens,
                     enum wlp_type type, guint chunk)
{
  g_autoptr (BenchEngine) engine = NULL;
  g_autoptr (GError) error       = NULL;
  BenchLogits *logits;

  options.max_positions    = n_tokens;
  options.max_batch_tokens = chunk != 0 ? chunk : n_tokens;
  options.max_rows         = options.max_batch_tokens;
  engine                   = conformance_engine (gguf, &options);
  logits                   = bench_logits_compute (engine->network, tokens, n_tokens, type, chunk, &error);
  g_assert_no_error (error);
  return logits;
}

BenchAgreement
conformance_agreement (const char *model, const char *logits, enum wlp_type type, guint chunk)
{
  g_autoptr (WlyGguf) gguf          = conformance_model (model);
  g_autoptr (BenchLogits) reference = conformance_logits (logits);
  BenchEngineOptions options        = { .device = conformance_device (), .n_threads = 2, .float_activations = TRUE };
  g_autoptr (BenchLogits) ours =
      conformance_compute (gguf, options, reference->tokens, reference->n_tokens, type, chunk);

  return bench_logits_compare (ours, reference);
}
