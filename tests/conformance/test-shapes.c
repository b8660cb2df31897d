/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random models of every shape, scaling and type of weights that the Llama family has: the device under test against
 * the reference backend, which computes each operator in double as its definition reads.
 */
#include "conformance.h"
#include "quant.h"
#include "wly-test-model.h"
#include "wly-test-random.h"

#include <math.h>

#define N_TOKENS 70
#define N_VOCAB  301

/* Exact to rounding: the sums of some hundred float32 products of a quantised weight. */
#define NMSE 1e-10

typedef struct {
  const char *name;
  void (*change) (WlyTestModel *model);
} Shape;

static void
change_nothing (WlyTestModel *model)
{
}

static void
change_no_sharing (WlyTestModel *model)
{
  model->n_head_kv = 4;
}

static void
change_one_kv_head (WlyTestModel *model)
{
  model->n_head_kv = 1;
}

static void
change_head_80 (WlyTestModel *model)
{
  model->head_dim = 80;
}

static void
change_head_24 (WlyTestModel *model)
{
  model->n_head    = 6;
  model->n_head_kv = 3;
  model->head_dim  = 24;
}

static void
change_odd_sizes (WlyTestModel *model)
{
  model->n_embd    = 36;
  model->n_ff      = 52;
  model->n_head    = 3;
  model->n_head_kv = 1;
  model->head_dim  = 12;
  model->n_vocab   = 277;
}

static void
change_tied (WlyTestModel *model)
{
  model->tied = TRUE;
}

static void
change_bias (WlyTestModel *model)
{
  model->qkv_bias = TRUE;
}

static void
change_experts (WlyTestModel *model)
{
  model->n_expert      = 6;
  model->n_expert_used = 2;
}

static void
change_linear_rope (WlyTestModel *model)
{
  model->rope_scaling = "linear";
  model->rope_factor  = 4;
}

static void
change_yarn (WlyTestModel *model)
{
  model->rope_scaling    = "yarn";
  model->rope_factor     = 8;
  model->rope_n_ctx_orig = 64;
}

static void
change_rope_factors (WlyTestModel *model)
{
  model->rope_factors = TRUE;
  model->rope_base    = 500000;
}

static const Shape shapes[] = {
  { "plain", change_nothing },
  { "no-sharing", change_no_sharing },
  { "one-kv-head", change_one_kv_head },
  { "head-80", change_head_80 },
  { "head-24", change_head_24 },
  { "odd-sizes", change_odd_sizes },
  { "tied", change_tied },
  { "bias", change_bias },
  { "experts", change_experts },
  { "rope-linear", change_linear_rope },
  { "rope-yarn", change_yarn },
  { "rope-factors", change_rope_factors },
};

/* Every type that can be computed with. */
static const enum wlp_type types[] = {
  WLP_TYPE_F32,  WLP_TYPE_BF16, WLP_TYPE_Q4_0,   WLP_TYPE_Q4_1,   WLP_TYPE_Q5_0,
  WLP_TYPE_Q5_1, WLP_TYPE_Q8_0, WLP_TYPE_Q2_K,   WLP_TYPE_Q3_K,   WLP_TYPE_Q4_K,
  WLP_TYPE_Q5_K, WLP_TYPE_Q6_K, WLP_TYPE_IQ4_NL, WLP_TYPE_IQ4_XS, WLP_TYPE_MXFP4,
};

static WlyGguf *
model_open (const Shape *shape)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_embd    = 64;
  model.n_ff      = 96;
  model.n_head    = 4;
  model.n_head_kv = 2;
  model.head_dim  = 16;
  model.n_ctx     = 128;
  model.n_vocab   = N_VOCAB;
  if (shape != NULL)
    shape->change (&model);
  return wly_test_model_open (&model);
}

static BenchLogits *
compute (WlyGguf *gguf, const char *device, enum wlp_type type)
{
  BenchEngineOptions options = { .device = device, .n_threads = 2, .float_activations = TRUE };
  WlyTestRandom random       = { 11 };
  gint32 tokens[N_TOKENS];

  for (guint i = 0; i < N_TOKENS; i++)
    tokens[i] = (gint32)wly_test_random_below (&random, 277);
  return conformance_compute (gguf, options, tokens, N_TOKENS, type, 0);
}

static void
check_model (WlyGguf *gguf)
{
  g_autoptr (BenchLogits) reference = compute (gguf, "fake", WLP_TYPE_F32);
  g_autoptr (BenchLogits) ours      = compute (gguf, conformance_device (), WLP_TYPE_F32);
  g_autoptr (BenchLogits) half      = compute (gguf, conformance_device (), WLP_TYPE_F16);
  BenchAgreement agreement          = bench_logits_compare (ours, reference);

  g_test_message ("nmse %g", agreement.nmse);
  g_assert_cmpfloat (agreement.nmse, <=, NMSE);
  g_assert_cmpfloat (bench_logits_compare (half, reference).nmse, <=, 1e-5);
}

static void
test_shape (gconstpointer data)
{
  g_autoptr (WlyGguf) gguf = model_open (data);

  check_model (gguf);
}

/* The reference unpacks the weights to float32 first: so this is the type against its dequantised model. */
static void
test_type (gconstpointer data)
{
  g_autoptr (WlyGguf) gguf = NULL;
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_ff    = 256;
  model.n_ctx   = 128;
  model.n_vocab = N_VOCAB;
  model.type    = (enum wlp_type)GPOINTER_TO_INT (data);
  gguf          = wly_test_model_open (&model);
  check_model (gguf);
}

/* The reference must tell the shapes apart, or agreeing with it says nothing. */
static void
test_scalings_matter (void)
{
  g_autoptr (WlyGguf) plain       = model_open (NULL);
  g_autoptr (BenchLogits) without = compute (plain, "fake", WLP_TYPE_F32);

  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autoptr (WlyGguf) gguf     = NULL;
    g_autoptr (BenchLogits) with = NULL;

    if (!g_str_has_prefix (shapes[i].name, "rope-"))
      continue;
    gguf = model_open (&shapes[i]);
    with = compute (gguf, "fake", WLP_TYPE_F32);
    g_assert_cmpfloat (bench_logits_compare (with, without).nmse, >, 1e-4);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/shapes/scalings-matter", test_scalings_matter);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_autofree char *path = g_strconcat ("/conformance/shapes/", shapes[i].name, NULL);

    g_test_add_data_func (path, &shapes[i], test_shape);
  }
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_autofree char *path = g_strconcat ("/conformance/shapes/type/", wlq_type_name (types[i]), NULL);

    g_test_add_data_func (path, GINT_TO_POINTER (types[i]), test_type);
  }
  return g_test_run ();
}
