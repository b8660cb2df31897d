/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Files that the Llama plugin does not serve: the error names the key or the tensor, and what was wanted.
 */
#include "conformance.h"
#include "wly-error.h"
#include "wly-test-model.h"

#include <string.h>

static void
change_no_layers (WlyTestModel *model)
{
  model->n_layers = 0;
}

/* the number that stands for "required" in the plugins' headers */
static void
change_endless_context (WlyTestModel *model)
{
  model->n_ctx = G_MAXUINT32;
}

static void
change_kv_heads (WlyTestModel *model)
{
  model->n_head_kv = 3;
}

static void
change_many_kv_heads (WlyTestModel *model)
{
  model->n_head_kv = 9;
}

static void
change_scaling (WlyTestModel *model)
{
  model->rope_scaling = "rubber";
  model->rope_factor  = 2;
}

static void
change_architecture (WlyTestModel *model)
{
  model->architecture = "frobnicator";
}

static void
change_base (WlyTestModel *model)
{
  model->rope_base = -1;
}

static const struct {
  const char *name;
  void (*change) (WlyTestModel *model);
  WlyErrorCode code;
  const char *says;
} cases[] = {
  { "no-layers", change_no_layers, WLY_ERROR_INVALID_MODEL, "llama.block_count" },
  { "endless-context", change_endless_context, WLY_ERROR_INVALID_MODEL,
    "llama.context_length is 4294967295; wanted is 1 to 2147483647" },
  { "kv-heads", change_kv_heads, WLY_ERROR_INVALID_MODEL, "3 key-value heads do not divide 4" },
  { "many-kv-heads", change_many_kv_heads, WLY_ERROR_INVALID_MODEL, "llama.attention.head_count_kv" },
  { "scaling", change_scaling, WLY_ERROR_UNSUPPORTED_MODEL, "rubber" },
  { "architecture", change_architecture, WLY_ERROR_UNSUPPORTED_MODEL, "frobnicator" },
  { "rope-base", change_base, WLY_ERROR_INVALID_MODEL, "base -1" },
};

static void
test_refused (gconstpointer data)
{
  guint at                         = GPOINTER_TO_UINT (data);
  const BenchEngineOptions options = { .device = conformance_device () };
  g_autoptr (BenchEngine) engine   = NULL;
  g_autoptr (WlyGguf) gguf         = NULL;
  g_autoptr (GError) error         = NULL;
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_embd   = 64;
  model.n_ff     = 96;
  model.head_dim = 16;
  model.n_ctx    = 64;
  cases[at].change (&model);
  gguf   = wly_test_model_open (&model);
  engine = bench_engine_new (gguf, &options, &error);
  g_assert_null (engine);
  g_assert_error (error, WLY_ERROR, (int)cases[at].code);
  if (strstr (error->message, cases[at].says) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error->message, cases[at].says);
}

/* The device that was asked for must be there. */
static void
test_no_device (void)
{
  const BenchEngineOptions options = { .device = "abacus" };
  g_autofree char *path            = conformance_bundled_model ();
  g_autoptr (WlyGguf) gguf         = conformance_model (path);
  g_autoptr (GError) error         = NULL;

  g_assert_null (bench_engine_new (gguf, &options, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, "abacus"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/refused/no-device", test_no_device);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *path = g_strconcat ("/conformance/refused/", cases[i].name, NULL);

    g_test_add_data_func (path, GUINT_TO_POINTER (i), test_refused);
  }
  return g_test_run ();
}
