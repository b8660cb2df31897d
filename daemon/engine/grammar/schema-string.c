/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Strings of a JSON Schema: lengths, patterns and formats.
 */
#include "grammar/schema-private.h"

#include "grammar/regex.h"
#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

#define WORK_MAX  150000000 /* about half a second */
#define WORK_EACH 20000

#define LABEL "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
#define HOST  LABEL "(?:\\." LABEL "){0,8}"
#define ATOM  "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
#define YEAR  "[1-9][0-9]{3}"
#define LEAP  "(?:[1-9][0-9](?:0[48]|[2468][048]|[13579][26])|(?:[2468][048]|1[26]|[3579][26])00)"
#define DATE                                                                                                           \
  "(?:" YEAR "-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"                 \
  "|02-(?:0[1-9]|1[0-9]|2[0-8]))|" LEAP "-02-29)"
#define HOUR   "(?:[01][0-9]|2[0-3])"
#define TIME   HOUR ":[0-5][0-9]:[0-5][0-9](?:\\.[0-9]{1,6})?(?:Z|[+-]" HOUR ":[0-5][0-9])"
#define OCTET  "(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
#define IPV4   OCTET "(?:\\." OCTET "){3}"
#define GROUP6 "[0-9a-fA-F]{1,4}"
#define IPV6                                                                                                           \
  "(?:(?:" GROUP6 ":){7}" GROUP6 "|::|(?:" GROUP6 ":){1,7}:|::(?:" GROUP6 ":){0,6}" GROUP6 "|(?:" GROUP6               \
  ":){1,6}:" GROUP6 "|(?:" GROUP6 ":){1,5}(?::" GROUP6 "){2}|(?:" GROUP6 ":){1,4}(?::" GROUP6 "){3}"                   \
  "|(?:" GROUP6 ":){1,3}(?::" GROUP6 "){4}|(?:" GROUP6 ":){1,2}(?::" GROUP6 "){5}|" GROUP6 ":(?::" GROUP6 "){6})"
#define DAYS     "[0-9]{1,9}D"
#define MONTHS   "[0-9]{1,9}M(?:" DAYS ")?"
#define YEARS    "[0-9]{1,9}Y(?:" MONTHS ")?"
#define SECONDS  "[0-9]{1,9}S"
#define MINUTES  "[0-9]{1,9}M(?:" SECONDS ")?"
#define HOURS    "[0-9]{1,9}H(?:" MINUTES ")?"
#define CLOCK    "T(?:" SECONDS "|" MINUTES "|" HOURS ")"
#define DURATION "P(?:(?:" DAYS "|" MONTHS "|" YEARS ")(?:" CLOCK ")?|" CLOCK "|[0-9]{1,9}W)"
#define URI_CHAR "(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})"
#define URI      "[A-Za-z][A-Za-z0-9+.-]*:" URI_CHAR "+(?:\\?" URI_CHAR "*)?(?:#" URI_CHAR "*)?"
#define UUID     "[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"

static const struct {
  const char *name;
  const char *expression; /* NULL: of numbers */
} formats[] = {
  { "date", DATE },
  { "time", TIME },
  { "date-time", DATE "T" TIME },
  { "duration", DURATION },
  { "email", ATOM "(?:\\." ATOM ")*@" HOST },
  { "hostname", HOST },
  { "ipv4", IPV4 },
  { "ipv6", IPV6 },
  { "uuid", UUID },
  { "uri", URI },
  { "int32", NULL },
  { "int64", NULL },
  { "float", NULL },
  { "double", NULL },
};

gboolean
wly_schema_count_work (WlySchema *schema, WlyJsonId at, const WlyDfa *dfa)
{
  schema->work += dfa->work + WORK_EACH;
  return schema->work <= WORK_MAX
         || wly_schema_fail (schema, at, "the patterns, names and limits of the schema are too much work together");
}

