/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "backend-lab.h"

#include "quant.h"
#include "wly-test-weights.h"

#include <dlfcn.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MAX_TOKENS 640
#define N_BLOCKS   96 /* of a cache; tables of the sequences are strewn over them */

struct LabModel {
  Lab *lab;
  LabSetup setup;
  struct wlp_services services;
  struct wlp_backend *backend;
  struct wlp_model *model;
  struct wlp_cache *caches[WLP_MAX_GROUPS];
  guint32 tables[LAB_MAX_SEQUENCES][N_BLOCKS / LAB_MAX_SEQUENCES];
  gint32 n_done[LAB_MAX_SEQUENCES];
  struct wlp_weight_source *sources; /* those of the lab, or of a file */
  int fd;
  guint64 idle_bytes;
};

const struct wlp_backend_ops *
lab_ops (void)
{
  static const struct wlp_backend_ops *ops;

  if (ops == NULL) {
    const char *path = g_getenv ("WOOLLY_TEST_BACKEND");
    void *object     = path != NULL ? dlopen (path, RTLD_NOW | RTLD_LOCAL) : NULL;
    wlp_plugin_enum_fn plugin_enum;

    if (object == NULL)
      g_error ("cannot open WOOLLY_TEST_BACKEND: %s", dlerror ());
    plugin_enum = (wlp_plugin_enum_fn)dlsym (object, WLP_PLUGIN_SYMBOL);
    g_assert_nonnull (plugin_enum);
    ops = plugin_enum (0)->ops;
  }
  return ops;
}

/* ---- the program ---- */

static guint32
width_of (Lab *lab, wlp_value value)
{
  return g_array_index (lab->values, struct wlp_value_info, value).width;
}

static guint64
extent (Lab *lab, wlp_weight weight, guint d)
{
  return g_array_index (lab->sources, struct wlp_weight_source, weight).shape.ne[d];
}

static wlp_value
new_value (Lab *lab, guint64 width, guint32 type)
{
  struct wlp_value_info info = { (guint32)width, type };

  g_array_append_val (lab->values, info);
  return lab->values->len - 1;
}

static guint64
out_width (Lab *lab, const struct wlp_op *op)
{
  switch (op->kind) {
  case WLP_OP_EMBED:
    return extent (lab, op->weight[0], 0);
  case WLP_OP_LINEAR:
    return (op->p.linear.n_rows != 0 ? op->p.linear.n_rows : extent (lab, op->weight[0], 1))
           * MAX (op->p.linear.n_used, 1);
  case WLP_OP_ATTENTION:
    return (guint64)op->p.attention.n_head * op->p.attention.head_dim_v;
  case WLP_OP_GLU:
    return width_of (lab, op->in[0]) / (op->in[1] == WLP_NONE ? 2 : 1);
  case WLP_OP_MOE_ROUTE:
    return op->p.route.n_used;
  case WLP_OP_MOE_SUM:
    return width_of (lab, op->in[0]) / width_of (lab, op->in[1]);
  default:
    return width_of (lab, op->in[0]);
  }
}

static wlp_value
build_op (struct wlp_builder *builder, const struct wlp_op *given)
{
  Lab *lab         = (Lab *)builder;
  struct wlp_op op = *given;

  op.layer = lab->layer;
  if (op.kind == WLP_OP_LOGITS) {
    lab->program.output_width = width_of (lab, op.in[0]);
  } else if (op.kind == WLP_OP_POOL) {
    lab->program.output_width =
        op.weight[0] != WLP_NONE ? (guint32)extent (lab, op.weight[0], 1) : width_of (lab, op.in[0]);
  } else {
    op.out[0] = new_value (lab, out_width (lab, &op), op.kind == WLP_OP_MOE_ROUTE ? WLP_TYPE_I32 : WLP_TYPE_F32);
    if (op.kind == WLP_OP_MOE_ROUTE)
      op.out[1] = new_value (lab, op.p.route.n_used, WLP_TYPE_F32);
  }
  g_array_append_val (lab->ops, op);
  return op.out[0];
}

