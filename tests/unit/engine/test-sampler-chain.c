/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Every sampler of the chain against its definition, worked out here with plain sorts and libm; and the draws counted.
 */
#include "sample/philox.h"
#include "sample/sampler-scan.h"
#include "sample/sampler.h"
#include "wly-sanitizer.h"

#include <math.h>
#include <string.h>

#define MAX_VOCAB 512

/* ---- the definitions, in libm's double precision ---- */

typedef struct {
  WlySamplerEntry entries[MAX_VOCAB]; /* in falling order */
  double p[MAX_VOCAB];
  guint n;
} Chain;

static int
compare_entries (const void *a, const void *b)
{
  const WlySamplerEntry *x = a, *y = b;

  if (x->x != y->x)
    return x->x > y->x ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

static void
weigh (Chain *chain)
{
  double total = 0;

  qsort (chain->entries, chain->n, sizeof *chain->entries, compare_entries);
  for (guint i = 0; i < chain->n; i++)
    total += exp (chain->entries[i].x - chain->entries[0].x);
  for (guint i = 0; i < chain->n; i++)
    chain->p[i] = exp (chain->entries[i].x - chain->entries[0].x) / total;
}

static double
entropy_of (const Chain *chain)
{
  double sum = 0;

  for (guint i = 0; i < chain->n; i++)
    sum -= chain->p[i] > 0 ? chain->p[i] * log (chain->p[i]) : 0;
  return sum;
}

static void
expect_sigma (Chain *chain, double n_sigma)
{
  double mean = 0, variance = 0;
  guint n = 0;

  for (guint i = 0; i < chain->n; i++)
    mean += chain->entries[i].x / chain->n;
  for (guint i = 0; i < chain->n; i++)
    variance += pow (chain->entries[i].x - mean, 2) / chain->n;
  while (n < chain->n && chain->entries[n].x >= chain->entries[0].x - n_sigma * sqrt (variance))
    n++;
  chain->n = MAX (n, 1);
}

/* Again and again the nearest of what is left. */
static void
expect_typical (Chain *chain, double p)
{
  const double usual       = entropy_of (chain);
  gboolean kept[MAX_VOCAB] = { FALSE };
  double sum               = 0;
  guint n                  = 0;

  do {
    guint best = MAX_VOCAB;

    for (guint i = 0; i < chain->n; i++) {
      if (!kept[i]
          && (best == MAX_VOCAB || fabs (-log (chain->p[i]) - usual) < fabs (-log (chain->p[best]) - usual) - 1e-12))
        best = i;
    }
    kept[best] = TRUE;
    sum += chain->p[best];
    n++;
  } while (sum < p && n < chain->n);
  n = 0;
  for (guint i = 0; i < chain->n; i++)
    if (kept[i])
      chain->entries[n++] = chain->entries[i];
  chain->n = n;
}

static void
expect_xtc (Chain *chain, double threshold)
{
  guint n = 0;

  while (n < chain->n && chain->p[n] >= threshold)
    n++;
  if (n < 2)
    return;
  memmove (chain->entries, chain->entries + n - 1, (chain->n - n + 1) * sizeof *chain->entries);
  chain->n -= n - 1;
}

static void
expect_temperature (Chain *chain, const WlySamplerOptions *options)
{
  const double exponent = options->temperature_exponent > 0 ? options->temperature_exponent : 1;
  double temperature    = options->temperature;

  if (options->temperature_range > 0 && chain->n > 1) {
    const double low = MAX (0, temperature - options->temperature_range);

    temperature =
        low + (temperature + options->temperature_range - low) * pow (entropy_of (chain) / log (chain->n), exponent);
  }
  for (guint i = 0; i < chain->n; i++)
    chain->entries[i].x /= temperature;
}

static void
expect_sampler (Chain *chain, const WlySamplerOptions *options, guint kind, gboolean xtc)
{
  double sum = 0;
  guint n    = 0;

  weigh (chain);
  switch (kind) {
  case WLY_SAMPLER_TOP_N_SIGMA:
    if (options->top_n_sigma > 0)
      expect_sigma (chain, options->top_n_sigma);
    break;
  case WLY_SAMPLER_TOP_K:
    if (options->top_k > 0)
      chain->n = MIN (chain->n, options->top_k);
    break;
  case WLY_SAMPLER_TYPICAL_P:
    if (options->typical_p > 0 && options->typical_p < 1)
      expect_typical (chain, options->typical_p);
    break;
  case WLY_SAMPLER_TOP_P:
    while (n < chain->n && (n == 0 || sum < options->top_p))
      sum += chain->p[n++];
    chain->n = options->top_p < 1 ? n : chain->n;
    break;
  case WLY_SAMPLER_MIN_P:
    while (n < chain->n && chain->p[n] >= options->min_p * chain->p[0])
      n++;
    chain->n = MAX (n, 1);
    break;
  case WLY_SAMPLER_XTC:
    if (xtc)
      expect_xtc (chain, options->xtc_threshold);
    break;
  case WLY_SAMPLER_TEMPERATURE:
    expect_temperature (chain, options);
    break;
  default:
    break;
  }
}

/* Adds @share of the probabilities to @p, by id. */
static void
expect_chain (const WlySamplerOptions *options, const float *logits, guint n, gboolean xtc, double share, double *p)
{
  g_autofree Chain *chain = g_new0 (Chain, 1);

  for (guint i = 0; i < n; i++)
    if (logits[i] > -INFINITY)
      chain->entries[chain->n++] = (WlySamplerEntry){ logits[i], i };
  for (guint i = 0; i < (options->n_order > 0 ? options->n_order : WLY_SAMPLER_N_KINDS); i++)
    expect_sampler (chain, options, options->n_order > 0 ? options->order[i] : i, xtc);
  weigh (chain);
  for (guint i = 0; i < chain->n; i++)
    p[chain->entries[i].id] += share * chain->p[i];
}

/* Draws often; nothing outside the kept set may come, and chi-square must stay below its 99.9 % quantile, roughly
 * df + 3.1 sqrt (2 df) + 6.  The seed is fixed, so this passes always or never. */
static void
check_draws (const WlySamplerOptions *options, const float *logits, guint n)
{
  g_autoptr (WlySampler) sampler = wly_sampler_new (options, n);
  double p[MAX_VOCAB]            = { 0 };
  guint count[MAX_VOCAB]         = { 0 };
  const guint n_draws            = WLY_SANITIZED ? 1000 : 20000;
  double chi2                    = 0;
  guint n_cells                  = 0;

  expect_chain (options, logits, n, FALSE, 1 - options->xtc_probability, p);
  if (options->xtc_probability > 0)
    expect_chain (options, logits, n, TRUE, options->xtc_probability, p);
  for (guint i = 0; i < n_draws; i++)
    count[wly_sampler_draw (sampler, logits, NULL, i, NULL)]++;
  for (guint i = 0; i < n; i++) {
    if (p[i] == 0)
      g_assert_cmpuint (count[i], ==, 0);
    if (p[i] * n_draws < 5)
      continue;
    chi2 += pow (count[i] - p[i] * n_draws, 2) / (p[i] * n_draws);
    n_cells++;
  }
  g_assert_cmpfloat (chi2, <, n_cells + 3.1 * sqrt (2.0 * n_cells) + 6);
}

static void
fill_logits (float *logits, guint n, guint64 seed)
{
  for (guint i = 0; i < n; i++)
    logits[i] = (float)(wly_philox_uniform (seed, i, 0) * 8 - 4);
}

/* ---- one by one ---- */

static void
test_each (void)
{
  const WlySamplerOptions cases[] = {
    { .top_n_sigma = 0.5 },
    { .top_n_sigma = 1.5, .temperature_range = 0.5 },
    { .typical_p = 0.2 },
    { .typical_p = 0.7 },
    { .typical_p = 0.999 },
    { .xtc_probability = 1, .xtc_threshold = 0.05 },
    { .xtc_probability = 0.4, .xtc_threshold = 0.02 },
    { .xtc_probability = 1, .xtc_threshold = 0.5 },
    { .temperature_range = 0.9, .temperature_exponent = 2 },
    { .temperature_range = 3, .temperature_exponent = 0.5 },
    { .top_k = 7, .temperature_range = 0.3 },
    { .top_k = 30, .typical_p = 0.8, .min_p = 0.02, .xtc_probability = 0.5, .xtc_threshold = 0.1 },
    { .min_p = 0.1 },
    { .min_p = 1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    for (guint64 seed = 1; seed < 4; seed++) {
      WlySamplerOptions options = cases[i];
      float logits[100];

      options.top_p       = 1;
      options.temperature = 1.1;
      options.seed        = seed;
      fill_logits (logits, 100, seed);
      logits[5] = logits[6] = logits[7]; /* equal ones */
      logits[9]             = -INFINITY;
      check_draws (&options, logits, 100);
    }
  }
}

static void
test_order (void)
{
  static const char *const orders[][6] = {
    { "temperature", "top-p", "min-p", NULL },
    { "min-p", "top-k", "temperature", NULL },
    { "top-p", "temperature", "top-k", "typical-p", NULL },
    { "xtc", "top-k", NULL },
    { "top-k", "top-n-sigma", "top-p", "temperature", NULL },
  };

  g_assert_cmpint (wly_sampler_kind ("top-q"), ==, WLY_SAMPLER_N_KINDS);
  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++) {
    WlySamplerOptions options = {
      .temperature = 1.7, .top_p = 0.8, .min_p = 0.05, .top_k = 20, .typical_p = 0.9, .seed = i
    };
    float logits[MAX_VOCAB];

    options.top_n_sigma     = 2;
    options.xtc_probability = i == 3 ? 0.5 : 0;
    options.xtc_threshold   = 0.03;
    while (orders[i][options.n_order] != NULL) {
      options.order[options.n_order] = (guint8)wly_sampler_kind (orders[i][options.n_order]);
      g_assert_cmpint (options.order[options.n_order], <, WLY_SAMPLER_N_KINDS);
      options.n_order++;
    }
    fill_logits (logits, MAX_VOCAB, 40 + i);
    check_draws (&options, logits, MAX_VOCAB);
  }
}

static void
test_chain (void)
{
  const WlySamplerOptions cases[] = {
    { .temperature = 1, .top_p = 1 },
    { .temperature = 0.5, .top_p = 1 },
    { .temperature = 3, .top_p = 1 },
    { .temperature = 1, .top_p = 1, .top_k = 1 },
    { .temperature = 1, .top_p = 1, .top_k = 7 },
    { .temperature = 1, .top_p = 1, .top_k = 100000 },
    { .temperature = 1, .top_p = 0.5 },
    { .temperature = 1, .top_p = 0 },
    { .temperature = 1, .top_p = 0.999 },
    { .temperature = 1, .top_p = 1, .min_p = 0.3 },
    { .temperature = 1, .top_p = 1, .min_p = 1 },
    { .temperature = 0.8, .top_p = 0.95, .min_p = 0.05, .top_k = 40 },
    { .temperature = 2, .top_p = 0.7, .min_p = 0.2, .top_k = 12 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++) {
    float logits[97];
    WlySamplerOptions options = cases[i];

    options.seed = 1000 + i;
    fill_logits (logits, G_N_ELEMENTS (logits), 40 + i);
    g_test_message ("case %u", i);
    check_draws (&options, logits, G_N_ELEMENTS (logits));
  }
}

/* Of equal logits the lower id counts as the larger one. */
static void
test_ties (void)
{
  WlySamplerOptions options = { .temperature = 1, .top_p = 1 };
  float logits[64];

  for (guint i = 0; i < G_N_ELEMENTS (logits); i++)
    logits[i] = (float)(i % 4);
  options.top_k = 18;
  check_draws (&options, logits, G_N_ELEMENTS (logits));
  options.top_k = 0;
  options.top_p = 0.3;
  check_draws (&options, logits, G_N_ELEMENTS (logits));
}

/* Forbidden tokens stay forbidden, whatever else is asked for. */
static void
test_forbidden (void)
{
  WlySamplerOptions options = { .temperature = 10, .top_p = 1, .top_k = 10 };
  float logits[32];

  for (guint i = 0; i < G_N_ELEMENTS (logits); i++)
    logits[i] = i % 5 == 3 ? (float)i / 8 : -INFINITY;
  check_draws (&options, logits, G_N_ELEMENTS (logits));
  options.top_k = 0;
  check_draws (&options, logits, G_N_ELEMENTS (logits));
  options.top_p = 0.99;
  check_draws (&options, logits, G_N_ELEMENTS (logits));
}

static void
test_random (void)
{
  for (guint i = 0; i < 60; i++) {
    guint n                   = 1 + (guint)(wly_philox_uniform (90, i, 0) * 300);
    WlySamplerOptions options = {
      .temperature = 0.2 + 2 * wly_philox_uniform (91, i, 0),
      .top_k       = (guint)(wly_philox_uniform (92, i, 0) * 2 * n),
      .top_p       = wly_philox_uniform (93, i, 0) * 1.3,
      .min_p       = i % 3 == 0 ? 0 : wly_philox_uniform (94, i, 0) / 4,
      .seed        = i,
    };
    float logits[MAX_VOCAB];

    options.top_p = MIN (options.top_p, 1);
    fill_logits (logits, n, 500 + i);
    check_draws (&options, logits, n);
  }
}

/* Each draw and each step of mu by hand. */
static void
test_mirostat (void)
{
  const WlySamplerOptions options = {
    .temperature = 0.9, .top_p = 0.1, .top_k = 1, .mirostat = TRUE, .mirostat_tau = 3, .mirostat_eta = 0.2, .seed = 77
  };
  g_autoptr (WlySampler) sampler = wly_sampler_new (&options, 200);
  double mu                      = 6;
  double surprise_sum            = 0;

  for (guint i = 0; i < 400; i++) {
    double p[200] = { 0 }, total = 0, sum = 0, goal;
    float logits[200];
    gint32 token = -1;

    fill_logits (logits, 200, 1000 + i);
    expect_chain (&(WlySamplerOptions){ .temperature = 0.9, .top_p = 1 }, logits, 200, FALSE, 1, p);
    for (guint j = 0; j < 200; j++) {
      p[j] = -log2 (p[j]) <= mu ? p[j] : 0;
      total += p[j];
    }
    g_assert_cmpfloat (total, >, 0);
    goal = wly_philox_uniform (77, i, 0) * total;
    for (gint32 j = 0; j < 200 && sum <= goal; j++) {
      sum += p[j];
      token = j;
    }
    g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, i, NULL), ==, token);
    mu -= 0.2 * (-log2 (p[token] / total) - 3);
    surprise_sum += -log2 (p[token] / total);
  }
  /* what it is for: the mean surprise is tau */
  g_assert_cmpfloat (fabs (surprise_sum / 400 - 3), <, 0.1);
}