WlyDfa *
wly_schema_pattern (WlySchema *schema, WlyJsonId at, const char *text, gsize n_bytes, WlyLanguageUse use)
{
  g_autoptr (GError) error         = NULL;
  g_autoptr (WlyLanguage) language = wly_regex_parse (text, n_bytes, &error);
  WlyDfa *dfa;

  if (language == NULL) {
    wly_schema_fail (schema, at, "%s", error->message);
    return NULL;
  }
  dfa = wly_dfa_new (language, use, WLY_DFA_WORK_MAX);
  if (dfa == NULL)
    wly_schema_fail (schema, at, "the expression is too large, or too ambiguous");
  else if (!wly_schema_count_work (schema, at, dfa))
    g_clear_pointer (&dfa, wly_dfa_free);
  return dfa;
}

WlyDfa *
wly_schema_both (WlySchema *schema, WlyJsonId at, WlyDfa *a, WlyDfa *b)
{
  WlyDfa *both;

  if (a == NULL || b == NULL)
    return a != NULL ? a : b;
  both = wly_dfa_combine (a, b, FALSE);
  wly_dfa_free (a);
  wly_dfa_free (b);
  if (both == NULL)
    wly_schema_fail (schema, at, "together with the other keywords it is too large");
  else if (!wly_schema_count_work (schema, at, both))
    g_clear_pointer (&both, wly_dfa_free);
  return both;
}

static WlyDfa *
format_texts (WlySchema *schema, WlyJsonId at)
{
  const char *name;
  gsize n_bytes;

  for (gsize i = 0; i < G_N_ELEMENTS (formats); i++) {
    if (!wly_json_is_text (schema->json, at, formats[i].name))
      continue;
    if (formats[i].expression == NULL)
      return NULL;
    return wly_schema_pattern (schema, at, formats[i].expression, strlen (formats[i].expression), WLY_LANGUAGE_WHOLE);
  }
  name = wly_json_text (schema->json, at, &n_bytes);
  wly_schema_fail (schema, at, "the format “%.*s” is not supported", wly_utf8_shown (name), name);
  return NULL;
}

/* The strictest lengths of the list. */
static WlyJsonId
find_lengths (WlySchema *schema, const GArray *items, guint32 *ret_min, guint32 *ret_max)
{
  WlyJsonId at = 0;

  *ret_min = 0;
  *ret_max = WLY_AUTOMATON_ENDLESS;
  for (guint i = 0; i < items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (items, i);
    guint32 count;

    if (wly_schema_get_count (schema, item, "minLength", &count) && count > *ret_min) {
      *ret_min = count;
      at       = wly_schema_get (schema, item, "minLength");
    }
    if (wly_schema_get_count (schema, item, "maxLength", &count) && count < *ret_max) {
      *ret_max = count;
      at       = wly_schema_get (schema, item, "maxLength");
    }
  }
  return at;
}

/* @texts (taken over; NULL: any) without those of a list, where it is one: schema-logic.c writes such. */
static WlyDfa *
without_texts (WlySchema *schema, WlyJsonId list, WlyDfa *texts)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new ();
  g_autoptr (WlyDfa) named    = NULL;
  g_autoptr (WlyDfa) all      = texts;
  gsize n_bytes;

  if (list == 0 || wly_json_kind (schema->json, list) != WLY_JSON_ARRAY)
    return g_steal_pointer (&all);
  for (WlyJsonId at = wly_json_get (schema->json, list)->first; at != 0; at = wly_json_get (schema->json, at)->next)
    g_ptr_array_add (words, (gpointer)wly_json_text (schema->json, at, &n_bytes));
  named = wly_dfa_new_texts (words);
  if (all == NULL)
    all = wly_dfa_new_length (0, WLY_AUTOMATON_ENDLESS);
  texts = named != NULL ? wly_dfa_combine (all, named, TRUE) : NULL;
  if (texts == NULL)
    wly_schema_fail (schema, list, "its values are too large within “not” or “if”");
  return texts;
}

