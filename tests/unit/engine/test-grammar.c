/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Each language of constraints: texts that belong to a grammar and texts that do not, and what is refused, with its
 * message.
 */
#include "grammar/grammar-builder.h"
#include "grammar/matcher.h"
#include "wly-error.h"

#include <string.h>

typedef struct {
  const char *source;
  const char *whole[8]; /* belong to it, up to NULL */
  const char *other[8]; /* do not */
} Texts;

typedef struct {
  const char *source;
  const char *message;
} Refused;

static WlyGrammar *
make (WlyGrammarKind kind, const char *text, GError **error)
{
  const WlyGrammarSource source = { .kind = kind, .text = text, .n_bytes = strlen (text) };

  return wly_grammar_new (&source, error);
}

static gboolean
accepts (WlyGrammar *grammar, const char *text)
{
  g_autoptr (WlyMatcher) matcher = wly_matcher_new (grammar->automaton);
  WlyPlace place                 = wly_matcher_start (matcher);

  for (; *text != '\0' && place != 0; text++)
    place = wly_matcher_step (matcher, place, (guint8)*text);
  return place != 0 && wly_matcher_get (matcher, place)->ends;
}

static void
check_texts (WlyGrammarKind kind, const Texts *cases, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GError) error       = NULL;
    g_autoptr (WlyGrammar) grammar = make (kind, cases[i].source, &error);

    if (grammar == NULL)
      g_error ("%s: %s", cases[i].source, error->message);
    for (gsize k = 0; cases[i].whole[k] != NULL; k++)
      if (!accepts (grammar, cases[i].whole[k]))
        g_error ("%s: “%s” belongs to it", cases[i].source, cases[i].whole[k]);
    for (gsize k = 0; cases[i].other[k] != NULL; k++)
      if (accepts (grammar, cases[i].other[k]))
        g_error ("%s: “%s” does not belong to it", cases[i].source, cases[i].other[k]);
  }
}

static void
check_refused (WlyGrammarKind kind, const Refused *cases, gsize n)
{
  for (gsize i = 0; i < n; i++) {
    g_autoptr (GError) error       = NULL;
    g_autoptr (WlyGrammar) grammar = make (kind, cases[i].source, &error);

    if (grammar != NULL)
      g_error ("%s: not refused", cases[i].source);
    g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
    if (strstr (error->message, cases[i].message) == NULL)
      g_error ("%s: %s", cases[i].source, error->message);
  }
}

/* @start, and @n of @text behind it. */
static void
check_deep_refused (WlyGrammarKind kind, const char *start, const char *text, guint n, const char *message)
{
  g_autoptr (GString) deep = g_string_new (start);

  for (guint i = 0; i < n; i++)
    g_string_append (deep, text);
  check_refused (kind, &(Refused){ deep->str, message }, 1);
}

/* ---- regular expressions ---- */

static void
test_regex_texts (void)
{
  static const Texts cases[] = {
    { "abc", { "abc" }, { "", "ab", "abcd" } },
    { "a|bc|", { "a", "bc", "" }, { "b", "abc" } },
    { "(ab)*c+d?", { "c", "ababccd" }, { "abab", "cdd", "ac" } },
    { "a{2}b{1,}c{0,2}", { "aab", "aabbbcc" }, { "ab", "aaab", "aabccc" } },
    { "(?:x|(y(?<name>z))){2}", { "xx", "yzx", "yzyz" }, { "x", "yx" } },
    { "[a-c\\-][^a-c]", { "ax", "-é", "b\n" }, { "aa", "dx", "a" } },
    { "\\d\\D\\w\\W\\s\\S", { "1a_- x", "0\xc3\xa9Z.\ty" }, { "aa_- x" } },
    { "\\x41\\u0042\\u{1F600}\\.\\n", { "AB😀.\n" }, { "AB😀x\n" } },
    { "^ab$", { "ab" }, { "^ab", "ab$" } },
    { "(^a|b)c$", { "ac", "bc" }, { "c" } },
    { "a*?b+?", { "b", "aab" }, { "a" } },
    { ".", { "x", "é", "😀" }, { "\n", "", "xx", "\xc3" } },
    { "\\p{L}+", { "ab", "日本語", "عربي" }, { "a1", "" } },
    { "\\P{L}", { "1", "。" }, { "a", "語" } },
    { "[\\d\\-x]+", { "1-x" }, { "a" } },
    { "日本{2}", { "日本本" }, { "日本", "日本日本" } },
    { "(a?){3}", { "", "a", "aaa" }, { "aaaa" } },
    { "((a*)*)*b", { "b", "aaab" }, { "a" } },
    { "[\\u0600-\\u06ff]{2,3}", { "مر", "مرح" }, { "م", "مرحب", "ab" } },
  };

  check_texts (WLY_GRAMMAR_REGEX, cases, G_N_ELEMENTS (cases));
}

