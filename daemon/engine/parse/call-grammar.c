/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/call-grammar.h"

#include "parse/call-reader.h"
#include "parse/tool-list.h"
#include "template/chat-input.h"
#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

#define FENCE         "```"
#define NO_PARAMETERS "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}"
#define ANY_ARGUMENTS "{\"type\":\"object\"}"
/* Ids as templates ask for them that have an own key for them. */
#define ID_REGEX "[A-Za-z0-9]{9}"

typedef struct {
  const WlyCallGrammar *wanted;
  const WlyOutputFormat *format;
  WlyGrammarBuilder *builder;
  GArray *calls; /* WlyGrammarPart: one call for each tool, from behind the opening mark */
} Maker;

/* ---- parts ---- */

static WlyGrammarPart
text_part (Maker *maker, const char *text)
{
  return wly_grammar_builder_text (maker->builder, text);
}

static WlyGrammarPart
pair (Maker *maker, WlyGrammarPart first, WlyGrammarPart second)
{
  const WlyGrammarPart parts[] = { first, second };

  return wly_grammar_builder_sequence (maker->builder, parts, 2);
}

static WlyGrammarPart
either (Maker *maker, WlyGrammarPart first, WlyGrammarPart second)
{
  const WlyGrammarPart parts[] = { first, second };

  return wly_grammar_builder_choice (maker->builder, parts, 2);
}

static void
append (GArray *parts, WlyGrammarPart part)
{
  g_array_append_val (parts, part);
}

static WlyGrammarPart
sequence (Maker *maker, const GArray *parts)
{
  return wly_grammar_builder_sequence (maker->builder, (const WlyGrammarPart *)(const void *)parts->data, parts->len);
}

/* A source that is known to be right. */
static WlyGrammarPart
own_source (Maker *maker, WlyGrammarKind kind, const char *text)
{
  const char *const choices[]   = { text, NULL };
  const WlyGrammarSource source = { kind, text, strlen (text), choices };
  WlyGrammarPart part           = 0;
  gboolean ok                   = wly_grammar_builder_source (maker->builder, &source, &part, NULL);

  g_assert (ok);
  return part;
}

/* ---- tools ---- */

/* The schema of a tool's arguments as text, which says that they are an object. */
static GString *
schema_of (GVariant *function, GError **error)
{
  g_autoptr (GVariant) given = g_variant_lookup_value (function, "parameters", NULL);
  g_autoptr (GVariant) type  = NULL;
  g_autoptr (GString) text   = g_string_new (NULL);

  if (given == NULL || g_variant_is_of_type (given, G_VARIANT_TYPE_MAYBE))
    return g_string_new (NO_PARAMETERS);
  if (!g_variant_is_of_type (given, G_VARIANT_TYPE_VARDICT)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "its parameters are no JSON object");
    return NULL;
  }
  type = g_variant_lookup_value (given, "type", NULL);
  if (type != NULL
      && !(g_variant_is_of_type (type, G_VARIANT_TYPE_STRING)
           && g_str_equal (g_variant_get_string (type, NULL), "object"))) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "#/type: arguments are always an object");
    return NULL;
  }
  wly_chat_input_write (given, text);
  if (type == NULL) {
    g_string_truncate (text, text->len - 1);
    g_string_append (text, text->len > 1 ? ",\"type\":\"object\"}" : "\"type\":\"object\"}");
  }
  return g_steal_pointer (&text);
}

/* What a schema describes, in the form that the format has. */
static gboolean
schema_part (const WlyOutputFormat *format, WlyGrammarBuilder *builder, const char *text, gsize n_bytes,
             WlyGrammarPart *ret_part, GError **error)
{
  const WlyGrammarSource source  = { WLY_GRAMMAR_JSON_SCHEMA, text, n_bytes, NULL };
  const WlyGrammarMembers python = { "", "=", NULL, ", " };
  const WlyGrammarMembers marks  = { format->key_open, format->key_close, format->value_close, NULL };

  if (format->calls == WLY_CALLS_PYTHON || format->calls == WLY_CALLS_MEMBERS)
    return wly_grammar_builder_members (builder, text, n_bytes, format->calls == WLY_CALLS_PYTHON ? &python : &marks,
                                        ret_part, error);
  return wly_grammar_builder_source (builder, &source, ret_part, error);
}

/* Whether a schema can be honoured, tried by itself: what is refused would stay behind in the builder. */
static gboolean
is_supported (const Maker *maker, const GString *schema)
{
  g_autoptr (WlyGrammarBuilder) builder = wly_grammar_builder_new (maker->wanted->tokenizer);
  g_autoptr (WlyGrammar) tried          = NULL;
  WlyGrammarPart part;

  if (schema_part (maker->format, builder, schema->str, schema->len, &part, NULL))
    tried = wly_grammar_builder_finish (builder, part, NULL);
  return tried != NULL;
}

