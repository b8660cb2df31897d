/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Grammars put together from parts: what surrounds a schema, or comes before it.
 *
 * Some text, then calls of tools between the marks that a template knows, each with the schema of its arguments:
 *
 *     builder = wly_grammar_builder_new (tokenizer);
 *     open    = wly_grammar_builder_until (builder, { "<tool_call>", NULL }, FALSE);
 *     name    = wly_grammar_builder_text (builder, "\n{\"name\": \"f\", \"arguments\": ");
 *     object  = wly_grammar_builder_source (builder, &schema, &error);
 *     close   = wly_grammar_builder_text (builder, "}\n</tool_call>");
 *     call    = wly_grammar_builder_sequence (builder, { open, name, object, close }, 4);
 *     calls   = wly_grammar_builder_repeat (builder, call, 1, WLY_AUTOMATON_ENDLESS);
 *     grammar = wly_grammar_builder_finish (builder, calls, &error);
 *
 * Marks that are control tokens of the vocabulary, without a text of their own, are those tokens; everything else is
 * text.  A part may be used in several places.
 */
#pragma once

#include "grammar/grammar.h"
#include "token/tokenizer.h"

G_BEGIN_DECLS

typedef struct WlyGrammarBuilder WlyGrammarBuilder;
typedef guint32 WlyGrammarPart; /* good within its builder */

/* The tokeniser must stay; NULL: all marks are text. */
WlyGrammarBuilder *wly_grammar_builder_new (const WlyTokenizer *tokenizer);
void wly_grammar_builder_free (WlyGrammarBuilder *builder); /* NULL is fine */

/* This text; of what spells a control token in it, that token. */
WlyGrammarPart wly_grammar_builder_text (WlyGrammarBuilder *builder, const char *text);
/* Any text up to the first of the marks (ended by NULL), and that mark; @may_end: or any text without them.
 * A mark may begin with a control token; behind that, the rest of it has to follow. */
WlyGrammarPart wly_grammar_builder_until (WlyGrammarBuilder *builder, const char *const *marks, gboolean may_end);
/* Any text without the marks. */
WlyGrammarPart wly_grammar_builder_without (WlyGrammarBuilder *builder, const char *const *marks);
/* Up to four spaces and line breaks. */
WlyGrammarPart wly_grammar_builder_space (WlyGrammarBuilder *builder);
/* What a source describes. */
gboolean wly_grammar_builder_source (WlyGrammarBuilder *builder, const WlyGrammarSource *source,
                                     WlyGrammarPart *ret_part, GError **error);

/* How the members of a schema's outermost object are written where it is no JSON object. */
typedef struct {
  const char *key_open, *key_close; /* around a name */
  /* NULL: values are as in Python: JSON, or None, True, False, or strings between '.  Else what stands behind each:
   * strings stand as they are, and end where its mark does; so do JSON values. */
  const char *value_close;
  const char *separator; /* between members; NULL: up to four spaces and line breaks */
} WlyGrammarMembers;

/* What a JSON Schema describes, an object, in this form. */
gboolean wly_grammar_builder_members (WlyGrammarBuilder *builder, const char *schema, gsize n_bytes,
                                      const WlyGrammarMembers *form, WlyGrammarPart *ret_part, GError **error);

WlyGrammarPart wly_grammar_builder_sequence (WlyGrammarBuilder *builder, const WlyGrammarPart *parts, guint n_parts);
WlyGrammarPart wly_grammar_builder_choice (WlyGrammarBuilder *builder, const WlyGrammarPart *parts, guint n_parts);
/* @max may be WLY_AUTOMATON_ENDLESS. */
WlyGrammarPart wly_grammar_builder_repeat (WlyGrammarBuilder *builder, WlyGrammarPart part, guint32 min, guint32 max);

/* The grammar of a part; the builder makes nothing more. */
WlyGrammar *wly_grammar_builder_finish (WlyGrammarBuilder *builder, WlyGrammarPart part, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyGrammarBuilder, wly_grammar_builder_free)

G_END_DECLS
