/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How often all threads meet: five times in a layer where one token is computed.  What goes into the step of a linear
 * layer, and that the bits stay.
 */
#include "backend-lab.h"
#include "cpu-model.h"

#define N_VOCAB 40
#define WIDTH   128
#define FF      352 /* no multiple of a thread's chunk */
#define HEADS   8
#define WHOLE   G_MAXUINT

struct shape {
  guint dim;           /* of a head */
  guint n_turned;      /* of its dimensions */
  enum wlp_rope rope;  /* how */
  guint n_normed;      /* values of q and k that are normalised together; 0: none are, WHOLE: all */
  guint n_steps;       /* of a layer */
  gboolean own_gains;  /* for each of these groups */
  gboolean uncached;   /* attention sees the batch alone */
  gboolean ungated;    /* no gate in the feed-forward layer */
  enum wlp_type cache; /* type of its elements */
};

static const struct shape shapes[] = {
  { 32, 32, WLP_ROPE_NORM, 0, 8, .cache = WLP_TYPE_F16 },
  { 40, 24, WLP_ROPE_NEOX, 0, 8, .cache = WLP_TYPE_F32 }, /* no whole number of panels */
  { 32, 16, WLP_ROPE_NEOX, 32, 8, .cache = WLP_TYPE_Q8_0 },
  { 32, 32, WLP_ROPE_NORM, 8, 8, .own_gains = TRUE, .ungated = TRUE, .cache = WLP_TYPE_F16 },
  { 24, 24, WLP_ROPE_NORM, 0, 8, .uncached = TRUE, .cache = WLP_TYPE_F32 },
  { 32, 32, WLP_ROPE_NORM, WHOLE, 9, .cache = WLP_TYPE_F16 }, /* the heads wait for each other */
};

static wlp_value
project (Lab *lab, wlp_value x, guint64 n_in, guint64 n_out)
{
  return wlp_linear (&lab->builder, x, lab_matrix (lab, n_in, n_out, 0), WLP_NONE);
}

static wlp_weight
gains (Lab *lab, guint group, guint n_groups)
{
  const enum wlp_type type = lab->type;
  wlp_weight weight;

  lab->type = WLP_TYPE_F32;
  weight    = lab_matrix (lab, group, n_groups, 0);
  lab->type = type;
  return weight;
}

/* q or k: @n_heads of it. */
static wlp_value
heads (Lab *lab, const struct shape *shape, wlp_value x, guint n_heads)
{
  const struct wlp_rope_params rope = {
    .kind = shape->rope, .head_dim = shape->dim, .n_dims = shape->n_turned, .base = 10000.0f
  };
  const guint width = n_heads * shape->dim, group = shape->n_normed == WHOLE ? 0 : shape->n_normed;
  wlp_weight gain;

  x = project (lab, x, WIDTH, width);
  if (shape->n_normed > 0) {
    gain = shape->own_gains ? gains (lab, group, width / group) : lab_vector (lab, group > 0 ? group : width);
    x    = wlp_norm (&lab->builder, WLP_NORM_RMS, x, gain, WLP_NONE, group, 1e-5f);
  }
  return wlp_rope (&lab->builder, x, WLP_NONE, &rope);
}

static wlp_value
feed_forward (Lab *lab, const struct shape *shape, wlp_value x)
{
  wlp_value up = project (lab, x, WIDTH, FF); /* comes before gate in some programs */

  if (shape->ungated)
    x = wlp_activate (&lab->builder, WLP_ACT_GELU, up);
  else
    x = wlp_glu (&lab->builder, WLP_ACT_SILU, project (lab, x, WIDTH, FF), up);
  return project (lab, x, FF, WIDTH);
}

/* @n_layers of a llama. */
static Lab *
llama (const struct shape *shape, guint n_layers)
{
  const guint dim       = shape->dim;
  Lab *lab              = lab_new (7);
  struct wlp_builder *b = &lab->builder;
  const guint32 group = shape->uncached ? WLP_NONE : lab_group (lab, WLP_CACHE_PAGED, n_layers, HEADS / 2, dim, dim, 0);
  wlp_value x, y, q, k, v;

  lab->type = WLP_TYPE_Q8_0;
  x         = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0);
  lab->type = WLP_TYPE_Q4_0;
  for (lab->layer = 0; lab->layer < n_layers; lab->layer++) {
    const struct wlp_attention_params params = { .group       = group,
                                                 .group_layer = lab->layer,
                                                 .n_head      = HEADS,
                                                 .n_head_kv   = HEADS / 2,
                                                 .head_dim_k  = dim,
                                                 .head_dim_v  = dim,
                                                 .causal      = 1,
                                                 .scale       = 0.2f };

    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    q = heads (lab, shape, y, HEADS);
    k = heads (lab, shape, y, HEADS / 2);
    v = project (lab, y, WIDTH, HEADS / 2 * dim);
    x = wlp_add (b, x, project (lab, wlp_attention (b, q, k, v, WLP_NONE, &params), HEADS * dim, WIDTH));
    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    x = wlp_add (b, x, feed_forward (lab, shape, y));
  }
  lab->layer = WLP_NONE;
  x          = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
  wlp_logits (b, project (lab, x, WIDTH, N_VOCAB));
  lab_finish (lab);
  return lab;
}

