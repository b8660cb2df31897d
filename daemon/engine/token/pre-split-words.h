/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The stages of pre-split.c, each named after the expression that it stands for.
 */
#pragma once

#include "token/pre-split.h"

G_BEGIN_DECLS

/* 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+ */
gsize wly_pre_split_words_gpt2 (WlyScan *scan, gsize start, gconstpointer rules);

/* The family that llama-3 began:
 *   (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+
 */
typedef struct {
  guint max_digits;        /* of \p{N}{1,…} */
  gboolean with_marks;     /* [\p{L}\p{M}]+ for \p{L}+, and marks are no others */
  gboolean bare_others;    /* others without [\r\n]* */
  gboolean stepped_spaces; /* \s{512}(?!\S)|\s{256}(?!\S)|…|\s{4}(?!\S)|\s{1,2}(?!\S)|\s for the last two */
} WlyPreSplitLlama3;

gsize wly_pre_split_words_llama3 (WlyScan *scan, gsize start, gconstpointer rules);

/* The third expression of deepseek-v3:
 *   [!-/:-@[-`{-~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+| ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
gsize wly_pre_split_words_deepseek3 (WlyScan *scan, gsize start, gconstpointer rules);

/* The family of gpt-4o, upper case before lower case, where only ASCII has a case:
 *   [^\r\n\p{L}\p{N}]?U*L+C?|[^\r\n\p{L}\p{N}]?U+L*C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+
 * with U letters but a-z, L letters but A-Z, C the contractions of llama-3. */
typedef struct {
  guint max_digits;
  gboolean contractions;
  gboolean with_marks; /* marks are letters, too */
  gboolean caseless;   /* U and L are all letters */
} WlyPreSplitCased;

gsize wly_pre_split_words_cased (WlyScan *scan, gsize start, gconstpointer rules);

/* That of kimi-k2, H being Han characters:
 *   H+|[^\r\n\p{L}\p{N}]?[\p{L}--H]+C?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+ */
gsize wly_pre_split_words_kimi (WlyScan *scan, gsize start, gconstpointer rules);

/* That of exaone-moe, whose words reach over single spaces:
 *   C|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+ */
gsize wly_pre_split_words_phrases (WlyScan *scan, gsize start, gconstpointer rules);

G_END_DECLS