static void
test_regex_refused (void)
{
  static const Refused cases[] = {
    { "a(b", "character 4: a group does not end" },
    { "ab)", "character 3" },
    { "*a", "character 1" },
    { "a**", "nothing to repeat" },
    { "[a", "a class does not end" },
    { "[z-a]", "runs backwards" },
    { "(?=a)", "looking ahead" },
    { "(?<!a)", "looking ahead or behind" },
    { "(a)\\1", "not supported" },
    { "a\\b", "not supported" },
    { "a{3,2}", "the lower one first" },
    { "a{9999}", "up to 5000" },
    { "(((a{100}){100}){100})", "too much is repeated" },
    { "\\p{Greek}", "are known" },
    { "\\u{110000}", "no \\u{…}" },
    { "\\", "a backslash ends" },
    { "é{", "character 2: { begins no count" },
    { "[^\\u0000-\\u{10ffff}]", "No text can fulfil" },
  };

  check_refused (WLY_GRAMMAR_REGEX, cases, G_N_ELEMENTS (cases));
  check_deep_refused (WLY_GRAMMAR_REGEX, "", "(", 60000, "more than 64 groups");
}

/* One that has too many states as a deterministic automaton is run as it is. */
static void
test_regex_ambiguous (void)
{
  g_autoptr (WlyGrammar) grammar = make (WLY_GRAMMAR_REGEX, "(?:a|b)*a(?:a|b){40}", NULL);
  g_autofree char *tail          = g_strnfill (40, 'b');
  g_autofree char *whole         = g_strconcat ("abba", tail, NULL);
  g_autofree char *other         = g_strconcat ("abbb", tail, NULL);

  g_assert_nonnull (grammar);
  g_assert_true (accepts (grammar, whole));
  g_assert_false (accepts (grammar, other));
}

/* ---- GBNF ---- */

static void
test_gbnf_texts (void)
{
  static const Texts cases[] = {
    { "root ::= \"a\" [b-d] . | rest\nrest ::= \"x\"+ # why\n", { "abz", "ad語", "x", "xx" }, { "ab", "", "aaz" } },
    { "root ::= (\"a\" | \"b\" (\n  \"c\"\n))* \"end\"?", { "", "abcaend", "end" }, { "b", "endend" } },
    { "root ::= \"a\"{2} | \"b\"{1,} | \"c\"{0,2} | \"d\"{2,3}",
      { "aa", "bbb", "", "cc", "ddd" },
      { "a", "aaa", "ccc", "d", "dddd" } },
    { "root ::= \"\\x41\\u00e9\\U0001F600\\n\\\"\\\\\"", { "Aé😀\n\"\\" }, { "A" } },
    { "root ::= [^a-z\\]]+", { "ABC", "日本" }, { "a", "]" } },
    { "root ::= value\nvalue ::= \"[\" (value (\",\" value)*)? \"]\" | \"1\"",
      { "1", "[]", "[1,[[1],1]]" },
      { "[", "[1,]", "[[]" } },
    { "root ::=\n  \"a\" |\n  \"b\"\n  | \"c\"\n", { "a", "b", "c" }, { "d" } },
    { "\r\nroot ::= a-b_1\r\na-b_1 ::= \"\" \"x\"", { "x" }, { "" } },
    { "root ::= (\"a\"?){3} \"b\"", { "b", "aaab" }, { "aaaab" } },
    { "root ::= \"名\" [ぁ-ん]{2}", { "名まえ" }, { "名ま", "名前え" } },
  };

  check_texts (WLY_GRAMMAR_GBNF, cases, G_N_ELEMENTS (cases));
}

