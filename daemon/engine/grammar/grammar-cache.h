/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Grammars of one model that were made lately, so that an app that sends the same schema with each request pays once.
 *
 * A grammar is found by a digest of all that it was made of, of which the app is a part: no app meets another's.  The
 * bytes are bounded: beyond them the app that has most loses the one that it used least recently.  Any thread.
 */
#pragma once

#include "grammar/grammar.h"

G_BEGIN_DECLS

#define WLY_GRAMMAR_CACHE_ENTRIES 8
#define WLY_GRAMMAR_CACHE_BYTES                                                                                        \
  (32u << 20) /* of all; of masks that lie with them, as if there were as many as may be */

typedef struct WlyGrammarCache WlyGrammarCache;

WlyGrammarCache *wly_grammar_cache_new (void);
void wly_grammar_cache_free (WlyGrammarCache *cache); /* NULL is fine */

/* (transfer full) The grammar of that digest; NULL: there is none. */
WlyGrammar *wly_grammar_cache_get (WlyGrammarCache *cache, const char *digest);
/* Keeps it, unless it is too large.  @owner: whose it is; the digest has to say so, too. */
void wly_grammar_cache_put (WlyGrammarCache *cache, guint64 owner, const char *digest, WlyGrammar *grammar);
/* Bytes that are held now. */
gsize wly_grammar_cache_bytes (WlyGrammarCache *cache);

G_END_DECLS
