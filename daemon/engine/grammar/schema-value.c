/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values that stand in a schema: const and enum; and which schemas no value can fulfil both.
 */
#include "grammar/schema-private.h"

#include <string.h>

/* ---- into the grammar ---- */

WlyState
wly_schema_space (WlySchema *schema, WlyState from)
{
  WlyState behind = wly_automaton_add_state (schema->automaton);

  wly_automaton_add_call (schema->automaton, from, schema->space, behind);
  return behind;
}

/* A key with its colon, or (@value) what a value begins with. */
static WlyState
add_head (WlySchema *schema, WlyJsonId id, gboolean top, WlyState at)
{
  WlyJson *json            = schema->json;
  g_autoptr (GString) text = g_string_new (NULL);
  WlyJsonKind kind         = wly_json_kind (json, id);
  gsize n_bytes;

  if (!top && wly_json_kind (json, wly_json_get (json, id)->parent) == WLY_JSON_OBJECT) {
    const char *key = wly_json_key (json, id, &n_bytes);

    wly_json_write_string (text, key, n_bytes);
    at = wly_schema_space (schema, wly_automaton_add_text (schema->automaton, at, text->str, text->len));
    at = wly_schema_space (schema, wly_automaton_add_text (schema->automaton, at, ":", 1));
    g_string_truncate (text, 0);
  }
  if (kind != WLY_JSON_ARRAY && kind != WLY_JSON_OBJECT) {
    wly_json_write (json, id, text);
    return wly_automaton_add_text (schema->automaton, at, text->str, text->len);
  }
  at = wly_automaton_add_text (schema->automaton, at, kind == WLY_JSON_ARRAY ? "[" : "{", 1);
  return wly_schema_space (schema, at);
}

static WlyState
add_close (WlySchema *schema, WlyJsonId id, WlyState at)
{
  const char *text = wly_json_kind (schema->json, id) == WLY_JSON_ARRAY ? "]" : "}";

  return wly_automaton_add_text (schema->automaton, wly_schema_space (schema, at), text, 1);
}

/* One value as it is, with white space between its parts. */
static void
add_constant (WlySchema *schema, WlyJsonId value, WlyState from, WlyState to)
{
  WlyJson *json = schema->json;
  WlyJsonId id  = value;
  WlyState at   = from;

  for (;;) {
    at = add_head (schema, id, id == value, at);
    if (wly_json_get (json, id)->first != 0) {
      id = wly_json_get (json, id)->first;
      continue;
    }
    if (wly_json_kind (json, id) >= WLY_JSON_ARRAY)
      at = add_close (schema, id, at);
    while (id != value && wly_json_get (json, id)->next == 0) {
      id = wly_json_get (json, id)->parent;
      at = add_close (schema, id, at);
    }
    if (id == value)
      break;
    id = wly_json_get (json, id)->next;
    at = wly_schema_space (schema, at);
    at = wly_schema_space (schema, wly_automaton_add_text (schema->automaton, at, ",", 1));
  }
  wly_automaton_add_empty (schema->automaton, at, to);
}

/* None, True, False, and a string between '. */
static void
add_python_constant (WlySchema *schema, WlyJsonId value, WlyState from, WlyState to)
{
  static const char *const words[] = { "None", "False", "True" };
  WlyJsonKind kind                 = wly_json_kind (schema->json, value);
  g_autoptr (GString) text         = g_string_new (NULL);
  gsize n_bytes;
  const char *string;

  if (kind < G_N_ELEMENTS (words)) {
    g_string_append (text, words[kind]);
  } else if (kind == WLY_JSON_STRING) {
    string = wly_json_text (schema->json, value, &n_bytes);
    wly_json_write_string (text, string, n_bytes);
    if (strpbrk (text->str, "\\'") != NULL)
      return;
    text->str[0] = text->str[text->len - 1] = '\'';
  } else {
    return;
  }
  wly_automaton_add_empty (schema->automaton, wly_automaton_add_text (schema->automaton, from, text->str, text->len),
                           to);
}

static void
add_value (WlySchema *schema, WlyJsonId value, WlyState from, WlyState to)
{
  if (schema->form == WLY_SCHEMA_RAW || schema->form == WLY_SCHEMA_MIXED) {
    wly_schema_members_constant (schema, value, from, to);
    return;
  }
  add_constant (schema, value, from, to);
  if (schema->form == WLY_SCHEMA_PYTHON)
    add_python_constant (schema, value, from, to);
}

/* ---- against a list ---- */

