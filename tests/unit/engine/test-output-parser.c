/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/output-parser.h"
#include "wly-test-data.h"

#include <string.h>

#define LOOP(call)                                                                                                     \
  "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content or '' }}"                                             \
  "{% for c in m.tool_calls or [] %}" call "{% endfor %}<|im_end|>\n{% endfor %}"                                      \
  "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"

/* Templates in the manner of families that there are, and what their models write. */
static const struct {
  const char *name;
  const char *source;
  const char *output;
  const char *pieces; /* [r:…] thoughts, [c:name:arguments] calls, the rest is text */
} samples[] = {
  { "hermes",
    LOOP ("<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
          "}}}\n</tool_call>\n") "{# <think> #}",
    "<think>\nhm, नम\n</think>\n\nI see.<tool_call>\n{\"name\": \"get\", \"arguments\": {\"city\": \"Köln \\\"}\\\"\", "
    "\"n\": [1, 2.50]}}\n"
    "</tool_call>\n<tool_call>\n{\"name\": \"now\", \"arguments\": {}}\n</tool_call>",
    "[r:hm, नम]I see.[c:get:{\"city\":\"Köln \\\"}\\\"\",\"n\":[1,2.50]}][c:now:{}]" },
  { "llama", LOOP ("{\"name\": \"{{ c.function.name }}\", \"parameters\": {{ c.function.arguments | tojson }}}"),
    "{\"name\": \"get\", \"parameters\": {\"a\": {\"b\": []}}}", "[c:get:{\"a\":{\"b\":[]}}]" },
  { "llama-text", LOOP ("{\"name\": \"{{ c.function.name }}\", \"parameters\": {{ c.function.arguments | tojson }}}"),
    "{\"an\": \"object\"} that is no call", "{\"an\": \"object\"} that is no call" },
  { "mistral",
    LOOP ("[TOOL_CALLS][{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}, "
          "\"id\": \"{{ c.id }}\"}]"),
    "[TOOL_CALLS][{\"name\": \"a\", \"arguments\": {\"x\": 1}, \"id\": \"abc\"}, {\"name\": \"b\", \"arguments\": {}}]",
    "[c:a:{\"x\":1}][c:b:{}]" },
  { "deepseek",
    LOOP ("<｜call▁begin｜>function<｜sep｜>{{ c.function.name }}\n```json\n{{ c.function.arguments | tojson "
          "}}\n```<｜call▁end｜>"),
    "See: <｜call▁begin｜>function<｜sep｜>get\n```json\n{\"city\": \"Köln\"}\n```<｜call▁end｜>",
    "See: [c:get:{\"city\":\"Köln\"}]" },
  { "deepseek, several",
    LOOP ("{% if loop.first %}<｜calls▁begin｜>{% endif %}<｜call▁begin｜>function<｜sep｜>{{ c.function.name }}\n"
          "```json\n{{ c.function.arguments | tojson }}\n```<｜call▁end｜>{% if loop.last %}<｜calls▁end｜>{% else %}\n"
          "{% endif %}"),
    "<｜calls▁begin｜><｜call▁begin｜>function<｜sep｜>get\n```json\n{\"город\": \"Киев\"}\n```<｜call▁end｜>\n"
    "<｜call▁begin｜>function<｜sep｜>now\n```json\n{}\n```<｜call▁end｜><｜calls▁end｜>",
    "[c:get:{\"город\":\"Киев\"}][c:now:{}]" },
  { "granite, thoughts", LOOP ("") "{# <think> <response> #}", "<think>ก ข</think><response>ค</response>", "[r:ก ข]ค" },
  { "granite", LOOP ("") "{# respond only with <|tool_call|> followed by a JSON list of tools used #}",
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
    LOOP ("{% if loop.first %}<calls>{% endif %}<call>{{ c.function.name }}<sep>{{ c.function.arguments | tojson "
          "}}</call>{% if loop.last %}</calls>{% endif %}") "{# <|channel|>analysis <response> #}",
    "<|channel|>analysis<|message|>हम्म<|end|><response>Да.</response><calls><call>get<sep>{\"a\": 1}</call></calls>",
    "[r:हम्म]Да.[c:get:{\"a\":1}]" },
  { "thoughts that are only closed", LOOP ("") "{{ messages[0].content.split('</think>')[-1] }}",
    "<think>\nก ข\n</think>\n\nค", "[r:ก ข]ค" },
  { "seeds of thoughts", LOOP ("") "{# </seed:think> #}", "<seed:think>ก ข</seed:think>ค", "[r:ก ข]ค" },
  { "space before",
    LOOP ("<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
          "}}}\n</tool_call>\n") "{# <think> #}",
    " \n<think>ก</think> \n<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "[r:ก][c:a:{}]" },
  { "prompt that begins as a call does",
    LOOP ("<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
          "}}}\n</tool_call>\n") "{% if add_generation_prompt %}<think>\n{% endif %}",
    "a<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>", "a[c:a:{}]" },
  { "broken",
    LOOP ("<tool_call>\n{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson "
          "}}}\n</tool_call>\n"),
    "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam",
    "a <tool_call>{\"name\": 1}</tool_call> <tool_ca <tool_call>{\"nam" },
  { "no calls", LOOP (""), "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>",
    "<tool_call>{\"name\": \"x\", \"arguments\": {}}</tool_call>" },
};

typedef struct {
  GString *text;
  WlyPieceKind last;
} Shown;

static void
close_piece (Shown *shown)
{
  if (shown->last == WLY_PIECE_REASONING)
    g_string_append_c (shown->text, ']');
}

static void
piece_cb (const WlyPiece *piece, gpointer user_data)
{
  Shown *shown = user_data;

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

static WlyOutputFormat *
format_of (const char *source)
{
  g_autoptr (GError) error                  = NULL;
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), &error);
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("{'eos_token': <'<|im_end|>'>}"));

  g_assert_no_error (error);
  return wly_output_format_new (chat_template, source, strlen (source), variables);
}

