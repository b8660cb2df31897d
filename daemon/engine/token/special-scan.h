/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds tokens with a meaning in text: leftmost first, of several at one place the longest.
 *
 * Control tokens are found only in trusted bytes, so that nobody can write one into a prompt; user-defined tokens
 * (words that were added to the vocabulary) everywhere, as in the field.
 */
#pragma once

#include "token/vocab.h"

G_BEGIN_DECLS

/* Longer ones are never found; bounds the work of each byte. */
#define WLY_SPECIAL_MAX_BYTES 512u

typedef struct {
  const WlyVocab *vocab;
  guint32 *ids; /* sorted by text */
  guint32 n_ids;
  guint32 first[257]; /* of ids, by first byte */
} WlySpecialScan;

typedef struct {
  gsize start, n_bytes;
  gint32 id;
} WlySpecialMatch;

void wly_special_scan_init (WlySpecialScan *scan, const WlyVocab *vocab);
void wly_special_scan_finish (WlySpecialScan *scan);

/* A text on its way through the scan. */
typedef struct {
  const char *text;
  gsize n_bytes;
  const WlyTextSpan *spans; /* cover the text; none is empty, neighbours differ in trust */
  gsize n_spans;
  gsize span;       /* the one that the scan is in */
  gsize span_start; /* place of it in the text */
  guint64 n_steps;
} WlySpecialCursor;

/* The next match at or after @start, which never moves back; FALSE: none. */
gboolean wly_special_scan_next (const WlySpecialScan *scan, WlySpecialCursor *cursor, gsize start,
                                WlySpecialMatch *ret_match);

G_END_DECLS