/* Keywords that say more of lists and objects than their type. */
static WlyJsonId
find_deep_keyword (const WlySchema *schema, const GArray *items, guint type)
{
  static const char *const of_arrays[]  = { "items", "prefixItems", "contains", "minItems", "maxItems", NULL };
  static const char *const of_objects[] = { "properties", "patternProperties", "additionalProperties", "propertyNames",
                                            "required",   "minProperties",     "maxProperties",        NULL };
  const char *const *words              = type == WLY_SCHEMA_ARRAY ? of_arrays : of_objects;

  for (guint i = 0; i < items->len; i++)
    for (guint w = 0; words[w] != NULL; w++) {
      WlyJsonId found = wly_schema_get (schema, wly_schema_item (items, i), words[w]);

      if (found != 0)
        return found;
    }
  return 0;
}

/* Whether all const and enum of the list have the value. */
static gboolean
is_listed (const WlySchema *schema, const GArray *items, WlyJsonId value)
{
  for (guint i = 0; i < items->len; i++) {
    WlyJsonId constant = wly_schema_get (schema, wly_schema_item (items, i), "const");
    WlyJsonId list     = wly_schema_get (schema, wly_schema_item (items, i), "enum");
    gboolean found     = list == 0 || list == wly_json_get (schema->json, value)->parent;

    if (constant != 0 && !wly_json_equal (schema->json, constant, value))
      return FALSE;
    for (WlyJsonId at = list != 0 ? wly_json_get (schema->json, list)->first : 0; at != 0 && !found;
         at           = wly_json_get (schema->json, at)->next)
      found = wly_json_equal (schema->json, at, value);
    if (!found)
      return FALSE;
  }
  return TRUE;
}

/* The texts of numbers and strings that a list allows, made when they are first asked for. */
typedef struct {
  WlyDfa *strings, *numbers;
  gboolean has_strings, has_numbers;
} Texts;

static gboolean
is_allowed (WlySchema *schema, const GArray *items, WlyJsonId value, Texts *texts)
{
  guint type = wly_schema_type_of (schema, value);
  gsize n_bytes;
  const char *text = wly_json_text (schema->json, value, &n_bytes);
  WlyDfa *dfa      = NULL;

  if (type == WLY_SCHEMA_ARRAY || type == WLY_SCHEMA_OBJECT) {
    WlyJsonId deep = find_deep_keyword (schema, items, type);

    return deep == 0
           || wly_schema_fail (schema, deep, "together with const or enum of a list or an object it is not supported");
  }
  if (type == WLY_SCHEMA_STRING) {
    if (!texts->has_strings)
      texts->strings = wly_schema_string_texts (schema, items, TRUE);
    texts->has_strings = TRUE;
    dfa                = texts->strings;
  } else if (type == WLY_SCHEMA_INTEGER || type == WLY_SCHEMA_REAL) {
    if (!texts->has_numbers)
      texts->numbers = wly_schema_number_texts (schema, items, TRUE);
    texts->has_numbers = TRUE;
    dfa                = texts->numbers;
  }
  return schema->error == NULL && (dfa == NULL || wly_dfa_accepts (dfa, text, n_bytes));
}

WlyJsonId
wly_schema_next_value (const WlySchema *schema, WlyJsonId values, gboolean one, WlyJsonId after)
{
  if (after == 0)
    return one ? values : wly_json_get (schema->json, values)->first;
  return one ? 0 : wly_json_get (schema->json, after)->next;
}

void
wly_schema_values (WlySchema *schema, const GArray *items, WlyJsonId values, gboolean one, WlyState from, WlyState to)
{
  guint types = wly_schema_types (schema, items);
  Texts texts = { 0 };

  for (WlyJsonId at = wly_schema_next_value (schema, values, one, 0); at != 0 && schema->error == NULL;
       at           = wly_schema_next_value (schema, values, one, at))
    if ((types & wly_schema_type_of (schema, at)) != 0 && is_listed (schema, items, at)
        && is_allowed (schema, items, at, &texts))
      add_value (schema, at, from, to);
  wly_dfa_free (texts.strings);
  wly_dfa_free (texts.numbers);
}

/* ---- apart from each other ---- */

/* The schema with all that it refers to; NULL: nothing fulfils it, or an error. */
static GArray *
open_schema (WlySchema *schema, WlyJsonId id)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (WlySchemaItem));
  const WlySchemaItem item = { id, 0 };

  g_array_append_val (items, item);
  return wly_schema_flatten (schema, items) ? g_steal_pointer (&items) : NULL;
}

