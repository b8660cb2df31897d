/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From logits to a token: a chain of the field's samplers.
 *
 * Order: penalties, temperature 0 short-cut, top-k, top-p, min-p, temperature, draw.  Random numbers are counter-based
 * (seed, index of the token in the generation), so a fork or a replay draws the same.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  double temperature;
  guint top_k;
  double top_p;
  double min_p;
  double repetition_penalty;
  double frequency_penalty;
  double presence_penalty;
  guint repetition_window;
  guint64 seed;
} WlySamplerOptions;

typedef struct WlySampler WlySampler;

WlySampler *wly_sampler_new (const WlySamplerOptions *options, guint n_vocab);
void wly_sampler_free (WlySampler *sampler); /* NULL is fine */

/* Tells of a token of the past, prompt or generated, oldest first: what the penalties look at. */
void wly_sampler_accept (WlySampler *sampler, gint32 token);

/* Draws token number @index of the generation; @logits [n_vocab] are not changed.  WLY_ERROR_NUMERIC_FAULT and -1 where
 * a logit is NaN, or all are minus infinity. */
gint32 wly_sampler_draw (WlySampler *sampler, const float *logits, guint64 index, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySampler, wly_sampler_free)

G_END_DECLS
