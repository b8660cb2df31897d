/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each sampler against its definition: the set it keeps is worked out here by a plain sort, the draws are counted.
 */
#include "sample/philox.h"
#include "sample/sampler-exp.h"
#include "sample/sampler.h"
#include "wly-error.h"

#include <math.h>
#include <string.h>

#define MAX_VOCAB 512

static const WlySamplerOptions neutral = { .temperature = 1, .top_p = 1, .repetition_penalty = 1 };

typedef struct {
  double logit;
  guint id;
} Entry;

static int
compare_entries (const void *a, const void *b)
{
  const Entry *x = a;
  const Entry *y = b;

  if (x->logit != y->logit)
    return x->logit > y->logit ? -1 : 1;
  return x->id < y->id ? -1 : 1;
}

/* The definition: sort, cut, weigh. */
static void
expected_probabilities (const WlySamplerOptions *options, const float *logits, guint n, double *ret_p)
{
  g_autofree Entry *sorted = g_new (Entry, n);
  guint n_kept             = n;
  double total             = 0;
  double sum               = 0;

  for (guint i = 0; i < n; i++)
    sorted[i] = (Entry){ logits[i], i };
  qsort (sorted, n, sizeof *sorted, compare_entries);
  if (options->top_k > 0)
    n_kept = MIN (n_kept, options->top_k);
  for (guint i = 0; i < n_kept; i++)
    total += exp (sorted[i].logit - sorted[0].logit);
  for (guint i = 0; i < n_kept; i++) {
    sum += exp (sorted[i].logit - sorted[0].logit);
    if (options->top_p < 1 && sum >= options->top_p * total) {
      n_kept = i + 1;
      break;
    }
  }
  while (n_kept > 1 && exp (sorted[n_kept - 1].logit - sorted[0].logit) < options->min_p)
    n_kept--;
  memset (ret_p, 0, n * sizeof *ret_p);
  total = 0;
  for (guint i = 0; i < n_kept; i++)
    total += exp ((sorted[i].logit - sorted[0].logit) / options->temperature);
  for (guint i = 0; i < n_kept; i++)
    ret_p[sorted[i].id] = exp ((sorted[i].logit - sorted[0].logit) / options->temperature) / total;
}

/* Draws often; nothing outside the kept set may come, and chi-square must stay below its 99.9 % quantile, roughly
 * df + 3.1 sqrt (2 df) + 6.  The seed is fixed, so this passes always or never. */
static void
check_draws (const WlySamplerOptions *options, const float *logits, guint n)
{
  g_autoptr (WlySampler) sampler = wly_sampler_new (options, n);
  double p[MAX_VOCAB];
  guint count[MAX_VOCAB] = { 0 };
  const guint n_draws    = 20000;
  double chi2            = 0;
  guint n_cells          = 0;

  expected_probabilities (options, logits, n, p);
  for (guint i = 0; i < n_draws; i++) {
    g_autoptr (GError) error = NULL;
    gint32 token             = wly_sampler_draw (sampler, logits, NULL, i, &error);

    g_assert_no_error (error);
    g_assert_cmpint (token, >=, 0);
    g_assert_cmpint (token, <, (gint32)n);
    count[token]++;
  }
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

/* ---- parts ---- */

/* Known answers of the authors' Random123 library. */
static void
test_philox (void)
{
  const guint32 expected[3][4] = { { 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u },
                                   { 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu },
                                   { 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u } };
  guint32 counters[3][4]       = { { 0, 0, 0, 0 },
                                   { 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu },
                                   { 0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u } };
  const guint32 keys[3][2]     = { { 0, 0 }, { 0xffffffffu, 0xffffffffu }, { 0xa4093822u, 0x299f31d0u } };

  for (guint i = 0; i < 3; i++) {
    wly_philox (counters[i], keys[i]);
    g_assert_cmpmem (counters[i], sizeof counters[i], expected[i], sizeof expected[i]);
  }
  g_assert_cmpfloat (wly_philox_uniform (1, 2, 0), ==, wly_philox_uniform (1, 2, 0));
  g_assert_cmpfloat (wly_philox_uniform (1, 2, 0), !=, wly_philox_uniform (2, 1, 0));
  g_assert_cmpfloat (wly_philox_uniform (1, 2, 0), !=, wly_philox_uniform (1, 2, 1));
}

static void
test_exp (void)
{
  double worst = 0;

  for (guint i = 0; i < 200000; i++) {
    double x    = -wly_philox_uniform (7, i, 0) * (i % 2 != 0 ? 2 : 700);
    double want = exp (x);

    worst = MAX (worst, fabs (wly_sampler_exp (x) - want) / want);
  }
  g_assert_cmpfloat (worst, <, 2 * 0x1p-52);
  g_assert_cmpfloat (wly_sampler_exp (0), ==, 1);
  g_assert_cmpfloat (wly_sampler_exp (-1000), ==, 0);
  g_assert_cmpfloat (wly_sampler_exp (-INFINITY), ==, 0);
}

/* ---- samplers ---- */

static void
test_greedy (void)
{
  const float logits[]           = { -3, 2, 7, 7, -INFINITY, 6.999f };
  WlySamplerOptions options      = neutral;
  g_autoptr (WlySampler) sampler = NULL;

  options.temperature = 0;
  options.top_k       = 3;
  sampler             = wly_sampler_new (&options, G_N_ELEMENTS (logits));
  for (guint i = 0; i < 5; i++)
    g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, i, NULL), ==, 2);
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
  WlySamplerOptions options = neutral;
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

