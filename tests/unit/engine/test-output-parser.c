/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output-fixture.h"
#include "wly-test-data.h"

#include <string.h>

/* What is read does not hang on where the text is cut. */
static void
test_samples (void)
{
  for (const WlyFixtureOutput *sample = wly_fixture_output_samples; sample->name != NULL; sample++) {
    g_autoptr (WlyOutputFormat) format = wly_fixture_output_format (sample->source);
    g_autofree char *singly = wly_fixture_parse_output (format, &(WlyFixtureCut){ .singly = TRUE }, sample->output);
    const gsize n           = strlen (sample->output);

    g_test_message ("%s: open %s, middle %s, close %s", sample->name, format->open, format->middle, format->close);
    g_assert_cmpstr (singly, ==, sample->pieces);
    for (gsize first = 1; first <= n; first++) {
      const WlyFixtureCut cut = { .first = first, .second = first + 1 + first % 7 };
      g_autofree char *pieces = wly_fixture_parse_output (format, &cut, sample->output);

      g_assert_cmpstr (pieces, ==, sample->pieces);
    }
  }
}

/* Without tools nothing is a call; thoughts that the prompt has opened need no mark. */
static void
test_situations (void)
{
  g_autoptr (WlyOutputFormat) format  = wly_fixture_output_format (wly_fixture_output_samples[0].source);
  g_autoptr (WlyOutputParser) without = wly_output_parser_new (format, NULL, FALSE);
  g_autoptr (WlyOutputParser) opened  = wly_output_parser_new (format, NULL, TRUE);
  static const char call[]            = "<tool_call>{\"name\": \"a\", \"arguments\": {}}</tool_call>";
  static const char thought[]         = "I think\n</think>\n\nso <think>";
  WlyFixtureShown one = { g_string_new (NULL), WLY_PIECE_TEXT }, two = { g_string_new (NULL), WLY_PIECE_TEXT };

  wly_output_parser_push (without, call, strlen (call), wly_fixture_piece_cb, &one);
  wly_output_parser_finish (without, wly_fixture_piece_cb, &one);
  g_assert_cmpstr (one.text->str, ==, call);
  wly_output_parser_push (opened, thought, strlen (thought), wly_fixture_piece_cb, &two);
  wly_output_parser_finish (opened, wly_fixture_piece_cb, &two);
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
  static const struct {
    const char *source, *begin, *filler;
  } cases[] = {
    { WLY_FIXTURE_HERMES, "<tool_call>{\"", "x" },
    { WLY_FIXTURE_LIQUID, "<|calls|>[get(a='", "x" },
    { WLY_FIXTURE_LIQUID, "<|calls|>", "[" },
    { WLY_FIXTURE_CODER, "<tool_call><function=get><parameter=city>", "</parameter" },
    { WLY_FIXTURE_CODER, "<tool_call><function=get><parameter=n>", "[" },
    { WLY_FIXTURE_CODER, "<tool_call><function=", " " },
    { WLY_FIXTURE_CODER, "<tool_call><function=get>", "<parameter=a>1</parameter>" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (WlyOutputFormat) format = wly_fixture_output_format (cases[i].source);
    g_autoptr (GVariant) tools         = wly_fixture_output_tools ();
    g_autoptr (WlyOutputParser) parser = wly_output_parser_new (format, tools, FALSE);
    WlyFixtureShown shown              = { g_string_new (NULL), WLY_PIECE_TEXT };
    const gsize n                      = strlen (cases[i].filler);
    gsize n_given                      = strlen (cases[i].begin);

    wly_output_parser_push (parser, cases[i].begin, n_given, wly_fixture_piece_cb, &shown);
    for (; n_given < 60000; n_given += n)
      wly_output_parser_push (parser, cases[i].filler, n, wly_fixture_piece_cb, &shown);
    g_assert_cmpuint (shown.text->len, >, 48000);
    wly_output_parser_finish (parser, wly_fixture_piece_cb, &shown);
    g_assert_cmpuint (shown.text->len, ==, n_given);
    g_string_free (shown.text, TRUE);
  }
}

/* A sample's output with a few characters of marks in other places. */
static char *
damage (const char *output)
{
  static const char signs[] = "<>[](){}|=,:'\"\\ \n/x1";
  GString *text             = g_string_new (output);

  for (gint i = g_test_rand_int_range (1, 5); i > 0; i--) {
    const gsize at = (gsize)g_test_rand_int_range (0, (gint)text->len);

    if ((guint8)text->str[at] < 0x80)
      text->str[at] = signs[g_test_rand_int_range (0, sizeof signs - 1)];
  }
  return g_string_free (text, FALSE);
}

/* Whatever is written: where it is cut makes no difference, and arguments are an object. */
static void
test_damage (void)
{
  for (const WlyFixtureOutput *sample = wly_fixture_output_samples; sample->name != NULL; sample++) {
    g_autoptr (WlyOutputFormat) format = wly_fixture_output_format (sample->source);

    for (guint round = 0; round < 300; round++) {
      g_autofree char *output = damage (sample->output);
      g_autofree char *singly = wly_fixture_parse_output (format, &(WlyFixtureCut){ .singly = TRUE }, output);
      g_autofree char *whole  = wly_fixture_parse_output (format, &(WlyFixtureCut){ 0 }, output);

      g_assert_cmpstr (singly, ==, whole);
    }
  }
}

/* A template that writes very much for a call, none of it one. */
static void
test_large_call (void)
{
  g_autoptr (WlyOutputFormat) format = wly_fixture_output_format (
      WLY_FIXTURE_LOOP ("{% for i in range(40) %}{{ '[' * 100000 }}{% endfor %}{{ c.function.name }}{{ "
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
    gboolean shown; /* what it does tells the marks of thoughts, whatever its source has */
  } cases[] = {
    { "Qwen-Qwen3-0.6B", WLY_CALLS_OBJECT, "<tool_call>", "<think>", TRUE },
    { "Qwen-Qwen2.5-7B-Instruct", WLY_CALLS_OBJECT, "<tool_call>", "", FALSE },
    { "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", WLY_CALLS_OBJECT, "<tool_call>", "", FALSE },
    { "meta-llama-Llama-3.2-3B-Instruct", WLY_CALLS_OBJECT, "", "", FALSE },
    { "mistralai-Mistral-Nemo-Instruct-2407", WLY_CALLS_LIST, "[TOOL_CALLS]", "", FALSE },
    { "google-gemma-2-2b-it", WLY_CALLS_NONE, "", "", FALSE },
    { "microsoft-Phi-3.5-mini-instruct", WLY_CALLS_NONE, "", "", FALSE },
    { "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", WLY_CALLS_NAMED, "<｜tool▁call▁begin｜>function<｜tool▁sep｜>",
      "<think>", FALSE },
    { "ibm-granite-granite-3.3-2B-Instruct", WLY_CALLS_LIST, "<|tool_call|>", "<think>", FALSE },
    { "openai-gpt-oss-120b", WLY_CALLS_NAMED, "to=functions.", "<|channel|>analysis<|message|>", TRUE },
    { "HuggingFaceTB-SmolLM3-3B", WLY_CALLS_NONE, "", "<think>", TRUE },
    { "LFM2.5-8B-A1B", WLY_CALLS_PYTHON, "<|tool_call_start|>", "<think>", TRUE },
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
    format = wly_fixture_output_format (source);
    g_test_message ("%s: kind %d, open “%s”, middle “%s”, close “%s”, keys %s %s, reasoning “%s”", cases[i].name,
                    format->calls, format->open, format->middle, format->close, format->name_key, format->arguments_key,
                    format->reasoning_open);
    g_assert_cmpint (format->calls, ==, cases[i].calls);
    g_assert_cmpstr (format->open, ==, cases[i].open);
    g_assert_cmpstr (format->reasoning_open, ==, cases[i].reasoning);
    {
      g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), NULL);
      g_autoptr (WlyOutputFormat) shown         = wly_output_format_new (chat_template, "", 0, NULL);

      g_assert_cmpstr (shown->reasoning_open, ==, cases[i].shown ? cases[i].reasoning : "");
      g_assert_cmpstr (shown->reasoning_close, ==, cases[i].shown ? format->reasoning_close : "");
    }
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/output-parser/samples", test_samples);
  g_test_add_func ("/engine/output-parser/situations", test_situations);
  g_test_add_func ("/engine/output-parser/endless", test_endless);
  g_test_add_func ("/engine/output-parser/damage", test_damage);
  g_test_add_func ("/engine/output-parser/large-call", test_large_call);
  g_test_add_func ("/engine/output-parser/real", test_real);
  return g_test_run ();
}
