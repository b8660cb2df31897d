/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Steps over batches of sequences, on the device that WOOLLY_TEST_DEVICE names: whatever the batch, the chunks, the
 * cache and what went wrong before, the logits of a token are the same to the bit.
 */
#include "bench-engine.h"
#include "bench-logits.h"
#include "sample/sampler.h"
#include "wly-error.h"
#include "wly-test-model.h"
#include "wly-test-random.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define N_TOKENS 150

static gint32 text[4][512]; /* four texts; 0 and 1 have their first 100 tokens in common */

static const char *
test_device (void)
{
  const char *device = g_getenv ("WOOLLY_TEST_DEVICE");

  return device != NULL ? device : "fake";
}

static WlyGguf *
model_open (void)
{
  WlyTestModel model;

  wly_test_model_init (&model);
  model.n_embd   = 64;
  model.n_ff     = 96;
  model.n_head   = 4;
  model.head_dim = 16;
  model.n_ctx    = 512;
  model.n_vocab  = 300;
  model.type     = WLP_TYPE_F32;
  return wly_test_model_open (&model);
}

static BenchEngine *
engine_new (guint64 kv_bytes)
{
  g_autoptr (WlyGguf) gguf   = model_open ();
  g_autoptr (GError) error   = NULL;
  BenchEngineOptions options = {
    .device           = test_device (),
    .n_threads        = 2,
    .max_batch_tokens = 160,
    .max_sequences    = 6,
    .max_rows         = 160,
    .kv_bytes         = kv_bytes,
  };
  BenchEngine *engine = bench_engine_new (gguf, &options, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (engine->device.id, ==, test_device ());
  return engine;
}

static WlySequence *
sequence_new (BenchEngine *engine, guint64 salt)
{
  g_autoptr (GError) error = NULL;
  WlySequence *sequence    = wly_sequence_new (wly_network_cache (engine->network), WLP_TYPE_F32, salt, 512, &error);

  g_assert_no_error (error);
  return sequence;
}

static void
append (WlySequence *sequence, guint which, guint n)
{
  g_autoptr (GError) error = NULL;

  wly_sequence_append (sequence, text[which] + wly_sequence_n_tokens (sequence), n, NULL, &error);
  g_assert_no_error (error);
}

/* Runs a step; every item's outputs are compared with @reference, rows of the text from position 0. */
static void
step (BenchEngine *engine, WlyStepItem *items, guint n_items, const BenchLogits *const *references)
{
  g_autoptr (GError) error = NULL;
  guint before[8];

  for (guint i = 0; i < n_items; i++)
    before[i] = wly_sequence_n_computed (items[i].sequence);
  wly_network_step (engine->network, items, n_items, NULL, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < n_items; i++) {
    guint n_computed = wly_sequence_n_computed (items[i].sequence);
    guint n_rows     = MAX (items[i].n_rows, 1);
    gsize row_bytes  = references[i]->n_vocab * sizeof (float);

    g_assert_cmpuint (n_computed, ==, before[i] + items[i].n_tokens);
    if (items[i].want_output)
      g_assert_cmpmem (items[i].output, n_rows * row_bytes,
                       references[i]->logits + (gsize)(n_computed - n_rows) * references[i]->n_vocab,
                       n_rows * row_bytes);
    else
      g_assert_null (items[i].output);
  }
}

static BenchLogits *
reference_new (BenchEngine *engine, guint which, guint n, guint chunk)
{
  g_autoptr (GError) error = NULL;
  BenchLogits *logits      = bench_logits_compute (engine->network, text[which], n, WLP_TYPE_F32, chunk, &error);

  g_assert_no_error (error);
  return logits;
}

static void
assert_same (const BenchLogits *a, const BenchLogits *b)
{
  gsize n_bytes = (gsize)a->n_tokens * a->n_vocab * sizeof (float);

  g_assert_cmpmem (a->logits, n_bytes, b->logits, n_bytes);
}

/* ---- the same to the bit ---- */

static void
test_chunks (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (BenchLogits) whole  = reference_new (engine, 0, N_TOKENS, 0);
  const guint chunks[]           = { 1, 2, 3, 7, 63, 64, 65, 149 };
  double sum                     = 0;

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autoptr (BenchLogits) chunked = reference_new (engine, 0, N_TOKENS, chunks[i]);

    assert_same (chunked, whole);
  }
  for (gsize i = 0; i < (gsize)N_TOKENS * whole->n_vocab; i++)
    sum += fabs ((double)whole->logits[i]);
  g_assert_true (isfinite (sum));
  g_assert_cmpfloat (sum / N_TOKENS / whole->n_vocab, >, 0.01);
}

