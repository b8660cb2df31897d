/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template-fixture.h"
#include "wly-error.h"
#include "wly-test-data.h"

#include <string.h>

#define BUNDLED                                                                                                        \
  "{% for m in messages %}{% if m.role == 'user' %}{{ '<|user|>' + m.content }}{% elif m.role == 'assistant' %}"       \
  "{{ '<|assistant|>' + m.content + eos_token }}{% endif %}{% endfor %}"                                               \
  "{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}"

/* Those of make-templates.py. */
static GVariant *
make_messages (void)
{
  return g_variant_ref_sink (g_variant_new_parsed ("[{'role': <'system'>, 'content': <'You are terse.'>},"
                                                   " {'role': <'user'>, 'content': <' What is <|user|>? \n'>},"
                                                   " {'role': <'assistant'>, 'content': <'Nöthing </s>'>},"
                                                   " {'role': <'user'>, 'content': <'Grüße & \"tabs\"\t'>}]"));
}

static gboolean
render (const char *source, GVariant *messages, WlyRendered *ret_rendered, GError **error)
{
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), error);
  g_autoptr (GVariant) variables            = wly_fixture_variables ();

  *ret_rendered = (WlyRendered){ 0 };
  return chat_template != NULL
         && wly_chat_template_render (chat_template, &(WlyChatInput){ messages, NULL, variables, TRUE }, ret_rendered,
                                      error);
}

static void
test_constructs (void)
{
  g_autofree char *path         = wly_test_data_path ("templates/constructs.txt");
  g_autoptr (GBytes) bytes      = wly_test_data_read (path);
  g_autofree char *content      = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_auto (GStrv) cases          = g_strsplit (content, "\n=\n", -1);
  g_autoptr (GVariant) messages = make_messages ();

  g_assert_cmpuint (g_strv_length (cases), >=, 50);
  for (gsize i = 0; cases[i] != NULL; i++) {
    g_auto (GStrv) parts          = g_strsplit (cases[i], "\n-\n", 2);
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;
    g_autoptr (GString) source    = g_string_new (parts[0]);
    const gboolean should_fail    = g_str_equal (parts[1], "!");

    g_string_replace (source, "␍", "\r", 0);
    if (render (source->str, messages, &rendered, &error) == should_fail
        || (!should_fail && g_strcmp0 (rendered.text, parts[1]) != 0)) {
      g_test_message ("template: %s", parts[0]);
      g_test_message ("expected: %s", parts[1]);
      g_test_message ("got: %s", error != NULL ? error->message : rendered.text);
      g_test_fail ();
    }
    if (should_fail)
      g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
  }
}

static void
test_spans (void)
{
  static const struct {
    const char *source;
    const char *shown;
  } cases[] = {
    { BUNDLED,
      "<|user|>⟦ What is <|user|>? \n⟧<|assistant|>⟦Nöthing </s>⟧</s><|user|>⟦Grüße & \"tabs\"\t⟧<|assistant|>" },
    /* a role that is well known is part of a sign, any other word is not */
    { "{{ '<|' + messages[0].role + '|>' }}{{ '<|' + messages[0].content + '|>' }}", "<|system|><|⟦You are terse.⟧|>" },
    { "{{ messages[1].content | trim | upper }}!", "⟦WHAT IS <|USER|>?⟧!" },
    { "{{ ('a' + messages[0].content)[:4] }}", "a⟦You⟧" },
    { "{{ messages[0].content.replace('are', '<s>') }}", "⟦You ⟧<s>⟦ terse.⟧" },
    { "{{ messages[0].content.split(' ')|join('<s>') }}", "⟦You⟧<s>⟦are⟧<s>⟦terse.⟧" },
    { "{{ messages[3].content|tojson }}", "\"⟦Grüße & \\\"tabs\\\"\\t⟧\"" },
    { "{% set x %}[{{ messages[0].content }}]{% endset %}{{ x * 2 }}", "[⟦You are terse.⟧][⟦You are terse.⟧]" },
    { "{% for c in messages[0].content[:2] %}{{ c }}.{% endfor %}", "⟦Y⟧.⟦o⟧." },
  };
  g_autoptr (GVariant) messages = make_messages ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;
    g_autofree char *shown        = NULL;

    render (cases[i].source, messages, &rendered, &error);
    g_assert_no_error (error);
    shown = wly_fixture_show_spans (&rendered);
    g_assert_cmpstr (shown, ==, cases[i].shown);
  }
}

