/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the makers of grammars share.
 */
#pragma once

#include "grammar/grammar.h"

G_BEGIN_DECLS

/* Adds what a source describes. */
gboolean wly_grammar_add (WlyAutomaton *automaton, const WlyGrammarSource *source, WlyRule *ret_rule, GError **error);
/* Finishes the automaton, which is taken over, also on failure. */
WlyGrammar *wly_grammar_take (WlyAutomaton *automaton, WlyRule root, GError **error);

/* Each adds the rules of a text in its language, whose size and UTF-8 were checked. */
gboolean wly_schema_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);
gboolean wly_gbnf_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);
gboolean wly_regex_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);

G_END_DECLS
