/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/schema-private.h"

#include "wly-error.h"

#include <string.h>

#define RULES_MAX 4096 /* lists of schemas */
#define ITEMS_MAX 64   /* in one list */

/* ---- lists of schemas ---- */

/* TRUE: it is new in the list. */
static gboolean
add_item (GArray *items, WlyJsonId id)
{
  const WlySchemaItem item = { id, 0 };
  guint at                 = 0;

  while (at < items->len && wly_schema_item (items, at)->id < id)
    at++;
  if (at < items->len && wly_schema_item (items, at)->id == id)
    return FALSE;
  g_array_insert_val (items, at, item);
  return TRUE;
}

static WlyJsonId
find_anchor (const WlySchema *schema, const char *name)
{
  for (WlyJsonId id = WLY_JSON_ROOT; id < schema->json->values->len; id++) {
    gsize n_bytes;

    if (g_strcmp0 (wly_json_key (schema->json, id, &n_bytes), "$anchor") == 0
        && wly_json_is_text (schema->json, id, name))
      return wly_json_get (schema->json, id)->parent;
  }
  return 0;
}

WlyJsonId
wly_schema_find_target (const WlySchema *schema, WlyJsonId ref)
{
  gsize n_bytes;
  const char *text       = wly_json_text (schema->json, ref, &n_bytes);
  g_autofree char *plain = *text == '#' ? g_uri_unescape_string (text + 1, NULL) : NULL;
  WlyJsonId id           = 0;
  WlyJsonKind kind;

  if (wly_json_kind (schema->json, ref) == WLY_JSON_NUMBER)
    return (WlyJsonId)g_ascii_strtoull (text, NULL, 10);
  if (plain == NULL)
    return 0;
  id   = *plain == '\0' || *plain == '/' ? wly_json_resolve (schema->json, plain) : find_anchor (schema, plain);
  kind = id != 0 ? wly_json_kind (schema->json, id) : WLY_JSON_NULL;
  return kind == WLY_JSON_OBJECT || kind == WLY_JSON_TRUE || kind == WLY_JSON_FALSE ? id : 0;
}

/* Adds what one schema refers to or consists of; the place of the item may change. */
static gboolean
open_item (WlySchema *schema, GArray *items, guint i)
{
  WlySchemaItem *item = &g_array_index (items, WlySchemaItem, i);
  WlyJsonId ref       = wly_schema_get (schema, item, "$ref");
  WlyJsonId all       = wly_schema_get (schema, item, "allOf");
  WlyJsonId more      = wly_schema_logic_get (schema, item->id);

  if (schema->error != NULL)
    return FALSE;
  item->used |= WLY_SCHEMA_USED_REF | WLY_SCHEMA_USED_ALL;
  if (ref != 0) {
    WlyJsonId target = wly_schema_find_target (schema, ref);

    if (target == 0)
      return wly_schema_fail (schema, ref,
                              "this leads to no schema; only references within the text are followed, “#…”");
    add_item (items, target);
  }
  if (more != 0)
    add_item (items, more);
  if (all != 0)
    for (WlyJsonId at = wly_json_get (schema->json, all)->first; at != 0; at = wly_json_get (schema->json, at)->next)
      add_item (items, at);
  return items->len <= ITEMS_MAX
         || wly_schema_fail (schema, all != 0 ? all : ref, "more than 64 schemas apply to one value");
}

gboolean
wly_schema_flatten (WlySchema *schema, GArray *items)
{
  for (guint i = 0; i < items->len;) {
    WlySchemaItem item = *wly_schema_item (items, i);
    WlyJsonKind kind   = wly_json_kind (schema->json, item.id);

    if (kind == WLY_JSON_FALSE)
      return FALSE;
    if (kind == WLY_JSON_TRUE) {
      g_array_remove_index (items, i);
      continue;
    }
    if ((item.used & WLY_SCHEMA_USED_REF) != 0) {
      i++;
      continue;
    }
    if (!wly_schema_keywords_check (schema, item.id) || !open_item (schema, items, i))
      return FALSE;
    i = 0;
  }
  return TRUE;
}

