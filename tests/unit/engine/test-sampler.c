/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The sampler as a whole: its parts, what it takes off the logits, and what it promises whatever is asked for.
 */
#include "sample/philox.h"
#include "sample/sampler-exp.h"
#include "sample/sampler-log.h"
#include "sample/sampler-logprobs.h"
#include "sample/sampler.h"
#include "wly-error.h"

#include <math.h>
#include <string.h>

static const WlySamplerOptions neutral = { .temperature = 1, .top_p = 1, .repetition_penalty = 1 };

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

static void
test_log (void)
{
  double worst = 0;

  for (guint i = 1; i < 100000; i++) {
    const double x = wly_philox_uniform (3, i, 0) * (i % 2 == 0 ? 1 : 1e5) + 1e-9, want = log (x);

    worst = MAX (worst, fabs (wly_sampler_log (x) - want) / MAX (fabs (want), 0x1p-40));
  }
  g_assert_cmpfloat (worst, <, 4 * 0x1p-52);
  g_assert_cmpfloat (wly_sampler_log (1), ==, 0);
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

/* ---- DRY ---- */

/* By the definition: for each place of the past, how far its end repeats there. */
static void
expect_dry (const WlySamplerOptions *options, const gint32 *past, guint n, float *logits)
{
  guint longest[32] = { 0 };
  guint limit       = 0;

  while (limit < n && (*options->dry_breakers >> past[n - 1 - limit] & 1) == 0)
    limit++;
  for (guint end = 1; end < n; end++) {
    guint length = 0;

    while (length < limit && length < end && past[end - 1 - length] == past[n - 1 - length])
      length++;
    longest[past[end]] = MAX (longest[past[end]], length);
  }
  for (guint i = 0; i < 32; i++)
    if (longest[i] >= options->dry_allowed_length && (*options->dry_breakers >> i & 1) == 0)
      logits[i] -= (float)(options->dry_multiplier * pow (options->dry_base, longest[i] - options->dry_allowed_length));
}

static void
test_dry (void)
{
  const guint32 breakers = 1u << 3;

  for (guint64 seed = 0; seed < 200; seed++) {
    WlySamplerOptions options      = { .top_p              = 1,
                                       .dry_multiplier     = 0.9,
                                       .dry_base           = 1.6,
                                       .dry_allowed_length = 2,
                                       .dry_window         = 40,
                                       .dry_breakers       = &breakers };
    g_autoptr (WlySampler) sampler = wly_sampler_new (&options, 32);
    gint32 past[100];
    const guint n_past = 1 + (guint)(wly_philox_uniform (seed, 0, 9) * 99);

    for (guint i = 0; i < n_past; i++) {
      past[i] = (gint32)(wly_philox_uniform (seed, i, 5) * (2 + seed % 5));
      wly_sampler_accept (sampler, past[i]);
    }
    for (guint i = 0; i < 20; i++) {
      float logits[32], expected[32];
      guint best = 0;

      for (guint j = 0; j < 32; j++)
        logits[j] = expected[j] = (float)(wly_philox_uniform (seed, 32 * i + j, 6) * 4);
      expect_dry (&options, past + (n_past > 40 ? n_past - 40 : 0), MIN (n_past, 40), expected);
      for (guint j = 1; j < 32; j++)
        best = expected[j] > expected[best] ? j : best;
      g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, i, NULL), ==, (gint32)best);
    }
  }
}

/* "a b c d a b c": d would repeat, by three tokens. */
static void
test_dry_example (void)
{
  WlySamplerOptions options = {
    .top_p = 1, .dry_multiplier = 1, .dry_base = 2, .dry_allowed_length = 2, .dry_window = 100
  };
  g_autoptr (WlySampler) sampler = wly_sampler_new (&options, 8);
  const gint32 past[]            = { 0, 1, 2, 3, 0, 1, 2 };
  float logits[8]                = { 0, 0, 0, 1.9f, 0, 0, 0, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (past); i++)
    wly_sampler_accept (sampler, past[i]);
  /* 1 * 2 ^ (3 - 2) = 2 is taken from it */
  g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, 0, NULL), ==, 0);
  logits[3] = 2.1f;
  g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, 0, NULL), ==, 3);
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