static void
test_gbnf_refused (void)
{
  static const Refused cases[] = {
    { "", "there is no rule “root”" },
    { "rot ::= \"a\"", "there is no rule “root”" },
    { "root ::= a\n", "line 1, column 10: there is no rule “a”" },
    { "root ::= \"a\"\nroot ::= \"b\"", "line 2, column 5: this rule is defined twice" },
    { "root = \"a\"", "::= is wanted" },
    { "root ::= \"a", "does not end on its line" },
    { "root ::= [a", "does not end on its line" },
    { "root ::= (\"a\"", "a group does not end" },
    { "root ::= \"a\")", "column 13" },
    { "root ::= *", "a name, a text" },
    { "root ::= \"a\"**", "a repetition is repeated" },
    { "root ::= \"a\"{2,1}", "the lower one first" },
    { "root ::= \"a\"{99999999}", "up to 1000000" },
    { "root ::= \"\\q\"", "unknown escape" },
    { "root ::= [z-a]", "runs backwards" },
    { "root ::= root \"a\" | \"b\"", "Rule “root” begins with itself" },
    { "root ::= a \"x\" | \"y\"\na ::= \"b\"?  root", "(left recursion)" },
    { "root ::= a | \"y\"\na ::= b*  \"c\"? root\nb ::= \"b\"", "(left recursion)" },
    { "root ::= a\na ::= \"x\" a", "No text can fulfil" },
    { "root ::= (\"a\"?){1000}", "may be empty" },
    { "root ::= <[x]>", "a token is written" },
  };
  g_autoptr (GString) many       = g_string_new (NULL);
  g_autoptr (GError) error       = NULL;
  g_autoptr (WlyGrammar) grammar = NULL;

  check_refused (WLY_GRAMMAR_GBNF, cases, G_N_ELEMENTS (cases));
  check_deep_refused (WLY_GRAMMAR_GBNF, "root ::= ", "(", 60000, "more than 64 groups");
  for (guint i = 0; i < 5000; i++)
    g_string_append_printf (many, "r%u ::= \"a\"\n", i);
  grammar = make (WLY_GRAMMAR_GBNF, many->str, &error);
  g_assert_null (grammar);
  g_assert_nonnull (strstr (error->message, "more than 4096 rules"));
}

/* ---- choices ---- */

static void
test_choice (void)
{
  static const char *const choices[] = { "yes", "no", "noway", "はい", "نعم", NULL };
  static const char *const empty[]   = { "a", "", NULL };
  WlyGrammarSource source            = { .kind = WLY_GRAMMAR_CHOICE, .choices = choices };
  g_autoptr (GError) error           = NULL;
  g_autoptr (WlyGrammar) grammar     = wly_grammar_new (&source, &error);

  g_assert_no_error (error);
  for (guint i = 0; choices[i] != NULL; i++)
    g_assert_true (accepts (grammar, choices[i]));
  g_assert_false (accepts (grammar, "now"));
  g_assert_false (accepts (grammar, ""));
  source.choices = empty;
  g_assert_null (wly_grammar_new (&source, &error));
  g_assert_nonnull (strstr (error->message, "Choice 2 is empty"));
  g_clear_error (&error);
  source.choices = empty + 2;
  g_assert_null (wly_grammar_new (&source, &error));
  g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS);
}

/* ---- JSON Schema ---- */

