/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the backend refuses, and how it stops: batches and plans that make no sense, cancel, programs cut in two.
 */
#include "backend-lab.h"

#include <errno.h>
#include <string.h>

#define N_VOCAB 30
#define WIDTH   64

/* Two layers of attention behind an embedding. */
static Lab *
two_layers (void)
{
  Lab *lab                           = lab_new (12);
  struct wlp_builder *b              = &lab->builder;
  const guint32 group                = lab_group (lab, WLP_CACHE_PAGED, 2, 2, 32, 32, 0);
  wlp_value x                        = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0), y;
  struct wlp_attention_params params = { group, 0, 2, 2, 32, 32, 1, 0, 0.2f, 0, 0 };

  for (lab->layer = 0; lab->layer < 2; lab->layer++) {
    params.group_layer = lab->layer;
    y                  = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    y = wlp_attention (b, wlp_linear (b, y, lab_matrix (lab, WIDTH, WIDTH, 0), WLP_NONE), y, y, WLP_NONE, &params);
    x = wlp_add (b, x, wlp_linear (b, y, lab_matrix (lab, WIDTH, WIDTH, 0), WLP_NONE));
  }
  lab->layer = WLP_NONE;
  wlp_logits (b, x);
  lab_finish (lab);
  return lab;
}

typedef struct {
  Lab *lab;
  LabModel *model;
  gint32 tokens[4];
  gint32 positions[4];
  guint32 sequence[4];
  guint32 rows[4];
  float output[4 * WIDTH];
  struct wlp_batch batch;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  const LabSetup setup = { .n_threads = 2 };

  f->lab   = two_layers ();
  f->model = lab_model_new (f->lab, &setup);
  f->batch = (struct wlp_batch){
    .version     = WLP_BATCH_VERSION,
    .n_tokens    = 4,
    .n_positions = 1,
    .n_sequences = 2,
    .n_rows      = 2,
    .tokens      = f->tokens,
    .positions   = f->positions,
    .sequence    = f->sequence,
    .rows        = f->rows,
    .output      = f->output,
  };
  for (gint i = 0; i < 4; i++) {
    f->tokens[i]    = i;
    f->positions[i] = i / 2;
    f->sequence[i]  = (guint32)i % 2;
    f->rows[i]      = (guint32)i;
  }
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  lab_model_free (f->model);
  lab_free (f->lab);
}

static void
refused (Fixture *f, const char *part)
{
  struct wlp_error error = { "" };

  g_assert_cmpint (lab_model_try (f->model, &f->batch, &error), ==, -EINVAL);
  if (strstr (error.message, part) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error.message, part);
  f->batch.sequences = NULL;
}

static void
accepted (Fixture *f)
{
  struct wlp_error error = { "" };

  f->batch.sequences = NULL;
  g_assert_cmpint (lab_model_try (f->model, &f->batch, &error), ==, 0);
  f->batch.sequences = NULL;
}

static void
test_batches (Fixture *f, gconstpointer data)
{
  accepted (f);
  f->tokens[2] = N_VOCAB;
  refused (f, "vocabulary");
  f->tokens[2] = -1;
  refused (f, "vocabulary");
  f->tokens[2] = 0;

  f->positions[3] = 4096;
  refused (f, "position");
  f->positions[3] = -1;
  refused (f, "position");
  f->positions[3] = 2000; /* planned, but the table is shorter */
  refused (f, "has no block");
  f->positions[3] = 0; /* not behind the one before */
  refused (f, "behind");
  f->positions[3] = 1;

  f->sequence[1] = 2;
  refused (f, "sequence 2 of 2");
  f->sequence[1] = 0;
  refused (f, "behind");
  f->sequence[1] = 1;

  f->rows[1] = 0;
  refused (f, "rows rise");
  f->rows[1] = 4;
  refused (f, "rows rise");
  f->rows[1] = 1;

  f->batch.n_tokens = 0;
  refused (f, "0 tokens");
  f->batch.n_tokens = 641;
  refused (f, "641 tokens");
  f->batch.n_tokens = 4;
  f->batch.n_rows   = 700;
  refused (f, "wanted rows");
  f->batch.n_rows      = 2;
  f->batch.n_sequences = 5;
  refused (f, "5 sequences");
  f->batch.n_sequences = 3; /* sequence 2 has no token */
  refused (f, "has no token");
  f->batch.n_sequences = 2;
  f->batch.n_positions = 3;
  refused (f, "positions");
  f->batch.n_positions = 1;
  f->batch.embeddings  = f->output;
  refused (f, "either tokens or embeddings");
  f->batch.embeddings = NULL;
  f->batch.output     = NULL;
  refused (f, "output");
  f->batch.output = f->output;
  accepted (f);
}

