/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a generation draws its tokens: from options to what the sampler takes.
 *
 * A preset stands in for options that are not given:
 *   precise   temperature 0.3, top-k 20, top-p 0.9, min-p 0.1
 *   balanced  the defaults of the table
 *   creative  temperature 1.2, top-k 0, top-p 1, min-p 0.05, dry-multiplier 0.8
 */
#pragma once

#include "sample/sampler.h"
#include "token/tokenizer.h"

G_BEGIN_DECLS

typedef struct {
  WlySamplerOptions sampler; /* points into the rest */
  WlySamplerBias *biases;
  guint32 *breakers; /* bits of tokens that no repetition reaches over */
  guint32 *stops;    /* [n_stops] tokens that end a generation */
  gsize n_stops;
  gboolean logprobs;
  guint n_top_logprobs;
} WlySampling;

/* @options: scope GENERATE, checked.  Error: WLY_ERROR_INVALID_ARGS for a token that is not in the vocabulary.
 * @sampling is the caller's memory; wly_sampling_clear() is due in any case. */
gboolean wly_sampling_read (WlySampling *sampling, GVariant *options, const WlyTokenizer *tokenizer, GError **error);
void wly_sampling_clear (WlySampling *sampling);

/* (text thread) The tokens of the vocabulary whose text holds one of the option dry-breakers: all of them are read,
 * where there is DRY. */
void wly_sampling_find_breakers (WlySampling *sampling, GVariant *options, const WlyTokenizer *tokenizer);

gboolean wly_sampling_stops (const WlySampling *sampling, gint32 token);

G_END_DECLS
