/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output-fixture.h"

#include <string.h>

const WlyFixtureOutput wly_fixture_output_samples[] = {
  { "hermes",
    WLY_FIXTURE_LOOP (
        "<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
        "}}}\n</tool_call>\n") "{# <think> #}",
    "<think>\nhm, नम\n</think>\n\nI see.<tool_call>\n{\"name\": \"get\", \"arguments\": {\"city\": \"Köln \\\"}\\\"\", "
    "\"n\": [1, 2.50]}}\n"
    "</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>",
    "[r:hm, नम]I see.[c:get:{\"city\":\"Köln \\\"}\\\"\",\"n\":[1,2.50]}][c:now:{}]" },
  { "llama",
    WLY_FIXTURE_LOOP ("{\"name\": \"{{ c.function.name }}\", \"parameters\": {{ c.function.arguments | tojson }}}"),
    "{\"name\": \"get\", \"parameters\": {\"a\": {\"b\": []}}}", "[c:get:{\"a\":{\"b\":[]}}]" },
  { "llama-text",
    WLY_FIXTURE_LOOP ("{\"name\": \"{{ c.function.name }}\", \"parameters\": {{ c.function.arguments | tojson }}}"),
    "{\"an\": \"object\"} that is no call", "{\"an\": \"object\"} that is no call" },
  { "mistral",
    WLY_FIXTURE_LOOP (
        "[TOOL_CALLS][{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}, "
        "\"id\": \"{{ c.id }}\"}]"),
    "[TOOL_CALLS][{\"name\": \"a\", \"arguments\": {\"x\": 1}, \"id\": \"abc\"}, {\"name\": \"b\", \"arguments\": {}}]",
    "[c:a:{\"x\":1}][c:b:{}]" },
  { "deepseek",
    WLY_FIXTURE_LOOP (
        "<｜call▁begin｜>function<｜sep｜>{{ c.function.name }}\n```json\n{{ c.function.arguments | tojson "
        "}}\n```<｜call▁end｜>"),
    "See: <｜call▁begin｜>function<｜sep｜>get\n```json\n{\"city\": \"Köln\"}\n```<｜call▁end｜>",
    "See: [c:get:{\"city\":\"Köln\"}]" },
  { "deepseek, several",
    WLY_FIXTURE_LOOP (
        "{% if loop.first %}<｜calls▁begin｜>{% endif %}<｜call▁begin｜>function<｜sep｜>{{ c.function.name }}\n"
        "```json\n{{ c.function.arguments | tojson }}\n```<｜call▁end｜>{% if loop.last %}<｜calls▁end｜>{% else %}\n"
        "{% endif %}"),
    "<｜calls▁begin｜><｜call▁begin｜>function<｜sep｜>get\n```json\n{\"город\": \"Киев\"}\n```<｜call▁end｜>\n"
    "<｜call▁begin｜>function<｜sep｜>now\n```json\n{}\n```<｜call▁end｜><｜calls▁end｜>",
    "[c:get:{\"город\":\"Киев\"}][c:now:{}]" },
  { "granite, thoughts", WLY_FIXTURE_LOOP ("") "{# <think> <response> #}", "<think>ก ข</think><response>ค</response>",
    "[r:ก ข]ค" },
  { "granite", WLY_FIXTURE_LOOP ("") "{# respond only with <|tool_call|> followed by a JSON list of tools used #}",
    "<|tool_call|>[{\"name\": \"a\", \"arguments\": {\"名\": 1}}, {\"name\": \"b\", \"arguments\": {}}]",
    "[c:a:{\"名\":1}][c:b:{}]" },
  { "harmony",
    "{% for m in messages %}<|start|>{{ m.role }}{% for c in m.tool_calls or [] %} to=functions.{{ c.function.name "
    "}}<|channel|>commentary "
    "json<|message|>{{ c.function.arguments | tojson }}<|call|>{% endfor %}<|message|>{{ m.content }}<|end|>{% endfor "
    "%}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}{# <|channel|>analysis #}",
    "<|channel|>analysis<|message|>Let me think.<|end|><|start|>assistant<|channel|>final<|message|>Yes.",
    "[r:Let me think.]Yes." },
  { "harmony, a call",
    "{% for m in messages %}<|start|>{{ m.role }}{% for c in m.tool_calls or [] %} to=functions.{{ c.function.name "
    "}}<|channel|>commentary "
    "json<|message|>{{ c.function.arguments | tojson }}<|call|>{% endfor %}<|message|>{{ m.content }}<|end|>{% endfor "
    "%}"
    "{% if add_generation_prompt %}<|start|>assistant{% endif %}{# <|channel|>analysis #}",
    "<|channel|>analysis<|message|>हम्म<|end|><|start|>assistant<|channel|>commentary to=functions.get "
    "<|constrain|>json<|message|>{\"a\": 1}<|call|>",
    "[r:हम्म][c:get:{\"a\":1}]" },
  { "harmony, a call between marks",
    WLY_FIXTURE_LOOP (
        "{% if loop.first %}<calls>{% endif %}<call>{{ c.function.name }}<sep>{{ c.function.arguments | tojson "
        "}}</call>{% if loop.last %}</calls>{% endif %}") "{# <|channel|>analysis <response> #}",
    "<|channel|>analysis<|message|>हम्म<|end|><response>Да.</response><calls><call>get<sep>{\"a\": 1}</call></calls>",
    "[r:हम्म]Да.[c:get:{\"a\":1}]" },
  { "thoughts that are only closed", WLY_FIXTURE_LOOP ("") "{{ messages[0].content.split('</think>')[-1] }}",
    "<think>\nก ข\n</think>\n\nค", "[r:ก ข]ค" },
  { "seeds of thoughts", WLY_FIXTURE_LOOP ("") "{# </seed:think> #}", "<seed:think>ก ข</seed:think>ค", "[r:ก ข]ค" },
  { "space before",
    WLY_FIXTURE_LOOP (
        "<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
        "}}}\n</tool_call>\n") "{# <think> #}",
    " \n<think>ก</think> \n<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "[r:ก][c:a:{}]" },
  { "prompt that begins as a call does",
    WLY_FIXTURE_LOOP (
        "<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
        "}}}\n</tool_call>\n") "{% if add_generation_prompt %}<think>\n{% endif %}",
    "a<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "a[c:a:{}]" },
  { "broken",
    WLY_FIXTURE_LOOP (
        "<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
        "}}}\n</tool_call>\n"),
    "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam",
    "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam" },
  { "no calls", WLY_FIXTURE_LOOP (""), "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>",
    "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>" },
  { NULL, NULL, NULL, NULL },
};

static void
close_piece (WlyFixtureShown *shown)
{
  if (shown->last == WLY_PIECE_REASONING)
    g_string_append_c (shown->text, ']');
}

void
wly_fixture_piece_cb (const WlyPiece *piece, gpointer user_data)
{
  WlyFixtureShown *shown = user_data;

  g_assert_true (g_utf8_validate_len (piece->text, piece->n_bytes, NULL));
  if (piece->kind != shown->last) {
    close_piece (shown);
    g_string_append (shown->text, piece->kind == WLY_PIECE_REASONING ? "[r:" : "");
  }
  shown->last = piece->kind;
  if (piece->kind == WLY_PIECE_CALL)
    g_string_append_printf (shown->text, "[c:%s:", piece->name);
  g_string_append_len (shown->text, piece->text, (gssize)piece->n_bytes);
  if (piece->kind == WLY_PIECE_CALL)
    g_string_append_c (shown->text, ']');
}

WlyOutputFormat *
wly_fixture_output_format (const char *source)
{
  g_autoptr (GError) error                  = NULL;
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), &error);
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("{'eos_token': <'<|im_end|>'>}"));

  g_assert_no_error (error);
  return wly_output_format_new (chat_template, source, strlen (source), variables);
}

char *
wly_fixture_parse_output (const WlyOutputFormat *format, const WlyFixtureCut *cut, const char *output)
{
  g_autoptr (WlyOutputParser) parser = wly_output_parser_new (format, !cut->no_calls, cut->reasoning);
  WlyFixtureShown shown              = { g_string_new (NULL), WLY_PIECE_TEXT };
  const gsize n                      = strlen (output);

  for (gsize start = 0, end; start < n; start = end) {
    end = cut->singly ? start + 1 : start < cut->first ? cut->first : start < cut->second ? cut->second : n;
    end = MIN (end, n);
    while (end < n && ((guint8)output[end] & 0xc0) == 0x80)
      end++;
    wly_output_parser_push (parser, output + start, end - start, wly_fixture_piece_cb, &shown);
  }
  wly_output_parser_finish (parser, wly_fixture_piece_cb, &shown);
  close_piece (&shown);
  return g_string_free (shown.text, FALSE);
}
