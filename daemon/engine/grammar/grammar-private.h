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

/* How the outermost object of a schema is written where it is no JSON object, in rules for its marks. */
typedef struct {
  gboolean raw;                /* strings stand as they are; else values are as in Python */
  WlyRule key_open, key_close; /* around a name */
  WlyRule value_close;         /* behind a value */
  WlyRule separator;           /* between two members */
  /* raw: any text up to the first of `stop`, and that */
  WlyRule any_text;
  const char *stop; /* which no value can have in it */
} WlySchemaMembers;

/* Each adds the rules of a text in its language, whose size and UTF-8 were checked. */
gboolean wly_schema_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);
/* The same of an object whose members are written so. */
gboolean wly_schema_add_members (WlyAutomaton *automaton, const char *text, gsize n_bytes,
                                 const WlySchemaMembers *members, WlyRule *ret_rule, GError **error);
gboolean wly_grammar_check_text (const char *what, const char *text, gsize n_bytes, GError **error);
gboolean wly_gbnf_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);
gboolean wly_regex_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error);

G_END_DECLS
