/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who gives way when the key-value cache is full.  What is taken is computed again when its owner goes on, to the same
 * bits: it costs time, never content.
 */
#pragma once

#include "wly-generation.h"

G_BEGIN_DECLS

/* Takes the blocks of one: of an idle session, the longest unused first; then of a generation that is not in this step;
 * then of the least urgent one of @in_step.  A generation that lost its blocks waits (`preempted`) until
 * wly_evict_resume().
 * @sessions, @active: all that there are.  FALSE: one alone is left, and it does not fit. */
gboolean wly_evict_one (GPtrArray *sessions, GPtrArray *active, GPtrArray *in_step);

/* Room was made: those that were put aside may try again. */
void wly_evict_resume (GPtrArray *active);

G_END_DECLS
