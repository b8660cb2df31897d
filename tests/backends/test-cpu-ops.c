/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every operator of the backend against its definition, in reference mode.
 */
#include "backend-lab.h"

#define N_VOCAB 50
#define EXACT   1e-11 /* float32 against double */

static struct wlp_attention_params
heads (guint32 n_head, guint32 n_head_kv, guint32 dim)
{
  return (struct wlp_attention_params){
    .group      = WLP_NONE,
    .n_head     = n_head,
    .n_head_kv  = n_head_kv,
    .head_dim_k = dim,
    .head_dim_v = dim,
    .causal     = 1,
    .scale      = 1.0f / 8.0f,
  };
}

/* Runs what was built, fused and not, and compares with the oracle. */
static void
check (Lab *lab, const LabSetup *setup, guint n, double bound)
{
  g_autofree gint32 *tokens   = lab_tokens (7, N_VOCAB, n);
  g_autofree double *expected = lab_oracle (lab, setup, tokens, n);
  g_autofree float *got       = lab_run (lab, setup, tokens, n, 0);
  LabSetup unfused            = *setup;
  g_autofree float *plain     = NULL;

  unfused.no_fuse = TRUE;
  plain           = lab_run (lab, &unfused, tokens, n, 0);
  lab_assert_close (got, expected, (gsize)n * lab->program.output_width, bound);
  lab_assert_same (got, plain, (gsize)n * lab->program.output_width);
}

/* The same bits whatever the batches. */
static void
check_chunks (Lab *lab, const LabSetup *setup, guint n)
{
  const guint chunks[]      = { 0, 1, 7, 64, 65 };
  g_autofree gint32 *tokens = lab_tokens (7, N_VOCAB, n);
  g_autofree float *whole   = lab_run (lab, setup, tokens, n, n);

  for (guint i = 0; i < G_N_ELEMENTS (chunks); i++) {
    g_autofree float *parts = lab_run (lab, setup, tokens, n, chunks[i]);

    lab_assert_same (parts, whole, (gsize)n * lab->program.output_width);
  }
}

static wlp_value
embed (Lab *lab, guint width)
{
  return wlp_embed (&lab->builder, lab_matrix (lab, width, N_VOCAB, 0), 0);
}

static void
test_embed (void)
{
  Lab *lab             = lab_new (1);
  struct wlp_op op     = wlp_op_make (WLP_OP_EMBED, WLP_NONE);
  const LabSetup setup = { 0 };

  op.weight[0]     = lab_matrix (lab, 70, N_VOCAB, 0);
  op.weight[1]     = lab_matrix (lab, 70, 30, 0);
  op.weight[2]     = lab_matrix (lab, 70, 2, 0);
  op.p.embed.scale = 3.5f;
  wlp_logits (&lab->builder, lab->builder.ops->op (&lab->builder, &op));
  check (lab, &setup, 20, EXACT);
  lab_free (lab);
}

static void
test_norm (gconstpointer data)
{
  const enum wlp_norm kind = GPOINTER_TO_UINT (data);
  const LabSetup setup     = { 0 };

  for (guint i = 0; i < 4; i++) {
    static const guint widths[] = { 16, 96, 77, 512 };
    static const guint groups[] = { 0, 32, 11, 128 };
    Lab *lab                    = lab_new (i);
    const guint size            = groups[i] != 0 ? groups[i] : widths[i];
    wlp_value x                 = embed (lab, widths[i]);

    x = wlp_norm (&lab->builder, kind, x, lab_vector (lab, size), i % 2 ? lab_vector (lab, size) : WLP_NONE, groups[i],
                  1e-5f);
    wlp_logits (&lab->builder, x);
    check (lab, &setup, 5, EXACT);
    lab_free (lab);
  }
}

/* Each group with a gain, or with a gain and a bias, of its own. */
static void
test_norm_own (gconstpointer data)
{
  const enum wlp_norm kind = GPOINTER_TO_UINT (data);
  const LabSetup setup     = { 0 };

  for (guint i = 0; i < 2; i++) {
    Lab *lab    = lab_new (i);
    wlp_value x = embed (lab, 96);

    x = wlp_norm (&lab->builder, kind, x, lab_matrix (lab, 24, 4, 0), i > 0 ? lab_matrix (lab, 24, 4, 0) : WLP_NONE, 24,
                  1e-5f);
    wlp_logits (&lab->builder, x);
    check (lab, &setup, 5, EXACT);
    lab_free (lab);
  }
}

