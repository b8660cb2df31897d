/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bundled model as people run it (int8 activations, float16 cache): the logits are the same to the bit whatever the
 * number of threads, the chunks of the prefill, the instruction set, the plan, where the weights lie, company in the
 * batch, and what of the prompt was in the cache.
 */
#include "conformance.h"

#include <string.h>

static BenchLogits *
compute (const BenchEngineOptions *changes, guint chunk)
{
  g_autofree char *path             = conformance_bundled_model ();
  g_autofree char *logits           = wly_test_data_path ("woolly-tiny-Q8_0.logits");
  g_autoptr (WlyGguf) gguf          = conformance_model (path);
  g_autoptr (BenchLogits) reference = conformance_logits (logits);
  BenchEngineOptions options        = *changes;

  options.device = conformance_device ();
  return conformance_compute (gguf, options, reference->tokens, reference->n_tokens, WLP_TYPE_F16, chunk);
}

static void
check (const BenchEngineOptions *changes, guint chunk)
{
  const BenchEngineOptions plain    = { .n_threads = 1, .float_activations = changes->float_activations };
  g_autoptr (BenchLogits) reference = compute (&plain, 0);
  g_autoptr (BenchLogits) ours      = compute (changes, chunk);
  gsize n_bytes                     = (gsize)ours->n_tokens * ours->n_vocab * sizeof (float);

  g_assert_cmpmem (ours->logits, n_bytes, reference->logits, n_bytes);
}

static void
test_threads (void)
{
  for (guint n = 2; n <= 5; n++) {
    check (&(BenchEngineOptions){ .n_threads = n }, 0);
    check (&(BenchEngineOptions){ .n_threads = n }, 1);
  }
}

static void
test_chunks (void)
{
  const guint chunks[] = { 1, 2, 3, 5, 8, 13, 50 };

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    check (&(BenchEngineOptions){ .n_threads = 2 }, chunks[i]);
}

static void
test_plan (void)
{
  check (&(BenchEngineOptions){ .n_threads = 2, .no_fusion = TRUE }, 0);
  check (&(BenchEngineOptions){ .n_threads = 2, .no_fusion = TRUE, .float_activations = TRUE }, 0);
}

static void
test_isa (void)
{
  check (&(BenchEngineOptions){ .n_threads = 2, .isa = "c" }, 0);
  check (&(BenchEngineOptions){ .n_threads = 2, .isa = "c", .float_activations = TRUE }, 0);
}

/* Panels packed at the first touch is what the other tests have. */
static void
test_weights (void)
{
  check (&(BenchEngineOptions){ .n_threads = 2, .pack = "0" }, 0);
  check (&(BenchEngineOptions){ .n_threads = 2, .pack = "1" }, 7);
  check (&(BenchEngineOptions){ .n_threads = 3, .pack_bytes = 1000000 }, 7);
}

/* ---- company ---- */

#define LONG_TEXT 150 /* tokens: more than two blocks */
#define MOST      8   /* sequences in a batch */

typedef struct {
  BenchEngine *engine;
  gint32 tokens[LONG_TEXT];
  BenchLogits *reference; /* of these alone, by one thread */
} Company;

static void
company_init (Company *company)
{
  g_autofree char *path          = conformance_bundled_model ();
  g_autofree char *logits        = wly_test_data_path ("woolly-tiny-Q8_0.logits");
  g_autoptr (WlyGguf) gguf       = conformance_model (path);
  g_autoptr (BenchLogits) sample = conformance_logits (logits);
  BenchEngineOptions options     = { .device = conformance_device (), .n_threads = 1 };

  for (guint i = 0; i < LONG_TEXT; i++)
    company->tokens[i] = sample->tokens[i % sample->n_tokens];
  company->reference       = conformance_compute (gguf, options, company->tokens, LONG_TEXT, WLP_TYPE_F16, 0);
  options.n_threads        = 2;
  options.max_sequences    = MOST;
  options.max_positions    = LONG_TEXT;
  options.max_batch_tokens = MOST * LONG_TEXT;
  company->engine          = conformance_engine (gguf, &options);
}

static void
company_clear (Company *company)
{
  bench_engine_free (company->engine);
  bench_logits_free (company->reference);
}

static WlySequence *
add_sequence (const Company *company, guint64 salt)
{
  g_autoptr (GError) error = NULL;
  WlySequence *sequence =
      wly_sequence_new (wly_network_cache (company->engine->network), WLP_TYPE_F16, salt, LONG_TEXT, &error);

  g_assert_no_error (error);
  return sequence;
}