static gboolean
arguments_part (Maker *maker, GVariant *function, WlyGrammarPart *ret_part, GError **error)
{
  GError *own              = NULL;
  g_autoptr (GString) text = schema_of (function, &own);

  if (maker->wanted->lenient && (text == NULL || !is_supported (maker, text))) {
    g_clear_error (&own);
    return schema_part (maker->format, maker->builder, ANY_ARGUMENTS, strlen (ANY_ARGUMENTS), ret_part, error);
  }
  if (own != NULL) {
    g_propagate_error (error, own);
    return FALSE;
  }
  return schema_part (maker->format, maker->builder, text->str, text->len, ret_part, error);
}

/* {"name": "f", "arguments": {…}} */
static WlyGrammarPart
object_part (Maker *maker, const char *name, WlyGrammarPart arguments)
{
  const WlyOutputFormat *format = maker->format;
  g_autoptr (GString) head      = g_string_new ("{");
  WlyGrammarPart parts[4]       = { 0 };

  wly_json_write_string (head, format->name_key, strlen (format->name_key));
  g_string_append (head, ": ");
  wly_json_write_string (head, name, strlen (name));
  g_string_append (head, ", ");
  wly_json_write_string (head, format->arguments_key, strlen (format->arguments_key));
  g_string_append (head, ": ");
  parts[0] = own_source (maker, WLY_GRAMMAR_CHOICE, head->str);
  parts[1] = arguments;
  if (!format->with_id) {
    parts[2] = own_source (maker, WLY_GRAMMAR_CHOICE, "}");
    return wly_grammar_builder_sequence (maker->builder, parts, 3);
  }
  parts[2] = pair (maker, own_source (maker, WLY_GRAMMAR_CHOICE, ", \"id\": \""),
                   own_source (maker, WLY_GRAMMAR_REGEX, ID_REGEX));
  parts[3] = own_source (maker, WLY_GRAMMAR_CHOICE, "\"}");
  return wly_grammar_builder_sequence (maker->builder, parts, 4);
}

/* The name, the middle mark, the arguments. */
static WlyGrammarPart
named_part (Maker *maker, const char *name, WlyGrammarPart arguments)
{
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (WlyGrammarPart));

  append (parts, own_source (maker, WLY_GRAMMAR_CHOICE, name));
  append (parts, wly_grammar_builder_space (maker->builder));
  if (*maker->format->middle != '\0') {
    append (parts, text_part (maker, maker->format->middle));
    append (parts, wly_grammar_builder_space (maker->builder));
  }
  append (parts, arguments);
  if (strstr (maker->format->middle, FENCE) != NULL)
    append (parts, text_part (maker, "\n" FENCE));
  return sequence (maker, parts);
}

/* name(key=value, …) */
static WlyGrammarPart
python_part (Maker *maker, const char *name, WlyGrammarPart arguments)
{
  g_autofree char *head = g_strconcat (name, "(", NULL);

  return pair (maker, pair (maker, own_source (maker, WLY_GRAMMAR_CHOICE, head), arguments), text_part (maker, ")"));
}

/* The name and the arguments between their marks. */
static WlyGrammarPart
members_part (Maker *maker, const char *name, WlyGrammarPart arguments)
{
  const WlyOutputFormat *format = maker->format;
  const WlyGrammarPart space    = wly_grammar_builder_space (maker->builder);
  const WlyGrammarPart parts[]  = { text_part (maker, format->before_name),
                                    own_source (maker, WLY_GRAMMAR_CHOICE, name),
                                    text_part (maker, format->middle),
                                    space,
                                    arguments,
                                    space,
                                    text_part (maker, format->after_members) };

  return wly_grammar_builder_sequence (maker->builder, parts, G_N_ELEMENTS (parts));
}

static WlyGrammarPart
call_part (Maker *maker, const char *name, WlyGrammarPart arguments)
{
  switch (maker->format->calls) {
  case WLY_CALLS_NAMED:
    return named_part (maker, name, arguments);
  case WLY_CALLS_PYTHON:
    return python_part (maker, name, arguments);
  case WLY_CALLS_MEMBERS:
    return members_part (maker, name, arguments);
  default:
    return object_part (maker, name, arguments);
  }
}

static gboolean
add_tool (Maker *maker, GVariant *function, const char *name, GError **error)
{
  WlyGrammarPart arguments = 0;

  if (!wly_call_reader_is_name (name)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Tool “%.*s”: a name is up to 256 bytes without spaces, quotes, angle brackets and braces",
                 wly_utf8_shown (name), name);
    return FALSE;
  }
  if (maker->format->calls == WLY_CALLS_PYTHON && strpbrk (name, "'()[],:=") != NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 "Tool “%.*s”: the model writes calls as Python does, and cannot write this name",
                 wly_utf8_shown (name), name);
    return FALSE;
  }
  if (!arguments_part (maker, function, &arguments, error)) {
    g_prefix_error (error, "Tool “%s”: ", name);
    return FALSE;
  }
  append (maker->calls, call_part (maker, name, arguments));
  return TRUE;
}

