/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A network with a recurrent state (LFM2) in the engine: whatever was shared, taken back, forked or cancelled before,
 * the next logits are those of the same tokens computed at once.
 */
#include "arch-samples.h"

#include <string.h>

#define N_TOKENS 140

static const ArchSample *sample;
static gint32 tokens[N_TOKENS];

typedef struct {
  WlyGguf *gguf;
  BenchEngine *engine;
} Fixture;

static WlySequence *
sequence_new (Fixture *fixture)
{
  g_autoptr (GError) error = NULL;
  WlySequence *sequence = wly_sequence_new (wly_network_cache (fixture->engine->network), WLP_TYPE_F32, 0, 256, &error);

  g_assert_no_error (error);
  return sequence;
}

static void
fixture_set_up (Fixture *fixture, gconstpointer data)
{
  BenchEngineOptions options = { .device            = conformance_device (),
                                 .n_threads         = 2,
                                 .float_activations = TRUE,
                                 .max_positions     = 256,
                                 .max_sequences     = 4,
                                 .max_batch_tokens  = 256 };

  fixture->gguf   = conformance_model (sample->model);
  fixture->engine = conformance_engine (fixture->gguf, &options);
}

static void
fixture_tear_down (Fixture *fixture, gconstpointer data)
{
  bench_engine_free (fixture->engine);
  wly_gguf_unref (fixture->gguf);
}

/* Computes what there is to compute; the last token's logits, (transfer full). */
static float *
step (Fixture *fixture, WlySequence *sequence)
{
  const guint n_bytes      = wly_network_n_vocab (fixture->engine->network) * sizeof (float);
  const guint n            = wly_sequence_n_tokens (sequence) - wly_sequence_n_computed (sequence);
  WlyStepItem item         = { .sequence = sequence, .n_tokens = n, .want_output = TRUE };
  g_autoptr (GError) error = NULL;

  wly_network_step (fixture->engine->network, &item, 1, NULL, &error);
  g_assert_no_error (error);
  return g_memdup2 (item.output, n_bytes);
}

/* The logits behind the tokens of @sequence, computed by a sequence that shares nothing. */
static void
assert_as_computed_at_once (Fixture *fixture, WlySequence *sequence, const float *got)
{
  g_autoptr (WlySequence) fresh = sequence_new (fixture);
  const gsize n_bytes           = wly_network_n_vocab (fixture->engine->network) * sizeof (float);
  g_autofree float *expected    = NULL;
  g_autoptr (GError) error      = NULL;

  g_assert_true (
      wly_sequence_append (fresh, wly_sequence_tokens (sequence), wly_sequence_n_tokens (sequence), NULL, &error));
  wly_sequence_invalidate (fresh);
  expected = step (fixture, fresh);
  g_assert_cmpmem (got, n_bytes, expected, n_bytes);
}

static guint
append (WlySequence *sequence, guint from, guint n)
{
  g_autoptr (GError) error = NULL;
  guint n_cached           = 0;

  wly_sequence_append (sequence, tokens + from, n, &n_cached, &error);
  g_assert_no_error (error);
  return n_cached;
}

static void
test_prefix (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WlySequence) first  = sequence_new (fixture);
  g_autoptr (WlySequence) second = sequence_new (fixture);
  g_autofree float *a            = NULL;
  g_autofree float *b            = NULL;

  append (first, 0, N_TOKENS);
  a = step (fixture, first);
  assert_as_computed_at_once (fixture, first, a);
  g_assert_cmpuint (append (second, 0, N_TOKENS - 3), ==, 2 * WLP_BLOCK_POSITIONS);
  b = step (fixture, second);
  assert_as_computed_at_once (fixture, second, b);
}

static void
test_truncate (Fixture *fixture, gconstpointer data)
{
  static const guint lengths[] = { 139, 130, 129, 128, 127, 65, 64, 63, 1, 0 };

  for (guint i = 0; i < G_N_ELEMENTS (lengths); i++) {
    g_autoptr (WlySequence) sequence = sequence_new (fixture);
    g_autofree float *before         = NULL;
    g_autofree float *after          = NULL;

    append (sequence, 0, N_TOKENS);
    before = step (fixture, sequence);
    wly_sequence_truncate (sequence, lengths[i]);
    append (sequence, 3, 9); /* not what stood there */
    after = step (fixture, sequence);
    assert_as_computed_at_once (fixture, sequence, after);
  }
}