static void
test_linear (gconstpointer data)
{
  for (guint i = 0; i < 2; i++) {
    const LabSetup setup = { .int8 = i == 1 };
    Lab *lab             = lab_new (i);
    wlp_weight fused;
    wlp_value x = embed (lab, 256), y;

    lab->type = GPOINTER_TO_UINT (data);
    fused     = lab_matrix (lab, 256, 75, 0);
    y         = wlp_linear (&lab->builder, x, fused, lab_vector (lab, 75));
    y         = wlp_add (&lab->builder, wlp_linear_rows (&lab->builder, x, fused, WLP_NONE, 13, 41),
                         wlp_linear_rows (&lab->builder, x, fused, WLP_NONE, 30, 41));
    y         = wlp_add (&lab->builder, y, wlp_linear (&lab->builder, x, lab_matrix (lab, 256, 41, 0), WLP_NONE));
    wlp_logits (&lab->builder, y);
    /* int8 activations: the noise of a half step in each of them, or none for float types */
    check (lab, &setup, 11, setup.int8 ? 2e-4 : EXACT);
    lab_free (lab);
  }
}

static void
test_rope (void)
{
  for (guint i = 0; i < 8; i++) {
    const LabSetup setup          = { 0 };
    Lab *lab                      = lab_new (i);
    struct wlp_rope_params params = { .kind = i % 3, .head_dim = 48, .n_dims = i < 3 ? 48 : 32, .base = 10000.0f };
    wlp_value x                   = embed (lab, 96);

    if (i == 3 || i == 6)
      params.freq_scale = 0.25f;
    if (i >= 6) {
      params.freq_scale  = 0.25f;
      params.ext_factor  = 1.0f;
      params.attn_factor = 1.138f;
      params.beta_fast   = 32.0f;
      params.beta_slow   = 1.0f;
      params.n_ctx_orig  = 2048;
    }
    x = wlp_rope (&lab->builder, x, i >= 4 && i % 2 ? lab_vector (lab, params.n_dims / 2) : WLP_NONE, &params);
    wlp_logits (&lab->builder, x);
    check (lab, &setup, 200, EXACT);
    lab_free (lab);
  }
}

/* Two sets of factors: the one is in use below the original context, the other one above it. */
static void
test_rope_by_context (void)
{
  for (guint i = 0; i < 2; i++) {
    const LabSetup setup          = { 0 };
    Lab *lab                      = lab_new (i);
    struct wlp_rope_params params = { .kind = WLP_ROPE_NEOX, .head_dim = 48, .n_dims = 48, .base = 10000.0f };
    const wlp_weight factors[2]   = { lab_vector (lab, 24), lab_vector (lab, 24) };
    wlp_value x                   = embed (lab, 96);

    params.n_ctx_orig = i == 0 ? LAB_MAX_POSITIONS : LAB_MAX_POSITIONS - 1;
    x                 = wlp_add (&lab->builder, wlp_rope_by_context (&lab->builder, x, factors, &params),
                                 wlp_rope (&lab->builder, x, factors[0], &params));
    wlp_logits (&lab->builder, x);
    check (lab, &setup, 50, EXACT);
    lab_free (lab);
  }
}

static void
test_glu (gconstpointer data)
{
  const enum wlp_act act = GPOINTER_TO_UINT (data);
  const LabSetup setup   = { 0 };
  Lab *lab               = lab_new (act);
  wlp_value x            = wlp_scale (&lab->builder, embed (lab, 96), 40.0f), y;

  y = wlp_glu (&lab->builder, act, x, wlp_norm (&lab->builder, WLP_NORM_RMS, x, WLP_NONE, WLP_NONE, 0, 1e-6f));
  if (act != WLP_ACT_SWIGLU_OAI)
    y = wlp_add (&lab->builder, y, wlp_activate (&lab->builder, act, x));
  y = wlp_add (&lab->builder, wlp_glu (&lab->builder, act, y, WLP_NONE), wlp_glu (&lab->builder, act, x, WLP_NONE));
  wlp_logits (&lab->builder, y);
  check (lab, &setup, 9, EXACT);
  lab_free (lab);
}

