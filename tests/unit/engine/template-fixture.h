/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of chat templates share.
 */
#pragma once

#include "template/chat-template.h"

G_BEGIN_DECLS

/* bos_token and eos_token; (transfer full). */
GVariant *wly_fixture_variables (void);

/* The text with what is not trusted in ⟦ ⟧; fails the test where the spans do not cover it, or neighbours are of one
 * kind.  (transfer full) */
char *wly_fixture_show_spans (const WlyRendered *rendered);

/* A conversation with tools, documents and all that templates ask for, with @word as every text; for
 * WlyChatInput.given. (transfer full) */
GVariant *wly_fixture_hostile_input (const char *word);

/* Words of the user, in whatever a template may do with them, never get into what is trusted: fails the test where it
 * holds "qq", in capitals or not, which is for every word of the user. */
void wly_fixture_check_user_words (const WlyRendered *rendered);

G_END_DECLS