/* ---- large vocabularies ---- */

/* The weight of a token among the first @n, 0: it is not one of them. */
static double
weight_among (const WlySamplerEntry *first, guint n, guint id)
{
  for (guint i = 0; i < n; i++)
    if (first[i].id == id)
      return exp (first[i].x - first[0].x);
  return 0;
}

/* Of a vocabulary of many blocks, with many equal logits. */
static void
test_large (void)
{
  const guint n            = 5003;
  g_autofree float *logits = g_new (float, n);

  for (guint round = 0; round < 30; round++) {
    const WlySamplerOptions options = { .temperature = 1, .top_p = 1, .top_k = 1 + round * round, .seed = round };
    g_autoptr (WlySampler) sampler  = wly_sampler_new (&options, n);
    g_autofree WlySamplerEntry *all = g_new (WlySamplerEntry, n);
    double total = 0, sum = 0;

    for (guint i = 0; i < n; i++) {
      logits[i] = floorf ((float)wly_philox_uniform (round, i, 3) * 50) / (round % 2 == 0 ? 8 : 1);
      all[i]    = (WlySamplerEntry){ logits[i], i };
    }
    qsort (all, n, sizeof *all, compare_entries);
    for (guint i = 0; i < options.top_k; i++)
      total += exp (all[i].x - all[0].x);
    for (guint draw = 0; draw < 20; draw++) {
      const double goal = wly_philox_uniform (round, draw, 0) * total;
      guint expected    = n;

      sum = 0;
      for (guint id = 0; id < n && sum <= goal; id++) {
        const double weight = weight_among (all, options.top_k, id);

        sum += weight;
        expected = weight > 0 ? id : expected;
      }
      g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, draw, NULL), ==, (gint32)expected);
    }
  }
}

