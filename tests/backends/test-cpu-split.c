/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Attention with fewer items than threads, whose chunks are shared out: the same bits as by one thread.
 */
#include "backend-lab.h"
#include "cpu-model.h"

#define N_VOCAB 40
#define WIDTH   96
#define DIM     32
#define DEEP    1100 /* of sequence 0: chunks 0 to 4, the last one in part */
#define SHALLOW 300  /* of sequence 1 */
#define N_STEPS 3
#define N_ROWS  (2 + 1 + 4) /* of all steps */

struct shape {
  guint n_head;
  guint n_head_kv;
  guint n_threads; /* the fewest with which decoding one sequence is split */
  guint window;    /* of the second layer */
  float softcap, alibi;
  enum wlp_type cache;
};

static const struct shape shapes[] = {
  { .n_head = 4, .n_head_kv = 1, .n_threads = 2, .window = 700, .cache = WLP_TYPE_F16 },
  { .n_head = 3, .n_head_kv = 3, .n_threads = 2, .window = 300, .softcap = 5.0f, .cache = WLP_TYPE_Q8_0 },
  { .n_head = 9, .n_head_kv = 1, .n_threads = 2, .alibi = 8.0f, .cache = WLP_TYPE_F32 }, /* 8 and 1 heads an item */
  { .n_head = 9, .n_head_kv = 9, .n_threads = 3, .cache = WLP_TYPE_F16 },
};

static wlp_value
project (Lab *lab, wlp_value x, guint64 n_in, guint64 n_out)
{
  return wlp_linear (&lab->builder, x, lab_matrix (lab, n_in, n_out, 0), WLP_NONE);
}

/* Two layers of nothing but attention: with sinks, then with a window. */
static Lab *
network (const struct shape *shape)
{
  const guint q_width = shape->n_head * DIM, kv_width = shape->n_head_kv * DIM;
  Lab *lab              = lab_new (11);
  struct wlp_builder *b = &lab->builder;
  const guint32 group   = lab_group (lab, WLP_CACHE_PAGED, 2, shape->n_head_kv, DIM, DIM, 0);
  wlp_value x, y;

  lab->type = WLP_TYPE_Q8_0;
  x         = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0);
  for (lab->layer = 0; lab->layer < 2; lab->layer++) {
    const struct wlp_attention_params params = { .group       = group,
                                                 .group_layer = lab->layer,
                                                 .n_head      = shape->n_head,
                                                 .n_head_kv   = shape->n_head_kv,
                                                 .head_dim_k  = DIM,
                                                 .head_dim_v  = DIM,
                                                 .causal      = 1,
                                                 .window      = lab->layer == 1 ? shape->window : 0,
                                                 .scale       = 0.5f,
                                                 .softcap     = shape->softcap,
                                                 .alibi       = shape->alibi };
    const wlp_weight sinks                   = lab->layer == 0 ? lab_vector (lab, shape->n_head) : WLP_NONE;

    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    y = wlp_attention (b, project (lab, y, WIDTH, q_width), project (lab, y, WIDTH, kv_width),
                       project (lab, y, WIDTH, kv_width), sinks, &params);
    x = wlp_add (b, x, project (lab, y, q_width, WIDTH));
  }
  lab->layer = WLP_NONE;
  wlp_logits (b, project (lab, x, WIDTH, N_VOCAB));
  lab_finish (lab);
  return lab;
}

/* Two deep sequences; then both of them decode, one does, and one takes four tokens. */
static float *
run (Lab *lab, const struct shape *shape, const LabSetup *setup)
{
  static const guint32 owners[N_STEPS][4] = { { 0, 1 }, { 0 }, { 1, 1, 1, 1 } };
  static const guint n_tokens[N_STEPS]    = { 2, 1, 4 };
  LabModel *model                         = lab_model_new (lab, setup);
  const struct wlp_model *opened          = lab_model_get (model);
  g_autofree gint32 *tokens               = lab_tokens (8, N_VOCAB, DEEP);
  g_autofree guint32 *second              = g_new (guint32, SHALLOW);
  float *rows                             = g_new (float, (gsize)N_ROWS *N_VOCAB);
  guint at                                = 0;

  for (guint i = 0; i < SHALLOW; i++)
    second[i] = i > 0; /* sequence 0 has a token in each batch, for sequences are counted from it */
  for (guint i = 1; i < DEEP; i += 275)
    g_free (lab_model_step (model, tokens + i, NULL, NULL, MIN (275, DEEP - i)));
  g_free (lab_model_step (model, tokens, second, NULL, SHALLOW));
  for (guint i = 0; i < N_STEPS; i++) {
    g_autofree guint32 *of = g_new0 (guint32, n_tokens[i] + 1);
    g_autofree float *got  = NULL;
    const guint extra      = owners[i][0] != 0; /* a token of sequence 0 */

    for (guint t = 0; t < n_tokens[i]; t++)
      of[t + extra] = owners[i][t];
    got = lab_model_step (model, tokens + i, of, NULL, n_tokens[i] + extra);
    memcpy (rows + at * N_VOCAB, got + extra * N_VOCAB, n_tokens[i] * N_VOCAB * sizeof (float));
    at += n_tokens[i];
    if (i == 1 && shape->window == 0)
      g_assert_cmpint (opened->run.slice_chunks > 0, ==, setup->n_threads >= shape->n_threads);
  }
  g_assert_cmpuint (at, ==, N_ROWS);
  lab_model_free (model);
  return rows;
}

static void
test_shape (gconstpointer data)
{
  const struct shape *shape = data;
  LabSetup setup            = { .int8 = TRUE, .n_threads = 1, .cache_type = shape->cache };
  Lab *lab                  = network (shape);
  g_autofree float *right   = run (lab, shape, &setup);

  for (setup.n_threads = 2; setup.n_threads <= 8; setup.n_threads += shape == &shapes[0] ? 1 : 2) {
    g_autofree float *rows = run (lab, shape, &setup);

    lab_assert_same (rows, right, N_ROWS * N_VOCAB);
  }
  lab_free (lab);
}

/* No memory is planned where it is of no use: one thread, enough heads, one chunk. */
static void
test_room (void)
{
  const struct shape *shape  = &shapes[3];
  Lab *lab                   = network (shape);
  static const guint n[]     = { 1, 2, 3 };
  static const gboolean is[] = { FALSE, FALSE, TRUE };

  for (guint i = 0; i < G_N_ELEMENTS (n); i++) {
    LabModel *model = lab_model_new (lab, &(LabSetup){ .int8 = TRUE, .n_threads = n[i], .cache_type = shape->cache });

    g_assert_cmpint (lab_model_get (model)->partials != NULL, ==, is[i]);
    lab_model_free (model);
  }
  lab_free (lab);
}

int
main (int argc, char **argv)
{
  char name[64];

  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_snprintf (name, sizeof name, "/backends/cpu-split/shape-%u", i);
    g_test_add_data_func (name, &shapes[i], test_shape);
  }
  g_test_add_func ("/backends/cpu-split/room", test_room);
  return g_test_run ();
}