WlyRule
wly_schema_rule_of_items (WlySchema *schema, const GArray *items, WlySchemaForm form)
{
  g_autoptr (GArray) whole = g_array_copy ((GArray *)items);
  WlySchemaItem last       = { 0, form };
  g_autoptr (GBytes) key   = NULL;
  gpointer found;
  WlyRule rule;

  g_array_append_val (whole, last);
  key   = g_bytes_new (whole->data, whole->len * sizeof (WlySchemaItem));
  found = g_hash_table_lookup (schema->rules, key);
  if (found != NULL)
    return GPOINTER_TO_UINT (found) - 1;
  if (schema->queue->len >= RULES_MAX) {
    if (schema->error == NULL)
      g_set_error (&schema->error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                   "JSON Schema: it has too many parts, or too many ways to combine them");
    return 0;
  }
  rule = wly_automaton_add_rule (schema->automaton, NULL);
  g_hash_table_insert (schema->rules, g_bytes_ref (key), GUINT_TO_POINTER (rule + 1));
  g_ptr_array_add (schema->queue, g_bytes_ref (key));
  g_array_append_val (schema->queue_rules, rule);
  return rule;
}

WlyRule
wly_schema_rule_of_form (WlySchema *schema, const GArray *ids, WlySchemaForm form)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (WlySchemaItem));

  for (guint i = 0; i < ids->len; i++)
    if (wly_json_kind (schema->json, g_array_index (ids, WlyJsonId, i)) != WLY_JSON_TRUE)
      add_item (items, g_array_index (ids, WlyJsonId, i));
  return wly_schema_rule_of_items (schema, items, form);
}

WlyRule
wly_schema_rule (WlySchema *schema, const GArray *ids)
{
  const gboolean python =
      schema->form == WLY_SCHEMA_PYTHON || (schema->form == WLY_SCHEMA_MEMBERS && !schema->members->raw);

  return wly_schema_rule_of_form (schema, ids,
                                  python                               ? WLY_SCHEMA_PYTHON
                                  : schema->form == WLY_SCHEMA_MEMBERS ? WLY_SCHEMA_MIXED
                                                                       : WLY_SCHEMA_JSON);
}

/* ---- branches ---- */

/* No value may be of two branches; what cannot be told apart cannot be honoured. */
static void
check_one_of (WlySchema *schema, WlyJsonId branches)
{
  guint i = 0;

  if (!g_hash_table_add (schema->told_apart, GUINT_TO_POINTER (branches)))
    return;
  if (wly_json_get (schema->json, branches)->n_children > 256) {
    wly_schema_fail (schema, branches, "more than 256 branches");
    return;
  }
  for (WlyJsonId a = wly_json_get (schema->json, branches)->first; a != 0 && schema->error == NULL;
       a           = wly_json_get (schema->json, a)->next, i++) {
    guint j = i + 1;

    for (WlyJsonId b = wly_json_get (schema->json, a)->next; b != 0; b = wly_json_get (schema->json, b)->next, j++) {
      if (wly_schema_disjoint (schema, a, b, 4) || schema->error != NULL)
        continue;
      wly_schema_fail (
          schema, branches,
          "a value may be of both branches %u and %u, so that oneOf cannot be honoured; tell them apart by "
          "a type, a const or enum of a required property, or use anyOf",
          i, j);
      return;
    }
  }
}

/* Whether the list branches: then the rule is one of the lists with a branch each. */
static gboolean
compile_branches (WlySchema *schema, const GArray *items, WlyState start, WlyState end)
{
  for (guint i = 0; i < items->len; i++) {
    WlyJsonId any      = wly_schema_get (schema, wly_schema_item (items, i), "anyOf");
    WlyJsonId one      = wly_schema_get (schema, wly_schema_item (items, i), "oneOf");
    guint used         = wly_schema_item (items, i)->used;
    guint which        = any != 0 && (used & WLY_SCHEMA_USED_ANY) == 0 ? WLY_SCHEMA_USED_ANY : WLY_SCHEMA_USED_ONE;
    WlyJsonId branches = which == WLY_SCHEMA_USED_ANY ? any : one;

    if (branches == 0 || (used & which) != 0)
      continue;
    if (branches == one)
      check_one_of (schema, one);
    for (WlyJsonId at = wly_json_get (schema->json, branches)->first; at != 0;
         at           = wly_json_get (schema->json, at)->next) {
      g_autoptr (GArray) branch = g_array_copy ((GArray *)items);

      g_array_index (branch, WlySchemaItem, i).used |= which;
      if (wly_json_kind (schema->json, at) == WLY_JSON_FALSE)
        continue;
      if (wly_json_kind (schema->json, at) == WLY_JSON_OBJECT)
        add_item (branch, at);
      wly_automaton_add_call (schema->automaton, start, wly_schema_rule_of_items (schema, branch, schema->form), end);
    }
    return TRUE;
  }
  return FALSE;
}

