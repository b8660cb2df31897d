/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How a model writes its thoughts and its calls of tools: both are found by letting its chat template render some that
 * are known, and looking what stands around them.  Only where it shows nothing, thoughts are found by marks in its
 * source, and calls by what it tells the model.  Never by a model's name.
 */
#pragma once

#include "template/chat-template.h"

G_BEGIN_DECLS

typedef enum {
  WLY_CALLS_NONE,   /* the template writes no calls */
  WLY_CALLS_OBJECT, /* open, a JSON object with name and arguments, close */
  WLY_CALLS_LIST,   /* open, a JSON list of such objects, close */
  WLY_CALLS_NAMED,  /* open, the name, middle, the arguments as a JSON object, close */
  WLY_CALLS_PYTHON, /* open, a list of name(key=value, …) as in Python, close */
  /* open, what stands before the name, the name, middle; for each argument its key and its value, each between its
   * marks; what stands behind the arguments, close.  Strings stand as they are, other values as JSON. */
  WLY_CALLS_MEMBERS,
} WlyCallsKind;

/* Marks that are no part of an answer: those beside the thoughts', two around an answer, two around all calls. */
#define WLY_OUTPUT_FORMAT_OWN_IGNORED 6
#define WLY_OUTPUT_FORMAT_IGNORED     (WLY_OUTPUT_FORMAT_OWN_IGNORED + 2 + 2)

/* Texts are terminated; "": there is none.  Those of calls are without white space at their ends, but for what stands
 * between a key's mark and a value, and between the value and its mark: that is a part of key_close and value_close. */
typedef struct {
  WlyCallsKind calls;
  char *open, *middle, *close;
  char *name_key, *arguments_key; /* of the object */
  char *before_name, *key_open, *key_close, *value_close, *after_members;
  gboolean with_id; /* the object has the call's id, too, as "id" */
  char *reasoning_open, *reasoning_close;
  char *outer_close;                            /* closes all calls */
  char *ignored[WLY_OUTPUT_FORMAT_IGNORED + 1]; /* NULL ends them */
} WlyOutputFormat;

/* @source: of the template; @variables: as WlyChatInput.  (transfer full) */
WlyOutputFormat *wly_output_format_new (const WlyChatTemplate *chat_template, const char *source, gsize n_bytes,
                                        GVariant *variables);
void wly_output_format_free (WlyOutputFormat *format); /* NULL is fine */

/* Whether a prompt ends within the model's thoughts: the template has opened them. */
gboolean wly_output_format_begins_reasoning (const WlyOutputFormat *format, const char *prompt, gsize n_bytes);
/* Whether a token's text is a part of one of the marks. */
gboolean wly_output_format_has_mark (const WlyOutputFormat *format, const char *text, gsize n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyOutputFormat, wly_output_format_free)

G_END_DECLS
