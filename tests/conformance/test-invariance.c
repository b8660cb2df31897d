/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The bundled model as people run it (int8 activations, float16 cache): the logits are the same to the bit whatever the
 * number of threads, the chunks of the prefill, the instruction set and the plan.
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
  g_test_add_func ("/conformance/invariance/int8", test_int8);
  return g_test_run ();
}