static void
test_schema_texts (void)
{
  static const Texts cases[] = {
    { "true", { "1", "\"x\"", "{\"a\":[null,{}]}", "[1, 2]" }, { "", "x", "[1,]", "{a:1}" } },
    { "{\"type\":\"boolean\"}", { "true", "false" }, { "1", "True" } },
    { "{\"type\":[\"null\",\"integer\"]}", { "null", "0", "-12" }, { "01", "1.5", "\"a\"" } },
    { "{\"type\":\"integer\",\"nullable\":true}", { "null", "3" }, { "\"\"" } },
    { "{\"type\":\"number\"}", { "1.5", "-0", "2e10", "1E-7" }, { "1.", ".5", "+1", "1e999" } },
    { "{\"enum\":[1,\"a\",null,[2,{\"b\":3}]]}", { "1", "\"a\"", "null", "[2, {\"b\": 3}]" }, { "2", "[2]" } },
    { "{\"const\":\"é\\\"\\n\"}", { "\"é\\\"\\n\"" }, { "\"é\"" } },
    { "{\"enum\":[1,2,3,\"x\"],\"type\":\"integer\",\"minimum\":2}", { "2", "3" }, { "1", "\"x\"" } },
    { "{\"type\":\"integer\",\"minimum\":-3,\"maximum\":12}", { "-3", "-0", "0", "9", "12" }, { "-4", "13", "100" } },
    { "{\"type\":\"integer\",\"exclusiveMinimum\":9,\"exclusiveMaximum\":1e2}", { "10", "99" }, { "9", "100" } },
    { "{\"type\":\"number\",\"minimum\":0.25,\"maximum\":1.5}",
      { "0.25", "1", "1.5", "1.49", "0.3" },
      { "0.2", "1.51", "2", "0.249" } },
    { "{\"type\":\"number\",\"exclusiveMaximum\":0}", { "-1", "-0.001" }, { "0", "-0", "0.1" } },
    { "{\"type\":\"number\",\"maximum\":-1.5}", { "-1.5", "-2", "-10" }, { "-1.4", "-1", "0" } },
    { "{\"type\":\"integer\",\"multipleOf\":7}", { "0", "7", "-14", "700" }, { "1", "8" } },
    { "{\"type\":\"integer\",\"format\":\"int32\"}", { "2147483647", "-2147483648" }, { "2147483648" } },
    { "{\"type\":\"string\",\"minLength\":2,\"maxLength\":3}",
      { "\"ab\"", "\"日本語\"", "\"\\n\\u00e9\"", "\"\\ud83d\\ude00a\"" },
      { "\"a\"", "\"abcd\"", "\"\\ud83da\"" } },
    { "{\"type\":\"string\",\"pattern\":\"^a+$\"}", { "\"a\"", "\"aaa\"" }, { "\"\"", "\"ab\"" } },
    { "{\"type\":\"string\",\"pattern\":\"b\",\"maxLength\":3}", { "\"abc\"", "\"b\"" }, { "\"ac\"", "\"abcd\"" } },
    { "{\"type\":\"string\",\"format\":\"date\"}",
      { "\"2024-02-29\"", "\"1999-12-31\"" },
      { "\"2023-02-29\"", "\"2024-13-01\"" } },
    { "{\"type\":\"string\",\"format\":\"ipv4\"}", { "\"127.0.0.1\"" }, { "\"256.0.0.1\"", "\"1.2.3\"" } },
    { "{\"type\":\"array\",\"items\":{\"type\":\"integer\"},\"minItems\":1,\"maxItems\":3}",
      { "[1]", "[1,2,3]", "[ 1 ,\n  2 ]" },
      { "[]", "[1,2,3,4]", "[\"a\"]" } },
    { "{\"type\":\"array\",\"prefixItems\":[{\"type\":\"string\"},{\"type\":\"null\"}],\"items\":false}",
      { "[]", "[\"a\"]", "[\"a\",null]" },
      { "[null]", "[\"a\",null,1]" } },
    { "{\"type\":\"array\",\"contains\":{\"const\":1},\"items\":{\"type\":\"integer\"},\"minItems\":2}",
      { "[1,2]", "[3,2,1]" },
      { "[1]", "[2,3]" } },
    { "{\"type\":\"array\",\"contains\":{\"const\":1},\"maxItems\":2}",
      { "[1]", "[2,1]", "[1,\"x\"]" },
      { "[]", "[2,3]", "[1,2,3]" } },
    { "{\"type\":\"array\",\"maxItems\":1,\"uniqueItems\":true}", { "[]", "[1]" }, { "[1,2]" } },
  };

  check_texts (WLY_GRAMMAR_JSON_SCHEMA, cases, G_N_ELEMENTS (cases));
}

static void
test_schema_objects (void)
{
  static const Texts cases[] = {
    { "{\"type\":\"object\",\"properties\":{\"b\":{\"type\":\"integer\"},\"a\":{\"type\":\"null\"}},\"required\":["
      "\"a\"],"
      "\"additionalProperties\":false}",
      { "{\"a\":null}", "{\"b\":1,\"a\":null}", "{ \"b\": 1, \"a\": null }", "{\n  \"a\": null\n}" },
      { "{}", "{\"b\":1}", "{\"a\":null,\"b\":1}", "{\"a\":null,\"c\":1}", "{\"a\":null,}" } },
    { "{\"properties\":{\"a\":{\"type\":\"integer\"}},\"type\":\"object\"}",
      { "{}", "{\"a\":1}", "{\"b\":\"x\"}", "{\"a\":1,\"ab\":2,\"\":3}" },
      { "{\"a\":\"x\"}", "{\"b\":1,\"a\":1}" } },
    { "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}",
      { "{}", "{\"x\":1,\"y\":2}" },
      { "{\"x\":\"y\"}" } },
    { "{\"type\":\"object\",\"patternProperties\":{\"^x\":{\"type\":\"integer\"},\"z$\":{\"minimum\":5}},"
      "\"additionalProperties\":{\"type\":\"null\"}}",
      { "{\"xa\":1}", "{\"xz\":5}", "{\"a\":null}", "{\"z\":\"any\"}" },
      { "{\"xa\":null}", "{\"xz\":4}", "{\"a\":1}", "{\"z\":3}" } },
    { "{\"type\":\"object\",\"minProperties\":1,\"maxProperties\":2,\"additionalProperties\":true}",
      { "{\"a\":1}", "{\"a\":1,\"b\":2}" },
      { "{}", "{\"a\":1,\"b\":2,\"c\":3}" } },
    { "{\"type\":\"object\",\"propertyNames\":{\"pattern\":\"^[a-z]+$\",\"maxLength\":2}}",
      { "{\"ab\":1}" },
      { "{\"abc\":1}", "{\"A\":1}" } },
    { "{\"type\":\"object\",\"properties\":{\"名前\":{\"type\":\"string\"},\"العمر\":{\"type\":\"integer\"}},"
      "\"required\":[\"名前\",\"العمر\"],\"additionalProperties\":false}",
      { "{\"名前\":\"花子\",\"العمر\":7}" },
      { "{\"العمر\":7,\"名前\":\"花子\"}" } },
    { "{\"type\":\"object\",\"required\":[\"k\\\"1\"],\"additionalProperties\":{\"type\":\"integer\"}}",
      { "{\"k\\\"1\":1}" },
      { "{}" } },
  };

  check_texts (WLY_GRAMMAR_JSON_SCHEMA, cases, G_N_ELEMENTS (cases));
}