/* The output in pieces that end at @first, at @second, and then with every character where @singly. */
static char *
parse (const WlyOutputFormat *format, const char *output, gsize first, gsize second, gboolean singly)
{
  g_autoptr (WlyOutputParser) parser = wly_output_parser_new (format, TRUE, FALSE);
  Shown shown                        = { g_string_new (NULL), WLY_PIECE_TEXT };
  const gsize n                      = strlen (output);

  for (gsize start = 0, end; start < n; start = end) {
    end = singly ? start + 1 : start < first ? first : start < second ? second : n;
    while (end < n && ((guint8)output[end] & 0xc0) == 0x80)
      end++;
    wly_output_parser_push (parser, output + start, end - start, piece_cb, &shown);
  }
  wly_output_parser_finish (parser, piece_cb, &shown);
  close_piece (&shown);
  return g_string_free (shown.text, FALSE);
}

/* What is read does not hang on where the text is cut. */
static void
test_samples (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyOutputFormat) format = format_of (samples[i].source);
    const char *output                 = samples[i].output;
    g_autofree char *singly            = parse (format, output, 0, 0, TRUE);
    const gsize n                      = strlen (output);

    g_test_message ("%s: open %s, middle %s, close %s", samples[i].name, format->open, format->middle, format->close);
    g_assert_cmpstr (singly, ==, samples[i].pieces);
    for (gsize first = 1; first <= n; first++) {
      g_autofree char *pieces = parse (format, output, first, MIN (n, first + 1 + first % 7), FALSE);

      g_assert_cmpstr (pieces, ==, samples[i].pieces);
    }
  }
}

/* Without tools nothing is a call; thoughts that the prompt has opened need no mark. */
static void
test_situations (void)
{
  g_autoptr (WlyOutputFormat) format  = format_of (samples[0].source);
  g_autoptr (WlyOutputParser) without = wly_output_parser_new (format, FALSE, FALSE);
  g_autoptr (WlyOutputParser) opened  = wly_output_parser_new (format, FALSE, TRUE);
  static const char call[]            = "<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>";
  static const char thought[]         = "I think\n</think>\n\nso <think>";
  Shown one = { g_string_new (NULL), WLY_PIECE_TEXT }, two = { g_string_new (NULL), WLY_PIECE_TEXT };

  wly_output_parser_push (without, call, strlen (call), piece_cb, &one);
  wly_output_parser_finish (without, piece_cb, &one);
  g_assert_cmpstr (one.text->str, ==, call);
  wly_output_parser_push (opened, thought, strlen (thought), piece_cb, &two);
  wly_output_parser_finish (opened, piece_cb, &two);
  g_assert_cmpstr (two.text->str, ==, "[r:I think]so <think>");
  g_assert_true (wly_output_format_begins_reasoning (format, "x<think>\n", 9));
  g_assert_false (wly_output_format_begins_reasoning (format, "x</think>\n", 10));
  g_string_free (one.text, TRUE);
  g_string_free (two.text, TRUE);
}