/* Prefill chunks and single tokens of several sequences, in changing company. */
static void
test_batch_mates (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (BenchLogits) a      = reference_new (engine, 0, N_TOKENS, 0);
  g_autoptr (BenchLogits) b      = reference_new (engine, 2, N_TOKENS, 0);
  g_autoptr (BenchLogits) c      = reference_new (engine, 3, N_TOKENS, 0);
  g_autoptr (WlySequence) first  = sequence_new (engine, 1);
  g_autoptr (WlySequence) second = sequence_new (engine, 2);
  g_autoptr (WlySequence) third  = sequence_new (engine, 3);
  const BenchLogits *refs[]      = { a, b, c };
  WlyStepItem items[3];

  append (first, 0, N_TOKENS);
  append (second, 2, N_TOKENS);
  append (third, 3, N_TOKENS);
  items[0] = (WlyStepItem){ .sequence = first, .n_tokens = 100, .want_output = TRUE };
  items[1] = (WlyStepItem){ .sequence = second, .n_tokens = 30 };
  step (engine, items, 2, refs);
  for (guint i = 0; i < 20; i++) {
    items[0] = (WlyStepItem){ .sequence = first, .n_tokens = 1, .want_output = TRUE };
    items[1] = (WlyStepItem){ .sequence = second, .n_tokens = 1 + i % 7, .want_output = i % 2 == 0, .n_rows = 1 };
    items[2] = (WlyStepItem){ .sequence = third, .n_tokens = i % 3 + 2, .want_output = TRUE, .n_rows = 2 };
    step (engine, items, 1 + i % 3, refs);
  }
}

/* Another sequence closes, is cut, forks: this one does not notice. */
static void
test_neighbours (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (BenchLogits) a      = reference_new (engine, 0, N_TOKENS, 0);
  g_autoptr (BenchLogits) b      = reference_new (engine, 1, N_TOKENS, 0);
  g_autoptr (WlySequence) first  = sequence_new (engine, 1);
  WlySequence *second            = sequence_new (engine, 1);
  WlySequence *third;
  const BenchLogits *refs[] = { a, b, b };
  WlyStepItem items[3];

  append (first, 0, N_TOKENS);
  items[0] = (WlyStepItem){ .sequence = first, .n_tokens = 120, .want_output = TRUE };
  step (engine, items, 1, refs);
  append (second, 1, N_TOKENS);
  g_assert_cmpuint (wly_sequence_n_computed (second), ==, 64);
  items[0] = (WlyStepItem){ .sequence = first, .n_tokens = 1, .want_output = TRUE };
  items[1] = (WlyStepItem){ .sequence = second, .n_tokens = 50, .want_output = TRUE, .n_rows = 50 };
  step (engine, items, 2, refs);
  third             = wly_sequence_fork (second, NULL);
  items[1].n_tokens = 3;
  items[1].n_rows   = 3;
  items[2]          = items[1];
  items[2].sequence = third;
  step (engine, items, 3, refs);
  wly_sequence_truncate (second, 10);
  append (second, 1, 60);
  g_assert_cmpuint (wly_sequence_n_computed (second), ==, 64);
  items[1].n_tokens = 6;
  items[1].n_rows   = 6;
  step (engine, items, 3, refs);
  wly_sequence_free (second);
  items[1] = items[2];
  step (engine, items, 2, refs);
  wly_sequence_free (third);
  step (engine, items, 1, refs);
}

/* A prefix that is known gives what computing it gives. */
static void
test_known_prefix (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (BenchLogits) a      = reference_new (engine, 1, N_TOKENS, 0);
  const BenchLogits *refs[]      = { a };

  for (guint i = 0; i < 3; i++) {
    g_autoptr (WlySequence) sequence = sequence_new (engine, 9);
    WlyStepItem item                 = { .sequence = sequence, .want_output = TRUE };

    append (sequence, 1, i == 1 ? 128 : N_TOKENS);
    g_assert_cmpuint (wly_sequence_n_computed (sequence), ==, i == 0 ? 0 : i == 1 ? 127 : 128);
    item.n_tokens = wly_sequence_n_tokens (sequence) - wly_sequence_n_computed (sequence);
    item.n_rows   = item.n_tokens;
    step (engine, &item, 1, refs);
  }
}

/* ---- what goes wrong ---- */

