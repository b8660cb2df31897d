/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a generation is held to: which tokens may come next, so that the text stays a beginning of one that a grammar
 * allows, and ends as a whole one within the tokens that there are.
 *
 * A constraint belongs to one generation and one thread; grammar and tree of tokens are shared.  The same grammar,
 * tokens and budget give the same masks, whatever was asked for in between.
 *
 *     const guint32 *allowed = wly_constraint_mask (constraint, budget, &error); // or all, where it is free
 *     token = draw (allowed);
 *     if (!wly_constraint_fits (constraint, token, budget)) {
 *       allowed = wly_constraint_mask_exact (constraint, budget, &error);
 *       token = draw (allowed);
 *     }
 *     wly_constraint_accept (constraint, token, &error);
 *
 * @budget is how many tokens with text may still come, the next one included; tokens that end the generation do not
 * count.  As long as it is at least wly_constraint_shortest() at the beginning, and goes down by one each time, the
 * text is whole when it is used up.
 */
#pragma once

#include "grammar/grammar.h"
#include "grammar/token-trie.h"

G_BEGIN_DECLS

typedef struct WlyConstraint WlyConstraint;

/* @n_vocab: bits of a mask, at least those of the tokens.  @first: the text begins behind nothing, so that a leading
 * space of its first token is not written (wly_tokenizer_decode()). */
WlyConstraint *wly_constraint_new (WlyGrammar *grammar, WlyTokenTrie *trie, guint32 n_vocab, gboolean first);
void wly_constraint_free (WlyConstraint *constraint); /* NULL is fine */

/* Whether nearly every token may come, as in text before a call of a tool: then one is drawn among all of them, and
 * only where that one does not fit, a mask is needed.  Never near the end of the budget. */
gboolean wly_constraint_is_free (WlyConstraint *constraint, guint32 budget);
/* A bit for each token, token 0 the lowest of the first word; good until the next call.  Tokens that end a generation
 * are allowed where the text may end.  Errors: WLY_ERROR_INVALID_ARGS (too ambiguous), WLY_ERROR_NOT_SUPPORTED (no
 * token of the vocabulary can go on). */
const guint32 *wly_constraint_mask (WlyConstraint *constraint, guint32 budget, GError **error);
/* The same without tokens behind which the text cannot be ended in time; slower. */
const guint32 *wly_constraint_mask_exact (WlyConstraint *constraint, guint32 budget, GError **error);
/* Whether a token may come, and the text can be ended in time behind it. */
gboolean wly_constraint_fits (WlyConstraint *constraint, gint32 token, guint32 budget);

/* The token comes next.  Errors: WLY_ERROR_INVALID_ARGS where it may not. */
gboolean wly_constraint_accept (WlyConstraint *constraint, gint32 token, GError **error);

/* The text so far is a whole one. */
gboolean wly_constraint_may_end (const WlyConstraint *constraint);
/* And nothing can be added to it. */
gboolean wly_constraint_must_end (const WlyConstraint *constraint);
/* Tokens with which the text can be ended, at most; G_MAXUINT32: the vocabulary has no way. */
guint32 wly_constraint_shortest (WlyConstraint *constraint);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyConstraint, wly_constraint_free)

G_END_DECLS