/* Panels of gate and up differ in size, and none is kept packed. */
static void
test_glu_types (void)
{
  static const enum wlp_type types[] = { WLP_TYPE_Q4_0, WLP_TYPE_F32 };

  for (guint i = 0; i < 2; i++) {
    const LabSetup setup = { .int8 = TRUE, .pack = "0" };
    Lab *lab             = lab_new (i);
    wlp_value x          = embed (lab, 1024), gate, up;

    lab->type = types[i];
    gate      = wlp_linear (&lab->builder, x, lab_matrix (lab, 1024, 256, 0), WLP_NONE);
    lab->type = types[1 - i];
    up        = wlp_linear (&lab->builder, x, lab_matrix (lab, 1024, 256, 0), WLP_NONE);
    x         = wlp_glu (&lab->builder, WLP_ACT_SILU, gate, up);
    wlp_logits (&lab->builder, wlp_linear (&lab->builder, x, lab_matrix (lab, 256, 32, 0), WLP_NONE));
    check (lab, &setup, 40, 2e-4);
    lab_free (lab);
  }
}

static void
test_element (void)
{
  const LabSetup setup = { 0 };
  Lab *lab             = lab_new (3);
  wlp_value x          = wlp_scale (&lab->builder, embed (lab, 64), 60.0f), y;
  wlp_value gate       = wlp_activate (&lab->builder, WLP_ACT_SIGMOID,
                                       wlp_linear (&lab->builder, x, lab_matrix (lab, 64, 1, 0), WLP_NONE));

  y = wlp_mul (&lab->builder, wlp_add (&lab->builder, x, x), wlp_softcap (&lab->builder, x, 30.0f));
  y = wlp_clamp (&lab->builder, wlp_mul (&lab->builder, y, gate), -7.5f, 20.0f);
  wlp_logits (&lab->builder, wlp_softcap (&lab->builder, y, 50.0f));
  check (lab, &setup, 9, EXACT);
  lab_free (lab);
}

struct attention_case {
  const char *name;
  guint n_head, n_head_kv, dim_k, dim_v;
  guint window;
  float softcap, alibi, temperature;
  gboolean sinks, cached, bidirectional;
  enum wlp_type cache_type;
  guint n;
};

static const struct attention_case attention_cases[] = {
  { "mha-64", 4, 4, 64, 64, .cached = TRUE, .n = 70 },
  { "gqa-80", 8, 2, 80, 80, .cached = TRUE, .n = 40 },
  { "gqa-96", 6, 2, 96, 96, .cached = TRUE, .n = 20 },
  { "mqa-128", 9, 1, 128, 128, .cached = TRUE, .n = 20 },
  { "mqa-17", 17, 1, 24, 40, .cached = TRUE, .n = 33 },
  { "gqa-256", 2, 1, 256, 256, .cached = TRUE, .n = 40 },
  { "long", 2, 1, 32, 32, .cached = TRUE, .n = 600 },
  { "window", 4, 2, 64, 64, .window = 37, .cached = TRUE, .n = 300 },
  { "window-chunk", 2, 1, 32, 32, .window = 256, .cached = TRUE, .n = 600 },
  { "softcap", 4, 2, 64, 64, .softcap = 5.0f, .cached = TRUE, .n = 50 },
  { "alibi", 6, 3, 64, 64, .alibi = 8.0f, .cached = TRUE, .n = 50 },
  { "temperature", 4, 2, 64, 64, .temperature = 0.5f, .softcap = 9.0f, .cached = TRUE, .n = 50 },
  { "sinks", 4, 2, 64, 64, .sinks = TRUE, .window = 20, .cached = TRUE, .n = 50 },
  { "f16", 4, 2, 80, 80, .cache_type = WLP_TYPE_F16, .cached = TRUE, .n = 300 },
  { "q8_0", 4, 2, 64, 96, .cache_type = WLP_TYPE_Q8_0, .cached = TRUE, .n = 300 },
  { "encoder", 4, 4, 64, 64, .bidirectional = TRUE, .n = 300 },
  { "encoder-window", 4, 2, 32, 32, .window = 16, .bidirectional = TRUE, .n = 100 },
  { "encoder-causal", 4, 2, 32, 32, .n = 100 },
};

