/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A hybrid of attention and operators with a recurrent state: the same bits whatever the chunks, threads, company and
 * fusion; states in blocks that are copied and moved, and that a batch in a later block leaves alone.
 */
#include "backend-lab.h"

#include <errno.h>

#define N_VOCAB  40
#define N_TOKENS 150
#define WIDTH    64
#define DIM      32
#define TAPS     4

static wlp_value
conv (Lab *lab, wlp_value x, guint32 group, guint32 layer, guint32 taps, guint32 width, gboolean has_bias)
{
  const struct wlp_state_conv_params params = { .group = group, .group_layer = layer, .width = taps };

  return wlp_state_conv (&lab->builder, x, lab_matrix (lab, taps, width, 0),
                         has_bias ? lab_vector (lab, width) : WLP_NONE, &params);
}

static wlp_value
attention (Lab *lab, wlp_value x, guint32 group)
{
  const struct wlp_rope_params rope = { .kind = WLP_ROPE_NEOX, .head_dim = DIM, .n_dims = DIM, .base = 10000.0f };
  const struct wlp_attention_params params = { group, 0, 2, 1, DIM, DIM, 1, 0, 0.2f, 0, 0 };
  struct wlp_builder *b                    = &lab->builder;
  wlp_value q = wlp_rope (b, wlp_linear (b, x, lab_matrix (lab, WIDTH, 2 * DIM, 0), WLP_NONE), WLP_NONE, &rope);
  wlp_value k = wlp_rope (b, wlp_linear (b, x, lab_matrix (lab, WIDTH, DIM, 0), WLP_NONE), WLP_NONE, &rope);
  wlp_value v = wlp_linear (b, x, lab_matrix (lab, WIDTH, DIM, 0), WLP_NONE);

  return wlp_attention (b, q, k, v, WLP_NONE, &params);
}

/* Gated convolutions around an attention.  The result of the last one is needed for the wanted rows only, and that of
 * the third layer of states for nothing: what they keep goes through all tokens. */
static Lab *
hybrid (void)
{
  Lab *lab              = lab_new (17);
  struct wlp_builder *b = &lab->builder;
  const guint32 paged   = lab_group (lab, WLP_CACHE_PAGED, 1, 1, DIM, DIM, 0);
  const guint32 states  = lab_group (lab, WLP_CACHE_STATE, 3, 1, (TAPS - 1) * WIDTH, 0, 0);
  wlp_value x           = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0), y;

  lab->layer = 0;
  y          = wlp_linear (b, x, lab_matrix (lab, WIDTH, WIDTH, 0), WLP_NONE);
  x          = wlp_add (b, x, wlp_mul (b, y, conv (lab, wlp_mul (b, x, y), states, 0, TAPS, WIDTH, TRUE)));
  lab->layer = 1;
  x          = wlp_add (b, x, attention (lab, x, paged));
  lab->layer = 2;
  conv (lab, x, states, 2, TAPS, WIDTH, FALSE);
  x          = wlp_add (b, x, conv (lab, x, states, 1, TAPS, WIDTH, FALSE));
  x          = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
  lab->layer = WLP_NONE;
  wlp_logits (b, wlp_linear (b, x, lab_matrix (lab, WIDTH, N_VOCAB, 0), WLP_NONE));
  lab_finish (lab);
  return lab;
}

/* ---- the same bits ---- */

