/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the parts share that find out how a model writes.
 */
#pragma once

#include "parse/output-format.h"

G_BEGIN_DECLS

/* The call that templates are made to write. */
#define WLY_FORMAT_PROBE_NAME        "woolly_probe_tool"
#define WLY_FORMAT_PROBE_KEY         "woolly_probe_key"
#define WLY_FORMAT_PROBE_VALUE       "woolly_probe_value"
#define WLY_FORMAT_PROBE_OTHER_KEY   "woolly_probe_other_key"
#define WLY_FORMAT_PROBE_OTHER_VALUE "woolly_probe_other_value"

typedef struct {
  const WlyChatTemplate *chat_template;
  const char *source; /* of it */
  gsize n_bytes;
  GVariant *variables; /* as WlyChatInput */
  const char *eos;     /* "": none */
} WlyFormatProbe;

/* What the template makes of a JSON object; FALSE: it refuses it. */
gboolean wly_format_probe_render (const WlyFormatProbe *probe, const char *json, gboolean prompt,
                                  WlyRendered *ret_rendered);
gboolean wly_format_probe_has (const WlyFormatProbe *probe, const char *text); /* in its source; NULL: no */

void wly_format_probe_set (char **text, const char *value);
void wly_format_probe_ignore (WlyOutputFormat *format, const char *mark);
/* Marks around all calls; @close "": the model writes none. */
void wly_format_probe_outer (WlyOutputFormat *format, const char *open, const char *close);
/* Bytes that two texts have in common at their start, without a mark that is only begun: "<t" of <think> and
 * <tool_call>. */
gsize wly_format_probe_common (const char *a, gsize n_a, const char *b, gsize n_b);
/* The first mark of a text, behind white space, unless it is what ends every answer; "": there is none. */
char *wly_format_probe_first_mark (const char *text, const char *eos);

/* Thoughts, then (they may stand before a call) calls. */
void wly_format_reasoning_find (const WlyFormatProbe *probe, WlyOutputFormat *format);
void wly_format_calls_find (const WlyFormatProbe *probe, WlyOutputFormat *format);
/* Arguments between marks, in what a template makes of a call with two of them; and of one with the first behind it,
 * where it takes two calls. */
void wly_format_members_find (const char *text, const char *eos, WlyOutputFormat *format);

G_END_DECLS