static void
test_tables (Fixture *f, gconstpointer data)
{
  guint32 table[2]                 = { 7, 96 };
  struct wlp_sequence sequences[2] = { { .blocks = { table }, .n_blocks = { 2 } },
                                       { .blocks = { table }, .n_blocks = { 2 } } };

  for (guint i = 0; i < 2; i++)
    sequences[i].caches[0] = lab_model_cache (f->model, 0);
  f->batch.sequences = sequences;
  f->positions[2]    = 64;
  refused (f, "block 1 of group 0 is 96");
  f->batch.sequences     = sequences;
  sequences[1].caches[0] = NULL;
  f->positions[2]        = 1;
  refused (f, "no cache");
}

static void
test_cancel (Fixture *f, gconstpointer data)
{
  volatile int cancel    = 1;
  struct wlp_error error = { "" };

  f->batch.cancel = &cancel;
  g_assert_cmpint (lab_model_try (f->model, &f->batch, &error), ==, -ECANCELED);
  g_assert_cmpstr (error.message, !=, "");
  cancel = 0;
  accepted (f);
}

static void
test_order (Fixture *f, gconstpointer data)
{
  struct wlp_error error = { "" };

  g_assert_cmpint (lab_ops ()->wait (lab_model_get (f->model), &error), ==, -EINVAL);
}

static void
test_profile (Fixture *f, gconstpointer data)
{
  struct wlp_profile_entry entry;
  guint64 n_macs = 0, time_ns = 0;

  accepted (f);
  for (guint i = 0; lab_ops ()->profile (lab_model_get (f->model), i, &entry) == 0; i++) {
    g_assert_cmpstr (entry.name, !=, "");
    g_assert_cmpuint (entry.n_calls, >, 0);
    n_macs += g_str_has_prefix (entry.name, "linear") ? entry.n_macs : 0;
    time_ns += entry.time_ns;
  }
  /* layer 0: two matrices for 4 tokens; the last layer for the 2 wanted rows only */
  g_assert_cmpuint (n_macs, ==, 2 * (4 + 2) * WIDTH * WIDTH);
  g_assert_cmpuint (time_ns, >, 0);
  g_assert_cmpint (lab_ops ()->profile (lab_model_get (f->model), 1000, &entry), ==, -ENOENT);
}

static guint
count_marks (GArray *marks, const char *name)
{
  guint n = 0;

  for (guint i = 0; i < marks->len; i++)
    n += g_str_equal (g_array_index (marks, LabMark, i).name, name);
  return n;
}

/* Marks are the calls of the profile, one behind the other; the steps that packed weights have one more. */
static void
check_marks (LabModel *model, GArray *marks)
{
  struct wlp_profile_entry entry;
  guint64 end_ns = 0;
  guint n_calls  = 0;

  for (guint i = 0; lab_ops ()->profile (lab_model_get (model), i, &entry) == 0; i++) {
    g_assert_cmpuint (count_marks (marks, entry.name), ==, entry.n_calls);
    n_calls += entry.n_calls;
  }
  g_assert_cmpuint (n_calls + count_marks (marks, "pack"), ==, marks->len);
  for (guint i = 0; i < marks->len; i++) {
    const LabMark *mark = &g_array_index (marks, LabMark, i);

    g_assert_cmpuint (mark->end_ns, >=, mark->begin_ns);
    if (g_str_equal (mark->name, "pack"))
      continue;
    g_assert_cmpuint (mark->begin_ns, >=, end_ns);
    end_ns = mark->end_ns;
  }
}

static void
test_marks (gconstpointer data)
{
  const char *pack         = data;
  const gint32 tokens[]    = { 1, 2, 3 };
  Lab *lab                 = two_layers ();
  g_autoptr (GArray) marks = g_array_new (FALSE, TRUE, sizeof (LabMark));
  const LabSetup setup     = { .n_threads = 2, .pack = pack, .marks = marks };
  LabModel *model          = lab_model_new (lab, &setup);
  guint n_packs;

  g_assert_cmpuint (marks->len, ==, g_strcmp0 (pack, "1") == 0); /* all weights while it loads, or none */
  g_free (lab_model_step (model, tokens, NULL, NULL, G_N_ELEMENTS (tokens)));
  check_marks (model, marks);
  n_packs = count_marks (marks, "pack");
  if (g_strcmp0 (pack, "auto") == 0)
    g_assert_cmpuint (n_packs, >, 1);
  else
    g_assert_cmpuint (n_packs, ==, g_strcmp0 (pack, "1") == 0);
  g_free (lab_model_step (model, tokens, NULL, NULL, G_N_ELEMENTS (tokens)));
  check_marks (model, marks);
  g_assert_cmpuint (count_marks (marks, "pack"), ==, n_packs); /* they stay */
  lab_model_free (model);
  lab_free (lab);
}

