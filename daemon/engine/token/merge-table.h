/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The merges of BPE: two tokens to the rank of their merge and the token that they become.
 */
#pragma once

#include "token/vocab.h"

G_BEGIN_DECLS

typedef struct {
  gint32 left, right; /* left -1: free */
  guint32 rank;
  gint32 result; /* WLY_TOKEN_NONE: what they become is no token */
} WlyMergeSlot;

typedef struct {
  WlyMergeSlot *slots;
  guint shift; /* 64 - log2 (n_slots) */
} WlyMergeTable;

/* Reads tokenizer.ggml.merges.  Errors: WLY_ERROR_INVALID_MODEL (missing and not @optional, or a merge of what is no
 * token). */
gboolean wly_merge_table_init (WlyMergeTable *table, const WlyVocab *vocab, gboolean optional, GError **error);
void wly_merge_table_finish (WlyMergeTable *table);

const WlyMergeSlot *wly_merge_table_find (const WlyMergeTable *table, gint32 left, gint32 right); /* NULL: none */

G_END_DECLS
