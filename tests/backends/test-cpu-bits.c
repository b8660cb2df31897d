/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same bits, whatever: threads, chunks, company in the batch, instruction set, fusion, packing, paging.
 */
#include "backend-lab.h"

#include <errno.h>

#define N_VOCAB  40
#define N_TOKENS 300 /* past the edge of a chunk of 256 */
#define WIDTH    128
#define HEADS    4
#define HEADS_KV 2
#define DIM      32

static wlp_weight
matrix_of (Lab *lab, enum wlp_type type, guint64 n_in, guint64 n_out, guint64 n_expert)
{
  lab->type = type;
  return lab_matrix (lab, n_in, n_out, n_expert);
}

static wlp_value
attention_of (Lab *lab, wlp_value x, guint32 layer, guint32 group, guint32 window)
{
  struct wlp_builder *b                    = &lab->builder;
  const struct wlp_rope_params rope        = { .kind = layer % 2, .head_dim = DIM, .n_dims = DIM, .base = 10000.0f };
  const struct wlp_attention_params params = {
    group, window != 0 ? 0 : layer / 2, HEADS, HEADS_KV, DIM, DIM, 1, window, 0.2f, 0, 0
  };
  wlp_value q = wlp_linear (b, x, matrix_of (lab, WLP_TYPE_Q5_0, WIDTH, HEADS * DIM, 0), lab_vector (lab, HEADS * DIM));
  wlp_value k = wlp_linear (b, x, matrix_of (lab, WLP_TYPE_Q8_0, WIDTH, HEADS_KV * DIM, 0), WLP_NONE);
  wlp_value v = wlp_linear (b, x, matrix_of (lab, WLP_TYPE_F16, WIDTH, HEADS_KV * DIM, 0), WLP_NONE);

  q = wlp_rope (b, wlp_norm (b, WLP_NORM_RMS, q, lab_vector (lab, DIM), WLP_NONE, DIM, 1e-5f), WLP_NONE, &rope);
  k = wlp_rope (b, k, WLP_NONE, &rope);
  x = wlp_attention (b, q, k, v, WLP_NONE, &params);
  return wlp_linear (b, x, matrix_of (lab, WLP_TYPE_MXFP4, HEADS * DIM, WIDTH, 0), WLP_NONE);
}

static wlp_value
experts_of (Lab *lab, wlp_value x)
{
  struct wlp_builder *b                = &lab->builder;
  const struct wlp_route_params params = { .gating = WLP_GATING_SOFTMAX, .n_used = 2, .normalise = 1 };
  wlp_value ids =
      wlp_moe_route (b, wlp_linear (b, x, matrix_of (lab, WLP_TYPE_F32, WIDTH, 6, 0), WLP_NONE), WLP_NONE, &params);
  wlp_value gate = wlp_linear_experts (b, x, ids, matrix_of (lab, WLP_TYPE_Q4_0, WIDTH, 96, 6), WLP_NONE, 2, 0);
  wlp_value up   = wlp_linear_experts (b, x, ids, matrix_of (lab, WLP_TYPE_Q5_1, WIDTH, 96, 6), WLP_NONE, 2, 0);
  wlp_value y    = wlp_glu (b, WLP_ACT_SILU, gate, up);

  y = wlp_linear_experts (b, y, ids, matrix_of (lab, WLP_TYPE_IQ4_NL, 96, WIDTH, 6), WLP_NONE, 2, 1);
  return wlp_moe_sum (b, y, ids + 1);
}

static wlp_value
feed_forward_of (Lab *lab, wlp_value x)
{
  struct wlp_builder *b = &lab->builder;
  wlp_value both        = wlp_linear (b, x, matrix_of (lab, WLP_TYPE_Q4_1, WIDTH, 512, 0), WLP_NONE);

  return wlp_linear (b, wlp_glu (b, WLP_ACT_GELU_TANH, both, WLP_NONE), matrix_of (lab, WLP_TYPE_Q6_K, 256, WIDTH, 0),
                     lab_vector (lab, WIDTH));
}

