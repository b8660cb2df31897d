/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler.h"

#include "philox.h"
#include "sampler-dry.h"
#include "sampler-log.h"
#include "sampler-penalties.h"
#include "sampler-scan.h"
#include "wly-error.h"

#include <math.h>

/* Streams of random numbers of one seed. */
#define STREAM_XTC 1

struct WlySampler {
  WlySamplerOptions options;
  guint n_vocab;
  double mu; /* mirostat */
  WlySamplerPenalties *penalties;
  WlySamplerDry *dry;
  WlySamplerScan scan;
  WlySamplerSet *set;
  gboolean collected; /* the set holds what is left; before, the scan does */
};

static const char *const kind_names[] = {
  [WLY_SAMPLER_PENALTIES]   = "penalties",
  [WLY_SAMPLER_DRY]         = "dry",
  [WLY_SAMPLER_TOP_N_SIGMA] = "top-n-sigma",
  [WLY_SAMPLER_TOP_K]       = "top-k",
  [WLY_SAMPLER_TYPICAL_P]   = "typical-p",
  [WLY_SAMPLER_TOP_P]       = "top-p",
  [WLY_SAMPLER_MIN_P]       = "min-p",
  [WLY_SAMPLER_XTC]         = "xtc",
  [WLY_SAMPLER_TEMPERATURE] = "temperature",
};

WlySamplerKind
wly_sampler_kind (const char *name)
{
  guint kind = 0;

  while (kind < WLY_SAMPLER_N_KINDS && !g_str_equal (name, kind_names[kind]))
    kind++;
  return (WlySamplerKind)kind;
}

/* ---- life ---- */

WlySampler *
wly_sampler_new (const WlySamplerOptions *options, guint n_vocab)
{
  WlySampler *sampler = g_new0 (WlySampler, 1);

  sampler->options = *options;
  sampler->n_vocab = n_vocab;
  if (options->n_order == 0)
    for (guint8 kind = 0; kind < WLY_SAMPLER_N_KINDS; kind++)
      sampler->options.order[sampler->options.n_order++] = kind;
  sampler->mu        = 2 * options->mirostat_tau;
  sampler->penalties = wly_sampler_penalties_new (options, n_vocab);
  sampler->dry       = wly_sampler_dry_new (options, n_vocab);
  sampler->set       = wly_sampler_set_new (n_vocab);
  wly_sampler_scan_init (&sampler->scan, n_vocab);
  return sampler;
}

void
wly_sampler_free (WlySampler *sampler)
{
  if (sampler == NULL)
    return;
  wly_sampler_penalties_free (sampler->penalties);
  wly_sampler_dry_free (sampler->dry);
  wly_sampler_set_free (sampler->set);
  wly_sampler_scan_finish (&sampler->scan);
  g_free (sampler);
}

void
wly_sampler_accept (WlySampler *sampler, gint32 token)
{
  wly_sampler_penalties_accept (sampler->penalties, token);
  wly_sampler_dry_accept (sampler->dry, token);
}

/* ---- what changes logits ---- */

static void
change (WlySampler *sampler, guint id, double logit)
{
  wly_sampler_scan_set (&sampler->scan, id, (float)logit);
}

static void
add_biases (WlySampler *sampler)
{
  for (gsize i = 0; i < sampler->options.n_biases; i++) {
    const WlySamplerBias *bias = &sampler->options.biases[i];

    if (bias->id < sampler->n_vocab)
      change (sampler, bias->id, (double)sampler->scan.logits[bias->id] + bias->bias);
  }
}

static void
apply_penalties (WlySampler *sampler)
{
  WlySamplerSet *set = sampler->set;
  const guint *ids   = NULL;
  guint n;

  if (sampler->collected) {
    for (guint i = 0; i < set->n; i++)
      set->entries[i].x = wly_sampler_penalties_apply (sampler->penalties, set->entries[i].id, set->entries[i].x);
    set->sorted = FALSE;
    return;
  }
  n = wly_sampler_penalties_seen (sampler->penalties, &ids);
  for (guint i = 0; i < n; i++)
    change (sampler, ids[i], wly_sampler_penalties_apply (sampler->penalties, ids[i], sampler->scan.logits[ids[i]]));
}

static void
apply_dry (WlySampler *sampler)
{
  WlySamplerSet *set = sampler->set;
  const guint *ids   = NULL;
  guint n;

  wly_sampler_dry_prepare (sampler->dry, &ids, &n);
  if (sampler->collected) {
    for (guint i = 0; n > 0 && i < set->n; i++)
      set->entries[i].x -= wly_sampler_dry_penalty (sampler->dry, set->entries[i].id);
    set->sorted = set->sorted && n == 0;
    return;
  }
  for (guint i = 0; i < n; i++)
    change (sampler, ids[i], sampler->scan.logits[ids[i]] - wly_sampler_dry_penalty (sampler->dry, ids[i]));
}

/* ---- the chain ---- */

/* From here on the set holds what is left.  What the very next sampler takes out need not come in. */
static void
collect (WlySampler *sampler, WlySamplerKind next)
{
  const WlySamplerOptions *options = &sampler->options;
  float least                      = -INFINITY;
  WlySamplerEntry first;

  if (sampler->collected)
    return;
  sampler->collected = TRUE;
  if (next == WLY_SAMPLER_TOP_K)
    least = wly_sampler_scan_floor (&sampler->scan, options->top_k);
  else if (next == WLY_SAMPLER_MIN_P && wly_sampler_scan_first (&sampler->scan, &first))
    /* a little more, for what rounding does to either side */
    least = (float)(first.x + wly_sampler_log (options->min_p) - 1e-3 - 1e-6 * fabs (first.x));
  wly_sampler_scan_collect (&sampler->scan, least, sampler->set);
}