static void
test_schema_combined (void)
{
  static const Texts cases[] = {
    { "{\"anyOf\":[{\"type\":\"integer\"},{\"const\":\"x\"}]}", { "1", "\"x\"" }, { "\"y\"" } },
    { "{\"type\":\"integer\",\"anyOf\":[{\"minimum\":10},{\"maximum\":0}]}", { "10", "-1" }, { "5", "\"x\"" } },
    { "{\"allOf\":[{\"minimum\":3},{\"maximum\":5}],\"type\":\"integer\"}", { "3", "5" }, { "2", "6" } },
    { "{\"type\":\"object\",\"allOf\":[{\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},"
      "{\"properties\":{\"a\":{\"minimum\":5},\"b\":{\"type\":\"null\"}},\"additionalProperties\":false}]}",
      { "{\"a\":5}", "{\"a\":6,\"b\":null}" },
      { "{\"a\":4}", "{}", "{\"a\":5,\"c\":1}" } },
    { "{\"oneOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", { "\"\"", "null" }, { "1" } },
    { "{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"t\":{\"const\":\"a\"}},\"required\":[\"t\"],"
      "\"additionalProperties\":false},{\"type\":\"object\",\"properties\":{\"t\":{\"const\":\"b\"},\"n\":{\"type\":"
      "\"integer\"}},\"required\":[\"t\",\"n\"],\"additionalProperties\":false}]}",
      { "{\"t\":\"a\"}", "{\"t\":\"b\",\"n\":1}" },
      { "{\"t\":\"b\"}", "{\"t\":\"a\",\"n\":1}" } },
    { "{\"$defs\":{\"t\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/t\"}}},\"$ref\":\"#/$defs/t\"}",
      { "[]", "[[],[[]]]" },
      { "[1]", "[[" } },
    { "{\"$defs\":{\"x "
      "y\":{\"$anchor\":\"here\",\"type\":\"null\"}},\"prefixItems\":[{\"$ref\":\"#/$defs/x%20y\"},{\"$ref\":"
      "\"#here\"}],\"type\":\"array\",\"minItems\":2,\"maxItems\":2}",
      { "[null,null]" },
      { "[null,1]" } },
    { "{\"type\":\"object\",\"properties\":{\"n\":{\"$ref\":\"#\"}},\"additionalProperties\":false}",
      { "{}", "{\"n\":{\"n\":{}}}" },
      { "{\"n\":1}" } },
    { "{\"title\":\"t\",\"description\":\"d\",\"default\":1,\"examples\":[1],\"$schema\":\"s\",\"$id\":\"i\",\"$"
      "comment\":\"c\","
      "\"deprecated\":true,\"readOnly\":true,\"type\":\"null\"}",
      { "null" },
      { "1" } },
    { "{\"type\":\"object\",\"properties\":{\"a\":false,\"b\":true},\"additionalProperties\":false}",
      { "{}", "{\"b\":1}" },
      { "{\"a\":1}" } },
  };

  check_texts (WLY_GRAMMAR_JSON_SCHEMA, cases, G_N_ELEMENTS (cases));
}

