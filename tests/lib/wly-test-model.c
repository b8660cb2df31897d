/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-test-model.h"

#include "gguf/gguf-writer.h"
#include "quant.h"
#include "wly-test-vocab.h"
#include "wly-test-weights.h"

#include <math.h>
#include <sys/mman.h>
#include <unistd.h>

#define FILE_TYPE_BF16 32u

/* What a tensor is filled with. */
typedef enum {
  FILL_MATRIX, /* deviation 1 / sqrt (n_in) */
  FILL_EMBEDDING,
  FILL_OUTPUT,  /* as a matrix, but for the rows that end a generation */
  FILL_GAIN,    /* about 1 */
  FILL_BIAS,    /* about 0 */
  FILL_FACTORS, /* 1 to 8, as llama-3's rope_freqs */
} Fill;

typedef struct {
  char *name;
  Fill fill;
  struct wlp_shape shape;
} Tensor;

typedef struct {
  const WlyTestModel *model;
  GArray *tensors;
  guint n_vocab;
} Plan;

void
wly_test_model_init (WlyTestModel *model)
{
  *model = (WlyTestModel){
    .architecture  = "llama",
    .name          = "test model",
    .n_layers      = 2,
    .n_embd        = 256,
    .n_ff          = 512,
    .n_head        = 4,
    .n_head_kv     = 2,
    .head_dim      = 64,
    .n_ctx         = 2048,
    .type          = WLP_TYPE_F16,
    .rope_base     = 10000.0f,
    .norm_epsilon  = 1e-5f,
    .chat_template = WLY_TEST_CHAT_TEMPLATE,
    .seed          = 1,
  };
}

void
wly_test_model_init_large (WlyTestModel *model)
{
  wly_test_model_init (model);
  model->name      = "large test model";
  model->n_layers  = 12;
  model->n_embd    = 768;
  model->n_ff      = 3072;
  model->n_head    = 12;
  model->n_head_kv = 12;
  model->n_vocab   = 4096;
  model->type      = WLP_TYPE_Q8_0;
}

/* ---- keys ---- */

static void
set_arch_u32 (WlyGgufWriter *writer, const WlyTestModel *model, guint32 value, const char *suffix)
{
  g_autofree char *key = g_strdup_printf ("%s.%s", model->architecture, suffix);

  wly_gguf_writer_set_u32 (writer, key, value);
}

static void
set_arch_f32 (WlyGgufWriter *writer, const WlyTestModel *model, float value, const char *suffix)
{
  g_autofree char *key = g_strdup_printf ("%s.%s", model->architecture, suffix);

  wly_gguf_writer_set_f32 (writer, key, value);
}