/* ---- plans ---- */

static gpointer
plain_alloc (gpointer host, gsize n_bytes, gsize alignment)
{
  return g_aligned_alloc0 (MAX (n_bytes, 1), 1, MAX (alignment, sizeof (void *)));
}

static void
plain_free (gpointer host, gpointer memory, gsize n_bytes)
{
  g_aligned_free (memory);
}

static gpointer
no_alloc (gpointer host, gsize n_bytes, gsize alignment)
{
  return NULL;
}

static const struct wlp_services plain_services = {
  .version = WLP_SERVICES_VERSION, .alloc = plain_alloc, .free = plain_free, .n_threads = 2
};

static struct wlp_plan_request
request_of (Lab *lab)
{
  return (struct wlp_plan_request){
    .version       = WLP_PLAN_VERSION,
    .program       = &lab->program,
    .sources       = (gpointer)lab->sources->data,
    .end_op        = lab->program.n_ops,
    .cut_in        = WLP_NONE,
    .cut_out       = WLP_NONE,
    .max_tokens    = 16,
    .max_rows      = 16,
    .max_sequences = 1,
    .max_positions = 100,
  };
}

static void
plan_refused (const struct wlp_services *services, const struct wlp_plan_request *request, int status, const char *part)
{
  struct wlp_backend *backend;
  struct wlp_model *model;
  struct wlp_error error = { "" };

  g_assert_cmpint (lab_ops ()->open (services, &backend, &error), ==, 0);
  g_assert_cmpint (lab_ops ()->plan (backend, request, &model, &error), ==, status);
  if (strstr (error.message, part) == NULL)
    g_error ("\"%s\" does not say \"%s\"", error.message, part);
  lab_ops ()->close (backend);
}

static int
stop_progress (gpointer user, guint64 done, guint64 total)
{
  return 1;
}

static void
test_plans (void)
{
  Lab *lab                           = two_layers ();
  struct wlp_plan_request request    = request_of (lab);
  const struct wlp_plan_request good = request;
  struct wlp_setting setting         = { "colour", "blue" };
  struct wlp_services poor           = plain_services;
  struct wlp_op *last                = &g_array_index (lab->ops, struct wlp_op, lab->ops->len - 1);
  struct wlp_weight_source *source   = &g_array_index (lab->sources, struct wlp_weight_source, 2);

  request.n_settings = 1;
  request.settings   = &setting;
  plan_refused (&plain_services, &request, -EINVAL, "colour");
  setting = (struct wlp_setting){ "activations", "int4" };
  plan_refused (&plain_services, &request, -EINVAL, "int4");
  setting = (struct wlp_setting){ "isa", "mmx" };
  plan_refused (&plain_services, &request, -EINVAL, "mmx");
  setting = (struct wlp_setting){ "isa", "avx2" }; /* the host masks it: cpu_features is 0 */
  plan_refused (&plain_services, &request, -EINVAL, "avx2");

  request            = good;
  request.max_tokens = 0;
  plan_refused (&plain_services, &request, -EINVAL, "0 tokens");
  request.max_tokens = G_MAXUINT32;
  plan_refused (&plain_services, &request, -EINVAL, "tokens");
  request        = good;
  request.end_op = 1000;
  plan_refused (&plain_services, &request, -EINVAL, "operators");
  request          = good;
  request.progress = stop_progress;
  plan_refused (&plain_services, &request, -ECANCELED, "stopped");

  request            = good;
  source->shape.type = WLP_TYPE_IQ1_S;
  plan_refused (&plain_services, &request, -ENOTSUP, "IQ1_S");
  source->shape.type = WLP_TYPE_F32;
  source->n_bytes -= 4;
  plan_refused (&plain_services, &request, -EINVAL, "longer than its bytes");
  source->n_bytes += 4;
  last->kind = WLP_OP_STATE_SCAN;
  plan_refused (&plain_services, &request, -ENOTSUP, "operator 33");
  last->kind  = WLP_OP_LOGITS;
  last->in[0] = 1000;
  plan_refused (&plain_services, &request, -EINVAL, "logits");
  last->in[0] = lab->values->len - 1;

  poor.alloc = no_alloc;
  plan_refused (&poor, &request, -ENOMEM, "no memory");
  lab_free (lab);
}