static void
test_cancel (void)
{
  g_autoptr (BenchEngine) engine   = engine_new (0);
  g_autoptr (BenchLogits) a        = reference_new (engine, 0, N_TOKENS, 0);
  g_autoptr (WlySequence) sequence = sequence_new (engine, 1);
  g_autoptr (GError) error         = NULL;
  const BenchLogits *refs[]        = { a };
  WlyStepItem item                 = { .sequence = sequence, .n_tokens = 70, .want_output = TRUE };
  const volatile int cancel        = 1;
  guint64 bytes;

  append (sequence, 0, N_TOKENS);
  step (engine, &item, 1, refs);
  bytes = wly_kv_cache_bytes (wly_network_cache (engine->network));
  g_assert_false (wly_network_step (engine->network, &item, 1, &cancel, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_CANCELLED);
  g_assert_null (item.output);
  g_assert_cmpuint (wly_sequence_n_computed (sequence), ==, 70);
  g_assert_cmpuint (wly_kv_cache_bytes (wly_network_cache (engine->network)), ==, bytes);
  item.n_tokens = 80;
  item.n_rows   = 80;
  step (engine, &item, 1, refs);
}

static void
expect_refused (BenchEngine *engine, WlyStepItem *items, guint n_items)
{
  g_autoptr (GError) error = NULL;

  g_assert_false (wly_network_step (engine->network, items, n_items, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
}

static void
test_refused (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (BenchEngine) other  = engine_new (0);
  g_autoptr (WlySequence) a      = sequence_new (engine, 1);
  g_autoptr (WlySequence) b      = sequence_new (other, 1);
  WlyStepItem items[8];

  append (a, 0, 200);
  append (b, 0, 10);
  for (guint i = 0; i < 8; i++)
    items[i] = (WlyStepItem){ .sequence = a, .n_tokens = 1 };
  expect_refused (engine, items, 0);
  expect_refused (engine, items, 2);
  expect_refused (engine, items, 7);
  items[0].n_tokens = 161;
  expect_refused (engine, items, 1);
  items[0].n_tokens = 0;
  expect_refused (engine, items, 1);
  items[0] = (WlyStepItem){ .sequence = b, .n_tokens = 1 };
  expect_refused (engine, items, 1);
  items[0] = (WlyStepItem){ .sequence = a, .n_tokens = 3, .want_output = TRUE, .n_rows = 4 };
  expect_refused (engine, items, 1);
  expect_refused (other, &(WlyStepItem){ .sequence = b, .n_tokens = 11 }, 1);
  g_assert_cmpuint (wly_sequence_n_computed (a), ==, 0);
}

/* No room for one of the batch: nobody's state has changed, and when there is room it goes on. */
static void
test_no_room (void)
{
  const guint64 position_bytes   = 2 * (2 * 2 * 16) * sizeof (float);
  g_autoptr (BenchEngine) engine = engine_new (9 * 64 * position_bytes);
  g_autoptr (BenchLogits) a      = reference_new (engine, 0, N_TOKENS, 0);
  g_autoptr (BenchLogits) b      = reference_new (engine, 2, N_TOKENS, 0);
  g_autoptr (WlySequence) first  = sequence_new (engine, 1);
  g_autoptr (WlySequence) second = sequence_new (engine, 2);
  g_autoptr (GError) error       = NULL;
  WlySequence *hog               = sequence_new (engine, 3);
  const BenchLogits *refs[]      = { a, b };
  WlyStepItem items[2];

  append (hog, 3, 300);
  for (guint i = 0; i < 2; i++) {
    items[0] = (WlyStepItem){ .sequence = hog, .n_tokens = 150 };
    wly_network_step (engine->network, items, 1, NULL, &error);
    g_assert_no_error (error);
  }
  append (first, 0, N_TOKENS);
  append (second, 2, N_TOKENS);
  items[0] = (WlyStepItem){ .sequence = first, .n_tokens = 60 };
  items[1] = (WlyStepItem){ .sequence = second, .n_tokens = 60 };
  step (engine, items, 2, refs);
  items[0].n_tokens    = 70;
  items[1].n_tokens    = 70;
  items[1].want_output = items[0].want_output = TRUE;
  g_assert_false (wly_network_step (engine->network, items, 2, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY);
  g_assert_cmpuint (wly_sequence_n_computed (first), ==, 60);
  g_assert_cmpuint (wly_sequence_n_computed (second), ==, 60);
  g_assert_null (items[0].output);
  wly_sequence_free (hog);
  step (engine, items, 2, refs);
}

/* ---- loading ---- */

static gboolean
stop_cb (guint64 done_bytes, guint64 total_bytes, gpointer user_data)
{
  guint *n_left = user_data;

  g_assert_cmpuint (done_bytes, <=, total_bytes);
  return (*n_left)-- > 0;
}

static struct wlp_backend_ops picky_ops;

static int
picky_supports (struct wlp_backend *backend, uint32_t device, const struct wlp_program *program,
                const struct wlp_op *op, const struct wlp_weight_source *sources)
{
  return op->kind != WLP_OP_LINEAR || op->layer != 1;
}

static WlyNetwork *
load (BenchEngine *engine, const struct wlp_backend_ops *ops, guint *n_left, GError **error)
{
  g_autoptr (WlyGguf) gguf        = model_open ();
  const struct wlp_arch_ops *arch = wly_plugin_host_find_arch (engine->files, "llama", NULL);
  WlyNetworkOptions options       = { .ops              = ops,
                                      .backend          = engine->backend,
                                      .device           = engine->device_number,
                                      .max_batch_tokens = 8,
                                      .max_sequences    = 1,
                                      .kv_bytes         = 1 << 20,
                                      .progress         = n_left != NULL ? stop_cb : NULL,
                                      .progress_data    = n_left };

  return wly_network_new (gguf, wly_program_new (gguf, arch, NULL), &options, error);
}

static void
test_load (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (WlyNetwork) network = NULL;
  g_autoptr (GError) error       = NULL;
  struct wlp_memory memory       = { 0 };
  guint n_left                   = G_MAXUINT;

  network = load (engine, engine->ops, &n_left, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_left, <, G_MAXUINT);
  g_assert_true (wly_network_memory (network, &memory));
  g_assert_cmpuint (memory.mapped_bytes + memory.packed_bytes, >, 100000);
  g_assert_cmpuint (wly_network_n_vocab (network), ==, 300);
  g_assert_cmpuint (wly_network_max_positions (network), ==, 512);

  n_left = 0;
  g_assert_null (load (engine, engine->ops, &n_left, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_CANCELLED);
}

/* What the device does not run is named: operator, layer, tensor and type. */
static void
test_unsupported (void)
{
  g_autoptr (BenchEngine) engine = engine_new (0);
  g_autoptr (GError) error       = NULL;

  picky_ops          = *engine->ops;
  picky_ops.supports = picky_supports;
  g_assert_null (load (engine, &picky_ops, NULL, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL);
  g_assert_nonnull (strstr (error->message, "linear of layer 1"));
  g_assert_nonnull (strstr (error->message, "blk.1.attn_q.weight of type F32"));
  g_assert_nonnull (strstr (error->message, test_device ()));
}

/* ---- faults, which the fake device makes ---- */

static void
test_faults (void)
{
  const char *const faults[] = { "lost:100", "nan:100" };

  if (!g_str_equal (test_device (), "fake")) {
    g_test_skip ("only the device fake fails on demand");
    return;
  }
  for (guint i = 0; i < G_N_ELEMENTS (faults); i++) {
    g_autoptr (BenchEngine) engine   = NULL;
    g_autoptr (WlySequence) sequence = NULL;
    g_autoptr (WlySampler) sampler   = wly_sampler_new (&(WlySamplerOptions){ .top_p = 1 }, 300);
    g_autoptr (GError) error         = NULL;
    WlyStepItem item                 = { .n_tokens = 100, .want_output = TRUE };

    g_setenv ("WOOLLY_FAKE", faults[i], TRUE);
    engine = engine_new (0);
    g_unsetenv ("WOOLLY_FAKE");
    sequence      = sequence_new (engine, 1);
    item.sequence = sequence;
    append (sequence, 0, N_TOKENS);
    g_assert_true (wly_network_step (engine->network, &item, 1, NULL, &error));
    g_assert_cmpint (wly_sampler_draw (sampler, item.output, NULL, 0, &error), >=, 0);
    item.n_tokens = 50;
    if (i == 0) {
      g_assert_false (wly_network_step (engine->network, &item, 1, NULL, &error));
      g_assert_error (error, WLY_ERROR, WLY_ERROR_FAILED);
      g_assert_cmpuint (wly_sequence_n_computed (sequence), ==, 100);
    } else {
      g_assert_true (wly_network_step (engine->network, &item, 1, NULL, &error));
      g_assert_cmpint (wly_sampler_draw (sampler, item.output, NULL, 0, &error), ==, -1);
      g_assert_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT);
    }
  }
}

int
main (int argc, char **argv)
{
  WlyTestRandom random = { 7 };

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < 4; i++)
    for (guint j = 0; j < 512; j++)
      text[i][j] = i == 1 && j < 100 ? text[0][j] : (gint32)wly_test_random_below (&random, 300);
  g_test_add_func ("/engine/network/chunks", test_chunks);
  g_test_add_func ("/engine/network/batch-mates", test_batch_mates);
  g_test_add_func ("/engine/network/neighbours", test_neighbours);
  g_test_add_func ("/engine/network/known-prefix", test_known_prefix);
  g_test_add_func ("/engine/network/cancel", test_cancel);
  g_test_add_func ("/engine/network/refused", test_refused);
  g_test_add_func ("/engine/network/no-room", test_no_room);
  g_test_add_func ("/engine/network/load", test_load);
  g_test_add_func ("/engine/network/unsupported", test_unsupported);
  g_test_add_func ("/engine/network/faults", test_faults);
  return g_test_run ();
}