/* ---- values ---- */

WlyJsonId
wly_schema_find_values (const WlySchema *schema, const GArray *items, gboolean *ret_one)
{
  *ret_one = FALSE;
  for (guint i = 0; i < items->len; i++) {
    WlyJsonId constant = wly_schema_get (schema, wly_schema_item (items, i), "const");
    WlyJsonId list     = wly_schema_get (schema, wly_schema_item (items, i), "enum");

    *ret_one = constant != 0;
    if (constant != 0 || list != 0)
      return constant != 0 ? constant : list;
  }
  return 0;
}

static gboolean
compile_values (WlySchema *schema, const GArray *items, WlyState start, WlyState end)
{
  gboolean one;
  WlyJsonId values = wly_schema_find_values (schema, items, &one);

  if (values != 0 && schema->form == WLY_SCHEMA_MEMBERS)
    return wly_schema_fail (schema, values, "of arguments it is not supported");
  if (values != 0)
    wly_schema_values (schema, items, values, one, start, end);
  return values != 0;
}

static void
add_word (WlySchema *schema, WlyState from, const char *word, WlyState to)
{
  wly_automaton_add_empty (schema->automaton, wly_automaton_add_text (schema->automaton, from, word, strlen (word)),
                           to);
}

void
wly_schema_python_words (WlySchema *schema, guint types, WlyState from, WlyState to)
{
  if ((types & WLY_SCHEMA_NULL) != 0)
    add_word (schema, from, "None", to);
  if ((types & WLY_SCHEMA_BOOLEAN) != 0) {
    add_word (schema, from, "True", to);
    add_word (schema, from, "False", to);
  }
}

static void
compile_types (WlySchema *schema, const GArray *items, WlyState start, WlyState end)
{
  guint types = wly_schema_types (schema, items);

  if (schema->form == WLY_SCHEMA_MEMBERS)
    types &= WLY_SCHEMA_OBJECT;
  if ((types & WLY_SCHEMA_NULL) != 0)
    add_word (schema, start, "null", end);
  if ((types & WLY_SCHEMA_BOOLEAN) != 0) {
    add_word (schema, start, "true", end);
    add_word (schema, start, "false", end);
  }
  if (schema->form == WLY_SCHEMA_PYTHON)
    wly_schema_python_words (schema, types, start, end);
  if ((types & (WLY_SCHEMA_INTEGER | WLY_SCHEMA_REAL)) != 0)
    wly_schema_number (schema, items, (types & WLY_SCHEMA_REAL) != 0, start, end);
  if ((types & WLY_SCHEMA_STRING) != 0)
    wly_schema_string (schema, items, start, end);
  if ((types & WLY_SCHEMA_ARRAY) != 0)
    wly_schema_array (schema, items, start, end);
  if ((types & WLY_SCHEMA_OBJECT) != 0)
    wly_schema_object (schema, items, start, end);
}