/* general.file_type of a model that is all of one type; -1: there is none. */
static gint
file_type (enum wlp_type type)
{
  static const struct {
    enum wlp_type type;
    gint file_type;
  } table[] = {
    { WLP_TYPE_F32, 0 },     { WLP_TYPE_F16, 1 },     { WLP_TYPE_Q4_0, 2 },
    { WLP_TYPE_Q4_1, 3 },    { WLP_TYPE_Q8_0, 7 },    { WLP_TYPE_Q5_0, 8 },
    { WLP_TYPE_Q5_1, 9 },    { WLP_TYPE_Q2_K, 10 },   { WLP_TYPE_Q3_K, 12 },
    { WLP_TYPE_Q4_K, 15 },   { WLP_TYPE_Q5_K, 17 },   { WLP_TYPE_Q6_K, 18 },
    { WLP_TYPE_IQ4_NL, 25 }, { WLP_TYPE_IQ4_XS, 30 }, { WLP_TYPE_BF16, FILE_TYPE_BF16 },
    { WLP_TYPE_MXFP4, 38 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (table[i].type == type)
      return table[i].file_type;
  return -1;
}

static void
set_rope_keys (WlyGgufWriter *writer, const WlyTestModel *model)
{
  g_autofree char *key = g_strdup_printf ("%s.rope.scaling.type", model->architecture);

  set_arch_u32 (writer, model, model->head_dim, "rope.dimension_count");
  set_arch_f32 (writer, model, model->rope_base, "rope.freq_base");
  if (model->rope_scaling == NULL)
    return;
  wly_gguf_writer_set_string (writer, key, model->rope_scaling, -1);
  set_arch_f32 (writer, model, model->rope_factor, "rope.scaling.factor");
  if (model->rope_n_ctx_orig != 0)
    set_arch_u32 (writer, model, model->rope_n_ctx_orig, "rope.scaling.original_context_length");
}

static void
set_keys (WlyGgufWriter *writer, const Plan *plan)
{
  const WlyTestModel *model = plan->model;

  wly_gguf_writer_set_string (writer, "general.architecture", model->architecture, -1);
  wly_gguf_writer_set_string (writer, "general.name", model->name, -1);
  if (file_type (model->type) >= 0)
    wly_gguf_writer_set_u32 (writer, "general.file_type", (guint32)file_type (model->type));
  set_arch_u32 (writer, model, model->n_layers, "block_count");
  set_arch_u32 (writer, model, model->n_ctx, "context_length");
  set_arch_u32 (writer, model, model->n_embd, "embedding_length");
  set_arch_u32 (writer, model, model->n_ff, "feed_forward_length");
  set_arch_u32 (writer, model, model->n_head, "attention.head_count");
  set_arch_u32 (writer, model, model->n_head_kv, "attention.head_count_kv");
  set_arch_u32 (writer, model, model->head_dim, "attention.key_length");
  set_arch_u32 (writer, model, model->head_dim, "attention.value_length");
  set_arch_f32 (writer, model, model->norm_epsilon, "attention.layer_norm_rms_epsilon");
  set_arch_u32 (writer, model, plan->n_vocab, "vocab_size");
  if (model->pooling != 0)
    set_arch_u32 (writer, model, model->pooling, "pooling_type");
  if (model->sliding_window != 0)
    set_arch_u32 (writer, model, model->sliding_window, "attention.sliding_window");
  if (model->n_expert != 0) {
    set_arch_u32 (writer, model, model->n_expert, "expert_count");
    set_arch_u32 (writer, model, model->n_expert_used, "expert_used_count");
  }
  set_rope_keys (writer, model);
  if (!model->no_vocab)
    wly_test_vocab_write (writer, plan->n_vocab);
  if (model->chat_template != NULL)
    wly_gguf_writer_set_string (writer, "tokenizer.chat_template", model->chat_template, -1);
}

/* ---- tensors ---- */

static enum wlp_type
matrix_type (const WlyTestModel *model, guint n_in)
{
  if (n_in % wlq_traits (model->type)->block == 0)
    return model->type;
  return n_in % 32 == 0 ? WLP_TYPE_Q8_0 : WLP_TYPE_F32;
}

/* Takes @name over; @n_expert 0: two dimensions. */
static void
add_matrix (Plan *plan, char *name, Fill fill, guint n_in, guint n_out, guint n_expert)
{
  const Tensor tensor = {
    .name  = name,
    .fill  = fill,
    .shape = { .n_dims = n_expert != 0 ? 3 : 2,
               .type   = matrix_type (plan->model, n_in),
               .ne     = { n_in, n_out, MAX (n_expert, 1), 1 } },
  };

  g_array_append_val (plan->tensors, tensor);
}

static void
add_vector (Plan *plan, char *name, Fill fill, guint n)
{
  const Tensor tensor = { .name  = name,
                          .fill  = fill,
                          .shape = { .n_dims = 1, .type = WLP_TYPE_F32, .ne = { n, 1, 1, 1 } } };

  g_array_append_val (plan->tensors, tensor);
}

static void
add_attention (Plan *plan, guint layer)
{
  const WlyTestModel *m = plan->model;
  const guint n_q = m->n_head * m->head_dim, n_kv = m->n_head_kv * m->head_dim;

  add_vector (plan, g_strdup_printf ("blk.%u.attn_norm.weight", layer), FILL_GAIN, m->n_embd);
  add_matrix (plan, g_strdup_printf ("blk.%u.attn_q.weight", layer), FILL_MATRIX, m->n_embd, n_q, 0);
  add_matrix (plan, g_strdup_printf ("blk.%u.attn_k.weight", layer), FILL_MATRIX, m->n_embd, n_kv, 0);
  add_matrix (plan, g_strdup_printf ("blk.%u.attn_v.weight", layer), FILL_MATRIX, m->n_embd, n_kv, 0);
  if (m->qkv_bias) {
    add_vector (plan, g_strdup_printf ("blk.%u.attn_q.bias", layer), FILL_BIAS, n_q);
    add_vector (plan, g_strdup_printf ("blk.%u.attn_k.bias", layer), FILL_BIAS, n_kv);
    add_vector (plan, g_strdup_printf ("blk.%u.attn_v.bias", layer), FILL_BIAS, n_kv);
  }
  if (m->qk_norm) {
    add_vector (plan, g_strdup_printf ("blk.%u.attn_q_norm.weight", layer), FILL_GAIN, m->head_dim);
    add_vector (plan, g_strdup_printf ("blk.%u.attn_k_norm.weight", layer), FILL_GAIN, m->head_dim);
  }
  add_matrix (plan, g_strdup_printf ("blk.%u.attn_output.weight", layer), FILL_MATRIX, n_q, m->n_embd, 0);
}

static void
add_ffn (Plan *plan, guint layer)
{
  const WlyTestModel *m = plan->model;
  const char *experts   = m->n_expert != 0 ? "_exps" : "";

  add_vector (plan, g_strdup_printf ("blk.%u.ffn_norm.weight", layer), FILL_GAIN, m->n_embd);
  if (m->n_expert != 0)
    add_matrix (plan, g_strdup_printf ("blk.%u.ffn_gate_inp.weight", layer), FILL_MATRIX, m->n_embd, m->n_expert, 0);
  add_matrix (plan, g_strdup_printf ("blk.%u.ffn_gate%s.weight", layer, experts), FILL_MATRIX, m->n_embd, m->n_ff,
              m->n_expert);
  add_matrix (plan, g_strdup_printf ("blk.%u.ffn_up%s.weight", layer, experts), FILL_MATRIX, m->n_embd, m->n_ff,
              m->n_expert);
  add_matrix (plan, g_strdup_printf ("blk.%u.ffn_down%s.weight", layer, experts), FILL_MATRIX, m->n_ff, m->n_embd,
              m->n_expert);
}

static void
clear_tensor_cb (gpointer data)
{
  g_free (((Tensor *)data)->name);
}

static void
add_tensors (Plan *plan)
{
  const WlyTestModel *m = plan->model;

  plan->tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));
  g_array_set_clear_func (plan->tensors, clear_tensor_cb);
  add_matrix (plan, g_strdup ("token_embd.weight"), FILL_EMBEDDING, m->n_embd, plan->n_vocab, 0);
  if (m->rope_factors)
    add_vector (plan, g_strdup ("rope_freqs.weight"), FILL_FACTORS, m->head_dim / 2);
  for (guint i = 0; i < m->n_layers; i++) {
    add_attention (plan, i);
    add_ffn (plan, i);
  }
  add_vector (plan, g_strdup ("output_norm.weight"), FILL_GAIN, m->n_embd);
  if (!m->tied)
    add_matrix (plan, g_strdup ("output.weight"), FILL_OUTPUT, m->n_embd, plan->n_vocab, 0);
}

