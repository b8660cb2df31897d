/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From logits to a token: a chain of the field's samplers.
 *
 * First what is not allowed, then the logit bias; temperature 0 takes the likeliest of what the penalties left, without
 * the rest of the chain.  Then the samplers in this order, or in that of the options.  Random numbers are counter-based
 * (seed, index of the token in the generation), so a fork or a replay draws the same.
 *
 *   penalties     a token seen in the window: logit / repetition where it is positive, else logit * repetition; then
 *                 - count * frequency - presence
 *   dry           a token that would go on with a repetition of n >= allowed-length tokens: - multiplier * base ^
 *                 (n - allowed-length); no repetition reaches over a token that is a breaker
 *   top-n-sigma   those whose logit is at least the largest - n times the standard deviation of the logits
 *   top-k         the k largest
 *   typical-p     those whose surprise is nearest to the entropy, until their probabilities reach p
 *   top-p         the smallest set of the largest whose probabilities reach p
 *   min-p         the ones whose probability is at least min_p of the largest
 *   xtc           with a probability: of those with at least threshold, all but the least likely are left out
 *   temperature   logit / temperature; with a range: temperature - range + 2 range * (entropy / its maximum) ^ exponent
 *   mirostat      in place of all samplers from top-n-sigma to xtc, behind the temperature: those with a surprise
 *                 (-log2 p) of at most mu; mu begins at 2 tau and after each token loses eta * (surprise - tau)
 *   draw          softmax of what is left, summed in the order of ids up to the random number
 *
 * Probabilities are softmax over what the samplers before have left.  Of equal logits the lower id counts as the larger
 * one.  At least one token always stays.
 *
 * Sources: Holtzman et al. 2019 (top-p), Meister et al. 2022 (typical), Nguyen et al. 2024 (min-p), Tang et al. 2024
 * (top-n-sigma), p-e-w 2024 (DRY, XTC), Basu et al. 2020 (mirostat).
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_SAMPLER_PENALTIES,
  WLY_SAMPLER_DRY,
  WLY_SAMPLER_TOP_N_SIGMA,
  WLY_SAMPLER_TOP_K,
  WLY_SAMPLER_TYPICAL_P,
  WLY_SAMPLER_TOP_P,
  WLY_SAMPLER_MIN_P,
  WLY_SAMPLER_XTC,
  WLY_SAMPLER_TEMPERATURE,
  WLY_SAMPLER_N_KINDS,
} WlySamplerKind;

typedef struct {
  guint32 id;
  float bias; /* minus infinity forbids */
} WlySamplerBias;

/* All zero but top_p = 1 changes nothing. */
typedef struct {
  double temperature;
  double temperature_range;    /* 0: none */
  double temperature_exponent; /* of the entropy, 0 as 1 */
  guint top_k;                 /* 0: all */
  double top_p;                /* 1: all */
  double min_p;                /* 0: all */
  double top_n_sigma;          /* 0: all */
  double typical_p;            /* 1, as 0: all */
  double xtc_probability;      /* 0: never */
  double xtc_threshold;
  double repetition_penalty; /* 1, as 0: none */
  double frequency_penalty;
  double presence_penalty;
  guint repetition_window; /* tokens; 0: no penalties */
  double dry_multiplier;   /* 0: none */
  double dry_base;
  guint dry_allowed_length;
  guint dry_window;            /* tokens; 0: none */
  const guint32 *dry_breakers; /* a bit for each token, as for wly_sampler_draw(); NULL: none; the caller's */
  gboolean mirostat;
  double mirostat_tau, mirostat_eta;
  const WlySamplerBias *biases; /* [n_biases], the caller's */
  gsize n_biases;
  guint8 order[WLY_SAMPLER_N_KINDS]; /* WlySamplerKind */
  guint n_order;                     /* 0: the order above */
  guint64 seed;
} WlySamplerOptions;

typedef struct WlySampler WlySampler;

/* What @options point to must outlive the sampler. */
WlySampler *wly_sampler_new (const WlySamplerOptions *options, guint n_vocab);
void wly_sampler_free (WlySampler *sampler); /* NULL is fine */

/* "top-k" …; WLY_SAMPLER_N_KINDS: there is none of this name. */
WlySamplerKind wly_sampler_kind (const char *name);

/* Tells of a token of the past, prompt or generated, oldest first: what penalties and DRY look at. */
void wly_sampler_accept (WlySampler *sampler, gint32 token);

/* To be added to the index for each time that the token has been drawn before and was not taken: the random numbers are
 * others then.  With the same ones, tokens beside the one that was not taken would come too often. */
#define WLY_SAMPLER_AGAIN (G_GUINT64_CONSTANT (1) << 32)

/* Draws token number @index of the generation; @logits [n_vocab] are not changed.  @allowed: a bit for each token,
 * token i at bit i % 32 of word i / 32; a token without one counts as minus infinity before all else; NULL allows all.
 * WLY_ERROR_NUMERIC_FAULT and -1 where an allowed logit is NaN or plus infinity, or all are minus infinity (which is
 * how a token is forbidden). */
gint32 wly_sampler_draw (WlySampler *sampler, const float *logits, const guint32 *allowed, guint64 index,
                         GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlySampler, wly_sampler_free)

G_END_DECLS
