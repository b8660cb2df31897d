/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Structured output: what the options of a generation hold its text to.
 */
#pragma once

#include "grammar/constraint.h"
#include "wly-opened.h"

G_BEGIN_DECLS

/* (text thread) The grammar that checked options of scope GENERATE ask for; *@ret_grammar is NULL where they ask for
 * none.  FALSE: WLY_ERROR_INVALID_ARGS, which names the option, or an error of the tokeniser. */
gboolean wly_structure_make (WlyOpened *opened, GVariant *options, WlyGrammar **ret_grammar, GError **error);

G_END_DECLS