/* ---- penalties ---- */

static float
greedy_after (const WlySamplerOptions *options, const gint32 *past, guint n_past, const float *logits, guint n)
{
  g_autoptr (WlySampler) sampler = wly_sampler_new (options, n);

  for (guint i = 0; i < n_past; i++)
    wly_sampler_accept (sampler, past[i]);
  return wly_sampler_draw (sampler, logits, NULL, 0, NULL);
}

static void
test_penalties (void)
{
  const float logits[]      = { 2.0f, 1.5f, -1.0f, -1.2f };
  const gint32 past[]       = { 0, 0, 1, 0 };
  WlySamplerOptions options = { .temperature = 0, .top_p = 1, .repetition_penalty = 1, .repetition_window = 8 };

  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 0);
  /* 2 / 1.4 = 1.43 is below 1.5 where only token 0 was seen, above 1.5 / 1.4 where both were */
  options.repetition_penalty = 1.4;
  g_assert_cmpint (greedy_after (&options, past, 2, logits, 4), ==, 1);
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 0);
  options.repetition_penalty = 1;
  /* counts 3 and 1: 2 - 0.9 < 1.5 - 0.3; with 0.2: 1.4 > 1.3 */
  options.frequency_penalty = 0.3;
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 1);
  options.frequency_penalty = 0.2;
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 0);
  options.frequency_penalty = 0;
  options.presence_penalty  = 0.6;
  g_assert_cmpint (greedy_after (&options, past, 2, logits, 4), ==, 1);
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 0);
  /* a window of one sees the last token only */
  options.repetition_window = 1;
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 1);
  g_assert_cmpint (greedy_after (&options, past, 3, logits, 4), ==, 0);
  options.repetition_window = 0;
  g_assert_cmpint (greedy_after (&options, past, 4, logits, 4), ==, 0);
}

/* A negative logit is multiplied: less likely, not more. */
static void
test_negative_penalty (void)
{
  const float logits[]      = { -1.0f, -1.5f };
  const gint32 past[]       = { 0, -1, 2, G_MAXINT32 };
  WlySamplerOptions options = { .top_p = 1, .repetition_penalty = 2, .repetition_window = 8 };

  g_assert_cmpint (greedy_after (&options, past, 4, logits, 2), ==, 1);
}

/* ---- the rest ---- */