/* Three layers: plain, experts with a sliding window, plain; the logits soft-capped. */
static Lab *
decoder (void)
{
  Lab *lab              = lab_new (99);
  struct wlp_builder *b = &lab->builder;
  const guint32 paged   = lab_group (lab, WLP_CACHE_PAGED, 2, HEADS_KV, DIM, DIM, 0);
  const guint32 window  = lab_group (lab, WLP_CACHE_WINDOW, 1, HEADS_KV, DIM, DIM, 100);
  wlp_value x           = wlp_embed (b, matrix_of (lab, WLP_TYPE_Q8_0, WIDTH, N_VOCAB, 0), 4.0f), y;

  for (lab->layer = 0; lab->layer < 3; lab->layer++) {
    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    y = attention_of (lab, y, lab->layer, lab->layer == 1 ? window : paged, lab->layer == 1 ? 100 : 0);
    x = wlp_add (b, x, y);
    y = wlp_norm (b, WLP_NORM_LAYER, x, lab_vector (lab, WIDTH), lab_vector (lab, WIDTH), 0, 1e-5f);
    y = lab->layer == 1 ? experts_of (lab, y) : feed_forward_of (lab, y);
    x = wlp_add (b, y, x);
  }
  lab->layer = WLP_NONE;
  x          = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
  x          = wlp_linear (b, x, matrix_of (lab, WLP_TYPE_Q5_0, WIDTH, N_VOCAB, 0), WLP_NONE);
  wlp_logits (b, wlp_softcap (b, x, 20.0f));
  lab_finish (lab);
  return lab;
}

typedef struct {
  Lab *lab;
  gint32 *tokens;
  float *expected; /* by one thread, in one batch, with the C kernels */
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const LabSetup setup = { .int8 = TRUE, .isa = "c", .cache_type = WLP_TYPE_F16 };

  f->lab      = decoder ();
  f->tokens   = lab_tokens (5, N_VOCAB, N_TOKENS);
  f->expected = lab_run (f->lab, &setup, f->tokens, N_TOKENS, 0);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lab_free (f->lab);
  g_free (f->tokens);
  g_free (f->expected);
}

static void
expect (Fixture *f, const LabSetup *setup, guint chunk)
{
  LabSetup full         = *setup;
  g_autofree float *got = NULL;

  full.int8       = TRUE;
  full.cache_type = WLP_TYPE_F16;
  got             = lab_run (f->lab, &full, f->tokens, N_TOKENS, chunk);
  lab_assert_same (got, f->expected, N_TOKENS * N_VOCAB);
}

/* The whole net is right at all, in float and, within the noise of int8, in the fast path. */
static void
test_right (Fixture *f, gconstpointer data)
{
  const LabSetup exact        = { .cache_type = WLP_TYPE_F16 };
  g_autofree double *expected = lab_oracle (f->lab, &exact, f->tokens, N_TOKENS);
  g_autofree float *got       = lab_run (f->lab, &exact, f->tokens, N_TOKENS, 0);

  lab_assert_close (got, expected, N_TOKENS * N_VOCAB, 1e-7);
  lab_assert_close (f->expected, expected, N_TOKENS * N_VOCAB, 2e-3);
}

static void
test_threads (Fixture *f, gconstpointer data)
{
  for (guint n = 1; n <= 4; n++)
    expect (f, &(LabSetup){ .n_threads = n }, 0);
  expect (f, &(LabSetup){ .n_threads = 3 }, 50);
}

/* Batches of up to four tokens leave threads on slow cores alone. */
static void
test_fast_threads (Fixture *f, gconstpointer data)
{
  for (guint n = 1; n <= 3; n++)
    expect (f, &(LabSetup){ .n_threads = 4, .n_fast_threads = n }, n + 1);
  expect (f, &(LabSetup){ .n_threads = 3, .n_fast_threads = 2 }, 7); /* many, and few at the end */
}

static void
test_chunks (Fixture *f, gconstpointer data)
{
  static const guint chunks[] = { 1, 7, 64, 100, 256, 299 };

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++)
    expect (f, &(LabSetup){ .n_threads = 2 }, chunks[i]);
}

static void
test_ways (Fixture *f, gconstpointer data)
{
  expect (f, &(LabSetup){ .no_fuse = TRUE }, 0);
  expect (f, &(LabSetup){ .no_fuse = TRUE, .n_threads = 2 }, 33);
  expect (f, &(LabSetup){ .pack = "0" }, 0);
  expect (f, &(LabSetup){ .pack = "1", .n_threads = 3 }, 0);
  expect (f, &(LabSetup){ .pack = "1", .pack_bytes = "100000", .n_threads = 2 }, 70);
  expect (f, &(LabSetup){ .pack_bytes = "5000", .n_threads = 2 }, 70);
  expect (f, &(LabSetup){ .no_map = TRUE }, 0);
  expect (f, &(LabSetup){ .isa = "c", .no_fuse = TRUE, .pack = "1" }, 128);
}