/* Keywords that are written in terms of others. */
static void
test_schema_logic (void)
{
  static const Texts cases[] = {
    { "{\"type\": \"string\", \"not\": {\"enum\": [\"a\", \"日本\"]}}",
      { "\"b\"", "\"\"", "\"aa\"", "\"日\"" },
      { "\"a\"", "\"日本\"", "1" } },
    { "{\"not\": {\"type\": [\"object\", \"array\", \"string\"]}}",
      { "1", "1.5", "null", "true" },
      { "{}", "[]", "\"x\"" } },
    { "{\"type\": \"number\", \"not\": {\"enum\": [7, -3, 0.5, 1e1, 7.0, \"x\", -3.25, 0]}}",
      { "1", "-3.2", "-3.26", "9", "11", "0.25", "0.51" },
      { "7.0", "-3", "0.50", "10", "-3.25", "0", "-0" } },
    { "{\"type\": \"integer\", \"not\": {\"enum\": [1, 2, 3, 4, 5]}, \"minimum\": 0, \"maximum\": 9}",
      { "0", "6", "9" },
      { "1", "2", "5", "10" } },
    { "{\"type\": \"integer\", \"not\": {\"const\": 3}}", { "2", "4", "-3" }, { "3", "\"3\"" } },
    { "{\"type\": [\"boolean\", \"null\"], \"not\": {\"const\": true}}", { "false", "null" }, { "true" } },
    { "{\"type\": \"object\", \"not\": {\"required\": [\"a\", \"b\"]}, \"properties\": {\"a\": true, \"b\": true}}",
      { "{\"a\":1}", "{\"b\":1}", "{}" },
      { "{\"a\":1,\"b\":1}" } },
    { "{\"not\": {\"not\": {\"type\": \"null\"}}}", { "null" }, { "1" } },
    { "{\"not\": {\"allOf\": [{\"minimum\": 3}, {\"maximum\": 5}]}, \"type\": \"number\"}",
      { "2", "6", "5.5" },
      { "3", "4", "5" } },
    { "{\"type\": \"object\", \"properties\": {\"kind\": {\"enum\": [\"p\", \"q\"]}, \"v\": true}, \"required\": "
      "[\"kind\", \"v\"], \"if\": {\"properties\": {\"kind\": {\"const\": \"p\"}}}, \"then\": {\"properties\": {\"v\": "
      "{\"type\": \"null\"}}}, \"else\": {\"properties\": {\"v\": {\"type\": \"integer\"}}}}",
      { "{\"kind\":\"p\",\"v\":null}", "{\"kind\":\"q\",\"v\":1}" },
      { "{\"kind\":\"p\",\"v\":1}", "{\"kind\":\"q\",\"v\":null}" } },
    { "{\"type\": \"object\", \"properties\": {\"v\": true, \"kind\": true}, \"if\": {\"required\": [\"kind\"]}, "
      "\"then\": {\"required\": [\"v\"]}}",
      { "{}", "{\"v\":1}", "{\"v\":1,\"kind\":2}" },
      { "{\"kind\":2}" } },
    { "{\"type\": \"object\", \"properties\": {\"a\": true, \"b\": true, \"c\": true}, \"dependentRequired\": {\"a\": "
      "[\"b\", \"c\"]}, \"additionalProperties\": false}",
      { "{}", "{\"b\":1}", "{\"a\":1,\"b\":1,\"c\":1}" },
      { "{\"a\":1}", "{\"a\":1,\"b\":1}" } },
    { "{\"type\": \"object\", \"properties\": {\"a\": true}, \"dependentSchemas\": {\"a\": {\"required\": [\"z\"]}}}",
      { "{}", "{\"a\":1,\"z\":2}", "{\"x\":1}" },
      { "{\"a\":1}" } },
    { "{\"$defs\": {\"base\": {\"properties\": {\"a\": {\"type\": \"null\"}}}}, \"type\": \"object\", \"$ref\": "
      "\"#/$defs/base\", \"properties\": {\"b\": true}, \"unevaluatedProperties\": false}",
      { "{\"b\":1,\"a\":null}", "{}" },
      { "{\"c\":1}", "{\"a\":1}" } },
    { "{\"type\": \"array\", \"prefixItems\": [true], \"allOf\": [{\"prefixItems\": [true, {\"type\": \"null\"}]}], "
      "\"unevaluatedItems\": {\"type\": \"integer\"}}",
      { "[]", "[1,null]", "[\"x\",null,5,6]" },
      { "[1,2]", "[1,null,\"x\"]" } },
    { "{\"properties\": {\"not\": {\"type\": \"null\"}, \"if\": {\"type\": \"null\"}}, \"type\": \"object\", "
      "\"additionalProperties\": false}",
      { "{\"not\":null,\"if\":null}" },
      { "{\"not\":1}" } },
  };

  check_texts (WLY_GRAMMAR_JSON_SCHEMA, cases, G_N_ELEMENTS (cases));
}

