/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What may follow at each place of a grammar, over one vocabulary: masks of tokens, and ways to the end.
 *
 * What was worked out is kept as long as there is room for it, and outlives a generation where its grammar does: the
 * next one that is held to the same grammar takes it over.  One generation at a time has it, and one thread.  What was
 * asked for before changes no answer.
 */
#pragma once

#include "grammar/grammar.h"
#include "grammar/matcher.h"
#include "grammar/token-trie.h"

G_BEGIN_DECLS

#define WLY_MASKS_NEVER      G_MAXUINT32
#define WLY_MASKS_KEPT_BYTES (3u << 20) /* so much may lie with a grammar that no generation is held to */

struct WlyMasks {
  WlyMatcher *matcher;
  WlyTokenTrie *trie;
  guint32 n_words;   /* of a mask */
  guint32 *scratch;  /* [n_words] a mask that is not kept */
  WlyPlace *way;     /* [depth_max + 1] of a walk */
  gsize masks_bytes; /* of those that are kept */
  GString *text;     /* of one token, or of a way to the end */
  GArray *marks;     /* gint32: places and ids of tokens in that way */
};

/* Those that lie with the grammar, or new ones; @n_vocab: bits of a mask, at least those of the tokens. */
WlyMasks *wly_masks_take (WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_vocab);
/* Leaves them with the grammar they were taken from, for the next, where there is room; any thread. */
void wly_masks_give_back (WlyMasks *masks, WlyGrammar *grammar);
void wly_masks_free (WlyMasks *masks); /* NULL is fine */

/* Forgets what is too much; the place that stays may get another number. */
void wly_masks_tidy (WlyMasks *masks, WlyPlace *place);
/* The mask of a place, which may get another number; good until the next call.  @first: a leading space of the token is
 * not written. */
const guint32 *wly_masks_get (WlyMasks *masks, WlyPlace *place, gboolean first);
/* The same, in `scratch`, of tokens behind which the text can be ended with @budget - 1 more (@budget 0: of none). */
void wly_masks_make_exact (WlyMasks *masks, WlyPlace place, gboolean first, guint32 budget);

/* The tokens (gint32) of the shortest text from a place; FALSE: too long to write down, or the vocabulary cannot write
 * it. */
gboolean wly_masks_plan (WlyMasks *masks, WlyPlace place, gboolean first, GArray *ret_plan);
/* How many tokens are enough to end the text from a place; WLY_MASKS_NEVER: there is no way. */
guint32 wly_masks_count_tokens (WlyMasks *masks, WlyPlace place);
gboolean wly_masks_ends_within (WlyMasks *masks, WlyPlace place, guint32 n_tokens);

static inline void
wly_masks_allow (guint32 *mask, gint32 token)
{
  mask[token / 32] |= 1u << (token % 32);
}

G_END_DECLS