static guint64
packed_bytes (LabModel *model)
{
  struct wlp_memory memory = { .version = WLP_MEMORY_VERSION };

  g_assert_cmpint (lab_ops ()->model_memory (lab_model_get (model), &memory), ==, 0);
  return memory.packed_bytes;
}

/* One step for each token until all is packed that will be; returns how many tokens that took. */
static guint
step_until_packed (Fixture *f, LabModel *model, guint at)
{
  guint64 before, now = packed_bytes (model);

  do {
    g_autofree float *row = lab_model_step (model, f->tokens + at, NULL, NULL, 1);

    lab_assert_same (row, f->expected + at * N_VOCAB, N_VOCAB);
    before = now;
    now    = packed_bytes (model);
  } while (++at < N_TOKENS && (now > before || at < 40));
  return at;
}

/* Nothing is packed before it is used; then the file's bytes are idle, all of them once. */
static void
test_touch (Fixture *f, gconstpointer data)
{
  LabModel *whole   = lab_model_new (f->lab, &(LabSetup){ .int8 = TRUE, .cache_type = WLP_TYPE_F16, .pack = "1" });
  LabModel *model   = lab_model_new (f->lab, &(LabSetup){ .int8 = TRUE, .cache_type = WLP_TYPE_F16, .n_threads = 2 });
  LabModel *mapped  = lab_model_new (f->lab, &(LabSetup){ .int8 = TRUE, .cache_type = WLP_TYPE_F16, .pack = "0" });
  const guint64 all = packed_bytes (whole), constants = packed_bytes (mapped);
  const guint64 source = lab_model_idle_bytes (whole);

  g_assert_cmpuint (all, >, constants);
  g_assert_cmpuint (source, >, 100000);
  g_assert_cmpuint (packed_bytes (model), ==, constants);
  g_assert_cmpuint (lab_model_idle_bytes (model), ==, 0);
  step_until_packed (f, model, 0);
  /* 40 tokens do not need all of 6 experts, so some may be missing, but they do need all the rest */
  g_assert_cmpuint (packed_bytes (model), >, constants + (all - constants) / 2);
  g_assert_cmpuint (packed_bytes (model), <=, all);
  g_assert_cmpuint (lab_model_idle_bytes (model), >, source / 2);
  g_assert_cmpuint (lab_model_idle_bytes (model), <=, source);
  step_until_packed (f, mapped, 0);
  g_assert_cmpuint (packed_bytes (mapped), ==, constants);
  g_assert_cmpuint (lab_model_idle_bytes (mapped), ==, 0);
  lab_model_free (whole);
  lab_model_free (model);
  lab_model_free (mapped);
}

/* A limit holds from the start, and as it falls and rises. */
static void
test_limit (Fixture *f, gconstpointer data)
{
  LabModel *model = lab_model_new (
      f->lab, &(LabSetup){ .int8 = TRUE, .cache_type = WLP_TYPE_F16, .n_threads = 2, .pack_bytes = "60000" });
  const guint64 constants = packed_bytes (model);
  guint at                = step_until_packed (f, model, 0);
  const guint64 some      = packed_bytes (model);
  guint64 released, all;

  g_assert_cmpuint (some, >, 20000);
  g_assert_cmpuint (some, <=, MAX (constants, 60000));
  released = lab_ops ()->limit_packed (lab_model_get (model), some - 1);
  g_assert_cmpuint (released, >=, 1);
  g_assert_cmpuint (released, <, some - constants);
  at = step_until_packed (f, model, at);
  g_assert_cmpuint (packed_bytes (model), >=, some - released);
  g_assert_cmpuint (packed_bytes (model), <, some);
  g_assert_cmpuint (lab_ops ()->limit_packed (lab_model_get (model), G_MAXUINT64), ==, 0);
  at  = step_until_packed (f, model, at);
  all = packed_bytes (model);
  g_assert_cmpuint (all, >, some);
  g_assert_cmpuint (lab_ops ()->limit_packed (lab_model_get (model), 0), ==, all - constants);
  g_assert_cmpuint (packed_bytes (model), ==, constants);
  at = step_until_packed (f, model, at);
  g_assert_cmpuint (packed_bytes (model), ==, constants);
  g_assert_cmpuint (lab_ops ()->limit_packed (lab_model_get (model), some), ==, 0);
  step_until_packed (f, model, at);
  g_assert_cmpuint (packed_bytes (model), >, constants);
  g_assert_cmpuint (packed_bytes (model), <=, some);
  lab_model_free (model);
}

