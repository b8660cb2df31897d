/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of output parsers share: templates in the manner of families that there are, and what their models
 * write.
 */
#pragma once

#include "parse/output-parser.h"

G_BEGIN_DECLS

/* A way of writing calls and thoughts: calls between the turns of a conversation. */
#define WLY_FIXTURE_LOOP(call)                                                                                         \
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"                                             \
  "{% for c in m.tool_calls or [] %}" call "{% endfor %}<|im_end|>\n{% endfor %}"                                      \
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

/* A call whose arguments stand between marks. */
#define WLY_FIXTURE_MEMBERS(before, name, open, close, value, end, after)                                              \
  WLY_FIXTURE_LOOP (before "{{ c.function.name }}" name "{% for k, v in c.function.arguments.items() %}" open          \
                           "{{ k }}" close "{{ v if v is string else v | tojson }}" value "{% endfor %}" end after)
#define WLY_FIXTURE_CODER                                                                                              \
  WLY_FIXTURE_MEMBERS ("\n<tool_call>\n<function=", ">\n", "<parameter=", ">\n", "\n</parameter>\n", "</function>",    \
                       "\n</tool_call>")
#define WLY_FIXTURE_LIQUID                                                                                             \
  "{% macro value(v) %}{% if v is string %}{{ \"'\" + v + \"'\" }}{% else %}{{ v }}{% endif %}{% endmacro %}"          \
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}{% if m.tool_calls %}<|calls|>["              \
  "{% for c in m.tool_calls %}{{ ', ' if not loop.first }}{{ c.function.name }}("                                      \
  "{% for k, v in c.function.arguments.items() %}{{ ', ' if not loop.first }}{{ k }}={{ value(v) }}{% endfor %})"      \
  "{% endfor %}]<|done|>{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n"      \
  "{% endif %}{# <think> #}"

#define WLY_FIXTURE_HERMES                                                                                             \
  WLY_FIXTURE_LOOP (                                                                                                   \
      "<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "            \
      "}}}\n</tool_call>\n")

typedef struct {
  const char *name;
  const char *source;
  const char *output;
  const char *pieces; /* as WlyFixtureShown */
} WlyFixtureOutput;

/* The last one has no name. */
extern const WlyFixtureOutput wly_fixture_output_samples[];

/* What was written: [r:…] thoughts, [c:name:arguments] calls, the rest is text. */
typedef struct {
  GString *text;
  WlyPieceKind last;
} WlyFixtureShown;

/* Of a WlyFixtureShown; a piece that is not UTF-8, and arguments that are no object, fail the test. */
void wly_fixture_piece_cb (const WlyPiece *piece, gpointer user_data);

/* Of a template's source, which must compile. */
WlyOutputFormat *wly_fixture_output_format (const char *source);

/* The tool "get" of the samples; the others that they call are not described.  (transfer full) */
GVariant *wly_fixture_output_tools (void);

/* In pieces that end at @first, at @second (bytes; or behind the character there), and then with the text; or of one
 * character each. */
typedef struct {
  gsize first, second;
  gboolean singly;
  gboolean no_calls;  /* there are no tools */
  gboolean reasoning; /* the prompt has opened the thoughts */
} WlyFixtureCut;

/* What a parser makes of it; (transfer full). */
char *wly_fixture_parse_output (const WlyOutputFormat *format, const WlyFixtureCut *cut, const char *output);

G_END_DECLS