WlyDfa *
wly_schema_string_texts (WlySchema *schema, const GArray *items, gboolean lengths)
{
  WlyDfa *texts = NULL;
  guint32 min, max;
  WlyJsonId at;

  for (guint i = 0; i < items->len && schema->error == NULL; i++) {
    const WlySchemaItem *item = wly_schema_item (items, i);
    WlyJsonId pattern         = wly_schema_get (schema, item, "pattern");
    WlyJsonId format          = wly_schema_get (schema, item, "format");
    gsize n_bytes;

    if (pattern != 0) {
      const char *text = wly_json_text (schema->json, pattern, &n_bytes);

      texts = wly_schema_both (schema, pattern, texts,
                               wly_schema_pattern (schema, pattern, text, n_bytes, WLY_LANGUAGE_PART));
    }
    if (format != 0)
      texts = wly_schema_both (schema, format, texts, format_texts (schema, format));
  }
  for (guint i = 0; i < items->len && schema->error == NULL; i++)
    texts = without_texts (schema, wly_schema_get (schema, wly_schema_item (items, i), "not"), texts);
  at = find_lengths (schema, items, &min, &max);
  if (at != 0 && (lengths || texts != NULL) && schema->error == NULL) {
    WlyDfa *sized = wly_dfa_new_length (min, max);

    if (sized == NULL)
      wly_schema_fail (schema, at, "together with a pattern, lengths up to 19000 can be honoured");
    texts = wly_schema_both (schema, at, texts, sized);
  }
  if (schema->error != NULL)
    g_clear_pointer (&texts, wly_dfa_free);
  return texts;
}

static void
counted_string (WlySchema *schema, WlyJsonId at, guint32 min, guint32 max, WlyState from, WlyState to)
{
  WlyAutomaton *automaton = schema->automaton;
  WlyState loop           = wly_automaton_add_state (automaton);
  WlyState end            = wly_automaton_add_state (automaton);

  if (min > WLY_AUTOMATON_REPEAT_MAX) {
    wly_schema_fail (schema, at, "at most 1000000 can be honoured");
    return;
  }
  if (max != WLY_AUTOMATON_ENDLESS)
    max = MIN (max, WLY_AUTOMATON_REPEAT_MAX);
  if (min > max)
    return;
  wly_automaton_add_bytes (automaton, from, '"', '"', loop);
  wly_automaton_add_loop (automaton, loop, schema->character, min, max, end);
  wly_automaton_set_plain (automaton, loop, 1);
  wly_automaton_set_plain (automaton, loop, 3);
  wly_automaton_set_plain (automaton, end, 4);
  wly_automaton_add_bytes (automaton, end, '"', '"', to);
}

void
wly_schema_string (WlySchema *schema, const GArray *items, WlyState from, WlyState to)
{
  g_autoptr (WlyDfa) texts = wly_schema_string_texts (schema, items, FALSE);
  WlyAutomaton *automaton  = schema->automaton;
  guint32 min, max;
  WlyJsonId at;

  if (schema->error != NULL)
    return;
  if (texts != NULL) {
    WlyState begin = wly_automaton_add_state (automaton);
    WlyState end   = wly_automaton_add_state (automaton);

    wly_automaton_add_bytes (automaton, from, '"', '"', begin);
    wly_dfa_emit (texts, automaton, begin, end, TRUE);
    wly_automaton_add_bytes (automaton, end, '"', '"', to);
    return;
  }
  at = find_lengths (schema, items, &min, &max);
  if (at != 0) {
    counted_string (schema, at, min, max, from, to);
    return;
  }
  wly_automaton_add_call (automaton, from, schema->string, to);
  if (schema->form == WLY_SCHEMA_PYTHON)
    wly_automaton_add_call (automaton, from, schema->python_string, to);
}