static Lab *
attention_lab (const struct attention_case *c)
{
  struct wlp_attention_params params = heads (c->n_head, c->n_head_kv, c->dim_k);
  Lab *lab                           = lab_new (c->n);
  wlp_value x                        = wlp_scale (&lab->builder, embed (lab, 64), 8.0f), q, k, v;

  params.head_dim_v = c->dim_v;
  params.window     = c->window;
  params.softcap    = c->softcap;
  params.alibi      = c->alibi;
  if (c->temperature != 0) {
    params.temperature      = c->temperature;
    params.temperature_step = 7;
  }
  params.causal = !c->bidirectional;
  if (c->cached)
    params.group = lab_group (lab, c->window != 0 && c->dim_k == 64 ? WLP_CACHE_WINDOW : WLP_CACHE_PAGED, 1,
                              c->n_head_kv, c->dim_k, c->dim_v, c->window);
  q = wlp_linear (&lab->builder, x, lab_matrix (lab, 64, c->n_head * c->dim_k, 0), WLP_NONE);
  k = wlp_linear (&lab->builder, x, lab_matrix (lab, 64, c->n_head_kv * c->dim_k, 0), WLP_NONE);
  v = wlp_linear (&lab->builder, x, lab_matrix (lab, 64, c->n_head_kv * c->dim_v, 0), WLP_NONE);
  wlp_logits (&lab->builder,
              wlp_attention (&lab->builder, q, k, v, c->sinks ? lab_vector (lab, c->n_head) : WLP_NONE, &params));
  return lab;
}

static void
test_attention (gconstpointer data)
{
  const struct attention_case *c = data;
  const LabSetup setup           = { .cache_type = c->cache_type };
  Lab *lab                       = attention_lab (c);

  /* a value near the middle of two steps may round to the other one: a step of the type in a few places */
  check (lab, &setup, c->n, c->cache_type == WLP_TYPE_F32 ? EXACT : (c->cache_type == WLP_TYPE_F16 ? 1e-8 : 1e-6));
  lab_free (lab);
}

/* Past the borders of blocks, fused or not; the chunks of lab_run() and of check_chunks() cut it anywhere. */
static void
test_state_conv (gconstpointer data)
{
  const guint width = GPOINTER_TO_UINT (data);

  for (guint i = 0; i < 2; i++) {
    const LabSetup setup                = { .n_threads = i + 1 };
    Lab *lab                            = lab_new (width);
    struct wlp_builder *b               = &lab->builder;
    struct wlp_state_conv_params params = { .width = width };
    wlp_value x                         = wlp_scale (b, embed (lab, 50), 4.0f);

    params.group = lab_group (lab, WLP_CACHE_STATE, 2, 1, (width - 1) * 50, 0, 0);
    for (params.group_layer = 0; params.group_layer < 2; params.group_layer++)
      x = wlp_state_conv (b, x, lab_matrix (lab, width, 50, 0), i == 0 ? WLP_NONE : lab_vector (lab, 50), &params);
    wlp_logits (b, x);
    check (lab, &setup, 150, EXACT);
    check_chunks (lab, &setup, 150);
    lab_free (lab);
  }
}

static void
test_experts (gconstpointer data)
{
  const guint gating = GPOINTER_TO_UINT (data);

  for (guint i = 0; i < 3; i++) {
    const LabSetup setup           = { .n_threads = i + 1 };
    Lab *lab                       = lab_new (gating * 10 + i);
    struct wlp_route_params params = { .gating = gating, .n_used = 3, .normalise = i != 0, .scale = i == 2 ? 2.5f : 0 };
    struct wlp_builder *b          = &lab->builder;
    wlp_value x                    = wlp_scale (b, embed (lab, 64), 10.0f), ids, gate, up, y;

    if (i == 2) {
      params.n_groups      = 4;
      params.n_groups_used = 2;
    }
    ids  = wlp_moe_route (b, wlp_linear (b, x, lab_matrix (lab, 64, 16, 0), WLP_NONE),
                         i == 1 ? lab_vector (lab, 16) : WLP_NONE, &params);
    gate = wlp_linear_experts (b, x, ids, lab_matrix (lab, 64, 96, 16), lab_matrix (lab, 96, 16, 0), 3, 0);
    up   = wlp_linear_experts (b, x, ids, lab_matrix (lab, 64, 96, 16), WLP_NONE, 3, 0);
    y    = wlp_glu (b, WLP_ACT_SILU, gate, up);
    y    = wlp_linear_experts (b, y, ids, lab_matrix (lab, 96, 50, 16), WLP_NONE, 3, 1);
    wlp_logits (b, wlp_moe_sum (b, y, ids + 1));
    check (lab, &setup, 23, EXACT);
    lab_free (lab);
  }
}