static wlp_weight
add_weight (Lab *lab, enum wlp_type type, guint n_dims, const guint64 *ne)
{
  struct wlp_weight_source source = { .shape = { .n_dims = n_dims, .type = type, .ne = { 1, 1, 1, 1 } }, .fd = -1 };
  struct wlp_weight_info info     = { .name = "weight" };
  guint64 n                       = 1;
  float *floats;

  for (guint i = 0; i < n_dims; i++) {
    source.shape.ne[i] = ne[i];
    n *= ne[i];
  }
  g_assert_cmpint (wlq_row_bytes (type, n, &source.n_bytes), ==, 0);
  source.map = g_malloc (source.n_bytes);
  g_ptr_array_add (lab->memory, (gpointer)source.map);
  if (n_dims == 1) {
    floats = (float *)(gpointer)source.map;
    for (guint64 i = 0; i < n; i++)
      floats[i] = 1.0f + 0.25f * wly_test_random_normal (&lab->random);
  } else {
    wly_test_weights_fill (&lab->random, type, 1.0f / sqrtf ((float)ne[0]), n, (gpointer)source.map);
  }
  info.shape = source.shape;
  g_array_append_val (lab->weights, info);
  g_array_append_val (lab->sources, source);
  return lab->weights->len - 1;
}

wlp_weight
lab_matrix (Lab *lab, guint64 n_in, guint64 n_out, guint64 n_expert)
{
  const guint64 ne[3] = { n_in, n_out, n_expert };

  return add_weight (lab, lab->type, n_expert != 0 ? 3 : 2, ne);
}

wlp_weight
lab_vector (Lab *lab, guint64 n)
{
  return add_weight (lab, WLP_TYPE_F32, 1, &n);
}

guint32
lab_group (Lab *lab, guint32 kind, guint32 n_layers, guint32 n_head_kv, guint32 dim_k, guint32 dim_v, guint32 window)
{
  struct wlp_cache_group group = { kind, n_layers, n_head_kv * dim_k, n_head_kv * dim_v, dim_k, dim_v, window };

  g_array_append_val (lab->groups, group);
  return lab->groups->len - 1;
}

Lab *
lab_new (guint64 seed)
{
  static const struct wlp_builder_ops builder_ops = { .version = WLP_BUILDER_VERSION, .op = build_op };
  Lab *lab                                        = g_new0 (Lab, 1);

  lab->builder.ops  = &builder_ops;
  lab->ops          = g_array_new (FALSE, TRUE, sizeof (struct wlp_op));
  lab->values       = g_array_new (FALSE, TRUE, sizeof (struct wlp_value_info));
  lab->weights      = g_array_new (FALSE, TRUE, sizeof (struct wlp_weight_info));
  lab->sources      = g_array_new (FALSE, TRUE, sizeof (struct wlp_weight_source));
  lab->groups       = g_array_new (FALSE, TRUE, sizeof (struct wlp_cache_group));
  lab->memory       = g_ptr_array_new_with_free_func (g_free);
  lab->random.state = seed;
  lab->layer        = WLP_NONE;
  return lab;
}

void
lab_finish (Lab *lab)
{
  lab->program.version   = WLP_PROGRAM_VERSION;
  lab->program.n_ops     = lab->ops->len;
  lab->program.n_values  = lab->values->len;
  lab->program.n_weights = lab->weights->len;
  lab->program.n_groups  = lab->groups->len;
  lab->program.ops       = (gpointer)lab->ops->data;
  lab->program.values    = (gpointer)lab->values->data;
  lab->program.weights   = (gpointer)lab->weights->data;
  lab->program.groups    = (gpointer)lab->groups->data;
}

