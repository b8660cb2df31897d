/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Chat templates for models whose files have none, by the marks of turns that the vocabulary has.
 */
#pragma once

#include "token/tokenizer.h"

G_BEGIN_DECLS

/* The source of the template.  *@ret_marked: its turns are marked by tokens of the vocabulary; else roles are plain
 * words, which any model can read and which end no answer. */
const char *wly_default_template_source (const WlyTokenizer *tokenizer, gboolean *ret_marked);

G_END_DECLS
