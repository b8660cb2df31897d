/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts to vectors, by a model that pools: each text is a sequence of its own.  Several share a step; one that is
 * larger than a step is computed in several, if the network is causal.
 */
#pragma once

#include "run/network.h"

G_BEGIN_DECLS

/* What the model gives for each text: embeddings or scores; WLP_POOL_NONE: none of that. */
enum wlp_pool wly_embed_pooling (WlyNetwork *network);
guint wly_embed_width (WlyNetwork *network);

/* (step thread) Computes the texts from @first on, as many as one batch takes, at least one: @texts of GArray of
 * gint32.  *@ret_n of them are in @ret_rows [*@ret_n][width] (transfer full).  Errors: WLY_ERROR_INVALID_ARGS for a
 * text that is too long, by its number and what it is too long for; those of a step. */
gboolean wly_embed_compute (WlyNetwork *network, const GPtrArray *texts, guint first, guint *ret_n, float **ret_rows,
                            GError **error);

/* Cuts rows to @width of @n_width values (in place), and scales them to length 1 where @normalise is set; a row of
 * zeros stays one. */
void wly_embed_finish (float *rows, guint n_rows, guint n_width, guint width, gboolean normalise);

G_END_DECLS