static void
test_faults (void)
{
  const float bad[][3]      = { { 1, NAN, 2 }, { 1, INFINITY, 2 }, { -INFINITY, -INFINITY, -INFINITY } };
  WlySamplerOptions options = neutral;

  for (guint i = 0; i < 2 * G_N_ELEMENTS (bad); i++) {
    g_autoptr (WlySampler) sampler = NULL;
    g_autoptr (GError) error       = NULL;

    options.temperature = i % 2;
    sampler             = wly_sampler_new (&options, 3);
    g_assert_cmpint (wly_sampler_draw (sampler, bad[i / 2], NULL, 0, &error), ==, -1);
    g_assert_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT);
  }
}

/* The same seed and index give the same token, in any order and by any sampler of these options. */
static void
test_replay (void)
{
  WlySamplerOptions options     = { .temperature = 1, .top_p = 0.9, .top_k = 50, .seed = G_GUINT64_CONSTANT (1) << 63 };
  g_autoptr (WlySampler) first  = wly_sampler_new (&options, 200);
  g_autoptr (WlySampler) second = wly_sampler_new (&options, 200);
  gint32 tokens[100];
  guint n_same = 0;
  float logits[200];

  fill_logits (logits, 200, 77);
  for (guint i = 0; i < 100; i++)
    tokens[i] = wly_sampler_draw (first, logits, NULL, i, NULL);
  for (guint i = 100; i-- > 0;)
    g_assert_cmpint (wly_sampler_draw (second, logits, NULL, i, NULL), ==, tokens[i]);
  options.seed++;
  g_clear_pointer (&second, wly_sampler_free);
  second = wly_sampler_new (&options, 200);
  for (guint i = 0; i < 100; i++)
    n_same += wly_sampler_draw (second, logits, NULL, i, NULL) == tokens[i];
  g_assert_cmpuint (n_same, <, 50);
}

/* What is not allowed is never drawn, and changes nothing for the rest. */
static void
test_allowed (void)
{
  const WlySamplerOptions cases[] = {
    { .temperature = 0, .top_p = 1 },
    { .temperature = 1, .top_p = 1 },
    { .temperature = 1, .top_p = 0.9, .top_k = 10, .min_p = 0.01 },
  };
  float logits[100];
  float masked[100];
  guint32 allowed[4] = { 0x0f0f00f0u, 0, 0x80000001u, 0x8u };

  fill_logits (logits, 100, 17);
  for (guint i = 0; i < 100; i++)
    masked[i] = (allowed[i / 32] >> (i % 32) & 1) != 0 ? logits[i] : -INFINITY;
  for (gsize c = 0; c < G_N_ELEMENTS (cases); c++) {
    g_autoptr (WlySampler) first  = wly_sampler_new (&cases[c], 100);
    g_autoptr (WlySampler) second = wly_sampler_new (&cases[c], 100);

    for (guint i = 0; i < 500; i++) {
      gint32 token = wly_sampler_draw (first, logits, allowed, i, NULL);

      g_assert_cmpfloat (masked[token], >, -INFINITY);
      g_assert_cmpint (token, ==, wly_sampler_draw (second, masked, NULL, i, NULL));
    }
  }
  memset (allowed, 0, sizeof allowed);
  {
    g_autoptr (WlySampler) sampler = wly_sampler_new (&cases[1], 100);
    g_autoptr (GError) error       = NULL;

    g_assert_cmpint (wly_sampler_draw (sampler, logits, allowed, 0, &error), ==, -1);
    g_assert_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/sampler/philox", test_philox);
  g_test_add_func ("/engine/sampler/exp", test_exp);
  g_test_add_func ("/engine/sampler/greedy", test_greedy);
  g_test_add_func ("/engine/sampler/chain", test_chain);
  g_test_add_func ("/engine/sampler/ties", test_ties);
  g_test_add_func ("/engine/sampler/forbidden", test_forbidden);
  g_test_add_func ("/engine/sampler/random", test_random);
  g_test_add_func ("/engine/sampler/penalties", test_penalties);
  g_test_add_func ("/engine/sampler/negative-penalty", test_negative_penalty);
  g_test_add_func ("/engine/sampler/faults", test_faults);
  g_test_add_func ("/engine/sampler/replay", test_replay);
  g_test_add_func ("/engine/sampler/allowed", test_allowed);
  return g_test_run ();
}