/* Whether the options want this one. */
static gboolean
is_on (const WlySampler *sampler, WlySamplerKind kind)
{
  const WlySamplerOptions *options = &sampler->options;

  switch (kind) {
  case WLY_SAMPLER_PENALTIES:
    return sampler->penalties != NULL;
  case WLY_SAMPLER_DRY:
    return sampler->dry != NULL;
  case WLY_SAMPLER_TOP_N_SIGMA:
    return options->top_n_sigma > 0 && !options->mirostat;
  case WLY_SAMPLER_TOP_K:
    return options->top_k > 0 && options->top_k < sampler->n_vocab && !options->mirostat;
  case WLY_SAMPLER_TYPICAL_P:
    return options->typical_p > 0 && options->typical_p < 1 && !options->mirostat;
  case WLY_SAMPLER_TOP_P:
    return options->top_p < 1 && !options->mirostat;
  case WLY_SAMPLER_MIN_P:
    return options->min_p > 1e-300 && !options->mirostat;
  case WLY_SAMPLER_XTC:
    return options->xtc_probability > 0 && options->xtc_threshold <= 0.5 && !options->mirostat;
  case WLY_SAMPLER_TEMPERATURE:
    return options->temperature != 1 || options->temperature_range > 0;
  case WLY_SAMPLER_N_KINDS:
    break;
  }
  return FALSE;
}

static void
apply (WlySampler *sampler, WlySamplerKind kind, guint64 index)
{
  const WlySamplerOptions *options = &sampler->options;
  WlySamplerSet *set               = sampler->set;

  if (kind == WLY_SAMPLER_PENALTIES) {
    apply_penalties (sampler);
    return;
  }
  if (kind == WLY_SAMPLER_DRY) {
    apply_dry (sampler);
    return;
  }
  collect (sampler, kind);
  if (kind == WLY_SAMPLER_TOP_N_SIGMA)
    wly_sampler_set_top_n_sigma (set, options->top_n_sigma);
  else if (kind == WLY_SAMPLER_TOP_K)
    wly_sampler_set_top_k (set, options->top_k);
  else if (kind == WLY_SAMPLER_TYPICAL_P)
    wly_sampler_set_typical (set, options->typical_p);
  else if (kind == WLY_SAMPLER_TOP_P)
    wly_sampler_set_top_p (set, options->top_p);
  else if (kind == WLY_SAMPLER_MIN_P)
    wly_sampler_set_min_p (set, options->min_p);
  else if (kind == WLY_SAMPLER_XTC && wly_philox_uniform (options->seed, index, STREAM_XTC) < options->xtc_probability)
    wly_sampler_set_xtc (set, options->xtc_threshold);
  else if (kind == WLY_SAMPLER_TEMPERATURE)
    wly_sampler_set_temperature (set, options->temperature, options->temperature_range,
                                 options->temperature_exponent > 0 ? options->temperature_exponent : 1);
}

static guint
draw (WlySampler *sampler, guint64 index)
{
  const WlySamplerOptions *options = &sampler->options;
  double p;
  guint id;

  collect (sampler, WLY_SAMPLER_N_KINDS);
  if (options->mirostat)
    wly_sampler_set_surprise (sampler->set, sampler->mu);
  id = wly_sampler_set_draw (sampler->set, wly_philox_uniform (options->seed, index, 0), &p);
  if (options->mirostat)
    sampler->mu -= options->mirostat_eta * (wly_sampler_log (p) * -1.4426950408889634 - options->mirostat_tau);
  return id;
}

static void
apply_if (WlySampler *sampler, WlySamplerKind kind, guint64 index)
{
  if (is_on (sampler, kind))
    apply (sampler, kind, index);
}

/* Nothing to draw from. */
static gint32
fail (guint64 index, GError **error)
{
  g_set_error (error, WLY_ERROR, WLY_ERROR_NUMERIC_FAULT,
               "The model gave no usable probabilities for token %" G_GUINT64_FORMAT
               ": a logit is not a number, or no token is allowed",
               index % WLY_SAMPLER_AGAIN);
  return -1;
}

gint32
wly_sampler_draw (WlySampler *sampler, const float *logits, const guint32 *allowed, guint64 index, GError **error)
{
  const WlySamplerOptions *options = &sampler->options;
  const gboolean greedy            = options->temperature <= 0 && options->temperature_range <= 0;
  WlySamplerEntry first;

  sampler->collected = FALSE;
  if (!wly_sampler_scan_begin (&sampler->scan, logits, allowed,
                               options->n_biases > 0 || sampler->penalties != NULL || sampler->dry != NULL))
    return fail (index, error);
  add_biases (sampler);
  if (!wly_sampler_scan_first (&sampler->scan, &first))
    return fail (index, error);
  for (guint i = 0; i < options->n_order; i++)
    if (!greedy || options->order[i] <= WLY_SAMPLER_DRY)
      apply_if (sampler, (WlySamplerKind)options->order[i], index);
  if (!greedy)
    return (gint32)draw (sampler, index);
  return wly_sampler_scan_first (&sampler->scan, &first) ? (gint32)first.id : fail (index, error);
}
