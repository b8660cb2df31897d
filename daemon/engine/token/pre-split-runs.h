/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Stages that look for one kind of run and leave all else as it is.
 */
#pragma once

#include "token/pre-split.h"

G_BEGIN_DECLS

typedef struct {
  guint32 first, last;
} WlyCodeRange;

/* Sorted ranges of code points. */
typedef struct {
  const WlyCodeRange *ranges;
  gsize n_ranges;
} WlyCodeSet;

/* Which characters, by class or by code point. */
typedef struct {
  guint classes;           /* set of scan.h */
  const WlyCodeSet *codes; /* or these but white space above ASCII; NULL: none */
  guint max;               /* characters of a match, 0: any number */
  gboolean space;          /* one white space may lead: \s?[…]+ */
} WlyPreSplitRun;

/* [set]{1,max} or \s?[set]+ */
gsize wly_pre_split_runs_of (WlyScan *scan, gsize start, gconstpointer rules);
/* \s+$ */
gsize wly_pre_split_runs_end_space (WlyScan *scan, gsize start, gconstpointer rules);
/* [0-9][0-9][0-9] */
gsize wly_pre_split_runs_three_digits (WlyScan *scan, gsize start, gconstpointer rules);
/*  ?[^(\s|.,!?…。，、।۔،)]+ */
gsize wly_pre_split_runs_bloom (WlyScan *scan, gsize start, gconstpointer rules);

/* Runs of one of several sets that have nothing in common. */
typedef struct {
  const WlyCodeSet *const *sets; /* up to a NULL */
} WlyPreSplitSets;

/* [set]+|[set]+|… */
gsize wly_pre_split_runs_of_sets (WlyScan *scan, gsize start, gconstpointer rules);
/* [^\n]+|[\n]+ */
gsize wly_pre_split_runs_lines (WlyScan *scan, gsize start, gconstpointer rules);

/* Sets that deepseek names by code point. */
extern const WlyCodeSet wly_pre_split_runs_cased_letters; /* [A-Za-zµÀ-Ö…] */
extern const WlyCodeSet wly_pre_split_runs_signs;         /* [!-/:-~！-／：-～‘-‟　-。] */
extern const WlyCodeSet wly_pre_split_runs_cjk;           /* [一-龥ࠀ-一가-퟿] */
extern const WlyCodeSet wly_pre_split_runs_cjk_kana;      /* [一-龥぀-ゟ゠-ヿ] */
extern const WlyCodeSet wly_pre_split_runs_newlines;      /* [\r\n] */
extern const WlyCodeSet wly_pre_split_runs_falcon_signs;  /* [$+<=>^~|`] */
extern const WlyCodeSet wly_pre_split_runs_default_signs; /* [$+<=>^~|] */
extern const WlyCodeSet wly_pre_split_runs_ascii_signs;   /* [!-/:-@\[-`{-~] */
/* Those of youtu: Hangul, signs, Bopomofo, and cjk_kana. */
extern const WlyPreSplitSets wly_pre_split_runs_youtu;
/* That of afmoe: CJK, kana, Hangul, Thai, Lao, Khmer, Burmese; as the field writes it, all from U+8C48 to U+FAFF is in.
 */
extern const WlyCodeSet wly_pre_split_runs_asian;

G_END_DECLS
