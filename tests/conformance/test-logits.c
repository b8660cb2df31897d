/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Logits against those of the float32 model of the same weights, by the reference implementation of the field: exact to
 * rounding with a float32 cache, and as far as float16 or q8_0 keys and values allow with the others.
 */
#include "conformance.h"

#include <unistd.h>

#define NMSE_F32 1e-9
#define NMSE_F16 3e-6
#define NMSE_Q8  1e-4

static const char *const shared_models[] = {
  "models/stories260K",        "models/woolly-tiny-f16", "models/woolly-tiny-Q8_0", "models/woolly-tiny-Q6_K",
  "models/woolly-tiny-Q4_K_M", "archs/llama-dense",      "archs/mistral3-dense",    "archs/llama-moe",
};

static void
check (const char *model, const char *logits)
{
  BenchAgreement whole = conformance_agreement (model, logits, WLP_TYPE_F32, 0);
  BenchAgreement each  = conformance_agreement (model, logits, WLP_TYPE_F32, 1);
  BenchAgreement half  = conformance_agreement (model, logits, WLP_TYPE_F16, 0);

  g_test_message ("nmse %g with a float32 cache, %g with float16", whole.nmse, half.nmse);
  g_assert_cmpfloat (whole.nmse, <=, NMSE_F32);
  g_assert_cmpfloat (whole.top1, ==, 1);
  /* token by token: the very same */
  g_assert_cmpfloat (each.nmse, ==, whole.nmse);
  g_assert_cmpfloat (each.max, ==, whole.max);
  g_assert_cmpfloat (half.nmse, <=, NMSE_F16);
  g_assert_cmpfloat (half.nmse, >, whole.nmse);
}

static void
test_bundled (void)
{
  g_autofree char *model  = conformance_bundled_model ();
  g_autofree char *logits = wly_test_data_path ("woolly-tiny-Q8_0.logits");

  check (model, logits);
}

/* Half of the memory: 8 bits and a scale for 32 values. */
static void
test_q8 (void)
{
  g_autofree char *model  = conformance_bundled_model ();
  g_autofree char *logits = wly_test_data_path ("woolly-tiny-Q8_0.logits");
  BenchAgreement half     = conformance_agreement (model, logits, WLP_TYPE_F16, 0);
  BenchAgreement whole    = conformance_agreement (model, logits, WLP_TYPE_Q8_0, 0);
  BenchAgreement each     = conformance_agreement (model, logits, WLP_TYPE_Q8_0, 1);

  g_test_message ("nmse %g, top1 %g with a q8_0 cache", whole.nmse, whole.top1);
  g_assert_cmpfloat (whole.nmse, >, half.nmse);
  g_assert_cmpfloat (whole.nmse, <=, NMSE_Q8);
  g_assert_cmpfloat (each.nmse, ==, whole.nmse);
  g_assert_cmpfloat (each.max, ==, whole.max);
}

static void
test_shared (gconstpointer data)
{
  g_autofree char *model_name  = g_strconcat (data, ".gguf", NULL);
  g_autofree char *logits_name = g_strconcat (data, ".logits", NULL);
  g_autofree char *model       = wly_test_shared_path (model_name);
  g_autofree char *logits      = model != NULL ? wly_test_shared_path (logits_name) : NULL;

  if (logits != NULL)
    check (model, logits);
}

/* A file that is none, or cut short, is refused. */
static void
test_damaged (void)
{
  g_autofree char *whole   = wly_test_data_path ("woolly-tiny-Q8_0.logits");
  g_autofree char *path    = NULL;
  g_autoptr (GBytes) bytes = wly_test_data_read (whole);
  const gsize lengths[]    = { 0, 3, 4, 11, 12, 100, g_bytes_get_size (bytes) - 1, g_bytes_get_size (bytes) - 4 };

  close (g_file_open_tmp ("woolly-XXXXXX.logits", &path, NULL));
  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (GError) error = NULL;

    g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL), (gssize)lengths[i], NULL));
    g_assert_null (bench_logits_read (path, &error));
    g_assert_nonnull (error);
  }
  unlink (path);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/logits/bundled", test_bundled);
  g_test_add_func ("/conformance/logits/q8", test_q8);
  g_test_add_func ("/conformance/logits/damaged", test_damaged);
  for (guint i = 0; i < G_N_ELEMENTS (shared_models); i++) {
    g_autofree char *path = g_strconcat ("/conformance/logits/", shared_models[i], NULL);

    g_test_add_data_func (path, shared_models[i], test_shared);
  }
  return g_test_run ();
}
