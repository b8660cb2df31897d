/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Structured output: what the options of a generation hold its text to.
 */
#pragma once

#include "grammar/constraint.h"
#include "wly-body.h"
#include "wly-opened.h"

G_BEGIN_DECLS

/* (text thread) The grammar that checked options of scope GENERATE ask for; *@ret_grammar is NULL where they ask for
 * none.  @prompt: gint32, the tokens of the body.  @salt: of the app; the same request by the same app gets the grammar
 * that was made before, where that is still there.  FALSE: WLY_ERROR_INVALID_ARGS, which names the option or the tool,
 * or an error of the tokeniser. */
gboolean wly_structure_make (WlyOpened *opened, const WlyBody *body, const GArray *prompt, GVariant *options,
                             guint64 salt, WlyGrammar **ret_grammar, GError **error);

/* Whether the options give the text a form of its own, in which JSON is no call. */
gboolean wly_structure_is_own (GVariant *options);

G_END_DECLS