/* The next @n tokens of the text for this sequence; returns how many of them were in the cache. */
static guint
append (const Company *company, WlySequence *sequence, guint n)
{
  g_autoptr (GError) error = NULL;
  guint n_cached           = 0;

  wly_sequence_append (sequence, company->tokens + wly_sequence_n_tokens (sequence), n, &n_cached, &error);
  g_assert_no_error (error);
  return n_cached;
}

/* All that was appended is computed in one batch; each sequence ends in what the reference has there. */
static void
step_together (const Company *company, WlySequence **sequences, guint n)
{
  const guint n_vocab      = company->reference->n_vocab;
  g_autoptr (GError) error = NULL;
  WlyStepItem items[MOST]  = { 0 };

  for (guint i = 0; i < n; i++)
    items[i] = (WlyStepItem){
      .sequence    = sequences[i],
      .n_tokens    = wly_sequence_n_tokens (sequences[i]) - wly_sequence_n_computed (sequences[i]),
      .want_output = TRUE,
    };
  wly_network_step (company->engine->network, items, n, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n; i++) {
    const gsize row = wly_sequence_n_tokens (sequences[i]) - 1;

    g_assert_cmpmem (items[i].output, n_vocab * sizeof (float), company->reference->logits + row * n_vocab,
                     n_vocab * sizeof (float));
  }
}

/* One to eight sequences, each at another place of the text: prefill, then token by token. */
static void
test_batch (void)
{
  Company company;

  company_init (&company);
  for (guint n = 1; n <= MOST; n++) {
    WlySequence *sequences[MOST];

    for (guint i = 0; i < n; i++) {
      sequences[i] = add_sequence (&company, 100 * n + i + 1);
      g_assert_cmpuint (append (&company, sequences[i], 3 + 17 * i), ==, 0);
    }
    step_together (&company, sequences, n);
    for (guint round = 0; round < 4; round++) {
      for (guint i = 0; i < n; i++)
        append (&company, sequences[i], i == round ? 5 : 1);
      step_together (&company, sequences, n);
    }
    for (guint i = 0; i < n; i++)
      wly_sequence_free (sequences[i]);
  }
  company_clear (&company);
}

/* The first blocks come from the cache, from a sequence that is still there and from one that is not. */
static void
test_prefix (void)
{
  Company company;
  WlySequence *first, *second;

  company_init (&company);
  first = add_sequence (&company, 1);
  g_assert_cmpuint (append (&company, first, LONG_TEXT), ==, 0);
  step_together (&company, &first, 1);
  second = add_sequence (&company, 1);
  g_assert_cmpuint (append (&company, second, LONG_TEXT - 5), ==, 128);
  step_together (&company, &second, 1);
  wly_sequence_free (first);
  append (&company, second, 5);
  step_together (&company, &second, 1);
  wly_sequence_free (second);
  first = add_sequence (&company, 1);
  g_assert_cmpuint (append (&company, first, 100), ==, 64);
  step_together (&company, &first, 1);
  wly_sequence_free (first);
  company_clear (&company);
}

/* Int8 activations are another computation, or the tests above would compare nothing. */
static void
test_int8 (void)
{
  g_autoptr (BenchLogits) fast  = compute (&(BenchEngineOptions){ .n_threads = 1 }, 0);
  g_autoptr (BenchLogits) exact = compute (&(BenchEngineOptions){ .n_threads = 1, .float_activations = TRUE }, 0);
  BenchAgreement agreement      = bench_logits_compare (fast, exact);

  g_test_message ("nmse %g", agreement.nmse);
  g_assert_cmpfloat (agreement.nmse, >, 0);
  /* measured 2.0e-4 */
  g_assert_cmpfloat (agreement.nmse, <, 4e-4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/invariance/threads", test_threads);
  g_test_add_func ("/conformance/invariance/chunks", test_chunks);
  g_test_add_func ("/conformance/invariance/plan", test_plan);
  g_test_add_func ("/conformance/invariance/isa", test_isa);
  g_test_add_func ("/conformance/invariance/weights", test_weights);
  g_test_add_func ("/conformance/invariance/batch", test_batch);
  g_test_add_func ("/conformance/invariance/prefix", test_prefix);
  g_test_add_func ("/conformance/invariance/int8", test_int8);
  return g_test_run ();
}
