/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What holds an answer to calls of tools: the marks of a model's format around arguments that their schemas describe.
 *
 *     none        thoughts, then text without the mark that opens a call
 *     auto        thoughts, then text; behind the opening mark, calls
 *     required    thoughts, then calls of any of the tools
 *     a name      the same, of this tool
 *
 * A call is written as the template writes it, with one space where json.dumps() puts one; white space of up to four
 * characters may stand between its marks.
 */
#pragma once

#include "grammar/grammar-builder.h"
#include "parse/output-format.h"

G_BEGIN_DECLS

typedef struct {
  const WlyOutputFormat *format;
  const WlyTokenizer *tokenizer; /* NULL: all marks are text */
  GVariant *tools;               /* av, as templates read them; NULL: none */
  const char *choice;            /* none, auto, required, or the name of a tool */
  gboolean lenient;     /* arguments whose schema is refused are any object, and tools without a name hold nothing */
  gboolean in_thoughts; /* the prompt has opened them */
  const WlyGrammarSource *answer; /* what text there is, is this; NULL: any */
} WlyCallGrammar;

/* *@ret_grammar is NULL where there is nothing to hold.  Errors: WLY_ERROR_INVALID_ARGS: no such tool, a template that
 * writes no calls where one is required, a name that cannot be parsed, a schema (the message names the tool). */
gboolean wly_call_grammar_make (const WlyCallGrammar *wanted, WlyGrammar **ret_grammar, GError **error);

G_END_DECLS
