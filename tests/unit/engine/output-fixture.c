/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output-fixture.h"

#include "template/chat-input.h"
#include "json/json.h"

#include <string.h>

/* The tool whose arguments have types in the samples; those of all others may be anything. */
#define TOOLS                                                                                                          \
  "[{\"type\": \"function\", \"function\": {\"name\": \"get\", \"parameters\": {\"type\": \"object\", "                \
  "\"properties\": "                                                                                                   \
  "{\"city\": {\"type\": \"string\"}, \"名\": {\"type\": \"string\"}, \"n\": {\"type\": \"integer\"}, \"list\": "     \
  "{\"type\": \"array\"}, \"maybe\": {\"type\": [\"string\", \"null\"]}}}}}]"

const WlyFixtureOutput wly_fixture_output_samples[] = {
  { "hermes", WLY_FIXTURE_HERMES "{# <think> #}",
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
  { "thoughts that are rendered",
    WLY_FIXTURE_LOOP (
        "") "{% macro none() %}<think>{% endmacro %}{% for m in messages %}{% if m.reasoning_content %}<musing>\n"
            "{{ m.reasoning_content }}\n</musing>\n\n{{ m.content }}{% endif %}{% endfor %}",
    "<musing>\nก ข\n</musing>\n\n<think>ค", "[r:ก ข]<think>ค" },
  { "thoughts before an answer between marks",
    "{% for m in messages %}<|{{ m.role }}|>{% if m.thinking %}<|reason|>{{ m.thinking }}<|/reason|><say>{{ m.content "
    "}}</say>"
    "{% else %}{{ m.content }}{% endif %}<|im_end|>{% endfor %}{% if add_generation_prompt %}<|assistant|><|reason|>{% "
    "endif %}",
    "<|reason|>ก ข<|/reason|><say>Да</say>", "[r:ก ข]Да" },
  { "thoughts that are switched off",
    WLY_FIXTURE_LOOP ("") "{% if add_generation_prompt and enable_thinking is false %}<plan>\n\n</plan>\n\n{% endif %}",
    "<plan>\nก ข</plan>ค", "[r:ก ข]ค" },
  { "thoughts that are switched off, and the model told",
    "{{ '/think' if enable_thinking else '/no_think' }}" WLY_FIXTURE_LOOP (
        "") "{% if add_generation_prompt and not enable_thinking %}<plan>\n\n</plan>\n{% endif %}",
    "<plan>\nก ข</plan>ค", "[r:ก ข]ค" },
  { "thoughts that are switched on",
    WLY_FIXTURE_LOOP ("") "{% if add_generation_prompt %}{{ '<ponder>' if thinking else '</ponder>' }}{% endif %}",
    "<ponder>ก ข</ponder>ค", "[r:ก ข]ค" },
  { "thoughts in JSON are none", "{{ messages | tojson }}{# <think> #}", "<think>ก</think>ค", "[r:ก]ค" },
  { "thoughts that are only closed", WLY_FIXTURE_LOOP ("") "{{ messages[0].content.split('</think>')[-1] }}",
    "<think>\nก ข\n</think>\n\nค", "[r:ก ข]ค" },
  { "seeds of thoughts", WLY_FIXTURE_LOOP ("") "{# </seed:think> #}", "<seed:think>ก ข</seed:think>ค", "[r:ก ข]ค" },
  { "space before", WLY_FIXTURE_HERMES "{# <think> #}",
    " \n<think>ก</think> \n<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "[r:ก][c:a:{}]" },
  { "prompt that begins as a call does", WLY_FIXTURE_HERMES "{% if add_generation_prompt %}<think>\n{% endif %}",
    "a<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "a[c:a:{}]" },
  { "broken", WLY_FIXTURE_HERMES, "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam",
    "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam" },
  { "liquid", WLY_FIXTURE_LIQUID,
    "<think>ก</think>See: <|calls|>[get(city='Köln \\'\\n\\u0915', n=-2.50, list=[1, {'a': (True, None)}, \"x'\"],), "
    "now( )]<|done|>",
    "[r:ก]See: [c:get:{\"city\":\"Köln '\\nक\",\"n\":-2.50,\"list\":[1,{\"a\":[true,null]},\"x'\"]}][c:now:{}]" },
  { "liquid, JSON in it", WLY_FIXTURE_LIQUID,
    "<|calls|>[get(city=\"a\\ud83d\\ude00)]\\\"\", maybe=null, n={\"true\": true})]<|done|>",
    "[c:get:{\"city\":\"a😀)]\\\"\",\"maybe\":null,\"n\":{\"true\":true}}]" },
  { "liquid, none", WLY_FIXTURE_LIQUID,
    "<|calls|>[get(1)]<|done|> <|calls|>[get(a=f(x))]<|done|> <|calls|>[get]<|done|> <|calls|>[]<|done|> "
    "<|calls|>[get(a=1",
    "<|calls|>[get(1)]<|done|> <|calls|>[get(a=f(x))]<|done|> <|calls|>[get]<|done|> <|calls|>[]<|done|> "
    "<|calls|>[get(a=1" },
  { "a list in words", WLY_FIXTURE_LOOP ("") "{# List of tools: <|tool_list_start|> #}",
    "<|tool_call_start|>[get(city=\"x\")]<|tool_call_end|>done", "[c:get:{\"city\":\"x\"}]done" },
  { "coder", WLY_FIXTURE_CODER,
    "See.\n<tool_call>\n<function=get>\n<parameter=city>\nKöln\n\"</b>\"\n\n</parameter>\n<parameter=n>\n5\n</"
    "parameter>\n"
    "<parameter=list>\n[1, \"</parameter>\", {\"a\": "
    "null}]\n</parameter>\n</function>\n</tool_call>\n<tool_call>\n<function=now>\n"
    "</function>\n</tool_call>",
    "See.\n[c:get:{\"city\":\"Köln\\n\\\"</b>\\\"\\n\",\"n\":5,\"list\":[1,\"</"
    "parameter>\",{\"a\":null}]}][c:now:{}]" },
  { "coder, what looks like another type", WLY_FIXTURE_CODER,
    "<tool_call><function=get><parameter=city>5</parameter><parameter=名>\n{\"a\": "
    "1}\n</parameter><parameter=maybe>null</parameter>"
    "<parameter=n>नम</parameter><parameter=list>\n[1, 2\n</parameter><parameter=other> True "
    "</parameter></function></tool_call>",
    "[c:get:{\"city\":\"5\",\"名\":\"{\\\"a\\\": 1}\",\"maybe\":null,\"n\":\"नम\",\"list\":\"[1, "
    "2\",\"other\":true}]" },
  { "coder, none", WLY_FIXTURE_CODER,
    "<tool_call>\n<function=a b></function></tool_call> <tool_call>x</tool_call> "
    "<tool_call><function=a>text</function></tool_call> "
    "<tool_call><function=a><parameter=></parameter></function> "
    "<tool_call><function=a><parameter=x>1</parameter></funct",
    "<tool_call>\n<function=a b></function></tool_call> <tool_call>x</tool_call> "
    "<tool_call><function=a>text</function></tool_call> "
    "<tool_call><function=a><parameter=></parameter></function> "
    "<tool_call><function=a><parameter=x>1</parameter></funct" },
  { "keys and values",
    WLY_FIXTURE_MEMBERS ("\n<tool_call>", "", "\n<arg_key>", "</arg_key>\n<arg_value>", "</arg_value>",
                         "\n</tool_call>", ""),
    "<tool_call>get\n<arg_key>city</arg_key>\n<arg_value>\n京都 "
    "</arg_value>\n<arg_key>n</arg_key>\n<arg_value>7</arg_value>\n</tool_call>\n"
    "<tool_call>now\n</tool_call>",
    "[c:get:{\"city\":\"\\n京都 \",\"n\":7}][c:now:{}]" },
  { "calls between marks of their own",
    WLY_FIXTURE_LOOP (
        "{% if loop.first %}<calls>\n{% endif %}<invoke name=\"{{ c.function.name }}\">\n{% for k, v in "
        "c.function.arguments | items %}"
        "<parameter name=\"{{ k }}\">{{ v }}</parameter>\n{% endfor %}</invoke>\n{% if loop.last %}</calls>{% endif "
        "%}"),
    "<calls>\n<invoke name=\"get\">\n<parameter name=\"city\">Москва</parameter>\n</invoke>\n<invoke "
    "name=\"now\">\n</invoke>\n</calls>",
    "[c:get:{\"city\":\"Москва\"}][c:now:{}]" },
  { "one call at a time",
    WLY_FIXTURE_LOOP (
        "{% if m.tool_calls | length > 1 %}{{ raise_exception('one at a time') }}{% endif %}<call name={{ "
        "c.function.name }}>"
        "{% for k, v in c.function.arguments | items %}<arg {{ k }}>{{ v }}</>{% endfor %}</call>"),
    "<call name=get><arg city>x</></call>", "[c:get:{\"city\":\"x\"}]" },
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
  if (piece->kind == WLY_PIECE_CALL) {
    g_autoptr (WlyJson) json = wly_json_new (piece->text, piece->n_bytes, 64, NULL);

    g_assert_nonnull (json);
    g_assert_cmpint (wly_json_kind (json, WLY_JSON_ROOT), ==, WLY_JSON_OBJECT);
    g_string_append_printf (shown->text, "[c:%s:", piece->name);
  }
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

GVariant *
wly_fixture_output_tools (void)
{
  GVariant *tools = wly_chat_input_read (TOOLS, strlen (TOOLS), NULL);

  g_assert_nonnull (tools);
  return g_variant_ref_sink (tools);
}

char *
wly_fixture_parse_output (const WlyOutputFormat *format, const WlyFixtureCut *cut, const char *output)
{
  g_autoptr (GVariant) tools         = cut->no_calls ? NULL : wly_fixture_output_tools ();
  g_autoptr (WlyOutputParser) parser = wly_output_parser_new (format, tools, cut->reasoning);
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
