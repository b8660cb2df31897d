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
  guint *ids;      /* [n_window] those that were seen */
  guint32 *rounds; /* [n_vocab] of wly_sampler_penalties_seen() in which the token was met last */
  guint32 round;
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
  penalties->ids        = g_new (guint, penalties->n_window);
  penalties->rounds     = g_new0 (guint32, n_vocab);
  return penalties;
}

void
wly_sampler_penalties_free (WlySamplerPenalties *penalties)
{
  if (penalties == NULL)
    return;
  g_free (penalties->window);
  g_free (penalties->counts);
  g_free (penalties->ids);
  g_free (penalties->rounds);
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

guint
wly_sampler_penalties_seen (WlySamplerPenalties *penalties, const guint **ret_ids)
{
  guint n = 0;

  if (penalties == NULL)
    return 0;
  penalties->round++;
  for (guint i = 0; i < penalties->n_seen; i++) {
    const guint id = (guint)penalties->window[i];

    if (penalties->rounds[id] != penalties->round)
      penalties->ids[n++] = id;
    penalties->rounds[id] = penalties->round;
  }
  *ret_ids = penalties->ids;
  return n;
}

double
wly_sampler_penalties_apply (const WlySamplerPenalties *penalties, guint id, double logit)
{
  if (penalties == NULL || penalties->counts[id] == 0 || !isfinite (logit))
    return logit;
  logit = logit > 0 ? logit / penalties->repetition : logit * penalties->repetition;
  return logit - penalties->counts[id] * penalties->frequency - penalties->presence;
}
