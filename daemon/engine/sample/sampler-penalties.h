/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Penalties for what was said already: which tokens stand in the window, and how often.
 */
#pragma once

#include "sampler.h"

G_BEGIN_DECLS

typedef struct WlySamplerPenalties WlySamplerPenalties;

/* NULL where the options leave every logit as it is; all calls accept that. */
WlySamplerPenalties *wly_sampler_penalties_new (const WlySamplerOptions *options, guint n_vocab);
void wly_sampler_penalties_free (WlySamplerPenalties *penalties);
void wly_sampler_penalties_accept (WlySamplerPenalties *penalties, gint32 token);
void wly_sampler_penalties_apply (const WlySamplerPenalties *penalties, float *logits);

G_END_DECLS