static void
test_supports (void)
{
  Lab *lab                          = two_layers ();
  struct wlp_op op                  = g_array_index (lab->ops, struct wlp_op, 2);
  const struct wlp_backend_ops *ops = lab_ops ();
  gpointer sources                  = lab->sources->data;
  struct wlp_backend *backend;
  struct wlp_device device = { .version = WLP_DEVICE_VERSION };

  g_assert_cmpint (ops->open (&plain_services, &backend, NULL), ==, 0);
  for (guint i = 0; i < lab->program.n_ops; i++)
    g_assert_cmpint (ops->supports (backend, 0, &lab->program, &lab->program.ops[i], sources), ==, 1);
  op.p.linear.first_row = 1; /* and all rows behind it are one too few for the output */
  op.p.linear.n_rows    = WIDTH;
  g_assert_cmpint (ops->supports (backend, 0, &lab->program, &op, sources), ==, 0);
  op.kind = WLP_OP_STATE_SCAN;
  g_assert_cmpint (ops->supports (backend, 0, &lab->program, &op, sources), ==, 0);

  g_assert_cmpint (ops->device (backend, 0, &device), ==, 0);
  g_assert_cmpstr (device.id, ==, "cpu");
  g_assert_cmpstr (device.features, ==, "c"); /* cpu_features is 0 */
  g_assert_cmpuint (device.score, >, 0);
  g_assert_cmpuint (device.memory_total, >, device.memory_free);
  g_assert_cmpint (ops->device (backend, 1, &device), ==, -ENOENT);
  ops->close (backend);
  lab_free (lab);
}

/* A program cut behind its first layer: rows go over, and the two halves give the bits of the whole. */
static struct wlp_model *
plan_half (struct wlp_backend *backend, Lab *lab, guint first_op, guint end_op, wlp_value cut_in, wlp_value cut_out,
           struct wlp_cache **ret_cache)
{
  struct wlp_plan_request request = request_of (lab);
  struct wlp_error error          = { "" };
  struct wlp_model *model         = NULL;

  request.first_op = first_op;
  request.end_op   = end_op;
  request.cut_in   = cut_in;
  request.cut_out  = cut_out;
  if (lab_ops ()->plan (backend, &request, &model, &error) != 0)
    g_error ("plan: %s", error.message);
  g_assert_cmpint (lab_ops ()->cache_create (model, 0, WLP_TYPE_F32, 1, ret_cache, &error), ==, 0);
  return model;
}

static void
run_half (struct wlp_model *model, struct wlp_cache *cache, const gint32 *tokens, const float *rows, guint n,
          float *output)
{
  const guint32 table[1]             = { 0 };
  const struct wlp_sequence sequence = { .caches = { cache }, .blocks = { table }, .n_blocks = { 1 } };
  gint32 positions[16];
  guint32 owners[16]     = { 0 }, wanted[16];
  struct wlp_batch batch = { .version     = WLP_BATCH_VERSION,
                             .n_tokens    = n,
                             .n_positions = 1,
                             .n_sequences = 1,
                             .n_rows      = n,
                             .tokens      = tokens,
                             .embeddings  = rows,
                             .positions   = positions,
                             .sequence    = owners,
                             .sequences   = &sequence,
                             .rows        = wanted,
                             .output      = output };
  struct wlp_error error = { "" };

  for (guint i = 0; i < n; i++) {
    positions[i] = (gint32)i;
    wanted[i]    = i;
  }
  if (lab_ops ()->submit (model, &batch, &error) != 0 || lab_ops ()->wait (model, &error) != 0)
    g_error ("batch: %s", error.message);
}

