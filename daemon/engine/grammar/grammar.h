/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Grammars, from the languages that people write them in.
 *
 * A grammar does not change once it is made; any thread may use it.  docs/structured-output.md says what each language
 * knows; what is not known is an error, never left out.  Errors: WLY_ERROR_INVALID_ARGS, with line and column, the
 * place in a regular expression, or the JSON pointer of a keyword.
 */
#pragma once

#include "grammar/automaton.h"

G_BEGIN_DECLS

#define WLY_GRAMMAR_SOURCE_BYTES 262144 /* of any text that a grammar is made of */
#define WLY_GRAMMAR_DEPTH        64     /* groups in each other */

typedef struct WlyMasks WlyMasks;

typedef struct {
  gint references; /* atomic */
  WlyAutomaton *automaton;
  WlyMasks *masks;   /* atomic: what the last generation worked out, until the next takes it; NULL: nothing */
  gsize masks_bytes; /* atomic */
} WlyGrammar;

typedef enum {
  WLY_GRAMMAR_JSON_SCHEMA,
  WLY_GRAMMAR_GBNF,   /* the text is what the rule `root` describes */
  WLY_GRAMMAR_REGEX,  /* the whole text matches */
  WLY_GRAMMAR_CHOICE, /* one of several texts, none of them empty */
} WlyGrammarKind;

typedef struct {
  WlyGrammarKind kind;
  const char *text; /* but for choices */
  gsize n_bytes;
  const char *const *choices; /* ended by NULL */
} WlyGrammarSource;

WlyGrammar *wly_grammar_new (const WlyGrammarSource *source, GError **error);
WlyGrammar *wly_grammar_ref (WlyGrammar *grammar);
void wly_grammar_unref (WlyGrammar *grammar); /* NULL is fine */
/* Bytes that it holds, with its masks. */
gsize wly_grammar_bytes (WlyGrammar *grammar);
/* What lies with it for what is to lie there; for `masks` alone. */
WlyMasks *wly_grammar_swap_masks (WlyGrammar *grammar, WlyMasks *masks, gsize n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyGrammar, wly_grammar_unref)

G_END_DECLS
