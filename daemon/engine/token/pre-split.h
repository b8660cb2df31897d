/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Cuts text into the words in which byte-level BPE merges, as tokenizer.ggml.pre says.
 *
 * The field writes a pre-tokeniser as a list of regular expressions: each cuts the pieces of the one before into
 * its matches and what lies between them.  Here each is a stage, a hand-written scanner that looks at a character a
 * bounded number of times; the stages are asked one piece at a time, so that nothing is stored and nothing recurses.
 */
#pragma once

#include "token/unicode.h"

G_BEGIN_DECLS

#define WLY_PRE_SPLIT_MAX_STAGES 6

/* Text that a stage looks at: @end is the end of its piece, which it must not look beyond. */
typedef struct {
  const char *text; /* valid UTF-8 */
  gsize end;
  guint64 n_steps; /* characters looked at */
  gsize run_end;   /* a stage's own: how far it knows what lies ahead, so that it need not look there again and again */
} WlyScan;

/* The end of the piece that starts at @start (< scan->end): of a match there, else of what lies before the next match.
 * Greater than @start, at most scan->end. */
typedef gsize (*WlyPreSplitStage) (WlyScan *scan, gsize start, gconstpointer rules);

typedef struct {
  WlyPreSplitStage find_end;
  gconstpointer rules; /* the stage's own */
} WlyPreSplitStep;

/* What else a name of tokenizer.ggml.pre means. */
typedef enum {
  WLY_PRE_IGNORE_MERGES  = 1 << 0, /* a word that is a token is not merged */
  WLY_PRE_ADD_BOS        = 1 << 1, /* unless the file says otherwise */
  WLY_PRE_FORCE_BOS      = 1 << 2, /* whatever the file says */
  WLY_PRE_CHARACTERS     = 1 << 3, /* merges are of characters, not of bytes in the alphabet of GPT-2 */
  WLY_PRE_MARK_SPACES    = 1 << 4, /* a space is written "▁", in the text as in the tokens */
  WLY_PRE_WHOLE_NEWLINES = 1 << 5, /* a run of newlines that is a token is not merged */
  WLY_PRE_NO_MERGES      = 1 << 6, /* a file without merges is fine */
} WlyPreFlags;

typedef struct {
  const char *name;
  guint flags;
  const WlyPreSplitStep *steps; /* up to the first without function */
} WlyPreTokenizer;

/* By the value of tokenizer.ggml.pre; NULL: not known. */
const WlyPreTokenizer *wly_pre_split_find (const char *name);

/* A text on its way. */
typedef struct {
  const WlyPreTokenizer *pre;
  WlyScan scan;
  gsize text_end;
  gsize position;
  gsize ends[WLY_PRE_SPLIT_MAX_STAGES]; /* of each stage's piece */
} WlyPreSplit;

void wly_pre_split_init (WlyPreSplit *split, const WlyPreTokenizer *pre, const char *text, gsize n_bytes);
/* The next word: from *@ret_start to *@ret_end; FALSE: that was all.  The words cover the text. */
gboolean wly_pre_split_next (WlyPreSplit *split, gsize *ret_start, gsize *ret_end);

G_END_DECLS
