/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From logits to a token: a chain of the field's samplers.
 *
 * Order: penalties, temperature 0 short-cut, top-k, top-p, min-p, temperature, draw.  Random numbers are counter-based
 * (seed, index of the token in the generation), so a fork or a replay draws the same.
 *
 *   penalties     a token seen in the window: logit / repetition where it is positive, else logit * repetition; then
 *                 - count * frequency - presence
 *   temperature 0 the largest logit, of equal ones the lowest id
 *   top-k         the k largest
 *   top-p         of those, the smallest set of the largest whose probabilities reach p
 *   min-p         of those, the ones whose probability is at least min_p of the largest
 *   draw          softmax (logit / temperature) of what is left, summed in the order of ids up to the random number
 *
 * Of equal logits the lower id counts as the larger one.  At least one token always stays.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double temperature;
  guint top_k;               /* 0: all */
  double top_p;              /* 1: all */
  double min_p;              /* 0: all */
  double repetition_penalty; /* 1, as 0: none */
  double frequency_penalty;
  double presence_penalty;
  guint repetition_window; /* tokens; 0: no penalties */
  guint64 seed;
} WlySamplerOptions;

typedef struct WlySampler WlySampler;

WlySampler *wly_sampler_new (const WlySamplerOptions *options, guint n_vocab);
void wly_sampler_free (WlySampler *sampler); /* NULL is fine */

/* Tells of a token of the past, prompt or generated, oldest first: what the penalties look at. */
void wly_sampler_accept (WlySampler *sampler, gint32 token);

/* Draws token number @index of the generation; @logits [n_vocab] are not changed.  @allowed: a bit for each token,
 * token i at bit i % 32 of word i / 32; a token without one counts as minus infinity before all else; NULL allows all.
 * WLY_ERROR_NUMERIC_FAULT and -1 where a logit is NaN or plus infinity, or all are minus infinity (which is how a token
 * is forbidden). */
gint32 wly_sampler_draw (WlySampler *sampler, const float *logits, const guint32 *allowed, guint64 index,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySampler, wly_sampler_free)

G_END_DECLS