/* ---- weights ---- */

static gboolean
write_vector (WlyGgufWriter *writer, const Tensor *tensor, WlyTestRandom *random, GError **error)
{
  const gsize n              = (gsize)tensor->shape.ne[0];
  g_autofree guint32 *values = g_new (guint32, n);

  for (gsize i = 0; i < n; i++) {
    float value = wly_test_random_normal (random) * 0.1f;

    if (tensor->fill == FILL_GAIN)
      value += 1.0f;
    if (tensor->fill == FILL_FACTORS)
      value = 1.0f + 7.0f * (float)i / (float)n;
    values[i] = GUINT32_TO_LE (wlq_f32_bits (value));
  }
  return wly_gguf_writer_write (writer, values, n * sizeof (guint32), error);
}

static gboolean
write_matrix (WlyGgufWriter *writer, const Tensor *tensor, WlyTestRandom *random, GError **error)
{
  const guint64 n_in     = tensor->shape.ne[0];
  const guint64 n_rows   = tensor->shape.ne[1] * tensor->shape.ne[2];
  const float deviation  = tensor->fill == FILL_EMBEDDING ? 1.0f : 1.0f / sqrtf ((float)n_in);
  g_autofree guint8 *row = NULL;
  guint64 row_bytes      = 0;

  g_assert_cmpint (wlq_row_bytes (tensor->shape.type, n_in, &row_bytes), ==, 0);
  row = g_malloc (row_bytes);
  for (guint64 i = 0; i < n_rows; i++) {
    wly_test_weights_fill (random, tensor->shape.type, deviation, (gsize)n_in, row);
    if (tensor->fill == FILL_OUTPUT && (i == WLY_TEST_TOKEN_EOS || i == WLY_TEST_TOKEN_END))
      memset (row, 0, row_bytes); /* zero in every type */
    if (!wly_gguf_writer_write (writer, row, row_bytes, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_test_model_write (const WlyTestModel *model, int fd, GError **error)
{
  g_autoptr (WlyGgufWriter) writer = wly_gguf_writer_new ();
  Plan plan                        = { .model = model };
  WlyTestRandom random             = { .state = model->seed };
  gboolean ok                      = TRUE;

  plan.n_vocab = model->n_vocab != 0 ? model->n_vocab : wly_test_vocab_size ();
  g_assert_cmpuint (plan.n_vocab, >=, WLY_TEST_TOKEN_FIRST);
  add_tensors (&plan);
  set_keys (writer, &plan);
  for (guint i = 0; ok && i < plan.tensors->len; i++) {
    const Tensor *tensor = &g_array_index (plan.tensors, Tensor, i);

    ok = wly_gguf_writer_add_tensor (writer, tensor->name, &tensor->shape, error);
  }
  ok = ok && wly_gguf_writer_begin (writer, fd, error);
  for (guint i = 0; ok && i < plan.tensors->len; i++) {
    const Tensor *tensor = &g_array_index (plan.tensors, Tensor, i);

    ok = tensor->shape.n_dims == 1 ? write_vector (writer, tensor, &random, error)
                                   : write_matrix (writer, tensor, &random, error);
  }
  g_array_unref (plan.tensors);
  return ok && wly_gguf_writer_finish (writer, error);
}

/* ---- files ---- */

char *
wly_test_model_save (const WlyTestModel *model)
{
  g_autoptr (GError) error = NULL;
  char *path               = NULL;
  const int fd             = g_file_open_tmp ("woolly-test-XXXXXX.gguf", &path, &error);

  g_assert_no_error (error);
  wly_test_model_write (model, fd, &error);
  g_assert_no_error (error);
  g_assert_cmpint (close (fd), ==, 0);
  return path;
}

int
wly_test_model_memory (const WlyTestModel *model)
{
  g_autoptr (GError) error = NULL;
  const int fd             = memfd_create ("test model", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  wly_test_model_write (model, fd, &error);
  g_assert_no_error (error);
  return fd;
}

WlyGguf *
wly_test_model_open (const WlyTestModel *model)
{
  g_autoptr (GError) error = NULL;
  const int fd             = wly_test_model_memory (model);
  WlyGguf *gguf            = wly_gguf_open (&fd, 1, &error);

  g_assert_no_error (error);
  close (fd);
  return gguf;
}