static void
compile (WlySchema *schema, GBytes *key, WlyRule rule)
{
  g_autoptr (GArray) items = g_array_new (FALSE, FALSE, sizeof (WlySchemaItem));
  WlyState start           = wly_automaton_rule_start (schema->automaton, rule);
  WlyState end             = wly_automaton_add_state (schema->automaton);

  g_array_append_vals (items, g_bytes_get_data (key, NULL), g_bytes_get_size (key) / sizeof (WlySchemaItem));
  schema->form = (WlySchemaForm)wly_schema_item (items, items->len - 1)->used;
  g_array_set_size (items, items->len - 1);
  wly_automaton_set_final (schema->automaton, end);
  if (!wly_schema_flatten (schema, items) || schema->error != NULL)
    return;
  if (compile_branches (schema, items, start, end) || compile_values (schema, items, start, end))
    return;
  if (schema->form == WLY_SCHEMA_RAW || schema->form == WLY_SCHEMA_MIXED)
    wly_schema_members_value (schema, items, start, end);
  else
    compile_types (schema, items, start, end);
}

/* ---- what all share ---- */

/* Nothing, a space, or a line break and up to 64 spaces or tabs. */
static void
make_space (WlySchema *schema)
{
  WlyAutomaton *automaton = schema->automaton;
  WlyRule indent          = wly_automaton_add_rule (automaton, NULL);
  WlyState end            = wly_automaton_add_state (automaton);
  WlyState loop           = wly_automaton_add_state (automaton);
  WlyState start;

  schema->space = wly_automaton_add_rule (automaton, NULL);
  start         = wly_automaton_rule_start (automaton, schema->space);
  wly_automaton_add_empty (automaton, start, end);
  wly_automaton_add_bytes (automaton, start, ' ', ' ', end);
  wly_automaton_add_bytes (automaton, start, '\n', '\n', loop);
  wly_automaton_add_loop (automaton, loop, indent, 0, 64, end);
  wly_automaton_set_final (automaton, end);
  end   = wly_automaton_add_state (automaton);
  start = wly_automaton_rule_start (automaton, indent);
  wly_automaton_add_bytes (automaton, start, ' ', ' ', end);
  wly_automaton_add_bytes (automaton, start, '\t', '\t', end);
  wly_automaton_set_final (automaton, end);
}

WlyState
wly_schema_sign (WlySchema *schema, WlyState from, char sign)
{
  WlyState before = wly_schema_space (schema, from);

  return wly_schema_space (schema, wly_automaton_add_text (schema->automaton, before, &sign, 1));
}

static void
add_hex (WlyAutomaton *automaton, WlyState from, const char *first, const char *last, guint n_any, WlyState to)
{
  WlyState at = wly_automaton_add_state (automaton);

  for (; *first != '\0'; first++, last++)
    wly_automaton_add_bytes (automaton, from, (guint8)*first, (guint8)*last, n_any > 0 ? at : to);
  for (guint i = 0; i < n_any; i++) {
    WlyState next = i + 1 == n_any ? to : wly_automaton_add_state (automaton);

    wly_automaton_add_bytes (automaton, at, '0', '9', next);
    wly_automaton_add_bytes (automaton, at, 'a', 'f', next);
    wly_automaton_add_bytes (automaton, at, 'A', 'F', next);
    at = next;
  }
}

/* A character behind a backslash: one of the letters, or a number. */
static void
add_escape (WlyAutomaton *automaton, WlyState from, const char *letters, WlyState to)
{
  WlyState escape = wly_automaton_add_state (automaton);
  WlyState hex    = wly_automaton_add_state (automaton);
  WlyState high   = wly_automaton_add_state (automaton);
  WlyState low    = wly_automaton_add_state (automaton);
  WlyState pair   = wly_automaton_add_state (automaton);

  wly_automaton_add_bytes (automaton, from, '\\', '\\', escape);
  for (; *letters != '\0'; letters++)
    wly_automaton_add_bytes (automaton, escape, (guint8)*letters, (guint8)*letters, to);
  wly_automaton_add_bytes (automaton, escape, 'u', 'u', hex);
  /* any but a half of a pair, or a pair */
  add_hex (automaton, hex, "0aAeE", "9cCfF", 3, to);
  add_hex (automaton, hex, "dD", "dD", 0, high);
  add_hex (automaton, high, "0", "7", 2, to);
  add_hex (automaton, high, "89aA", "89bB", 2, low);
  low = wly_automaton_add_text (automaton, low, "\\u", 2);
  add_hex (automaton, low, "dD", "dD", 0, pair);
  add_hex (automaton, pair, "cC", "fF", 2, to);
}