/* Packed panels are given up in the middle. */
static void
test_release (Fixture *f, gconstpointer data)
{
  const LabSetup setup     = { .int8 = TRUE, .cache_type = WLP_TYPE_F16, .pack = "1" };
  LabModel *model          = lab_model_new (f->lab, &setup);
  struct wlp_memory before = { .version = WLP_MEMORY_VERSION }, after = before;
  g_autofree float *first = lab_model_step (model, f->tokens, NULL, NULL, 100);
  g_autofree float *rest  = NULL;
  guint64 released;

  lab_ops ()->model_memory (lab_model_get (model), &before);
  released = lab_ops ()->limit_packed (lab_model_get (model), before.packed_bytes - 20000);
  g_assert_cmpuint (released, >=, 20000);
  lab_ops ()->model_memory (lab_model_get (model), &after);
  g_assert_cmpuint (before.packed_bytes - after.packed_bytes, ==, released);
  rest = lab_model_step (model, f->tokens + 100, NULL, NULL, N_TOKENS - 100);
  lab_assert_same (first, f->expected, 100 * N_VOCAB);
  lab_assert_same (rest, f->expected + 100 * N_VOCAB, (N_TOKENS - 100) * N_VOCAB);
  lab_model_free (model);
}

/* Only some rows are wanted: the last layer is computed for those alone. */
static void
test_rows (Fixture *f, gconstpointer data)
{
  for (guint fused = 0; fused < 2; fused++) {
    const LabSetup setup    = { .int8 = TRUE, .cache_type = WLP_TYPE_F16, .n_threads = 2, .no_fuse = !fused };
    LabModel *model         = lab_model_new (f->lab, &setup);
    g_autofree guint8 *none = g_new0 (guint8, N_TOKENS);
    g_autofree float *some  = NULL;
    g_autofree float *last  = NULL;

    g_free (lab_model_step (model, f->tokens, NULL, none, 130));
    none[3] = none[44] = none[45] = 1;
    some                          = lab_model_step (model, f->tokens + 130, NULL, none, 169);
    lab_assert_same (some, f->expected + 133 * N_VOCAB, N_VOCAB);
    lab_assert_same (some + N_VOCAB, f->expected + 174 * N_VOCAB, 2 * N_VOCAB);
    last = lab_model_step (model, f->tokens + 299, NULL, NULL, 1);
    lab_assert_same (last, f->expected + 299 * N_VOCAB, N_VOCAB);
    lab_model_free (model);
  }
}

/* Other sequences prefill and decode in the same batches, token by token in turns; ours is sequence 2. */
static void
test_company (Fixture *f, gconstpointer data)
{
  const LabSetup setup       = { .int8 = TRUE, .cache_type = WLP_TYPE_F16, .n_threads = 2 };
  LabModel *model            = lab_model_new (f->lab, &setup);
  g_autofree gint32 *others  = lab_tokens (6, N_VOCAB, 2 * N_TOKENS);
  g_autofree gint32 *tokens  = g_new (gint32, 640);
  g_autofree guint32 *owners = g_new (guint32, 640);
  g_autofree float *rows     = NULL;
  guint done                 = 0;

  while (done < N_TOKENS) {
    const guint part = MIN (done == 0 ? 150 : 11, N_TOKENS - done), start = done;
    guint n = 0, ours = 0;

    while (ours < part) {
      const guint32 owner = (guint32)(n % 4 == 3 ? 2 : n % 2);

      owners[n] = owner;
      tokens[n] = owner == 2 ? f->tokens[done++] : others[n];
      ours += owner == 2;
      n++;
    }
    g_free (rows);
    rows = lab_model_step (model, tokens, owners, NULL, n);
    for (guint i = 0, at = start; i < n; i++)
      if (owners[i] == 2)
        lab_assert_same (rows + i * N_VOCAB, f->expected + at++ * N_VOCAB, N_VOCAB);
  }
  lab_model_free (model);
}

