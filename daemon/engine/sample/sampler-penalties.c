/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sampler-penalties.h"

#include <math.h>

struct WlySamplerPenalties {
  double repetition;
  double frequency;
  double presence;
  guint n_vocab;
  guint n_window;
  guint n_seen; /* tokens in the window so far */
  guint next;   /* where the next one goes */
  gint32 *window;
  guint32 *counts; /* [n_vocab] */
};

WlySamplerPenalties *
wly_sampler_penalties_new (const WlySamplerOptions *options, guint n_vocab)
{
  double repetition = options->repetition_penalty > 0 ? options->repetition_penalty : 1;
  WlySamplerPenalties *penalties;

  if (options->repetition_window == 0
      || (repetition == 1 && options->frequency_penalty == 0 && options->presence_penalty == 0))
    return NULL;
  penalties             = g_new0 (WlySamplerPenalties, 1);
  penalties->repetition = repetition;
  penalties->frequency  = options->frequency_penalty;
  penalties->presence   = options->presence_penalty;
  penalties->n_vocab    = n_vocab;
  penalties->n_window   = options->repetition_window;
  penalties->window     = g_new0 (gint32, penalties->n_window);
  penalties->counts     = g_new0 (guint32, n_vocab);
  return penalties;
}

void
wly_sampler_penalties_free (WlySamplerPenalties *penalties)
{
  if (penalties == NULL)
    return;
  g_free (penalties->window);
  g_free (penalties->counts);
  g_free (penalties);
}

void
wly_sampler_penalties_accept (WlySamplerPenalties *penalties, gint32 token)
{
  if (penalties == NULL || token < 0 || (guint)token >= penalties->n_vocab)
    return;
  if (penalties->n_seen == penalties->n_window)
    penalties->counts[penalties->window[penalties->next]]--;
  else
    penalties->n_seen++;
  penalties->window[penalties->next] = token;
  penalties->counts[token]++;
  penalties->next = (penalties->next + 1) % penalties->n_window;
}

static float
penalise (const WlySamplerPenalties *penalties, float logit, guint32 count)
{
  double x = logit;

  if (!isfinite (x))
    return logit;
  x = x > 0 ? x / penalties->repetition : x * penalties->repetition;
  return (float)(x - count * penalties->frequency - penalties->presence);
}

void
wly_sampler_penalties_apply (const WlySamplerPenalties *penalties, float *logits)
{
  if (penalties == NULL)
    return;
  for (guint i = 0; i < penalties->n_vocab; i++)
    if (penalties->counts[i] > 0)
      logits[i] = penalise (penalties, logits[i], penalties->counts[i]);
}