/* FALSE without an error: there are tools that are none. */
static gboolean
add_tools (Maker *maker, const char *only, GError **error)
{
  GVariant *tools = maker->wanted->tools;
  const gsize n   = tools == NULL ? 0 : g_variant_n_children (tools);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) function = wly_tool_list_function (tools, i);
    const char *name              = "";

    if (!g_variant_lookup (function, "name", "&s", &name) && !maker->wanted->lenient)
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Tool %" G_GSIZE_FORMAT " has no name", i);
    if (*name == '\0')
      return FALSE;
    if ((only == NULL || g_str_equal (name, only)) && !add_tool (maker, function, name, error))
      return FALSE;
  }
  return TRUE;
}

/* ---- calls ---- */

/* Not a token that ends every answer: that comes by itself. */
static const char *
closing_mark (const Maker *maker)
{
  const WlyTokenizer *tokenizer = maker->wanted->tokenizer;
  gint32 token = tokenizer == NULL ? WLY_TOKEN_NONE : wly_tokenizer_find (tokenizer, maker->format->close);

  return token != WLY_TOKEN_NONE && wly_tokenizer_is_end (tokenizer, token) ? "" : maker->format->close;
}

static gboolean
is_list (const WlyOutputFormat *format)
{
  return format->calls == WLY_CALLS_LIST || format->calls == WLY_CALLS_PYTHON;
}

/* One or more calls, from behind the first opening mark. */
static WlyGrammarPart
calls_part (Maker *maker)
{
  const WlyOutputFormat *format = maker->format;
  const WlyGrammarPart space    = wly_grammar_builder_space (maker->builder);
  const char *close             = closing_mark (maker);
  const gboolean list           = is_list (format);
  g_autoptr (GArray) parts      = g_array_new (FALSE, FALSE, sizeof (WlyGrammarPart));
  WlyGrammarPart call           = wly_grammar_builder_choice (
                maker->builder, (const WlyGrammarPart *)(const void *)maker->calls->data, maker->calls->len);

  if (list) {
    WlyGrammarPart more = wly_grammar_builder_repeat (
        maker->builder, pair (maker, own_source (maker, WLY_GRAMMAR_CHOICE, ", "), call), 0, WLY_AUTOMATON_ENDLESS);

    call = pair (maker, own_source (maker, WLY_GRAMMAR_CHOICE, "["),
                 pair (maker, pair (maker, call, more), own_source (maker, WLY_GRAMMAR_CHOICE, "]")));
  }
  if (format->calls != WLY_CALLS_NAMED)
    append (parts, space);
  append (parts, call);
  if (*close != '\0') {
    append (parts, space);
    append (parts, text_part (maker, close));
  }
  call = sequence (maker, parts);
  if (list || *format->open == '\0' || (*close == '\0' && *format->close != '\0'))
    return call;
  call = pair (maker, call,
               wly_grammar_builder_repeat (maker->builder,
                                           pair (maker, space, pair (maker, text_part (maker, format->open), call)), 0,
                                           WLY_AUTOMATON_ENDLESS));
  if (*format->outer_close == '\0')
    return call;
  return pair (
      maker, call,
      pair (maker, space, wly_grammar_builder_repeat (maker->builder, text_part (maker, format->outer_close), 0, 1)));
}

/* ---- what stands before ---- */

static WlyGrammarPart
ignored_marks (Maker *maker)
{
  char *const *marks       = maker->format->ignored;
  g_autoptr (GArray) parts = g_array_new (FALSE, FALSE, sizeof (WlyGrammarPart));

  for (gsize i = 0; marks[i] != NULL; i++)
    append (parts, text_part (maker, marks[i]));
  return wly_grammar_builder_repeat (
      maker->builder,
      wly_grammar_builder_choice (maker->builder, (const WlyGrammarPart *)(const void *)parts->data, parts->len), 0, 4);
}

/* Thoughts, if the model has some; they have to end where the prompt began them. */
static void
append_thoughts (Maker *maker, GArray *parts)
{
  const char *const close[]  = { maker->format->reasoning_close, NULL };
  const WlyGrammarPart space = wly_grammar_builder_space (maker->builder);
  WlyGrammarPart thoughts;

  if (*maker->format->reasoning_open != '\0') {
    thoughts = pair (maker, wly_grammar_builder_until (maker->builder, close, FALSE), space);
    if (!maker->wanted->in_thoughts) {
      thoughts = pair (maker, pair (maker, space, text_part (maker, maker->format->reasoning_open)), thoughts);
      thoughts = wly_grammar_builder_repeat (maker->builder, thoughts, 0, 1);
    }
    append (parts, thoughts);
  }
  if (maker->format->ignored[0] != NULL)
    append (parts, ignored_marks (maker));
}