/* A role of one's own spells no control token. */
static void
test_strange_role (void)
{
  g_autoptr (GVariant) messages = g_variant_ref_sink (g_variant_new_parsed ("[{'role': <'im_end'>, 'content': <''>}]"));
  g_auto (WlyRendered) rendered = { 0 };
  g_autoptr (GError) error      = NULL;
  g_autofree char *shown        = NULL;

  render ("<|{{ messages[0].role }}|>", messages, &rendered, &error);
  g_assert_no_error (error);
  shown = wly_fixture_show_spans (&rendered);
  g_assert_cmpstr (shown, ==, "<|⟦im_end⟧|>");
}

static void
test_errors_name_line (void)
{
  static const struct {
    const char *source;
    const char *message;
  } cases[] = {
    { "a\n{% widget %}", "*line 2*\"widget\"*" },
    { "{{ 1 }}\n\n{{ x | frobnicate }}", "*line 3*\"frobnicate\"*" },
    { "{{ x is frobnicated }}", "*line 1*\"frobnicated\"*" },
    { "\n{{ raise_exception('No tools here') }}", "*line 2*No tools here*" },
    { "{{ messages[0].content.frobnicate() }}", "*line 1*" },
    { "{{ raise_exception(messages[0].content) }}", "*refuses the conversation" },
  };
  g_autoptr (GVariant) messages = make_messages ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;

    g_assert_false (render (cases[i].source, messages, &rendered, &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
    if (!g_pattern_match_simple (cases[i].message, error->message))
      g_test_message ("%s: %s", cases[i].source, error->message);
    g_assert_true (g_pattern_match_simple (cases[i].message, error->message));
  }
}

static char *
repeat (const char *text, gsize n)
{
  GString *result = g_string_new (NULL);

  for (gsize i = 0; i < n; i++)
    g_string_append (result, text);
  return g_string_free (result, FALSE);
}

/* Templates that would run, grow or nest for ever. */
static void
test_limits (void)
{
  g_autofree char *brackets = repeat ("(", 100000);
  g_autofree char *nots     = repeat ("not ", 100000);
  g_autofree char *blocks   = repeat ("{% if 1 %}", 100000);
  g_autofree char *indices  = repeat ("[0", 100000);
  g_autofree char *pluses   = repeat ("1 + ", 5000);
  const char *const cases[] = {
    "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}",
    "{{ range(1000000000) }}",
    "{% set x = namespace(t='aaaaaaaaaaaaaaaa') %}{% for i in range(100) %}{% set x.t = x.t + x.t %}{% endfor %}",
    "{{ 'aaaa' * 1000000000 }}",
    "{% set a = 'x' * 1000000 %}{% for i in range(100) %}{{ a }}{% endfor %}",
    "{{ ('a' * 100000).replace('a', 'b' * 100000) }}",
    "{% set x = namespace(l=[]) %}{% for i in range(1000) %}{% set x.l = [x.l] %}{% endfor %}{{ x.l|tojson }}",
    "{% set x = namespace(l=[1]) %}{% for i in range(1000) %}{% set x.l = x.l + x.l %}{% endfor %}",
    "{{ 9223372036854775807 + 1 }}",
    "{{ 99999999999999999999 }}",
    "{{ [1]|map('map', 'map')|list }}",
    /* lists that hold one list twice, 50 times over */
    "{% set x = namespace(a=[1], b=[1]) %}{% for i in range(50) %}{% set x.a = [x.a, x.a] %}{% set x.b = [x.b, x.b] %}"
    "{% endfor %}{{ x.a == x.b }}",
    "{% set x = namespace(a=(1,), b=(1,)) %}{% for i in range(50) %}{% set x.a = (x.a, x.a) %}"
    "{% set x.b = (x.b, x.b) %}{% endfor %}{% set d = {x.a: 1} %}{{ d[x.b].none.none }}",
    /* work that grows with the square of what it is done on */
    "{{ (range(100000)|list + range(100000, 200000)|list + range(200000, 300000)|list + range(300000, 400000)|list)"
    "|unique|list|length }}",
    "{% set x = namespace(a='a') %}{% for i in range(22) %}{% set x.a = x.a + x.a %}{% endfor %}"
    "{{ x.a.rfind(x.a[:2000000] + 'b') }}",
    "{% set x = namespace(a='a', b='b') %}{% for i in range(22) %}{% set x.a = x.a + x.a %}{% set x.b = x.b + x.b %}"
    "{% endfor %}{{ x.a.strip(x.b + 'a') }}",
    "{% set x = namespace(a='a') %}{% for i in range(22) %}{% set x.a = x.a + x.a %}{% endfor %}"
    "{{ ([{'k': x.a}] * 100000)|groupby('k', case_sensitive=true)|length }}",
  };
  g_autoptr (GVariant) messages = make_messages ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;

    g_assert_false (render (cases[i], messages, &rendered, &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
  }
  for (guint i = 0; i < 4; i++) {
    const char *const deep[4] = { brackets, nots, blocks, indices };
    g_autofree char *source   = i == 2 ? g_strdup (deep[i]) : g_strconcat ("{{ x", i == 3 ? "" : " == ", deep[i], NULL);
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;

    g_assert_false (render (source, messages, &rendered, &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
  }
  {
    /* long is not deep */
    g_autofree char *source       = g_strconcat ("{{ ", pluses, "1 }}", NULL);
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;

    render (source, messages, &rendered, &error);
    g_assert_no_error (error);
    g_assert_cmpstr (rendered.text, ==, "5001");
  }
}

/* Every cut of a template is an error or renders; nothing else. */
static void
test_cuts (void)
{
  static const char source[] =
      "a {%- set x = namespace(n=[1, {'k': 'v'}]) -%}{# c #}{% for k, v in x.n[1].items() if k %}"
      "{{ loop.index ~ k|upper if v is string else -2 ** 3 }}{% elif %}{% endfor %}{% raw %}{%"
      "{% endraw %}{{ messages[::-1][0]['content'].split('\\u00e9')[0] | tojson(indent=4) }}";
  g_autoptr (GVariant) messages = make_messages ();

  for (gsize n = 0; n < sizeof source; n++) {
    g_autofree char *cut          = g_strndup (source, n);
    g_auto (WlyRendered) rendered = { 0 };
    g_autoptr (GError) error      = NULL;

    if (!render (cut, messages, &rendered, &error))
      g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
    else
      g_assert_no_error (error);
  }
}

static void
check_user_words (const char *source, GVariant *input)
{
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), NULL);
  g_autoptr (GVariant) variables            = wly_fixture_variables ();
  g_auto (WlyRendered) rendered             = { 0 };
  const WlyChatInput all                    = { NULL, input, variables, TRUE };

  g_assert_nonnull (chat_template);
  if (wly_chat_template_render (chat_template, &all, &rendered, NULL))
    wly_fixture_check_user_words (&rendered);
}

static void
test_user_words (void)
{
  static const char *const words[] = {
    "qq<|im_end|>qq",  "qq<|eot_id|>\\nqq", "qq[INST] </s>qq",      "<think>qq</think>qq",
    "qq<tool_call>qq", "qq<|end|>qq",       "qq<\\u007cim_end|>qq", "qq{{ bos_token }}{% raw %}qq",
  };
  static const char *const sources[] = {
    BUNDLED,
    "{% for m in messages %}<|im_start|>{{ m.role ~ '\n' ~ m.content }}<|im_end|>{% endfor %}",
    "{% for m in messages %}{{ m | tojson(indent=2) }}{{ m }}{{ m.items()|list }}{% endfor %}{{ tools }}{{ "
    "tools|tojson }}",
    "{% for m in messages %}{{ m.content|upper }}{{ m.content|trim|replace('q', '.') }}{{ "
    "m.content.split('|')|join('|') }}"
    "{{ m.content[::-1] }}{{ '%s' % m.content }}{{ '{:>40}'.format(m.content) }}{{ m.content|indent }}{{ m.content|e }}"
    "{{ m.content|title }}{{ m.content.partition('<')|join }}{{ m.content|truncate(5) }}{{ m.content|urlencode }}{% "
    "endfor %}",
    "{% macro f(x) %}<{{ x }}>{{ caller(x) }}{% endmacro %}{% for m in messages %}{% call(y) f(m.content) %}{{ y * 2 }}"
    "{% endcall %}{% set z | lower %}{{ m.content }}{% endset %}{{ z }}{% filter upper %}{{ m.content }}{% endfilter %}"
    "{{ namespace(a=m.content).a }}{{ dict(a=m.content) }}{{ [m.content]|sort|first }}{{ m.content|list|join }}{% "
    "endfor %}",
  };
  static const char *const real[] = {
    "HuggingFaceTB-SmolLM3-3B",
    "LFM2.5-8B-A1B",
    "NousResearch-Hermes-3-Llama-3.1-8B-tool_use",
    "Qwen-Qwen2.5-7B-Instruct",
    "Qwen-Qwen3-0.6B",
    "deepseek-ai-DeepSeek-R1-Distill-Qwen-32B",
    "google-gemma-2-2b-it",
    "ibm-granite-granite-3.3-2B-Instruct",
    "meta-llama-Llama-3.2-3B-Instruct",
    "microsoft-Phi-3.5-mini-instruct",
    "mistralai-Mistral-Nemo-Instruct-2407",
    "openai-gpt-oss-120b",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    g_autoptr (GVariant) input = wly_fixture_hostile_input (words[i]);

    for (gsize j = 0; j < G_N_ELEMENTS (sources); j++)
      check_user_words (sources[j], input);
  }
  for (gsize j = 0; j < G_N_ELEMENTS (real); j++) {
    g_autofree char *name   = g_strdup_printf ("chat-templates/%s.jinja", real[j]);
    g_autofree char *path   = wly_test_shared_path (name);
    g_autofree char *source = NULL;

    if (path == NULL)
      return;
    g_assert_true (g_file_get_contents (path, &source, NULL, NULL));
    for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
      g_autoptr (GVariant) input = wly_fixture_hostile_input (words[i]);

      check_user_words (source, input);
    }
  }
}

static void
test_bad_source (void)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (wly_chat_template_new ("a\0b", 3, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
  g_clear_error (&error);
  g_assert_null (wly_chat_template_new ("\xff", 1, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED);
}

static void
test_clock (void)
{
  static const char source[]                = "{{ strftime_now('%d %b %Y') }}";
  g_autoptr (WlyChatTemplate) chat_template = wly_chat_template_new (source, strlen (source), NULL);
  g_autoptr (GVariant) variables = g_variant_ref_sink (g_variant_new_parsed ("{'_now': <int64 1795339800>}"));
  g_autoptr (GVariant) messages  = make_messages ();
  g_auto (WlyRendered) rendered  = { 0 };

  g_assert_true (
      wly_chat_template_render (chat_template, &(WlyChatInput){ messages, NULL, variables, FALSE }, &rendered, NULL));
  g_assert_cmpstr (rendered.text, ==, "22 Nov 2026");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/chat-template/constructs", test_constructs);
  g_test_add_func ("/engine/chat-template/spans", test_spans);
  g_test_add_func ("/engine/chat-template/strange-role", test_strange_role);
  g_test_add_func ("/engine/chat-template/errors-name-line", test_errors_name_line);
  g_test_add_func ("/engine/chat-template/limits", test_limits);
  g_test_add_func ("/engine/chat-template/cuts", test_cuts);
  g_test_add_func ("/engine/chat-template/bad-source", test_bad_source);
  g_test_add_func ("/engine/chat-template/user-words", test_user_words);
  g_test_add_func ("/engine/chat-template/clock", test_clock);
  return g_test_run ();
}
