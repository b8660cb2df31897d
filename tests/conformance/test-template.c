/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The skeleton that plugins/create-plugin makes: unchanged, it is a plain Llama under another name.
 */
#include "conformance.h"
#include "wly-error.h"
#include "wly-test-model.h"

#include <string.h>

#define N_TOKENS 40

static void
model_init (WlyTestModel *model, const char *architecture)
{
  wly_test_model_init (model);
  model->architecture = architecture;
  model->n_embd       = 64;
  model->n_ff         = 96;
  model->head_dim     = 16;
  model->n_ctx        = 64;
  model->n_vocab      = 280;
}

static BenchLogits *
compute (const char *architecture)
{
  const BenchEngineOptions options = { .device = conformance_device (), .n_threads = 1, .float_activations = TRUE };
  g_autoptr (WlyGguf) gguf         = NULL;
  gint32 tokens[N_TOKENS];
  WlyTestModel model;

  for (guint i = 0; i < N_TOKENS; i++)
    tokens[i] = (gint32)(i * 37 % 280);
  model_init (&model, architecture);
  gguf = wly_test_model_open (&model);
  return conformance_compute (gguf, options, tokens, N_TOKENS, WLP_TYPE_F32, 0);
}

static void
test_computes (void)
{
  g_autoptr (BenchLogits) ours  = compute ("sample");
  g_autoptr (BenchLogits) llama = compute ("llama");

  g_assert_cmpmem (ours->logits, N_TOKENS * 280 * sizeof (float), llama->logits, N_TOKENS * 280 * sizeof (float));
}

/* What is wrong with a file is said by name. */
static void
test_refuses (void)
{
  const BenchEngineOptions options = { .device = conformance_device () };
  g_autoptr (BenchEngine) engine   = NULL;
  g_autoptr (WlyGguf) gguf         = NULL;
  g_autoptr (GError) error         = NULL;
  WlyTestModel model;

  model_init (&model, "sample");
  model.n_layers = 0;
  gguf           = wly_test_model_open (&model);
  engine         = bench_engine_new (gguf, &options, &error);
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
  g_assert_nonnull (strstr (error->message, "sample.block_count"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/template/computes", test_computes);
  g_test_add_func ("/conformance/template/refuses", test_refuses);
  return g_test_run ();
}
