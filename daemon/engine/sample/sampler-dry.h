/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * DRY: a token that would go on with a repetition of what the text said before becomes less likely, the more the longer
 * the repetition is.  Source: p-e-w, "DRY: A modern repetition penalty" (oobabooga/text-generation-webui 5677).
 */
#pragma once

#include "sampler.h"

G_BEGIN_DECLS

typedef struct WlySamplerDry WlySamplerDry;

/* NULL where the options leave every logit as it is; all calls accept that. */
WlySamplerDry *wly_sampler_dry_new (const WlySamplerOptions *options, guint n_vocab);
void wly_sampler_dry_free (WlySamplerDry *dry);
void wly_sampler_dry_accept (WlySamplerDry *dry, gint32 token);

/* Works out what the past makes less likely: @ret_ids are the tokens, @ret_n of them; the memory is the sampler's. */
void wly_sampler_dry_prepare (WlySamplerDry *dry, const guint **ret_ids, guint *ret_n);
/* What is to be subtracted from the logit of a token, after that. */
double wly_sampler_dry_penalty (const WlySamplerDry *dry, guint id);

G_END_DECLS
