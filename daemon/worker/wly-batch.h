/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What goes into the next batch: a pure choice, without state of its own.
 *
 * Sequences that decode (one token to compute) come first, then prompts get chunks of what room is left.  Among equals
 * the one goes first that has used the least: start-time fair queueing, where a token costs 1 / (weight × the factor of
 * its priority).  So everybody advances, urgent ones faster, and who just came does not wait behind a long prompt.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_PRIORITY_INTERACTIVE,
  WLY_PRIORITY_NORMAL,
  WLY_PRIORITY_BACKGROUND,
} WlyPriority;

/* By the word of the option `priority`. */
WlyPriority wly_batch_priority (const char *word);

typedef struct {
  guint n_pending;  /* tokens to compute, >= 1 */
  gboolean prefill; /* a prompt, whatever is left of it: its share is bounded by the chunk */
  WlyPriority priority;
  guint weight;         /* 1 .. 10000 */
  guint64 virtual_time; /* of wly_batch_charge() */
  guint64 order;        /* of arrival; breaks ties */
  guint n_take;         /* set: tokens in this batch, 0: none */
} WlyBatchEntry;

typedef struct {
  guint max_tokens;
  guint max_sequences;
  guint prefill_chunk; /* most tokens of one prompt */
} WlyBatchLimits;

/* Sets n_take of all entries; returns their sum, which is not 0 where there is an entry. */
guint wly_batch_fill (WlyBatchEntry *entries, gsize n_entries, const WlyBatchLimits *limits);

/* Virtual time after @n_tokens more. */
guint64 wly_batch_charge (guint64 virtual_time, guint n_tokens, WlyPriority priority, guint weight);

G_END_DECLS
