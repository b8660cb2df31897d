/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Greedy merging of neighbours, best pair first, leftmost first among equals: the core of BPE and of SentencePiece.
 * A heap holds the candidates, a chain the symbols: O(n log n) for a word of n symbols.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WLY_MERGE_END G_MAXUINT32

typedef struct {
  guint32 start, n_bytes; /* in the word; no bytes: merged away */
  guint32 previous, next; /* WLY_MERGE_END: none */
  gint32 id;              /* token, -1: none */
  guint64 hash;           /* of the text, where the kind looks up by text */
} WlyMergeSymbol;

typedef struct {
  guint32 rank; /* least first */
  guint32 left;
  guint32 n_bytes; /* of both: tells whether they still are what they were */
  gint32 id;       /* what they become */
} WlyMergeCandidate;

typedef struct {
  guint32 rank;
  gint32 id;
} WlyMergeResult;

/* Whether two neighbours may become one. */
typedef gboolean (*WlyMergeFindCb) (gconstpointer data, const char *word, const WlyMergeSymbol *left,
                                    const WlyMergeSymbol *right, WlyMergeResult *ret_result);
/* What the joined symbol's hash is; NULL: hashes are not used. */
typedef guint64 (*WlyMergeHashCb) (gconstpointer data, const WlyMergeSymbol *left, const WlyMergeSymbol *right);

/* Memory for words, one after the other. */
typedef struct {
  WlyMergeSymbol *symbols;
  gsize n_symbols, symbols_size;
  WlyMergeCandidate *heap;
  gsize n_heap, heap_size;
  guint64 n_steps; /* look-ups and moves in the heap */
} WlyMerge;

void wly_merge_finish (WlyMerge *merge);

/* Starts a word; then add its symbols from left to right. */
void wly_merge_start (WlyMerge *merge);
void wly_merge_add (WlyMerge *merge, gsize start, gsize n_bytes, gint32 id, guint64 hash);

/* Merges what can be merged.  The symbols that are left are those with bytes, in order, from 0 along next. */
void wly_merge_run (WlyMerge *merge, const char *word, WlyMergeFindCb find_cb, WlyMergeHashCb hash_cb,
                    gconstpointer data);

G_END_DECLS