void
lab_free (Lab *lab)
{
  g_array_free (lab->ops, TRUE);
  g_array_free (lab->values, TRUE);
  g_array_free (lab->weights, TRUE);
  g_array_free (lab->sources, TRUE);
  g_array_free (lab->groups, TRUE);
  g_ptr_array_free (lab->memory, TRUE);
  g_free (lab);
}

/* ---- the model ---- */

static void
host_log (void *host, enum wlp_log_level level, const char *message)
{
}

static void *
host_alloc (void *host, size_t n_bytes, size_t alignment)
{
  void *memory = NULL;

  g_assert_cmpint (posix_memalign (&memory, MAX (alignment, sizeof (void *)), MAX (n_bytes, 1)), ==, 0);
  return memset (memory, 0, n_bytes);
}

static void
host_free (void *host, void *memory, size_t n_bytes)
{
  free (memory);
}

/* Only what lies in one weight may be given back. */
static void
host_source_idle (void *host, const void *bytes, size_t n_bytes)
{
  LabModel *model   = host;
  gboolean is_found = FALSE;

  for (guint i = 0; i < model->lab->sources->len; i++) {
    const struct wlp_weight_source *source = &g_array_index (model->lab->sources, struct wlp_weight_source, i);
    const guint8 *start                    = source->map;

    is_found |= (const guint8 *)bytes >= start && (const guint8 *)bytes + n_bytes <= start + source->n_bytes;
  }
  g_assert_true (is_found);
  model->idle_bytes += n_bytes;
}

static void
host_mark (void *host, const char *name, uint64_t begin_ns, uint64_t end_ns)
{
  LabModel *model = host;
  LabMark mark    = { .begin_ns = begin_ns, .end_ns = end_ns };

  g_strlcpy (mark.name, name, sizeof mark.name);
  g_array_append_val (model->setup.marks, mark);
}

guint64
lab_model_idle_bytes (LabModel *model)
{
  return model->idle_bytes;
}

static guint64
cpu_features (void)
{
#if defined(__x86_64__)
  if (__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("fma"))
    return WLP_CPU_SSE42 | WLP_CPU_AVX2;
#endif
  return 0;
}

/* All weights behind each other in a file without a map. */
static void
write_file (LabModel *model)
{
  const guint n = model->lab->sources->len;
  off_t at      = 64;

  model->fd      = memfd_create ("weights", MFD_CLOEXEC);
  model->sources = g_memdup2 (model->lab->sources->data, n * sizeof model->sources[0]);
  for (guint i = 0; i < n; i++) {
    struct wlp_weight_source *source = &model->sources[i];

    g_assert_cmpint (pwrite (model->fd, source->map, source->n_bytes, at), ==, (gssize)source->n_bytes);
    source->fd     = model->fd;
    source->offset = (guint64)at;
    source->map    = NULL;
    at += (off_t)source->n_bytes;
  }
}

static void
plan_model (LabModel *model)
{
  const LabSetup *setup          = &model->setup;
  struct wlp_setting settings[5] = {
    { "activations", setup->int8 ? "int8" : "f32" },
    { "fuse", setup->no_fuse ? "0" : "1" },
    { "isa", setup->isa != NULL ? setup->isa : "" },
    { "pack", setup->pack != NULL ? setup->pack : "auto" },
    { "pack-bytes", setup->pack_bytes },
  };
  struct wlp_plan_request request = {
    .version       = WLP_PLAN_VERSION,
    .program       = &model->lab->program,
    .sources       = model->sources,
    .end_op        = model->lab->program.n_ops,
    .cut_in        = WLP_NONE,
    .cut_out       = WLP_NONE,
    .max_tokens    = MAX_TOKENS,
    .max_rows      = MAX_TOKENS,
    .max_sequences = LAB_MAX_SEQUENCES,
    .max_positions = LAB_MAX_POSITIONS,
    .n_settings    = setup->pack_bytes != NULL ? 5 : 4,
    .settings      = settings,
  };
  struct wlp_error error = { "" };

  if (lab_ops ()->plan (model->backend, &request, &model->model, &error) != 0)
    g_error ("plan: %s", error.message);
}