static void
test_embeddings (Fixture *f, gconstpointer data)
{
  /* rows that come in are not scaled, so the same program without a scale is the reference */
  struct wlp_op *op          = &g_array_index (f->lab->ops, struct wlp_op, 0);
  const LabSetup setup       = { .int8 = TRUE };
  const LabSetup rows        = { .int8 = TRUE, .embeddings = TRUE, .n_threads = 2 };
  g_autofree float *expected = NULL;
  g_autofree float *got      = NULL;

  op->p.embed.scale = 0;
  expected          = lab_run (f->lab, &setup, f->tokens, 100, 0);
  got               = lab_run (f->lab, &rows, f->tokens, 100, 30);
  lab_assert_same (got, expected, 100 * N_VOCAB);
}

/* The first blocks of a sequence go out in the canonical form, into the blocks of another sequence of another model. */
static void
test_export (Fixture *f, gconstpointer data)
{
  static const enum wlp_type types[] = { WLP_TYPE_F32, WLP_TYPE_F16, WLP_TYPE_Q8_0 };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    const LabSetup setup       = { .int8 = TRUE, .cache_type = types[i], .n_threads = i + 1 };
    LabModel *from             = lab_model_new (f->lab, &setup);
    LabModel *to               = lab_model_new (f->lab, &setup);
    g_autofree float *expected = NULL;
    g_autofree gint32 *tokens  = g_new (gint32, 153);
    g_autofree guint32 *owners = g_new (guint32, 153);
    g_autofree float *got      = NULL;

    g_free (lab_model_step (from, f->tokens, NULL, NULL, 150));
    expected = lab_model_step (from, f->tokens + 150, NULL, NULL, 150);
    for (guint g = 0; g < 2; g++) {
      const guint64 n_bytes     = lab_ops ()->cache_block_bytes (lab_model_cache (from, g));
      g_autofree guint8 *memory = g_malloc (n_bytes);
      g_autofree guint8 *again  = g_malloc (n_bytes);

      for (guint block = 0; block < 3; block++) {
        g_assert_cmpint (
            lab_ops ()->cache_export (lab_model_cache (from, g), lab_model_block (from, 0, block), memory, n_bytes), ==,
            0);
        g_assert_cmpint (
            lab_ops ()->cache_import (lab_model_cache (to, g), lab_model_block (to, 3, block), memory, n_bytes), ==, 0);
        g_assert_cmpint (
            lab_ops ()->cache_export (lab_model_cache (to, g), lab_model_block (to, 3, block), again, n_bytes), ==, 0);
        g_assert_cmpmem (memory, n_bytes, again, n_bytes);
      }
      g_assert_cmpint (lab_ops ()->cache_export (lab_model_cache (from, g), 0, memory, n_bytes - 1), ==, -EINVAL);
      g_assert_cmpint (lab_ops ()->cache_import (lab_model_cache (from, g), 96, memory, n_bytes), ==, -EINVAL);
    }
    /* sequences 0 to 2 need a token each, for sequences are counted from 0 */
    lab_model_seek (to, 3, 150);
    for (guint t = 0; t < 153; t++) {
      tokens[t] = t < 3 ? 1 : f->tokens[150 + t - 3];
      owners[t] = t < 3 ? t : 3;
    }
    got = lab_model_step (to, tokens, owners, NULL, 153);
    lab_assert_same (got + 3 * N_VOCAB, expected, 150 * N_VOCAB);
    lab_model_free (from);
    lab_model_free (to);
  }
}

