/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A conversation to a prompt, by the chat template in the model file, as spans: what the template wrote is trusted,
 * what came from the messages is not.
 */
#pragma once

#include "token/tokenizer.h"

G_BEGIN_DECLS

typedef struct WlyChatTemplate WlyChatTemplate;

typedef struct {
  char *text; /* UTF-8, the whole prompt */
  gsize n_bytes;
  WlyTextSpan *spans; /* point into text and cover it; neighbours differ in trust */
  gsize n_spans;
} WlyRendered;

/* Compiles once.  Errors: WLY_ERROR_TEMPLATE_FAILED, with line and what was not understood. */
WlyChatTemplate *wly_chat_template_new (const char *source, gsize n_bytes, GError **error);
void wly_chat_template_free (WlyChatTemplate *chat_template); /* NULL is fine */

/* What is rendered.  Of messages and what was given nothing is trusted but well-known words as role. */
typedef struct {
  GVariant *messages;  /* aa{sv} of checked MESSAGE dictionaries, contents inline, or av of them; NULL: in given */
  GVariant *given;     /* a{sv} of variables that the caller brings: tools, enable_thinking, …; NULL: none */
  GVariant *variables; /* a{sv} of variables whose strings are trusted: bos_token, eos_token, …; NULL: none.  _now (x,
                        * seconds of the epoch) stands in for the clock */
  gboolean add_generation_prompt;
} WlyChatInput;

/* (any thread)  Errors: WLY_ERROR_TEMPLATE_FAILED: the template refused, or ran out of its limits (steps, depth,
 * output). */
gboolean wly_chat_template_render (const WlyChatTemplate *chat_template, const WlyChatInput *input,
                                   WlyRendered *ret_rendered, GError **error);
void wly_rendered_clear (WlyRendered *rendered);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyChatTemplate, wly_chat_template_free)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (WlyRendered, wly_rendered_clear)

G_END_DECLS