static void
test_pool (gconstpointer data)
{
  const guint kind = GPOINTER_TO_UINT (data);

  for (guint i = 0; i < 2; i++) {
    const LabSetup setup        = { .n_threads = 2 };
    Lab *lab                    = lab_new (kind);
    g_autofree gint32 *tokens   = lab_tokens (7, N_VOCAB, 30);
    g_autofree guint32 *owners  = g_new (guint32, 60);
    g_autofree gint32 *both     = g_new (gint32, 60);
    const wlp_weight head       = i == 0 ? WLP_NONE : lab_matrix (lab, 96, 5, 0);
    g_autofree double *expected = NULL;
    g_autofree float *got       = NULL;
    LabModel *model;

    wlp_pool (&lab->builder, kind, embed (lab, 96), head, i == 0 ? WLP_NONE : lab_vector (lab, 5));
    expected = lab_oracle (lab, &setup, tokens, 30);
    for (guint t = 0; t < 60; t++) { /* sequence 0 is another one, sequence 1 ours, token by token in turns */
      owners[t] = t % 2;
      both[t]   = t % 2 ? tokens[t / 2] : 3;
    }
    model = lab_model_new (lab, &setup);
    got   = lab_model_step (model, both, owners, NULL, 60);
    lab_assert_close (got + lab->program.output_width, expected, lab->program.output_width, EXACT);
    lab_model_free (model);
    lab_free (lab);
  }
}

int
main (int argc, char **argv)
{
  static const enum wlp_type types[] = { WLP_TYPE_F32,  WLP_TYPE_F16,    WLP_TYPE_BF16,   WLP_TYPE_Q4_0,
                                         WLP_TYPE_Q4_1, WLP_TYPE_Q5_0,   WLP_TYPE_Q5_1,   WLP_TYPE_Q8_0,
                                         WLP_TYPE_Q2_K, WLP_TYPE_Q3_K,   WLP_TYPE_Q4_K,   WLP_TYPE_Q5_K,
                                         WLP_TYPE_Q6_K, WLP_TYPE_IQ4_NL, WLP_TYPE_IQ4_XS, WLP_TYPE_MXFP4 };
  char name[64];

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/backends/cpu-ops/embed", test_embed);
  g_test_add_data_func ("/backends/cpu-ops/norm-rms", GUINT_TO_POINTER (WLP_NORM_RMS), test_norm);
  g_test_add_data_func ("/backends/cpu-ops/norm-layer", GUINT_TO_POINTER (WLP_NORM_LAYER), test_norm);
  for (guint i = 0; i < G_N_ELEMENTS (types); i++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/linear-%u", types[i]);
    g_test_add_data_func (name, GUINT_TO_POINTER (types[i]), test_linear);
  }
  g_test_add_data_func ("/backends/cpu-ops/norm-own-rms", GUINT_TO_POINTER (WLP_NORM_RMS), test_norm_own);
  g_test_add_data_func ("/backends/cpu-ops/norm-own-layer", GUINT_TO_POINTER (WLP_NORM_LAYER), test_norm_own);
  g_test_add_func ("/backends/cpu-ops/rope", test_rope);
  g_test_add_func ("/backends/cpu-ops/rope-by-context", test_rope_by_context);
  for (guint act = WLP_ACT_SILU; act <= WLP_ACT_GELU_HALF; act++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/glu-%u", act);
    g_test_add_data_func (name, GUINT_TO_POINTER (act), test_glu);
  }
  g_test_add_func ("/backends/cpu-ops/glu-types", test_glu_types);
  g_test_add_func ("/backends/cpu-ops/element", test_element);
  for (guint i = 0; i < G_N_ELEMENTS (attention_cases); i++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/attention-%s", attention_cases[i].name);
    g_test_add_data_func (name, &attention_cases[i], test_attention);
  }
  for (guint gating = WLP_GATING_SOFTMAX; gating <= WLP_GATING_SOFTMAX_CHOSEN; gating++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/experts-%u", gating);
    g_test_add_data_func (name, GUINT_TO_POINTER (gating), test_experts);
  }
  for (guint width = 2; width < 6; width++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/state-conv-%u", width);
    g_test_add_data_func (name, GUINT_TO_POINTER (width), test_state_conv);
  }
  for (guint kind = WLP_POOL_MEAN; kind <= WLP_POOL_RANK; kind++) {
    g_snprintf (name, sizeof name, "/backends/cpu-ops/pool-%u", kind);
    g_test_add_data_func (name, GUINT_TO_POINTER (kind), test_pool);
  }
  return g_test_run ();
}