LabModel *
lab_model_new (Lab *lab, const LabSetup *setup)
{
  LabModel *model        = g_new0 (LabModel, 1);
  struct wlp_error error = { "" };

  if (lab->program.version == 0)
    lab_finish (lab);
  model->lab      = lab;
  model->setup    = *setup;
  model->fd       = -1;
  model->services = (struct wlp_services){
    .version        = WLP_SERVICES_VERSION,
    .host           = model,
    .source_idle    = host_source_idle,
    .log            = host_log,
    .alloc          = host_alloc,
    .free           = host_free,
    .cpu_features   = cpu_features (),
    .n_threads      = MAX (setup->n_threads, 1),
    .mark           = setup->marks != NULL ? host_mark : NULL,
    .n_cpus         = setup->n_cpus,
    .cpus           = setup->cpus,
    .n_fast_cpus    = setup->n_fast_cpus,
    .n_fast_threads = setup->n_fast_threads,
  };
  if (setup->no_map)
    write_file (model);
  else
    model->sources = g_memdup2 (lab->sources->data, lab->sources->len * sizeof model->sources[0]);
  for (guint i = 0; i < lab->sources->len; i++) /* as if the map were one of a file */
    if (model->sources[i].map != NULL)
      model->sources[i].fd = STDIN_FILENO;
  if (setup->beside != NULL)
    model->backend = setup->beside->backend;
  else
    g_assert_cmpint (lab_ops ()->open (&model->services, &model->backend, &error), ==, 0);
  plan_model (model);
  for (guint i = 0; i < lab->program.n_groups; i++) {
    gboolean is_state = lab->program.groups[i].kind == WLP_CACHE_STATE;

    if (lab_ops ()->cache_create (model->model, i, is_state ? WLP_TYPE_F32 : setup->cache_type, N_BLOCKS,
                                  &model->caches[i], &error)
        != 0)
      g_error ("cache_create: %s", error.message);
  }
  /* blocks 5, 12, 19 … mod 96: no two sequences meet, none lies in order */
  for (guint s = 0; s < LAB_MAX_SEQUENCES; s++)
    for (guint i = 0; i < N_BLOCKS / LAB_MAX_SEQUENCES; i++)
      model->tables[s][i] = ((i * LAB_MAX_SEQUENCES + s) * 7 + 5) % N_BLOCKS;
  return model;
}

void
lab_model_free (LabModel *model)
{
  for (guint i = 0; i < model->lab->program.n_groups; i++)
    lab_ops ()->cache_free (model->caches[i]);
  lab_ops ()->model_free (model->model);
  if (model->setup.beside == NULL)
    lab_ops ()->close (model->backend);
  if (model->fd >= 0)
    close (model->fd);
  g_free (model->sources);
  g_free (model);
}

struct wlp_model *
lab_model_get (LabModel *model)
{
  return model->model;
}

struct wlp_cache *
lab_model_cache (LabModel *model, guint group)
{
  return model->caches[group];
}

guint32
lab_model_block (LabModel *model, guint sequence, guint index)
{
  return model->tables[sequence][index];
}

void
lab_model_seek (LabModel *model, guint sequence, guint position)
{
  model->n_done[sequence] = (gint32)position;
}

int
lab_model_try (LabModel *model, struct wlp_batch *batch, struct wlp_error *error)
{
  struct wlp_sequence sequences[LAB_MAX_SEQUENCES];
  int status;

  memset (sequences, 0, sizeof sequences);
  for (guint s = 0; s < LAB_MAX_SEQUENCES; s++)
    for (guint g = 0; g < model->lab->program.n_groups; g++) {
      sequences[s].caches[g]   = model->caches[g];
      sequences[s].blocks[g]   = model->tables[s];
      sequences[s].n_blocks[g] = N_BLOCKS / LAB_MAX_SEQUENCES;
    }
  if (batch->sequences == NULL)
    batch->sequences = sequences;
  status = lab_ops ()->submit (model->model, batch, error);
  return status == 0 ? lab_ops ()->wait (model->model, error) : status;
}