/* One character of a string, in any of its spellings. */
static void
add_character (WlyAutomaton *automaton, WlyState from, WlyState to)
{
  g_autoptr (GArray) set = wly_charset_new ();

  wly_charset_add (set, 0x20, '"' - 1);
  wly_charset_add (set, '"' + 1, '\\' - 1);
  wly_charset_add (set, '\\' + 1, WLY_CHARSET_MAX);
  wly_charset_settle (set);
  wly_automaton_add_set (automaton, from, set, to);
  add_escape (automaton, from, "\"\\/bfnrt", to);
}

static void
make_strings (WlySchema *schema)
{
  WlyAutomaton *automaton = schema->automaton;
  WlyState end            = wly_automaton_add_state (automaton);
  WlyState within         = wly_automaton_add_state (automaton);

  schema->character = wly_automaton_add_rule (automaton, NULL);
  add_character (automaton, wly_automaton_rule_start (automaton, schema->character), end);
  wly_automaton_set_final (automaton, end);
  schema->string = wly_automaton_add_rule (automaton, NULL);
  end            = wly_automaton_add_state (automaton);
  wly_automaton_add_bytes (automaton, wly_automaton_rule_start (automaton, schema->string), '"', '"', within);
  add_character (automaton, within, within);
  wly_automaton_set_plain (automaton, within, 0);
  wly_automaton_set_plain (automaton, within, 3);
  wly_automaton_add_bytes (automaton, within, '"', '"', end);
  wly_automaton_set_final (automaton, end);
}

/* As Python writes them where no ' is in them; escapes are those of JSON, and \\'. */
static void
make_python_strings (WlySchema *schema)
{
  WlyAutomaton *automaton = schema->automaton;
  g_autoptr (GArray) set  = wly_charset_new ();
  WlyState within         = wly_automaton_add_state (automaton);
  WlyState end            = wly_automaton_add_state (automaton);

  schema->python_string = wly_automaton_add_rule (automaton, NULL);
  wly_automaton_add_bytes (automaton, wly_automaton_rule_start (automaton, schema->python_string), '\'', '\'', within);
  wly_charset_add (set, 0x20, '\'' - 1);
  wly_charset_add (set, '\'' + 1, '\\' - 1);
  wly_charset_add (set, '\\' + 1, WLY_CHARSET_MAX);
  wly_charset_settle (set);
  wly_automaton_add_set (automaton, within, set, within);
  add_escape (automaton, within, "'\"\\/bfnrt", within);
  wly_automaton_add_bytes (automaton, within, '\'', '\'', end);
  wly_automaton_set_final (automaton, end);
}

/* ---- circles ---- */

/* The next schema that applies to the same value as @id, behind @after (0: the first); what a reference leads to comes
 * last, with @ret_last.  0: no more. */
static WlyJsonId
next_here (const WlySchema *schema, WlyJsonId id, WlyJsonId after, gboolean *ret_last)
{
  static const char *const words[] = { "allOf", "anyOf", "oneOf", "dependentSchemas", "not", "if", "then", "else" };
  WlyJsonId ref                    = wly_json_find (schema->json, id, "$ref");
  gboolean seen                    = after == 0;

  *ret_last = FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++) {
    WlyJsonId found     = wly_json_find (schema->json, id, words[i]);
    const gboolean many = i < 4;

    if (found == 0 || wly_json_kind (schema->json, found) != (i < 3 ? WLY_JSON_ARRAY : WLY_JSON_OBJECT))
      continue;
    for (WlyJsonId at = many ? wly_json_get (schema->json, found)->first : found; at != 0;
         at           = many ? wly_json_get (schema->json, at)->next : 0) {
      if (seen)
        return at;
      seen = at == after;
    }
  }
  *ret_last = TRUE;
  return ref != 0 && wly_json_kind (schema->json, ref) == WLY_JSON_STRING ? wly_schema_find_target (schema, ref) : 0;
}