/* A call that never ends is bounded, and its text is not lost. */
static void
test_endless (void)
{
  g_autoptr (WlyOutputFormat) format = format_of (samples[0].source);
  g_autoptr (WlyOutputParser) parser = wly_output_parser_new (format, TRUE, FALSE);
  Shown shown                        = { g_string_new (NULL), WLY_PIECE_TEXT };
  g_autofree char *filler            = g_strnfill (1000, 'x');

  wly_output_parser_push (parser, "<tool_call>{\"", 13, piece_cb, &shown);
  for (guint i = 0; i < 60; i++)
    wly_output_parser_push (parser, filler, 1000, piece_cb, &shown);
  g_assert_cmpuint (shown.text->len, >, 48000);
  wly_output_parser_finish (parser, piece_cb, &shown);
  g_assert_cmpuint (shown.text->len, ==, 60013);
  g_string_free (shown.text, TRUE);
}

/* A template that writes very much for a call, none of it one. */
static void
test_large_call (void)
{
  g_autoptr (WlyOutputFormat) format =
      format_of (LOOP ("{% for i in range(40) %}{{ '[' * 100000 }}{% endfor %}{{ c.function.name }}{{ "
                       "c.function.arguments | tojson }}"));

  g_assert_cmpint (format->calls, ==, WLY_CALLS_NONE);
}

/* Real templates: which marks are found. */
static void
test_real (void)
{
  static const struct {
    const char *name;
    WlyCallsKind calls;
    const char *open, *reasoning;
  } cases[] = {
    { "Qwen-Qwen3-0.6B", WLY_CALLS_OBJECT, "<tool_call>", "<think>" },
    { "Qwen-Qwen2.5-7B-Instruct", WLY_CALLS_OBJECT, "<tool_call>", "" },
    { "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", WLY_CALLS_OBJECT, "<tool_call>", "" },
    { "meta-llama-Llama-3.2-3B-Instruct", WLY_CALLS_OBJECT, "", "" },
    { "mistralai-Mistral-Nemo-Instruct-2407", WLY_CALLS_LIST, "[TOOL_CALLS]", "" },
    { "google-gemma-2-2b-it", WLY_CALLS_NONE, "", "" },
    { "microsoft-Phi-3.5-mini-instruct", WLY_CALLS_NONE, "", "" },
    { "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", WLY_CALLS_NAMED, "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
      "<think>" },
    { "ibm-granite-granite-3.3-2B-Instruct", WLY_CALLS_LIST, "<|tool_call|>", "<think>" },
    { "openai-gpt-oss-120b", WLY_CALLS_NAMED, "to=functions.", "<|channel|>analysis<|message|>" },
    { "HuggingFaceTB-SmolLM3-3B", WLY_CALLS_NONE, "", "<think>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *name              = g_strdup_printf ("chat-templates/%s.jinja", cases[i].name);
    g_autofree char *path              = wly_test_shared_path (name);
    g_autofree char *source            = NULL;
    g_autoptr (WlyOutputFormat) format = NULL;

    if (path == NULL) {
      g_test_skip ("the shared chat templates are not there");
      return;
    }
    g_assert_true (g_file_get_contents (path, &source, NULL, NULL));
    format = format_of (source);
    g_test_message ("%s: kind %d, open “%s”, middle “%s”, close “%s”, keys %s %s, reasoning “%s”", cases[i].name,
                    format->calls, format->open, format->middle, format->close, format->name_key, format->arguments_key,
                    format->reasoning_open);
    g_assert_cmpint (format->calls, ==, cases[i].calls);
    g_assert_cmpstr (format->open, ==, cases[i].open);
    g_assert_cmpstr (format->reasoning_open, ==, cases[i].reasoning);
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/output-parser/samples", test_samples);
  g_test_add_func ("/engine/output-parser/situations", test_situations);
  g_test_add_func ("/engine/output-parser/endless", test_endless);
  g_test_add_func ("/engine/output-parser/large-call", test_large_call);
  g_test_add_func ("/engine/output-parser/real", test_real);
  return g_test_run ();
}