/* With -m perf: what a draw takes of a vocabulary of 152,064. */
static void
test_speed (void)
{
  const guint n                   = 152064;
  const WlySamplerOptions options = { .temperature = 0.8, .top_k = 40, .top_p = 0.95, .min_p = 0.05, .seed = 1 };
  g_autoptr (WlySampler) sampler  = wly_sampler_new (&options, n);
  g_autofree float *logits        = g_new (float, n);
  double least                    = 1e9;

  for (guint i = 0; i < n; i++) {
    const double u = wly_philox_uniform (5, i, 0) + 1e-12, v = wly_philox_uniform (5, i, 1);

    logits[i] = (float)(3 * sqrt (-2 * log (u)) * cos (2 * G_PI * v));
  }
  for (guint i = 0; i < 2000; i++) {
    g_test_timer_start ();
    wly_sampler_draw (sampler, logits, NULL, i, NULL);
    least = MIN (least, g_test_timer_elapsed ());
  }
  g_test_minimized_result (least * 1e6, "top-k 40, top-p, min-p of %u logits: %.1f us at least", n, least * 1e6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/sampler-chain/each", test_each);
  g_test_add_func ("/engine/sampler-chain/order", test_order);
  g_test_add_func ("/engine/sampler-chain/chain", test_chain);
  g_test_add_func ("/engine/sampler-chain/ties", test_ties);
  g_test_add_func ("/engine/sampler-chain/forbidden", test_forbidden);
  g_test_add_func ("/engine/sampler-chain/random", test_random);
  g_test_add_func ("/engine/sampler-chain/mirostat", test_mirostat);
  g_test_add_func ("/engine/sampler-chain/large", test_large);
  if (g_test_perf ())
    g_test_add_func ("/engine/sampler-chain/speed", test_speed);
  return g_test_run ();
}