/* Both go on behind the same half block. */
static void
test_fork (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WlySequence) one = sequence_new (fixture);
  g_autoptr (WlySequence) two = NULL;
  g_autoptr (GError) error    = NULL;
  g_autofree float *begin     = NULL;

  append (one, 0, 100);
  begin = step (fixture, one);
  two   = wly_sequence_fork (one, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 3; i++) {
    g_autofree float *a = NULL;
    g_autofree float *b = NULL;

    append (one, 10 + 20 * i, 17);
    append (two, 11 + 20 * i, 19);
    a = step (fixture, one);
    b = step (fixture, two);
    assert_as_computed_at_once (fixture, one, a);
    assert_as_computed_at_once (fixture, two, b);
  }
}

/* A step that is stopped may have moved the state of the layers that it got through. */
static void
test_cancel (Fixture *fixture, gconstpointer data)
{
  g_autoptr (WlySequence) sequence = sequence_new (fixture);
  const volatile int cancel        = 1;
  g_autofree float *before         = NULL;
  g_autofree float *after          = NULL;
  g_autoptr (GError) error         = NULL;
  WlyStepItem item                 = { .sequence = sequence, .n_tokens = 7, .want_output = TRUE };

  append (sequence, 0, 90);
  before = step (fixture, sequence);
  append (sequence, 90, 7);
  g_assert_false (wly_network_step (fixture->engine->network, &item, 1, &cancel, &error));
  g_assert_cmpuint (wly_sequence_n_computed (sequence), ==, WLP_BLOCK_POSITIONS);
  after = step (fixture, sequence);
  assert_as_computed_at_once (fixture, sequence, after);
}

/* Sequences of other lengths in the same batches, token by token. */
static void
test_batch (Fixture *fixture, gconstpointer data)
{
  WlySequence *sequences[3];
  WlyStepItem items[3]  = { { 0 } };
  g_autofree float *got = NULL;

  for (guint s = 0; s < 3; s++) {
    sequences[s] = sequence_new (fixture);
    append (sequences[s], 7 * s, 60 + s);
    got = step (fixture, sequences[s]);
    g_clear_pointer (&got, g_free);
  }
  for (guint i = 0; i < 6; i++) {
    g_autoptr (GError) error = NULL;

    for (guint s = 0; s < 3; s++) {
      append (sequences[s], 100 + i + s, 1);
      items[s] = (WlyStepItem){ .sequence = sequences[s], .n_tokens = 1, .want_output = TRUE };
    }
    wly_network_step (fixture->engine->network, items, 3, NULL, &error);
    g_assert_no_error (error);
    if (i == 5)
      got = g_memdup2 (items[2].output, wly_network_n_vocab (fixture->engine->network) * sizeof (float));
  }
  assert_as_computed_at_once (fixture, sequences[2], got);
  for (guint s = 0; s < 3; s++)
    wly_sequence_free (sequences[s]);
}

int
main (int argc, char **argv)
{
  g_autoptr (GPtrArray) samples = NULL;

  g_test_init (&argc, &argv, NULL);
  samples = arch_samples_list ();
  for (guint i = 0; i < samples->len; i++)
    if (strcmp (((ArchSample *)g_ptr_array_index (samples, i))->name, "lfm2") == 0)
      sample = g_ptr_array_index (samples, i);
  g_assert_nonnull (sample);
  for (guint i = 0; i < N_TOKENS; i++)
    tokens[i] = (gint32)(i * 37 % 59);
#define ADD(name, function)                                                                                            \
  g_test_add ("/conformance/state/" name, Fixture, NULL, fixture_set_up, function, fixture_tear_down)
  ADD ("prefix", test_prefix);
  ADD ("truncate", test_truncate);
  ADD ("fork", test_fork);
  ADD ("cancel", test_cancel);
  ADD ("batch", test_batch);
#undef ADD
  return g_test_run ();
}