static void
test_cut (void)
{
  Lab *lab                   = two_layers ();
  const LabSetup setup       = { 0 };
  g_autofree gint32 *tokens  = lab_tokens (3, N_VOCAB, 16);
  g_autofree float *expected = lab_run (lab, &setup, tokens, 16, 0);
  float rows[16 * WIDTH], output[16 * WIDTH];
  struct wlp_backend *backend;
  struct wlp_cache *caches[2];
  struct wlp_model *models[2];
  const guint cut       = 6; /* embed, norm, linear, attention, linear, add */
  const wlp_value value = lab->program.ops[cut - 1].out[0];

  g_assert_cmpint (lab_ops ()->open (&plain_services, &backend, NULL), ==, 0);
  models[0] = plan_half (backend, lab, 0, cut, WLP_NONE, value, &caches[0]);
  models[1] = plan_half (backend, lab, cut, lab->program.n_ops, value, WLP_NONE, &caches[1]);
  run_half (models[0], caches[0], tokens, NULL, 16, rows);
  run_half (models[1], caches[1], NULL, rows, 16, output);
  lab_assert_same (output, expected, 16 * WIDTH);
  for (guint i = 0; i < 2; i++) {
    lab_ops ()->cache_free (caches[i]);
    lab_ops ()->model_free (models[i]);
  }
  lab_ops ()->close (backend);
  lab_free (lab);
}

/* M-RoPE: each section turns by its own position; the first number of a token only orders the cache. */
static void
test_sections (void)
{
  Lab *lab                           = lab_new (4);
  const struct wlp_rope_params mrope = {
    .kind = WLP_ROPE_MROPE, .head_dim = 16, .n_dims = 16, .base = 100.0f, .sections = { 2, 1, 1, 0 }
  };
  struct wlp_rope_params neox  = mrope;
  const gint32 position[4]     = { 5, 7, 11, 13 };           /* cache, then three sections */
  const guint which[8]         = { 1, 1, 2, 3, 1, 1, 2, 3 }; /* of each pair */
  const gint32 token           = 3;
  const guint32 zero           = 0;
  const LabSetup setup         = { 0 };
  struct wlp_sequence sequence = { .n_blocks = { 0 } };
  struct wlp_error error       = { "" };
  float got[16], expected[16];
  struct wlp_batch batch = { .version     = WLP_BATCH_VERSION,
                             .n_tokens    = 1,
                             .n_positions = 4,
                             .n_sequences = 1,
                             .n_rows      = 1,
                             .tokens      = &token,
                             .positions   = position,
                             .sequence    = &zero,
                             .sequences   = &sequence,
                             .rows        = &zero,
                             .output      = got };
  LabModel *model;
  struct wlp_op *op;

  lab->program.limits.n_positions = 4;
  neox.kind                       = WLP_ROPE_NEOX;
  wlp_logits (&lab->builder,
              wlp_rope (&lab->builder, wlp_embed (&lab->builder, lab_matrix (lab, 16, 10, 0), 0), WLP_NONE, &mrope));
  model = lab_model_new (lab, &setup);
  g_assert_cmpint (lab_model_try (model, &batch, &error), ==, 0);
  lab_model_free (model);

  op         = &g_array_index (lab->ops, struct wlp_op, 1);
  op->p.rope = neox;
  for (guint section = 1; section < 4; section++) { /* all of the token turned by that position */
    gint32 same[4] = { position[section], 0, 0, 0 };

    batch.positions = same;
    batch.output    = expected;
    model           = lab_model_new (lab, &setup);
    g_assert_cmpint (lab_model_try (model, &batch, &error), ==, 0);
    lab_model_free (model);
    for (guint pair = 0; pair < 8; pair++)
      if (which[pair] == section) {
        g_assert_cmpfloat (got[pair], ==, expected[pair]);
        g_assert_cmpfloat (got[pair + 8], ==, expected[pair + 8]);
      }
  }
  lab_free (lab);
}

#define ADD(name, test) g_test_add ("/backends/cpu-limits/" name, Fixture, NULL, set_up, test, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("batches", test_batches);
  ADD ("tables", test_tables);
  ADD ("cancel", test_cancel);
  ADD ("order", test_order);
  ADD ("profile", test_profile);
  g_test_add_data_func ("/backends/cpu-limits/marks-auto", "auto", test_marks);
  g_test_add_data_func ("/backends/cpu-limits/marks-packed", "1", test_marks);
  g_test_add_data_func ("/backends/cpu-limits/marks-unpacked", "0", test_marks);
  g_test_add_func ("/backends/cpu-limits/plans", test_plans);
  g_test_add_func ("/backends/cpu-limits/supports", test_supports);
  g_test_add_func ("/backends/cpu-limits/cut", test_cut);
  g_test_add_func ("/backends/cpu-limits/sections", test_sections);
  return g_test_run ();
}
