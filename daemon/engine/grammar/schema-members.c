/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values of an object's members between marks, as some models write the arguments of a call: strings as they are.
 *
 * A member that its schema calls a string, in so many words, is taken as it stands, whatever it looks like.  Of any
 * other, a text that is JSON is that value; so a string that looks like one is written as JSON, too.  Whoever reads the
 * text decides in the same way.
 */
#include "grammar/regex.h"
#include "grammar/schema-private.h"

#include <string.h>

#define NAMES        "[^\\s<>\"]{1,256}"
#define PYTHON_NAMES "[^\\s<>{}\"'()\\[\\],:=]{1,256}"
/* What is JSON, or may be read so. */
#define LOOKS_SO "\\s*(?:(?:null|true|false|None|True|False)\\s*|[-0-9\\[{\"][\\s\\S]*)"

static WlyDfa *
own_texts (WlySchema *schema, const char *expression)
{
  return wly_schema_pattern (schema, WLY_JSON_ROOT, expression, strlen (expression), WLY_LANGUAGE_WHOLE);
}

WlyDfa *
wly_schema_members_names (WlySchema *schema)
{
  return own_texts (schema, schema->members->raw ? NAMES : PYTHON_NAMES);
}

gboolean
wly_schema_members_is_text (const WlySchema *schema, const char *name, gsize n_bytes)
{
  const WlyJsonId named = wly_json_find (schema->json, WLY_JSON_ROOT, "properties");
  const WlyJsonId own   = wly_json_find_bytes (schema->json, named, name, n_bytes);
  const WlyJsonId type  = wly_json_find (schema->json, own, "type");

  return type != 0 && wly_json_is_text (schema->json, type, "string");
}

/* Texts that hold what stands behind a value. */
static WlyDfa *
stopping_texts (WlySchema *schema)
{
  g_autoptr (WlyLanguage) language = wly_language_new ();
  guint32 at                       = wly_language_add_state (language);
  WlyDfa *dfa;

  language->start = at;
  for (const char *next = schema->members->stop; *next != '\0'; next = g_utf8_next_char (next)) {
    const guint32 code = g_utf8_get_char (next), behind = wly_language_add_state (language);

    wly_language_add_range (language, at, code, code, behind);
    at = behind;
  }
  language->end = at;
  dfa           = wly_dfa_new (language, WLY_LANGUAGE_PART, WLY_DFA_WORK_MAX);
  if (dfa == NULL)
    wly_schema_fail (schema, WLY_JSON_ROOT, "the marks of the model's calls are too large");
  return dfa;
}

/* The texts of @texts, which are taken over, that are not of @others, which are taken over, too. */
static WlyDfa *
take_out (WlySchema *schema, WlyDfa *texts, WlyDfa *others)
{
  WlyDfa *rest = texts != NULL && others != NULL ? wly_dfa_combine (texts, others, TRUE) : NULL;

  if (rest == NULL)
    wly_schema_fail (schema, WLY_JSON_ROOT, "an argument's texts are too large");
  else if (!wly_schema_count_work (schema, WLY_JSON_ROOT, rest))
    g_clear_pointer (&rest, wly_dfa_free);
  wly_dfa_free (texts);
  wly_dfa_free (others);
  return rest;
}

static void
add_text (WlySchema *schema, const GArray *items, WlyState from, WlyState to)
{
  g_autoptr (WlyDfa) texts = wly_schema_string_texts (schema, items, TRUE);
  WlyState behind;

  if (schema->error != NULL)
    return;
  if (texts == NULL && schema->form == WLY_SCHEMA_RAW) {
    wly_automaton_add_call (schema->automaton, from, schema->members->any_text, to);
    return;
  }
  if (texts == NULL)
    texts = wly_dfa_new_length (0, WLY_AUTOMATON_ENDLESS);
  texts = take_out (schema, g_steal_pointer (&texts), stopping_texts (schema));
  if (schema->form == WLY_SCHEMA_MIXED && schema->error == NULL)
    texts = take_out (schema, g_steal_pointer (&texts), own_texts (schema, LOOKS_SO));
  if (schema->error != NULL)
    return;
  behind = wly_automaton_add_state (schema->automaton);
  wly_dfa_emit (texts, schema->automaton, from, behind, FALSE);
  wly_automaton_add_call (schema->automaton, behind, schema->members->value_close, to);
}

void
wly_schema_members_value (WlySchema *schema, const GArray *items, WlyState from, WlyState to)
{
  const guint types       = wly_schema_types (schema, items);
  WlyAutomaton *automaton = schema->automaton;
  WlyState behind         = wly_automaton_add_state (automaton);

  if ((types & WLY_SCHEMA_STRING) != 0)
    add_text (schema, items, from, to);
  if (schema->form == WLY_SCHEMA_RAW || schema->error != NULL)
    return;
  wly_automaton_add_call (automaton, from, wly_schema_rule_of_items (schema, items, WLY_SCHEMA_JSON), behind);
  wly_schema_python_words (schema, types, from, behind);
  wly_automaton_add_call (automaton, behind, schema->members->value_close, to);
}

void
wly_schema_members_constant (WlySchema *schema, WlyJsonId value, WlyState from, WlyState to)
{
  WlyAutomaton *automaton  = schema->automaton;
  const gboolean string    = wly_json_kind (schema->json, value) == WLY_JSON_STRING;
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (WlyDfa) so    = NULL;
  gsize n_bytes;
  const char *given = string ? wly_json_text (schema->json, value, &n_bytes) : NULL;

  if (schema->form == WLY_SCHEMA_RAW && !string)
    return;
  so = schema->form == WLY_SCHEMA_MIXED && string ? own_texts (schema, LOOKS_SO) : NULL;
  if (string && (so == NULL || !wly_dfa_accepts (so, given, n_bytes)))
    g_string_append_len (text, given, (gssize)n_bytes);
  else
    wly_json_write (schema->json, value, text);
  if (memmem (text->str, text->len, schema->members->stop, strlen (schema->members->stop)) != NULL)
    return;
  wly_automaton_add_call (automaton, wly_automaton_add_text (automaton, from, text->str, text->len),
                          schema->members->value_close, to);
}