typedef struct {
  Lab *lab;
  gint32 *tokens;
  float *expected; /* by one thread, in one batch */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->lab      = hybrid ();
  f->tokens   = lab_tokens (5, N_VOCAB, N_TOKENS);
  f->expected = lab_run (f->lab, &(LabSetup){ 0 }, f->tokens, N_TOKENS, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lab_free (f->lab);
  g_free (f->tokens);
  g_free (f->expected);
}

static void
test_right (Fixture *f, gconstpointer data)
{
  g_autofree double *expected = lab_oracle (f->lab, &(LabSetup){ 0 }, f->tokens, N_TOKENS);

  lab_assert_close (f->expected, expected, N_TOKENS * N_VOCAB, 1e-10);
}

static void
test_ways (Fixture *f, gconstpointer data)
{
  static const guint chunks[] = { 0, 1, 2, 3, 5, 64, 149 };

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    for (guint threads = 1; threads <= 3; threads++)
      for (guint no_fuse = 0; no_fuse < 2; no_fuse++) {
        const LabSetup setup  = { .n_threads = threads, .no_fuse = no_fuse };
        g_autofree float *got = lab_run (f->lab, &setup, f->tokens, N_TOKENS, chunks[i]);

        lab_assert_same (got, f->expected, N_TOKENS * N_VOCAB);
      }
}

/* Batches of few tokens are computed by some of the threads. */
static void
test_fast_threads (Fixture *f, gconstpointer data)
{
  for (guint chunk = 1; chunk <= 5; chunk += 2) {
    const LabSetup setup  = { .n_threads = 4, .n_fast_threads = 3 };
    g_autofree float *got = lab_run (f->lab, &setup, f->tokens, N_TOKENS, chunk);

    lab_assert_same (got, f->expected, N_TOKENS * N_VOCAB);
  }
}

static void
test_rows (Fixture *f, gconstpointer data)
{
  LabModel *model         = lab_model_new (f->lab, &(LabSetup){ .n_threads = 2 });
  g_autofree guint8 *want = g_new0 (guint8, N_TOKENS);
  g_autofree float *some  = NULL;
  g_autofree float *last  = NULL;

  g_free (lab_model_step (model, f->tokens, NULL, want, 70));
  want[2] = want[50] = 1;
  some               = lab_model_step (model, f->tokens + 70, NULL, want, N_TOKENS - 71);
  lab_assert_same (some, f->expected + 72 * N_VOCAB, N_VOCAB);
  lab_assert_same (some + N_VOCAB, f->expected + 120 * N_VOCAB, N_VOCAB);
  last = lab_model_step (model, f->tokens + N_TOKENS - 1, NULL, NULL, 1);
  lab_assert_same (last, f->expected + (N_TOKENS - 1) * N_VOCAB, N_VOCAB);
  lab_model_free (model);
}

/* Three others in the same batches, token by token in turns; ours is sequence 2 and has one token or many. */
static void
test_company (Fixture *f, gconstpointer data)
{
  LabModel *model           = lab_model_new (f->lab, &(LabSetup){ .n_threads = 2 });
  g_autofree gint32 *others = lab_tokens (6, N_VOCAB, 4 * N_TOKENS);
  gint32 tokens[4 * N_TOKENS];
  guint32 owners[4 * N_TOKENS];

  for (guint done = 0, round = 0; done < N_TOKENS; round++) {
    const guint part       = MIN (round % 3 == 0 ? 1 : 7, N_TOKENS - done);
    const guint first      = done;
    g_autofree float *rows = NULL;
    guint n                = 0;

    while (done < first + part || n < 4) {
      const guint32 owner = n % 4;

      owners[n] = owner != 2 || done < first + part ? owner : 3;
      tokens[n] = owners[n] == 2 ? f->tokens[done++] : others[n];
      n++;
    }
    rows = lab_model_step (model, tokens, owners, NULL, n);
    for (guint i = 0, at = first; i < n; i++)
      if (owners[i] == 2)
        lab_assert_same (rows + i * N_VOCAB, f->expected + at++ * N_VOCAB, N_VOCAB);
  }
  lab_model_free (model);
}

/* ---- states as blocks ---- */

/* All blocks of sequence 0 of @from become those of sequence @sequence of @to. */
static void
move_blocks (LabModel *from, LabModel *to, guint sequence)
{
  for (guint g = 0; g < 2; g++)
    for (guint block = 0; block < 2; block++) {
      const guint64 n_bytes     = lab_ops ()->cache_block_bytes (lab_model_cache (from, g));
      g_autofree guint8 *memory = g_malloc (n_bytes);

      g_assert_cmpint (
          lab_ops ()->cache_export (lab_model_cache (from, g), lab_model_block (from, 0, block), memory, n_bytes), ==,
          0);
      g_assert_cmpint (
          lab_ops ()->cache_import (lab_model_cache (to, g), lab_model_block (to, sequence, block), memory, n_bytes),
          ==, 0);
    }
}

/* A sequence moves to another model with a half full block, and is forked there. */
static void
test_move (Fixture *f, gconstpointer data)
{
  LabModel *from          = lab_model_new (f->lab, &(LabSetup){ 0 });
  LabModel *to            = lab_model_new (f->lab, &(LabSetup){ .n_threads = 2 });
  const gint32 tokens[2]  = { f->tokens[100], f->tokens[100] };
  const guint32 owners[2] = { 0, 1 };
  g_autofree float *both  = NULL;

  g_free (lab_model_step (from, f->tokens, NULL, NULL, 100));
  move_blocks (from, to, 0);
  for (guint g = 0; g < 2; g++)
    for (guint i = 0; i < 2; i++)
      g_assert_cmpint (
          lab_ops ()->cache_copy (lab_model_cache (to, g), lab_model_block (to, 0, i), lab_model_block (to, 1, i)), ==,
          0);
  lab_model_seek (to, 0, 100);
  lab_model_seek (to, 1, 100);
  both = lab_model_step (to, tokens, owners, NULL, 2);
  lab_assert_same (both, f->expected + 100 * N_VOCAB, N_VOCAB);
  lab_assert_same (both + N_VOCAB, f->expected + 100 * N_VOCAB, N_VOCAB);
  lab_model_free (from);
  lab_model_free (to);
}

/* The canonical form is what program.h says: the last rows, the oldest first, zeros before the first position. */
static void
check_canonical (Lab *lab, guint chunk)
{
  const gint32 tokens[6]     = { 3, 9, 27, 1, 30, 8 };
  g_autofree float *expected = g_new0 (float, 3 * WIDTH);
  g_autofree float *state    = g_new0 (float, 3 * WIDTH);
  LabModel *model            = lab_model_new (lab, &(LabSetup){ 0 });

  for (guint i = 0; i < 6; i += chunk) {
    g_autofree float *rows = lab_model_step (model, tokens + i, NULL, NULL, chunk);

    memmove (expected, expected + chunk * WIDTH, (3 - chunk) * WIDTH * sizeof (float));
    memcpy (expected + (3 - chunk) * WIDTH, rows, chunk * WIDTH * sizeof (float));
    g_assert_cmpint (lab_ops ()->cache_export (lab_model_cache (model, 0), lab_model_block (model, 0, 0), state,
                                               3 * WIDTH * sizeof (float)),
                     ==, 0);
    lab_assert_same (state, expected, 3 * WIDTH);
  }
  lab_model_free (model);
}

static void
test_canonical (void)
{
  Lab *lab             = lab_new (3);
  wlp_value x          = wlp_embed (&lab->builder, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0);
  const guint32 states = lab_group (lab, WLP_CACHE_STATE, 1, 1, 3 * WIDTH, 0, 0);

  conv (lab, x, states, 0, 4, WIDTH, FALSE);
  wlp_logits (&lab->builder, x);
  for (guint chunk = 1; chunk <= 3; chunk++)
    check_canonical (lab, chunk);
  lab_free (lab);
}

/* ---- batches that do not run ---- */

/* Two tokens of sequence 0, at @first and @second. */
static int
try_two (LabModel *model, const gint32 *tokens, gint32 first, gint32 second, const volatile int *cancel,
         struct wlp_error *error)
{
  const gint32 positions[2] = { first, second };
  const guint32 owners[2]   = { 0, 0 };
  g_autofree float *nothing = g_new0 (float, N_VOCAB);
  struct wlp_batch batch    = { .version     = WLP_BATCH_VERSION,
                                .n_tokens    = 2,
                                .n_positions = 1,
                                .n_sequences = 1,
                                .tokens      = tokens,
                                .positions   = positions,
                                .sequence    = owners,
                                .output      = nothing,
                                .cancel      = cancel };

  return lab_model_try (model, &batch, error);
}

/* Behind a full block a sequence can go on whatever has happened in the next one. */
static void
test_go_back (Fixture *f, gconstpointer data)
{
  LabModel *model         = lab_model_new (f->lab, &(LabSetup){ .n_threads = 2 });
  const volatile int stop = 1;
  struct wlp_error error  = { "" };
  g_autofree float *rest  = NULL;

  g_free (lab_model_step (model, f->tokens, NULL, NULL, 90));
  g_assert_cmpint (try_two (model, f->tokens, 90, 91, &stop, &error), ==, -ECANCELED);
  lab_model_seek (model, 0, 64);
  g_free (lab_model_step (model, f->tokens, NULL, NULL, 30)); /* others than ours */
  lab_model_seek (model, 0, 64);
  rest = lab_model_step (model, f->tokens + 64, NULL, NULL, N_TOKENS - 64);
  lab_assert_same (rest, f->expected + 64 * N_VOCAB, (N_TOKENS - 64) * N_VOCAB);
  lab_model_free (model);
}

static void
test_gap (Fixture *f, gconstpointer data)
{
  LabModel *model         = lab_model_new (f->lab, &(LabSetup){ 0 });
  struct wlp_error error  = { "" };
  struct wlp_cache *cache = NULL;

  g_assert_cmpint (try_two (model, f->tokens, 0, 2, NULL, &error), ==, -EINVAL);
  g_assert_nonnull (strstr (error.message, "leave a gap"));
  g_assert_cmpint (try_two (model, f->tokens, 0, 1, NULL, &error), ==, 0);
  g_assert_cmpint (lab_ops ()->cache_create (lab_model_get (model), 1, WLP_TYPE_F16, 4, &cache, &error), ==, -ENOTSUP);
  lab_model_free (model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-state/canonical", test_canonical);
  g_test_add ("/backends/cpu-state/right", Fixture, NULL, set_up, test_right, tear_down);
  g_test_add ("/backends/cpu-state/ways", Fixture, NULL, set_up, test_ways, tear_down);
  g_test_add ("/backends/cpu-state/fast-threads", Fixture, NULL, set_up, test_fast_threads, tear_down);
  g_test_add ("/backends/cpu-state/rows", Fixture, NULL, set_up, test_rows, tear_down);
  g_test_add ("/backends/cpu-state/company", Fixture, NULL, set_up, test_company, tear_down);
  g_test_add ("/backends/cpu-state/move", Fixture, NULL, set_up, test_move, tear_down);
  g_test_add ("/backends/cpu-state/go-back", Fixture, NULL, set_up, test_go_back, tear_down);
  g_test_add ("/backends/cpu-state/gap", Fixture, NULL, set_up, test_gap, tear_down);
  return g_test_run ();
}