/* A token that is drawn again, because the first one is not taken, is as likely as without it. */
static void
test_again (void)
{
  enum { N = 30000 };
  const WlySamplerOptions options = { .temperature = 1, .top_p = 1, .seed = 5 };
  g_autoptr (WlySampler) sampler  = wly_sampler_new (&options, 4);
  const float logits[4]           = { 0, 0, 0, 0 };
  const guint32 allowed           = 0x7;
  guint counts[4]                 = { 0 };

  for (guint i = 0; i < N; i++) {
    gint32 token = wly_sampler_draw (sampler, logits, NULL, i, NULL);

    if (token == 3)
      token = wly_sampler_draw (sampler, logits, &allowed, i + WLY_SAMPLER_AGAIN, NULL);
    counts[token]++;
  }
  g_assert_cmpuint (counts[3], ==, 0);
  for (guint i = 0; i < 3; i++) /* five standard deviations */
    g_assert_cmpfloat (fabs (counts[i] - N / 3.0), <, 5 * sqrt (N * 2.0 / 9));
}

static void
test_bias (void)
{
  const WlySamplerBias biases[]  = { { 3, 5 }, { 4, -INFINITY }, { 5, -2.5f }, { 1000, 1 } };
  WlySamplerOptions options      = { .temperature = 1, .top_p = 1, .biases = biases, .n_biases = 4 };
  g_autoptr (WlySampler) sampler = wly_sampler_new (&options, 50);
  g_autoptr (WlySampler) plain   = NULL;
  float logits[50], changed[50];

  fill_logits (logits, 50, 8);
  memcpy (changed, logits, sizeof logits);
  for (guint i = 0; i < 3; i++)
    changed[biases[i].id] += biases[i].bias;
  options.n_biases = 0;
  plain            = wly_sampler_new (&options, 50);
  for (guint i = 0; i < 300; i++)
    g_assert_cmpint (wly_sampler_draw (sampler, logits, NULL, i, NULL), ==,
                     wly_sampler_draw (plain, changed, NULL, i, NULL));
}

static void
test_logprobs (void)
{
  WlySamplerLogprob token, top[5];
  double total = 0;
  float logits[60];
  guint best = 0;

  fill_logits (logits, 60, 3);
  logits[20] = logits[30] = 4.5f;
  logits[7]               = -INFINITY;
  for (guint i = 0; i < 60; i++)
    total += exp (logits[i]);
  wly_sampler_logprobs_get (logits, 60, 7, 5, &token, top);
  g_assert_true (isinf (token.logprob) && token.logprob < 0);
  wly_sampler_logprobs_get (logits, 60, 11, 5, &token, top);
  g_assert_cmpfloat (fabs (token.logprob - (logits[11] - log (total))), <, 1e-12);
  g_assert_cmpuint (top[0].id, ==, 20);
  g_assert_cmpuint (top[1].id, ==, 30);
  for (guint i = 0; i < 5; i++) {
    g_assert_cmpfloat (fabs (top[i].logprob - (logits[top[i].id] - log (total))), <, 1e-12);
    best = 0;
    for (guint j = 0; j < 60; j++)
      best += logits[j] > logits[top[i].id];
    g_assert_cmpuint (best, <=, i);
  }
  wly_sampler_logprobs_get (logits, 60, 11, 0, &token, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/sampler/philox", test_philox);
  g_test_add_func ("/engine/sampler/exp", test_exp);
  g_test_add_func ("/engine/sampler/log", test_log);
  g_test_add_func ("/engine/sampler/greedy", test_greedy);
  g_test_add_func ("/engine/sampler/penalties", test_penalties);
  g_test_add_func ("/engine/sampler/negative-penalty", test_negative_penalty);
  g_test_add_func ("/engine/sampler/dry", test_dry);
  g_test_add_func ("/engine/sampler/dry-example", test_dry_example);
  g_test_add_func ("/engine/sampler/faults", test_faults);
  g_test_add_func ("/engine/sampler/replay", test_replay);
  g_test_add_func ("/engine/sampler/allowed", test_allowed);
  g_test_add_func ("/engine/sampler/again", test_again);
  g_test_add_func ("/engine/sampler/bias", test_bias);
  g_test_add_func ("/engine/sampler/logprobs", test_logprobs);
  return g_test_run ();
}