/* In the canonical form a key is [position][head][dimension]; with F32 it is what the linear layer gave. */
static void
test_canonical (void)
{
  Lab *lab                                 = lab_new (3);
  struct wlp_builder *b                    = &lab->builder;
  const guint32 group                      = lab_group (lab, WLP_CACHE_PAGED, 2, 2, 8, 4, 0);
  const struct wlp_attention_params params = { group, 1, 2, 2, 8, 4, 1, 0, 1.0f, 0, 0 };
  const wlp_weight embeddings              = lab_matrix (lab, 16, 50, 0);
  wlp_value x = wlp_embed (b, embeddings, 0), v = wlp_linear (b, x, lab_matrix (lab, 16, 8, 0), WLP_NONE);
  const LabSetup setup      = { 0 };
  g_autofree gint32 *tokens = lab_tokens (1, 50, 70);
  const float *rows;
  LabModel *model;

  wlp_logits (b, wlp_attention (b, x, x, v, WLP_NONE, &params));
  model = lab_model_new (lab, &setup);
  rows  = g_array_index (lab->sources, struct wlp_weight_source, embeddings).map;
  {
    const guint64 n_bytes    = lab_ops ()->cache_block_bytes (lab_model_cache (model, group));
    g_autofree float *memory = g_malloc (n_bytes);
    const gsize layer        = 64 * (16 + 8); /* floats */

    g_free (lab_model_step (model, tokens, NULL, NULL, 70));
    g_assert_cmpuint (n_bytes, ==, 2 * layer * sizeof (float));
    for (guint block = 0; block < 2; block++) {
      lab_ops ()->cache_export (lab_model_cache (model, group), lab_model_block (model, 0, block), memory, n_bytes);
      for (guint i = 0; i < (block == 0 ? 64 : 6); i++)
        lab_assert_same (memory + layer + i * 16, rows + tokens[block * 64 + i] * 16, 16);
      for (gsize i = 0; i < layer; i++)
        g_assert_cmpfloat (memory[i], ==, 0); /* nobody wrote layer 0 */
    }
  }
  lab_model_free (model);
  lab_free (lab);
}

/* A copied block serves another sequence; a discarded one gives its memory back and reads as zeros. */
static void
test_copy (Fixture *f, gconstpointer data)
{
  const LabSetup setup     = { .int8 = TRUE, .cache_type = WLP_TYPE_F16 };
  LabModel *model          = lab_model_new (f->lab, &setup);
  struct wlp_cache *cache  = lab_model_cache (model, 0);
  struct wlp_memory before = { .version = WLP_MEMORY_VERSION }, after = before;
  const guint64 n_bytes     = lab_ops ()->cache_block_bytes (cache);
  g_autofree guint8 *memory = g_malloc (n_bytes);
  const gint32 tokens[2]    = { f->tokens[100], f->tokens[100] };
  const guint32 owners[2]   = { 0, 1 };
  g_autofree float *both    = NULL;

  g_free (lab_model_step (model, f->tokens, NULL, NULL, 100));
  for (guint g = 0; g < 2; g++)
    for (guint i = 0; i < 2; i++)
      g_assert_cmpint (lab_ops ()->cache_copy (lab_model_cache (model, g), lab_model_block (model, 0, i),
                                               lab_model_block (model, 1, i)),
                       ==, 0);
  lab_model_seek (model, 1, 100);
  both = lab_model_step (model, tokens, owners, NULL, 2);
  lab_assert_same (both, f->expected + 100 * N_VOCAB, N_VOCAB);
  lab_assert_same (both + N_VOCAB, f->expected + 100 * N_VOCAB, N_VOCAB);

  lab_ops ()->model_memory (lab_model_get (model), &before);
  g_assert_cmpint (lab_ops ()->cache_discard (cache, lab_model_block (model, 0, 0)), ==, 0);
  lab_ops ()->model_memory (lab_model_get (model), &after);
  g_assert_cmpuint (before.cache_bytes - after.cache_bytes, ==, n_bytes);
  lab_ops ()->cache_export (cache, lab_model_block (model, 0, 0), memory, n_bytes);
  for (guint64 i = 0; i < n_bytes; i++)
    g_assert_cmpuint (memory[i], ==, 0);
  g_assert_cmpint (lab_ops ()->cache_copy (cache, 0, 96), ==, -EINVAL);
  g_assert_cmpint (lab_ops ()->cache_discard (cache, 96), ==, -EINVAL);
  lab_model_free (model);
}

#define ADD(name, test) g_test_add ("/backends/cpu-bits/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("right", test_right);
  ADD ("threads", test_threads);
  ADD ("fast-threads", test_fast_threads);
  ADD ("chunks", test_chunks);
  ADD ("ways", test_ways);
  ADD ("touch", test_touch);
  ADD ("limit", test_limit);
  ADD ("release", test_release);
  ADD ("rows", test_rows);
  ADD ("company", test_company);
  ADD ("embeddings", test_embeddings);
  ADD ("export", test_export);
  ADD ("copy", test_copy);
  g_test_add_func ("/backends/cpu-bits/canonical", test_canonical);
  return g_test_run ();
}
