/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every family: small models of our own against a forward pass in double that is written from the papers, and the
 * models of ../shared/data/archs against the reference implementation of the field.
 */
#include "arch-samples.h"

#include "wly-error.h"

#include <string.h>

#define NMSE_F32 1e-9
#define NMSE_F16 3e-6

/* Rounding keys and values to float16 costs this model more: 4.64e-6 where all else is in double, and 7.3e-6 by the
 * reference implementation with such a cache. */
#define GRANITE          "granite-dense"
#define NMSE_F16_GRANITE 5e-6

/* Made by plugins/create-plugin for tests; test-template.c looks at it. */
#define SKELETON "sample"

static GPtrArray *samples;

/* ---- language models ---- */

static void
check_logits (const char *model, const char *logits, double bound_f16)
{
  const guint chunks[]              = { 1, 5 };
  BenchEngineOptions options        = { .device = conformance_device (), .n_threads = 2, .float_activations = TRUE };
  g_autoptr (WlyGguf) gguf          = conformance_model (model);
  g_autoptr (BenchLogits) reference = conformance_logits (logits);
  const guint n                     = reference->n_tokens;
  const gsize n_bytes               = (gsize)n * reference->n_vocab * sizeof (float);
  g_autoptr (BenchLogits) whole     = conformance_compute (gguf, options, reference->tokens, n, WLP_TYPE_F32, 0);
  g_autoptr (BenchLogits) half      = conformance_compute (gguf, options, reference->tokens, n, WLP_TYPE_F16, 0);
  BenchAgreement agreement;

  g_assert_cmpuint (whole->n_vocab, ==, reference->n_vocab);
  agreement = bench_logits_compare (whole, reference);
  g_test_message ("nmse %g with a float32 cache, %g with float16", agreement.nmse,
                  bench_logits_compare (half, reference).nmse);
  g_assert_cmpfloat (agreement.nmse, <=, NMSE_F32);
  g_assert_cmpfloat (bench_logits_compare (half, reference).nmse, <=, bound_f16);
  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (BenchLogits) parts = conformance_compute (gguf, options, reference->tokens, n, WLP_TYPE_F32, chunks[i]);
    g_autoptr (BenchLogits) half_parts =
        conformance_compute (gguf, options, reference->tokens, n, WLP_TYPE_F16, chunks[i]);

    g_assert_cmpmem (parts->logits, n_bytes, whole->logits, n_bytes);
    g_assert_cmpmem (half_parts->logits, n_bytes, half->logits, n_bytes);
  }
  options.no_fusion = TRUE;
  g_clear_pointer (&half, bench_logits_free);
  half = conformance_compute (gguf, options, reference->tokens, n, WLP_TYPE_F32, 0);
  g_assert_cmpmem (half->logits, n_bytes, whole->logits, n_bytes);
}

/* ---- pooled models ---- */

/* "WGL1", n_tokens, width, the tokens, one row. */
static void
check_pooled (const ArchSample *sample)
{
  g_autoptr (GBytes) bytes         = wly_test_data_read (sample->expected);
  const gint32 *words              = g_bytes_get_data (bytes, NULL);
  const guint n_tokens             = (guint)words[1];
  const guint width                = (guint)words[2];
  const float *expected            = (const float *)(const void *)(words + 3 + n_tokens);
  g_autoptr (WlyGguf) gguf         = conformance_model (sample->model);
  g_autoptr (GError) error         = NULL;
  BenchEngineOptions options       = { .device            = conformance_device (),
                                       .n_threads         = 2,
                                       .float_activations = TRUE,
                                       .max_positions     = n_tokens,
                                       .max_batch_tokens  = n_tokens };
  g_autoptr (BenchEngine) engine   = conformance_engine (gguf, &options);
  g_autoptr (WlySequence) sequence = NULL;
  WlyStepItem item                 = { .n_tokens = n_tokens, .want_output = TRUE };
  double distance                  = 0;
  double size                      = 0;

  g_assert_cmpuint (wly_network_program (engine->network)->output_width, ==, width);
  sequence = wly_sequence_new (wly_network_cache (engine->network), WLP_TYPE_F32, 0, n_tokens, &error);
  g_assert_no_error (error);
  g_assert_true (wly_sequence_append (sequence, words + 3, n_tokens, NULL, &error));
  item.sequence = sequence;
  wly_network_step (engine->network, &item, 1, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < width; i++) {
    distance += ((double)item.output[i] - expected[i]) * ((double)item.output[i] - expected[i]);
    size += (double)expected[i] * expected[i];
  }
  g_test_message ("nmse %g", distance / size);
  g_assert_cmpfloat (distance / size, <=, NMSE_F32);
}

/* ---- cases ---- */