/* Types that its values have, or that it names. */
static guint
possible_types (const WlySchema *schema, const GArray *items)
{
  guint types = wly_schema_types (schema, items);
  guint found = 0;
  gboolean one;
  WlyJsonId values = wly_schema_find_values (schema, items, &one);

  if (values == 0)
    return types;
  for (WlyJsonId at = wly_schema_next_value (schema, values, one, 0); at != 0;
       at           = wly_schema_next_value (schema, values, one, at))
    found |= wly_schema_type_of (schema, at);
  return types & found;
}

static gboolean
share_value (const WlySchema *schema, const GArray *a, const GArray *b)
{
  gboolean one_a, one_b;
  WlyJsonId values_a = wly_schema_find_values (schema, a, &one_a);
  WlyJsonId values_b = wly_schema_find_values (schema, b, &one_b);

  if (values_a == 0 || values_b == 0)
    return TRUE;
  for (WlyJsonId x = wly_schema_next_value (schema, values_a, one_a, 0); x != 0;
       x           = wly_schema_next_value (schema, values_a, one_a, x))
    for (WlyJsonId y = wly_schema_next_value (schema, values_b, one_b, 0); y != 0;
         y           = wly_schema_next_value (schema, values_b, one_b, y))
      if (wly_json_equal (schema->json, x, y))
        return TRUE;
  return FALSE;
}

static gboolean
is_required (const WlySchema *schema, const GArray *items, const char *name, gsize n_bytes)
{
  for (guint i = 0; i < items->len; i++) {
    WlyJsonId list = wly_schema_get (schema, wly_schema_item (items, i), "required");

    for (WlyJsonId at = list != 0 ? wly_json_get (schema->json, list)->first : 0; at != 0;
         at           = wly_json_get (schema->json, at)->next) {
      gsize n;
      const char *text = wly_json_text (schema->json, at, &n);

      if (n == n_bytes && memcmp (text, name, n) == 0)
        return TRUE;
    }
  }
  return FALSE;
}

/* What a list says of a property: @ret_never it cannot be there; 0: nothing, or not by one schema alone. */
static WlyJsonId
find_property (const WlySchema *schema, const GArray *items, const char *name, gsize n_bytes, gboolean *ret_never)
{
  WlyJsonId found = 0;

  *ret_never = FALSE;
  for (guint i = 0; i < items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (items, i);
    WlyJsonId own = wly_json_find_bytes (schema->json, wly_schema_get (schema, item, "properties"), name, n_bytes);
    WlyJsonId additional = wly_schema_get (schema, item, "additionalProperties");

    if (own == 0 && additional != 0 && wly_schema_get (schema, item, "patternProperties") == 0
        && wly_json_kind (schema->json, additional) == WLY_JSON_FALSE)
      *ret_never = TRUE;
    if (own != 0)
      found = own;
  }
  return found;
}

/* Whether a property tells all objects of @a from all of @b: it has to be in @a. */
static gboolean
property_tells (WlySchema *schema, const GArray *a, const GArray *b, guint depth)
{
  for (guint i = 0; i < a->len; i++) {
    WlyJsonId list = wly_schema_get (schema, wly_schema_item (a, i), "required");

    for (WlyJsonId at = list != 0 ? wly_json_get (schema->json, list)->first : 0; at != 0;
         at           = wly_json_get (schema->json, at)->next) {
      gsize n_bytes;
      const char *name = wly_json_text (schema->json, at, &n_bytes);
      gboolean never_a, never_b;
      WlyJsonId in_a = find_property (schema, a, name, n_bytes, &never_a);
      WlyJsonId in_b = find_property (schema, b, name, n_bytes, &never_b);

      if (never_b)
        return TRUE;
      if (in_a != 0 && in_b != 0 && is_required (schema, b, name, n_bytes) && depth > 0
          && wly_schema_disjoint (schema, in_a, in_b, depth - 1))
        return TRUE;
    }
  }
  return FALSE;
}

gboolean
wly_schema_disjoint (WlySchema *schema, WlyJsonId a, WlyJsonId b, guint depth)
{
  g_autoptr (GArray) items_a = open_schema (schema, a);
  g_autoptr (GArray) items_b = items_a != NULL ? open_schema (schema, b) : NULL;
  guint common;

  if (items_a == NULL || items_b == NULL)
    return schema->error == NULL;
  common = possible_types (schema, items_a) & possible_types (schema, items_b);
  if (common == 0 || !share_value (schema, items_a, items_b))
    return TRUE;
  return common == WLY_SCHEMA_OBJECT
         && (property_tells (schema, items_a, items_b, depth) || property_tells (schema, items_b, items_a, depth));
}
