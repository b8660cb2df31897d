/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The parts of an answer, thoughts, calls of tools and text, as frames of a stream.
 */
#pragma once

#include "parse/output-parser.h"
#include "wly-body.h"
#include "wly-opened.h"
#include "wly-stream.h"

G_BEGIN_DECLS

/* (text thread) What takes the answer to this body apart; NULL where it is a plain prompt, whose answer is text alone.
 * @prompt: gint32, its tokens.  @constrained: the answer has a form of its own, so that JSON without a mark is no call.
 */
WlyOutputParser *wly_pieces_new (WlyOpened *opened, const WlyBody *body, const GArray *prompt, gboolean constrained);

/* Whether this prompt ends within the model's thoughts. */
gboolean wly_pieces_in_thoughts (WlyOpened *opened, const WlyBody *body, const GArray *prompt);

/* The text of a token that gives none, where it is a mark of a call or of thoughts: appended to @bytes. */
void wly_pieces_append_mark (WlyOpened *opened, gint32 token, GString *bytes);

/* @parser NULL: all of it is text. */
void wly_pieces_write (WlyOutputParser *parser, WlyStream *stream, const char *text, gsize n_bytes);
void wly_pieces_finish (WlyOutputParser *parser, WlyStream *stream);

G_END_DECLS
