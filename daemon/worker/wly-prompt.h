/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From a request's body to the tokens that a session's past is continued with.
 *
 * The tokens of a session are the only truth about its past: the messages that they came from are not kept, so a
 * session that another worker takes over after a crash goes on exactly as it would have.  Messages that are added to a
 * past are rendered behind a stand-in conversation that ends with an answer of the model,
 *
 *     [user: X] [assistant: Y] [the new messages]
 *
 * and what the template writes after Y is what is added.  Where the past ends with an end token that the template
 * writes first there (as it does to close an answer), it is not added twice; where it does not (the answer was cut by a
 * limit or by its reader) that is how the answer gets closed.
 */
#pragma once

#include "wly-body.h"
#include "wly-opened.h"

G_BEGIN_DECLS

/* What a prompt is put behind. */
typedef struct {
  guint n_tokens;    /* 0: nothing */
  gint32 last_token; /* where there is one */
} WlyPast;

/* What a template makes of the messages; where the last one is to be continued it ends with its text.  @variables: as
 * WlyChatInput.  Errors: WLY_ERROR_TEMPLATE_FAILED; WLY_ERROR_INVALID_ARGS: it does not write the last answer. */
gboolean wly_prompt_render_template (const WlyChatTemplate *chat_template, const WlyBody *body, GVariant *variables,
                                     WlyRendered *ret_rendered, GError **error);

/* The prompt of the messages or the text as it is, by itself; spans say what is trusted.  Errors:
 * WLY_ERROR_NO_TEMPLATE, and the above. */
gboolean wly_prompt_render (WlyOpened *opened, const WlyBody *body, WlyRendered *ret_rendered, GError **error);

/* a(tt), floating: start and length in bytes of what is trusted. */
GVariant *wly_prompt_trusted (const WlyRendered *rendered);

/* Appends the tokens to be added to this past; begins with the model's BOS where there is no past and the model wants
 * one that is not there.  May append none, for an empty prompt.  Errors: the above, and those of the tokeniser. */
gboolean wly_prompt_tokens (WlyOpened *opened, const WlyBody *body, const WlyPast *past, GArray *tokens,
                            GError **error);

/* Model.Tokenize: the tokens of this body by itself; @add_special: with those that the model wants at start and end. */
gboolean wly_prompt_tokenize (WlyOpened *opened, const WlyBody *body, gboolean special, gboolean add_special,
                              GArray *tokens, GError **error);

G_END_DECLS
