/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the model itself expected: logarithms of probabilities, before any sampler.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint id;
  double logprob; /* ln p; minus infinity for what cannot be */
} WlySamplerLogprob;

/* Of @token in *@ret_token, and of the @n_top (<= n_vocab) likeliest in @ret_top, falling; of equal ones the lower id
 * is first. */
void wly_sampler_logprobs_get (const float *logits, guint n_vocab, guint token, guint n_top,
                               WlySamplerLogprob *ret_token, WlySamplerLogprob *ret_top);

G_END_DECLS