float *
lab_model_step (LabModel *model, const gint32 *tokens, const guint32 *sequences, const guint8 *want, guint n)
{
  const struct wlp_program *program = &model->lab->program;
  const guint n_positions           = MAX (program->limits.n_positions, 1);
  g_autofree gint32 *positions      = g_new (gint32, n * n_positions);
  g_autofree guint32 *sequence      = g_new0 (guint32, n);
  g_autofree guint32 *rows          = g_new (guint32, n);
  g_autofree float *embeddings      = NULL;
  struct wlp_batch batch            = { .version = WLP_BATCH_VERSION, .n_tokens = n, .n_positions = n_positions };
  struct wlp_error error            = { "" };
  float *output;

  for (guint i = 0; i < n; i++) {
    sequence[i] = sequences != NULL ? sequences[i] : 0;
    for (guint p = 0; p < n_positions; p++)
      positions[i * n_positions + p] = model->n_done[sequence[i]];
    model->n_done[sequence[i]]++;
    batch.n_sequences = MAX (batch.n_sequences, sequence[i] + 1);
    if (want == NULL || want[i])
      rows[batch.n_rows++] = i;
  }
  output = g_new0 (float, (gsize)MAX (MAX (batch.n_rows, batch.n_sequences), 1) * program->output_width);
  if (model->setup.embeddings) {
    const struct wlp_weight_source *source =
        &g_array_index (model->lab->sources, struct wlp_weight_source, program->ops[0].weight[0]);
    const guint64 width = source->shape.ne[0];
    guint64 row_bytes;

    wlq_row_bytes (source->shape.type, width, &row_bytes);
    embeddings = g_new (float, n *width);
    for (guint i = 0; i < n; i++)
      wlq_dequantize_row (source->shape.type, (const guint8 *)source->map + (guint64)tokens[i] * row_bytes, width,
                          embeddings + i * width);
    batch.embeddings = embeddings;
  } else {
    batch.tokens = tokens;
  }
  batch.positions = positions;
  batch.sequence  = sequence;
  batch.rows      = rows;
  batch.output    = output;
  if (lab_model_try (model, &batch, &error) != 0)
    g_error ("batch: %s", error.message);
  return output;
}

float *
lab_run (Lab *lab, const LabSetup *setup, const gint32 *tokens, guint n, guint chunk)
{
  LabModel *model   = lab_model_new (lab, setup);
  const gsize width = lab->program.output_width;
  float *all        = g_new (float, n *width);

  chunk = chunk != 0 ? chunk : n;
  for (guint i = 0; i < n; i += chunk) {
    const guint part       = MIN (chunk, n - i);
    g_autofree float *rows = lab_model_step (model, tokens + i, NULL, NULL, part);

    memcpy (all + i * width, rows, part * width * sizeof (float));
  }
  lab_model_free (model);
  return all;
}

gint32 *
lab_tokens (guint64 seed, guint32 n_vocab, guint n)
{
  WlyTestRandom random = { seed };
  gint32 *tokens       = g_new (gint32, n);

  for (guint i = 0; i < n; i++)
    tokens[i] = (gint32)wly_test_random_below (&random, n_vocab);
  return tokens;
}

void
lab_assert_close (const float *a, const double *b, gsize n, double bound)
{
  double difference = 0, norm = 0;

  for (gsize i = 0; i < n; i++) {
    difference += (a[i] - b[i]) * (a[i] - b[i]);
    norm += b[i] * b[i];
  }
  g_assert_cmpfloat (norm, >, 0);
  g_test_message ("nmse %.3g", difference / norm);
  g_assert_cmpfloat (difference / norm, <=, bound);
}

void
lab_assert_same (const float *a, const float *b, gsize n)
{
  g_assert_cmpmem (a, n * sizeof a[0], b, n * sizeof b[0]);
}