/* Meetings of a batch of @n tokens in @n_layers. */
static guint64
meetings (guint n_layers, guint n, gboolean fused)
{
  const LabSetup setup      = { .int8 = TRUE, .n_threads = 2, .cache_type = WLP_TYPE_F16, .no_fuse = !fused };
  const LabSetup plain      = { .int8 = TRUE, .isa = "c", .cache_type = WLP_TYPE_F16, .no_fuse = TRUE };
  Lab *lab                  = llama (&shapes[0], n_layers);
  LabModel *model           = lab_model_new (lab, &setup);
  g_autofree gint32 *tokens = lab_tokens (2, N_VOCAB, n);
  g_autofree float *rows    = lab_model_step (model, tokens, NULL, NULL, n);
  g_autofree float *right   = lab_run (lab, &plain, tokens, n, 0);
  guint64 n_meetings        = lab_model_get (model)->run.n_meetings;

  lab_assert_same (rows, right, n * N_VOCAB);
  lab_model_free (model);
  lab_free (lab);
  return n_meetings;
}

static void
test_meetings (void)
{
  /* q, k and v; attention; output; gate and up; down.  Then the head. */
  g_assert_cmpuint (meetings (3, 1, TRUE), ==, 3 * 5 + 1);
  g_assert_cmpuint (meetings (5, 1, TRUE) - meetings (4, 1, TRUE), ==, 5);
  /* many rows are worth their own: two norms, what attention gave */
  g_assert_cmpuint (meetings (5, 200, TRUE) - meetings (4, 200, TRUE), ==, 8);
  g_assert_cmpuint (meetings (5, 200, FALSE) - meetings (4, 200, FALSE), >, 15);
}

static guint32
n_steps (const struct shape *shape, const LabSetup *setup, guint n_layers)
{
  Lab *lab        = llama (shape, n_layers);
  LabModel *model = lab_model_new (lab, setup);
  guint32 n       = lab_model_get (model)->plan.n_steps;

  lab_model_free (model);
  lab_free (lab);
  return n;
}

/* Two batches of two sequences; of the second one the last row alone is wanted. */
static float *
run_two (Lab *lab, const LabSetup *setup, guint n)
{
  LabModel *model              = lab_model_new (lab, setup);
  g_autofree gint32 *tokens    = lab_tokens (3, N_VOCAB, n);
  g_autofree guint32 *owners   = g_new (guint32, n);
  g_autofree guint8 *is_wanted = g_new0 (guint8, n);
  g_autofree float *last       = NULL;
  float *rows;

  for (guint i = 0; i < n; i++)
    owners[i] = i % 3 == 1;
  is_wanted[n - 1] = TRUE;
  rows             = lab_model_step (model, tokens, owners, NULL, n);
  last             = lab_model_step (model, tokens, owners, is_wanted, n);
  rows             = g_renew (float, rows, (n + 1) * N_VOCAB);
  memcpy (rows + n * N_VOCAB, last, N_VOCAB * sizeof (float));
  lab_model_free (model);
  return rows;
}

static void
test_shape (gconstpointer data)
{
  const struct shape *shape = data;
  const guint n             = 75; /* no multiple of a tile, more than a block of the cache */
  LabSetup setup            = { .int8 = TRUE, .cache_type = shape->cache, .no_fuse = TRUE };
  Lab *lab                  = llama (shape, 2);
  g_autofree float *right   = run_two (lab, &setup, n);
  const guint32 n_unfused   = n_steps (shape, &setup, 5) - n_steps (shape, &setup, 4);

  g_assert_cmpuint (n_unfused, >, 2 * shape->n_steps);
  setup.no_fuse = FALSE;
  for (setup.n_threads = 1; setup.n_threads <= 4; setup.n_threads++)
    for (guint i = 0; i < 4; i++) {
      g_autofree float *rows = NULL;

      setup.isa  = i % 2 == 0 ? NULL : "c";
      setup.pack = i / 2 == 0 ? NULL : "0";
      rows       = run_two (lab, &setup, n);
      lab_assert_same (rows, right, (n + 1) * N_VOCAB);
      g_assert_cmpuint (n_steps (shape, &setup, 5) - n_steps (shape, &setup, 4), ==, shape->n_steps);
    }
  lab_free (lab);
}

int
main (int argc, char **argv)
{
  char name[64];

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-plan/meetings", test_meetings);
  for (guint i = 0; i < G_N_ELEMENTS (shapes); i++) {
    g_snprintf (name, sizeof name, "/backends/cpu-plan/shape-%u", i);
    g_test_add_data_func (name, &shapes[i], test_shape);
  }
  return g_test_run ();
}