/* Any text that is no call: it has no opening mark, or, where calls have none, it does not begin as they do. */
static WlyGrammarPart
plain_text (Maker *maker)
{
  const char *const open[]    = { maker->format->open, NULL };
  const char *const nothing[] = { NULL };
  const char *first           = is_list (maker->format) ? "[^\\[ \\n\\t\\r]" : "[^{ \\n\\t\\r]";
  WlyGrammarPart text;

  if (*maker->format->open != '\0')
    return wly_grammar_builder_without (maker->builder, open);
  text =
      pair (maker, own_source (maker, WLY_GRAMMAR_REGEX, first), wly_grammar_builder_without (maker->builder, nothing));
  return pair (maker, own_source (maker, WLY_GRAMMAR_REGEX, "[ \\n\\t\\r]*"),
               wly_grammar_builder_repeat (maker->builder, text, 0, 1));
}

static gboolean
append_answer (Maker *maker, GArray *parts, GError **error)
{
  const WlyGrammarSource *answer = maker->wanted->answer;
  const char *const open[]       = { maker->format->open, NULL };
  WlyGrammarPart text, calls = 0;
  gboolean marked = *open[0] != '\0';

  if (answer == NULL)
    text = plain_text (maker);
  else if (!wly_grammar_builder_source (maker->builder, answer, &text, error))
    return FALSE;
  if (maker->calls->len > 0) {
    calls = calls_part (maker);
    if (marked && answer == NULL)
      calls = pair (maker, wly_grammar_builder_until (maker->builder, open, FALSE), calls);
    else if (marked)
      calls = pair (maker, text_part (maker, open[0]), calls);
  }
  append (parts, maker->calls->len > 0 ? either (maker, calls, text) : text);
  return TRUE;
}

static void
append_calls (Maker *maker, GArray *parts)
{
  if (*maker->format->open != '\0') {
    append (parts, wly_grammar_builder_space (maker->builder));
    append (parts, text_part (maker, maker->format->open));
  }
  append (parts, calls_part (maker));
}

/* ---- all of it ---- */

static gboolean
check (const WlyCallGrammar *wanted, const Maker *maker, gboolean required, gboolean any, GError **error)
{
  if (required && wanted->format->calls == WLY_CALLS_NONE)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option “tool-choice”: the model's chat template writes no calls of tools");
  else if (required && maker->calls->len == 0 && any)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option “tool-choice”: a call is required, but no tools were given");
  else if (required && maker->calls->len == 0)
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "Option “tool-choice”: there is no tool “%.*s”",
                 wly_utf8_shown (wanted->choice), wanted->choice);
  else if (required && wanted->answer != NULL)
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                         "Option “tool-choice”: a call is required, and the text is held to something else");
  else
    return TRUE;
  return FALSE;
}

gboolean
wly_call_grammar_make (const WlyCallGrammar *wanted, WlyGrammar **ret_grammar, GError **error)
{
  const gboolean none = g_str_equal (wanted->choice, "none"), automatic = g_str_equal (wanted->choice, "auto");
  const gboolean any                  = automatic || g_str_equal (wanted->choice, "required");
  GError *own                         = NULL;
  g_autoptr (WlyGrammarBuilder) build = wly_grammar_builder_new (wanted->tokenizer);
  g_autoptr (GArray) calls            = g_array_new (FALSE, FALSE, sizeof (WlyGrammarPart));
  g_autoptr (GArray) parts            = g_array_new (FALSE, FALSE, sizeof (WlyGrammarPart));
  Maker maker                         = { wanted, wanted->format, build, calls };

  *ret_grammar = NULL;
  if (wanted->format->calls != WLY_CALLS_NONE && !none && !add_tools (&maker, any ? NULL : wanted->choice, &own)) {
    if (own != NULL)
      g_propagate_error (error, own);
    return own == NULL;
  }
  if (!check (wanted, &maker, !none && !automatic, any, error))
    return FALSE;
  if ((wanted->format->calls == WLY_CALLS_NONE || (automatic && calls->len == 0)) && wanted->answer == NULL)
    return TRUE;
  append_thoughts (&maker, parts);
  if (none || automatic) {
    if (!append_answer (&maker, parts, error))
      return FALSE;
  } else {
    append_calls (&maker, parts);
  }
  *ret_grammar = wly_grammar_builder_finish (build, sequence (&maker, parts), error);
  return *ret_grammar != NULL;
}
