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

/* The tokens in the window, each once: *@ret_ids is the penalties' memory, until the next call.  Returns their number.
 */
guint wly_sampler_penalties_seen (WlySamplerPenalties *penalties, const guint **ret_ids);
/* The logit of a token as it is with the penalties. */
double wly_sampler_penalties_apply (const WlySamplerPenalties *penalties, guint id, double logit);

G_END_DECLS
