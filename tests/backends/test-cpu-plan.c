/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How often all threads meet: five times in a layer where one token is computed.
 */
#include "backend-lab.h"
#include "cpu-model.h"

#define N_VOCAB 40
#define WIDTH   128
#define FF      352 /* no multiple of a thread's chunk */
#define HEADS   4
#define DIM     32

static wlp_value
project (Lab *lab, wlp_value x, guint64 n_in, guint64 n_out)
{
  return wlp_linear (&lab->builder, x, lab_matrix (lab, n_in, n_out, 0), WLP_NONE);
}

/* @n_layers of a llama. */
static Lab *
llama (guint n_layers)
{
  Lab *lab                          = lab_new (7);
  struct wlp_builder *b             = &lab->builder;
  const guint32 group               = lab_group (lab, WLP_CACHE_PAGED, n_layers, HEADS / 2, DIM, DIM, 0);
  const struct wlp_rope_params rope = { .kind = WLP_ROPE_NORM, .head_dim = DIM, .n_dims = DIM, .base = 10000.0f };
  wlp_value x, y, q, k, v;

  lab->type = WLP_TYPE_Q8_0;
  x         = wlp_embed (b, lab_matrix (lab, WIDTH, N_VOCAB, 0), 0);
  lab->type = WLP_TYPE_Q4_0;
  for (lab->layer = 0; lab->layer < n_layers; lab->layer++) {
    const struct wlp_attention_params params = { .group       = group,
                                                 .group_layer = lab->layer,
                                                 .n_head      = HEADS,
                                                 .n_head_kv   = HEADS / 2,
                                                 .head_dim_k  = DIM,
                                                 .head_dim_v  = DIM,
                                                 .causal      = 1,
                                                 .scale       = 0.2f };

    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    q = wlp_rope (b, project (lab, y, WIDTH, WIDTH), WLP_NONE, &rope);
    k = wlp_rope (b, project (lab, y, WIDTH, WIDTH / 2), WLP_NONE, &rope);
    v = project (lab, y, WIDTH, WIDTH / 2);
    x = wlp_add (b, x, project (lab, wlp_attention (b, q, k, v, WLP_NONE, &params), WIDTH, WIDTH));
    y = wlp_norm (b, WLP_NORM_RMS, x, lab_vector (lab, WIDTH), WLP_NONE, 0, 1e-5f);
    v = project (lab, y, WIDTH, FF); /* up comes before gate in some programs */
    y = wlp_glu (b, WLP_ACT_SILU, project (lab, y, WIDTH, FF), v);
    x = wlp_add (b, x, project (lab, y, FF, WIDTH));
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
  Lab *lab                  = llama (n_layers);
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
  /* many rows are worth their own: two norms, rotation, what attention gave */
  g_assert_cmpuint (meetings (5, 200, TRUE) - meetings (4, 200, TRUE), ==, 9);
  g_assert_cmpuint (meetings (5, 200, FALSE) - meetings (4, 200, FALSE), >, 15);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-plan/meetings", test_meetings);
  return g_test_run ();
}