static guint32
key_u32 (WlyGguf *gguf, const char *name, guint32 fallback)
{
  const struct wlp_metadata *metadata = wly_gguf_metadata (gguf);
  g_autofree char *key                = g_strdup_printf ("%s.%s", metadata->ops->architecture (metadata), name);
  guint32 value;

  return metadata->ops->get_u32 (metadata, key, &value) == 0 ? value : fallback;
}

/* What the plugin tells the engine beside the program. */
static void
check_limits (const ArchSample *sample)
{
  g_autoptr (WlyGguf) gguf        = conformance_model (sample->model);
  BenchEngineOptions options      = { .device = conformance_device (), .float_activations = TRUE, .max_positions = 8 };
  g_autoptr (BenchEngine) engine  = conformance_engine (gguf, &options);
  const struct wlp_limits *limits = &wly_network_program (engine->network)->limits;

  g_assert_cmpuint (limits->n_ctx_train, ==, key_u32 (gguf, "context_length", 0));
  g_assert_cmpuint (limits->n_embd, ==, key_u32 (gguf, "embedding_length", 0));
  g_assert_cmpuint (limits->n_layer, ==, key_u32 (gguf, "block_count", 0) - key_u32 (gguf, "nextn_predict_layers", 0));
  g_assert_cmpuint (limits->n_vocab, ==, wly_gguf_find_tensor (gguf, "token_embd.weight")->shape.ne[1]);
  g_assert_cmpuint (limits->pooling, ==, key_u32 (gguf, "pooling_type", WLP_POOL_NONE));
  g_assert_cmpuint (limits->causal, ==,
                    strstr (sample->name, "bert") == NULL && strstr (sample->name, "embedding") == NULL);
}

static void
test_own (gconstpointer data)
{
  const ArchSample *sample = data;

  check_limits (sample);
  if (sample->is_pooled)
    check_pooled (sample);
  else
    check_logits (sample->model, sample->expected, NMSE_F16);
}

/* No architecture that a plugin serves is without a sample of its own. */
static void
test_all_have_samples (void)
{
  g_autoptr (GPtrArray) files = arch_samples_plugins ();
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  guint n                     = 0;

  for (guint i = 0; i < samples->len; i++) {
    const ArchSample *sample            = g_ptr_array_index (samples, i);
    g_autoptr (WlyGguf) gguf            = conformance_model (sample->model);
    const struct wlp_metadata *metadata = wly_gguf_metadata (gguf);

    g_hash_table_add (seen, g_strdup (metadata->ops->architecture (metadata)));
  }
  for (guint i = 0; i < files->len; i++) {
    const WlyPluginFile *file = g_ptr_array_index (files, i);
    const struct wlp_arch_ops *arch;

    if (file->plugin == NULL || file->kind != WLP_KIND_ARCH || strcmp (file->name, SKELETON) == 0)
      continue;
    arch = file->plugin->ops;
    for (guint j = 0; arch->architectures[j] != NULL; j++, n++)
      if (!g_hash_table_contains (seen, arch->architectures[j]))
        g_error ("plugin %s serves %s, of which tests/generators/arch_samples.py makes no model", file->name,
                 arch->architectures[j]);
  }
  g_assert_cmpuint (n, ==, g_hash_table_size (seen));
}

static void
test_shared (gconstpointer name)
{
  g_autofree char *model_name  = g_strdup_printf ("archs/%s.gguf", (const char *)name);
  g_autofree char *logits_name = g_strdup_printf ("archs/%s.logits", (const char *)name);
  g_autofree char *model       = wly_test_shared_path (model_name);
  g_autofree char *logits      = model != NULL ? wly_test_shared_path (logits_name) : NULL;

  if (logits != NULL)
    check_logits (model, logits, strcmp (name, GRANITE) == 0 ? NMSE_F16_GRANITE : NMSE_F16);
}

int
main (int argc, char **argv)
{
  static const char *const shared[] = { "gemma2-dense", GRANITE,       "llama-dense", "llama-moe",    "mistral3-dense",
                                        "phi3-dense",   "qwen2-dense", "qwen3-dense", "qwen3moe-moe", "smollm3-dense" };
  int status;

  g_test_init (&argc, &argv, NULL);
  samples = arch_samples_list ();
  g_test_add_func ("/conformance/archs/all-have-samples", test_all_have_samples);
  for (guint i = 0; i < samples->len; i++) {
    const ArchSample *sample = g_ptr_array_index (samples, i);
    g_autofree char *path    = g_strconcat ("/conformance/archs/own/", sample->name, NULL);

    g_test_add_data_func (path, sample, test_own);
  }
  for (guint i = 0; i < G_N_ELEMENTS (shared); i++) {
    g_autofree char *path = g_strconcat ("/conformance/archs/shared/", shared[i], NULL);

    g_test_add_data_func (path, shared[i], test_shared);
  }
  status = g_test_run ();
  g_ptr_array_unref (samples);
  return status;
}