static void
test_schema_refused (void)
{
  static const Refused cases[] = {
    { "{", "JSON, line 1" },
    { "3", "a schema is wanted" },
    { "{\"if\": 3}", "“#/if”: a schema is wanted" },
    { "{\"properties\": {\"a\": {\"not\": {\"pattern\": \"a\"}}}}",
      "“#/properties/a/not/pattern”: the keyword “pattern” cannot be honoured within “not”" },
    { "{\"not\": {}}", "No text can fulfil" },
    { "{\"not\": {\"type\": \"integer\"}}", "“#/not/type”: what is no integer" },
    { "{\"not\": {\"const\": [1]}}", "“#/not/const”: values that are lists or objects" },
    { "{\"not\": {\"enum\": "
      "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31,32,33]}}",
      "“#/not/enum/32”: more than 32 numbers" },
    { "{\"not\": {\"enum\": [1, 1e99]}}", "“#/not/enum/1”: numbers have up to 64 digits" },
    { "{\"not\": {\"$ref\": \"#\"}}", "leads back to itself" },
    { "{\"if\": true, \"then\": {\"dependentSchemas\": {\"a\": {\"$ref\": \"#\"}}}}", "leads back to itself" },
    { "{\"not\": [1]}", "“#/not”: a schema is wanted" },
    { "{\"if\": {\"items\": {}}, \"then\": true}", "“#/if/items”: the keyword “items” cannot be honoured" },
    { "{\"if\": true, \"then\": {\"contentEncoding\": \"x\"}}",
      "“#/then/contentEncoding”: the keyword “contentEncoding” is not supported" },
    { "{\"dependentRequired\": {\"a\": \"b\"}}", "“#/dependentRequired”: an object of lists of texts" },
    { "{\"type\": \"object\", \"anyOf\": [{\"properties\": {\"a\": true}}], \"unevaluatedProperties\": false}",
      "“#/unevaluatedProperties”: together with “anyOf”" },
    { "{\"type\": \"array\", \"contains\": {\"type\": \"null\"}, \"unevaluatedItems\": false}",
      "“#/unevaluatedItems”: together with “contains”" },
    { "{\"type\": \"object\", \"unevaluatedProperties\": false, \"allOf\": [{\"unevaluatedProperties\": true}]}",
      "together with “unevaluatedProperties”" },
    { "{\"$dynamicRef\": \"#x\"}", "the keyword “$dynamicRef” is not supported" },
    { "{\"$ref\": 3}", "a text is wanted" },
    { "{\"type\":\"strin\"}", "“#/type”: there is no such type" },
    { "{\"type\":3}", "a type or a list" },
    { "{\"type\":\"string\",\"format\":\"iban\"}", "the format “iban” is not supported" },
    { "{\"type\":\"string\",\"pattern\":\"(?=a)\"}", "“#/pattern”: Regular expression, character 3" },
    { "{\"type\":\"array\",\"uniqueItems\":true}", "“#/uniqueItems”" },
    { "{\"type\":\"number\",\"multipleOf\":0.1}", "“#/multipleOf”" },
    { "{\"type\":\"number\",\"exclusiveMinimum\":true}", "a number is wanted" },
    { "{\"minLength\":-1}", "a whole number is wanted" },
    { "{\"$ref\":\"#/nowhere\"}", "“#/$ref”: this leads to no schema" },
    { "{\"$ref\":\"http://x/y\"}", "only references within" },
    { "{\"$ref\":\"#\"}", "leads back to itself" },
    { "{\"anyOf\":[{\"$ref\":\"#/$defs/a\"}],\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#\"}]}}}",
      "leads back to itself" },
    { "{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "oneOf cannot be honoured" },
    { "{\"oneOf\":[{\"required\":[\"a\"]},{\"required\":[\"b\"]}]}", "both branches 0 and 1" },
    { "{\"type\":\"object\",\"required\":[\"a\"],\"properties\":{\"a\":{\"$ref\":\"#\"}}}", "No text can fulfil" },
    { "{\"type\":\"object\",\"required\":[\"a\"],\"additionalProperties\":false}", "No text can fulfil" },
    { "{\"type\":\"integer\",\"minimum\":5,\"maximum\":4}", "No text can fulfil" },
    { "{\"allOf\":[{\"type\":\"string\"},{\"type\":\"null\"}]}", "No text can fulfil" },
    { "false", "No text can fulfil" },
    { "{\"type\":\"object\",\"minProperties\":2}", "“#/minProperties”" },
    { "{\"items\":[{}]}", "a schema is wanted" },
    { "{\"anyOf\":[]}", "a list of schemas" },
    { "{\"enum\":[{\"a\":1}],\"required\":[\"a\"]}", "is not supported" },
    { "{\"unknown\":1}", "the keyword “unknown” is not supported" },
  };

  check_refused (WLY_GRAMMAR_JSON_SCHEMA, cases, G_N_ELEMENTS (cases));
  check_deep_refused (WLY_GRAMMAR_JSON_SCHEMA, "", "{\"items\":", 10000, "too many lists and objects");
}

/* Ten lists of ten branches each would be 10^10 combinations. */
static void
test_schema_combinations (void)
{
  g_autoptr (GString) text       = g_string_new ("{\"allOf\":[");
  g_autoptr (GError) error       = NULL;
  g_autoptr (WlyGrammar) grammar = NULL;

  for (guint i = 0; i < 10; i++) {
    g_string_append (text, i > 0 ? ",{\"anyOf\":[" : "{\"anyOf\":[");
    for (guint k = 0; k < 10; k++)
      g_string_append_printf (text, "%s{\"minimum\":%u}", k > 0 ? "," : "", i * 10 + k);
    g_string_append (text, "]}");
  }
  g_string_append (text, "]}");
  grammar = make (WLY_GRAMMAR_JSON_SCHEMA, text->str, &error);
  g_assert_null (grammar);
  g_assert_nonnull (strstr (error->message, "too many ways"));
}

static void
test_size (void)
{
  g_autofree char *large   = g_strnfill (WLY_GRAMMAR_SOURCE_BYTES + 1, 'a');
  g_autoptr (GError) error = NULL;

  for (WlyGrammarKind kind = WLY_GRAMMAR_JSON_SCHEMA; kind <= WLY_GRAMMAR_REGEX; kind++) {
    g_assert_null (make (kind, large, &error));
    g_assert_nonnull (strstr (error->message, "at most 262144 are read"));
    g_clear_error (&error);
    g_assert_null (make (kind, "\xff", &error));
    g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT);
    g_clear_error (&error);
  }
}