/* A schema that leads back to itself without going into a value says nothing. */
static gboolean
check_circles (WlySchema *schema)
{
  g_autofree guint8 *colour   = g_new0 (guint8, schema->json->values->len);
  g_autoptr (GArray) way      = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  g_autofree WlyJsonId *after = g_new0 (WlyJsonId, schema->json->values->len);

  for (WlyJsonId start = WLY_JSON_ROOT; start < schema->json->values->len; start++) {
    if (colour[start] != 0 || wly_json_find (schema->json, start, "$ref") == 0)
      continue;
    g_array_append_val (way, start);
    colour[start] = 1;
    while (way->len > 0 && schema->error == NULL) {
      WlyJsonId at   = g_array_index (way, WlyJsonId, way->len - 1);
      gboolean last  = TRUE;
      WlyJsonId next = after[at] == G_MAXUINT32 ? 0 : next_here (schema, at, after[at], &last);

      after[at] = last ? G_MAXUINT32 : next;
      if (next == 0) {
        colour[at] = 2;
        g_array_set_size (way, way->len - 1);
      } else if (colour[next] == 1) {
        return wly_schema_fail (schema, next, "the schema leads back to itself without going into a value");
      } else if (colour[next] == 0) {
        colour[next] = 1;
        g_array_append_val (way, next);
      }
    }
  }
  return schema->error == NULL;
}

/* ---- the whole ---- */

static void
schema_clear (WlySchema *schema)
{
  wly_json_free (schema->json);
  wly_automaton_free (schema->automaton);
  g_clear_pointer (&schema->rules, g_hash_table_unref);
  g_clear_pointer (&schema->told_apart, g_hash_table_unref);
  g_clear_pointer (&schema->logic, g_hash_table_unref);
  g_clear_pointer (&schema->queue, g_ptr_array_unref);
  g_clear_pointer (&schema->queue_rules, g_array_unref);
  g_clear_error (&schema->error);
}

static gboolean
run (WlySchema *schema, WlyRule *ret_root)
{
  g_autoptr (GArray) ids = g_array_new (FALSE, FALSE, sizeof (WlyJsonId));
  WlyJsonId root         = WLY_JSON_ROOT;
  WlyJsonKind kind       = wly_json_kind (schema->json, root);

  if (kind != WLY_JSON_OBJECT && kind != WLY_JSON_TRUE && kind != WLY_JSON_FALSE)
    return wly_schema_fail (schema, root, "a schema is wanted (an object, true or false)");
  if (!wly_schema_logic_read (schema))
    return FALSE;
  make_space (schema);
  make_strings (schema);
  if (schema->members != NULL && !schema->members->raw)
    make_python_strings (schema);
  if (!check_circles (schema))
    return FALSE;
  g_array_append_val (ids, root);
  *ret_root = wly_schema_rule_of_form (schema, ids, schema->members != NULL ? WLY_SCHEMA_MEMBERS : WLY_SCHEMA_JSON);
  for (guint i = 0; i < schema->queue->len && schema->error == NULL && !schema->automaton->too_large; i++)
    compile (schema, schema->queue->pdata[i], g_array_index (schema->queue_rules, WlyRule, i));
  return schema->error == NULL;
}

gboolean
wly_schema_add (WlyAutomaton *automaton, const char *text, gsize n_bytes, WlyRule *ret_rule, GError **error)
{
  return wly_schema_add_members (automaton, text, n_bytes, NULL, ret_rule, error);
}

gboolean
wly_schema_add_members (WlyAutomaton *automaton, const char *text, gsize n_bytes, const WlySchemaMembers *members,
                        WlyRule *ret_rule, GError **error)
{
  WlySchema schema = { .members = members };
  gboolean done;

  schema.json = wly_json_new (text, n_bytes, WLY_GRAMMAR_DEPTH, error);
  if (schema.json == NULL)
    return FALSE;
  schema.automaton   = automaton;
  schema.rules       = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, NULL);
  schema.told_apart  = g_hash_table_new (NULL, NULL);
  schema.queue       = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  schema.queue_rules = g_array_new (FALSE, FALSE, sizeof (WlyRule));
  done               = run (&schema, ret_rule);
  schema.automaton   = NULL;
  if (schema.error != NULL)
    g_propagate_error (error, g_steal_pointer (&schema.error));
  schema_clear (&schema);
  return done;
}