/* ---- parts ---- */

static void
test_parts (void)
{
  static const char *const marks[]       = { "<call>", "<cat>", NULL };
  static const WlyGrammarSource schema   = { .kind    = WLY_GRAMMAR_JSON_SCHEMA,
                                             .text    = "{\"type\":\"integer\"}",
                                             .n_bytes = 18 };
  g_autoptr (WlyGrammarBuilder) builder  = wly_grammar_builder_new (NULL);
  g_autoptr (WlyGrammarBuilder) builder2 = wly_grammar_builder_new (NULL);
  g_autoptr (GError) error               = NULL;
  g_autoptr (WlyGrammar) grammar         = NULL;
  WlyGrammarPart parts[4];

  parts[0] = wly_grammar_builder_until (builder, marks, FALSE);
  g_assert_true (wly_grammar_builder_source (builder, &schema, &parts[1], &error));
  parts[2] = wly_grammar_builder_text (builder, "</call>");
  parts[3] = wly_grammar_builder_sequence (builder, parts, 3);
  parts[3] = wly_grammar_builder_repeat (builder, parts[3], 1, 2);
  grammar  = wly_grammar_builder_finish (builder, parts[3], &error);
  g_assert_no_error (error);
  g_assert_true (accepts (grammar, "so <ca <call>5</call>"));
  g_assert_true (accepts (grammar, "<c<cat>5</call>日本<<call>-7</call>"));
  g_assert_false (accepts (grammar, "<call>x</call>"));
  g_assert_false (accepts (grammar, "text"));
  g_assert_false (accepts (grammar, "<call>5</call>more"));
  g_clear_pointer (&grammar, wly_grammar_unref);
  /* free text that may go on for ever, or end anywhere */
  parts[0] = wly_grammar_builder_until (builder2, marks, TRUE);
  grammar  = wly_grammar_builder_finish (builder2, parts[0], &error);
  g_assert_no_error (error);
  g_assert_true (accepts (grammar, ""));
  g_assert_true (accepts (grammar, "text <call"));
  g_assert_true (accepts (grammar, "text <call>"));
  g_assert_false (accepts (grammar, "text <call> "));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/grammar/regex/texts", test_regex_texts);
  g_test_add_func ("/grammar/regex/refused", test_regex_refused);
  g_test_add_func ("/grammar/regex/ambiguous", test_regex_ambiguous);
  g_test_add_func ("/grammar/gbnf/texts", test_gbnf_texts);
  g_test_add_func ("/grammar/gbnf/refused", test_gbnf_refused);
  g_test_add_func ("/grammar/choice", test_choice);
  g_test_add_func ("/grammar/schema/texts", test_schema_texts);
  g_test_add_func ("/grammar/schema/objects", test_schema_objects);
  g_test_add_func ("/grammar/schema/combined", test_schema_combined);
  g_test_add_func ("/grammar/schema/logic", test_schema_logic);
  g_test_add_func ("/grammar/schema/refused", test_schema_refused);
  g_test_add_func ("/grammar/schema/combinations", test_schema_combinations);
  g_test_add_func ("/grammar/size", test_size);
  g_test_add_func ("/grammar/parts", test_parts);
  return g_test_run ();
}
