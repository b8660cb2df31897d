/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keywords of a JSON Schema that say what follows from what, written in terms of others: not, if, dependentRequired,
 * dependentSchemas.
 *
 *     not S               what is not S, see below
 *     if S then T else U  anyOf: S and T; not S and U
 *     dependent… k: T     anyOf: no property k; T
 *
 * What is not a schema is written keyword by keyword: values of another type, a property that is missing or not of its
 * schema, a number beyond a limit. Where a keyword has no such form, that is an error which names it.
 */
#include "grammar/schema-private.h"
#include "wly-utf8.h"

#include <string.h>

#define DEPTH_MAX   8       /* references that are followed to write what is not of them */
#define NUMBERS_MAX 32      /* of a list of values that a number must not be */
#define BYTES_MAX   1048576 /* of all that is written */

typedef struct {
  WlySchema *schema;
  GString *out;
} Logic;

static gboolean negate (Logic *logic, WlyJsonId id, guint depth);

/* ---- writing ---- */

static void
separate (Logic *logic)
{
  if (logic->out->str[logic->out->len - 1] != '[')
    g_string_append_c (logic->out, ',');
}

/* A schema that stands elsewhere; only we write it as a number. */
static void
write_reference (Logic *logic, WlyJsonId id)
{
  g_string_append_printf (logic->out, "{\"$ref\":%u}", id);
}

static void
write_key (Logic *logic, WlyJsonId member)
{
  gsize n_bytes;
  const char *key = wly_json_key (logic->schema->json, member, &n_bytes);

  wly_json_write_string (logic->out, key, n_bytes);
}

static WlyJsonId
first_of (const Logic *logic, WlyJsonId id)
{
  return wly_json_get (logic->schema->json, id)->first;
}

static WlyJsonId
next_of (const Logic *logic, WlyJsonId id)
{
  return wly_json_get (logic->schema->json, id)->next;
}

/* ---- what is not of a keyword: each writes some schemas into an open list, one of which a value has to fulfil ---- */

static gboolean
negate_type (Logic *logic, WlyJsonId type)
{
  static const char *const names[] = { "null", "boolean", "number", "string", "array", "object" };
  WlyJson *json                    = logic->schema->json;
  const gboolean one               = wly_json_kind (json, type) == WLY_JSON_STRING;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    gboolean named = FALSE;

    for (WlyJsonId at = wly_schema_next_value (logic->schema, type, one, 0); at != 0;
         at           = wly_schema_next_value (logic->schema, type, one, at)) {
      named |= wly_json_is_text (json, at, names[i]);
      if (i == 2 && !named && wly_json_is_text (json, at, "integer"))
        return wly_schema_fail (logic->schema, type, "what is no integer cannot be honoured within “not” or “if”");
    }
    if (named)
      continue;
    separate (logic);
    g_string_append_printf (logic->out, "{\"type\":\"%s\"}", names[i]);
  }
  return TRUE;
}

/* Strings but those of a list. */
static gboolean
write_other_strings (Logic *logic, WlyJsonId values, gboolean one)
{
  g_string_append (logic->out, ",{\"type\":\"string\",\"not\":[");
  for (WlyJsonId at = wly_schema_next_value (logic->schema, values, one, 0); at != 0;
       at           = wly_schema_next_value (logic->schema, values, one, at)) {
    gsize n_bytes;
    const char *text = wly_json_text (logic->schema->json, at, &n_bytes);

    if (wly_json_kind (logic->schema->json, at) != WLY_JSON_STRING)
      continue;
    if (strlen (text) != n_bytes)
      return wly_schema_fail (logic->schema, at, "a text with a NUL in it is not supported here");
    separate (logic);
    wly_json_write_string (logic->out, text, n_bytes);
  }
  g_string_append (logic->out, "]}");
  return TRUE;
}

/* @at among the numbers so far, in their order; the same one again is left out. */
static gboolean
insert_number (Logic *logic, GPtrArray *numbers, WlyJsonId at)
{
  gsize n_bytes;
  const char *text = wly_json_text (logic->schema->json, at, &n_bytes);
  int order        = 1;
  guint i;

  for (i = numbers->len; i > 0; i--) {
    if (!wly_schema_number_compare (text, numbers->pdata[i - 1], &order))
      return wly_schema_fail (logic->schema, at, "numbers have up to 64 digits on either side of the point here");
    if (order >= 0)
      break;
  }
  if (i > 0 && order == 0)
    return TRUE;
  if (numbers->len == NUMBERS_MAX)
    return wly_schema_fail (logic->schema, at, "more than %d numbers cannot be honoured within “not” or “if”",
                            NUMBERS_MAX);
  g_ptr_array_insert (numbers, (int)i, (gpointer)text);
  return TRUE;
}

/* Numbers below, between and above those of a list. */
static gboolean
write_other_numbers (Logic *logic, WlyJsonId values, gboolean one)
{
  g_autoptr (GPtrArray) numbers = g_ptr_array_new ();

  for (WlyJsonId at = wly_schema_next_value (logic->schema, values, one, 0); at != 0;
       at           = wly_schema_next_value (logic->schema, values, one, at))
    if (wly_json_kind (logic->schema->json, at) == WLY_JSON_NUMBER && !insert_number (logic, numbers, at))
      return FALSE;
  for (guint i = 0; i <= numbers->len; i++) {
    g_string_append (logic->out, ",{\"type\":\"number\"");
    if (i > 0)
      g_string_append_printf (logic->out, ",\"exclusiveMinimum\":%s", (const char *)numbers->pdata[i - 1]);
    if (i < numbers->len)
      g_string_append_printf (logic->out, ",\"exclusiveMaximum\":%s", (const char *)numbers->pdata[i]);
    g_string_append_c (logic->out, '}');
  }
  return TRUE;
}

static gboolean
negate_values (Logic *logic, WlyJsonId values, gboolean one)
{
  guint kinds = 0;

  for (WlyJsonId at = wly_schema_next_value (logic->schema, values, one, 0); at != 0;
       at           = wly_schema_next_value (logic->schema, values, one, at))
    kinds |= 1u << wly_json_kind (logic->schema->json, at);
  if ((kinds & (1u << WLY_JSON_ARRAY | 1u << WLY_JSON_OBJECT)) != 0)
    return wly_schema_fail (logic->schema, values,
                            "values that are lists or objects cannot be honoured within “not” or “if”");
  separate (logic);
  g_string_append (logic->out, "{\"type\":[\"array\",\"object\"]}");
  if ((kinds & 1u << WLY_JSON_NULL) == 0)
    g_string_append (logic->out, ",{\"type\":\"null\"}");
  if ((kinds & 1u << WLY_JSON_TRUE) == 0)
    g_string_append (logic->out, ",{\"const\":true}");
  if ((kinds & 1u << WLY_JSON_FALSE) == 0)
    g_string_append (logic->out, ",{\"const\":false}");
  if ((kinds & 1u << WLY_JSON_STRING) == 0)
    g_string_append (logic->out, ",{\"type\":\"string\"}");
  else if (!write_other_strings (logic, values, one))
    return FALSE;
  return write_other_numbers (logic, values, one);
}

static gboolean
negate_required (Logic *logic, WlyJsonId list)
{
  for (WlyJsonId at = first_of (logic, list); at != 0; at = next_of (logic, at)) {
    gsize n_bytes;
    const char *text = wly_json_text (logic->schema->json, at, &n_bytes);

    separate (logic);
    g_string_append (logic->out, "{\"type\":\"object\",\"properties\":{");
    wly_json_write_string (logic->out, text, n_bytes);
    g_string_append (logic->out, ":false}}");
  }
  return TRUE;
}

static gboolean
negate_properties (Logic *logic, WlyJsonId named, guint depth)
{
  for (WlyJsonId at = first_of (logic, named); at != 0; at = next_of (logic, at)) {
    separate (logic);
    g_string_append (logic->out, "{\"type\":\"object\",\"required\":[");
    write_key (logic, at);
    g_string_append (logic->out, "],\"properties\":{");
    write_key (logic, at);
    g_string_append (logic->out, ":");
    if (!negate (logic, at, depth))
      return FALSE;
    g_string_append (logic->out, "}}");
  }
  return TRUE;
}

/* Counts and limits; FALSE without an error: it is none. */
static gboolean
negate_limit (Logic *logic, WlyJsonId at, const char *name)
{
  static const struct {
    const char *name, *type, *other;
    int step; /* of a count; 0: a number as it is */
  } limits[] = {
    { "minimum", "number", "exclusiveMaximum", 0 },
    { "maximum", "number", "exclusiveMinimum", 0 },
    { "exclusiveMinimum", "number", "maximum", 0 },
    { "exclusiveMaximum", "number", "minimum", 0 },
    { "minLength", "string", "maxLength", -1 },
    { "maxLength", "string", "minLength", 1 },
    { "minItems", "array", "maxItems", -1 },
    { "maxItems", "array", "minItems", 1 },
    { "minProperties", "object", "maxProperties", -1 },
    { "maxProperties", "object", "minProperties", 1 },
  };
  const WlySchemaItem item = { wly_json_get (logic->schema->json, at)->parent, 0 };

  for (gsize i = 0; i < G_N_ELEMENTS (limits); i++) {
    gsize n_bytes;
    guint32 count = 0;

    if (!g_str_equal (limits[i].name, name))
      continue;
    if (limits[i].step != 0)
      wly_schema_get_count (logic->schema, &item, name, &count);
    if (limits[i].step < 0 && count == 0)
      return TRUE;
    separate (logic);
    if (limits[i].step != 0)
      g_string_append_printf (logic->out, "{\"type\":\"%s\",\"%s\":%u}", limits[i].type, limits[i].other,
                              limits[i].step < 0 ? count - 1 : count + 1);
    else
      g_string_append_printf (logic->out, "{\"type\":\"%s\",\"%s\":%s}", limits[i].type, limits[i].other,
                              wly_json_text (logic->schema->json, at, &n_bytes));
    return TRUE;
  }
  return FALSE;
}

/* @word: how the parts, each turned round, are joined. */
static gboolean
negate_list (Logic *logic, WlyJsonId list, const char *word, guint depth)
{
  separate (logic);
  g_string_append_printf (logic->out, "{\"%s\":[", word);
  for (WlyJsonId at = first_of (logic, list); at != 0; at = next_of (logic, at)) {
    separate (logic);
    if (!negate (logic, at, depth))
      return FALSE;
  }
  g_string_append (logic->out, "]}");
  return TRUE;
}

static gboolean
negate_reference (Logic *logic, WlyJsonId reference, guint depth)
{
  const WlyJsonId target = wly_schema_find_target (logic->schema, reference);

  if (target == 0 || depth >= DEPTH_MAX)
    return wly_schema_fail (logic->schema, reference, "within “not” or “if” this reference cannot be honoured");
  separate (logic);
  return negate (logic, target, depth + 1);
}

static gboolean
negate_keyword (Logic *logic, WlyJsonId at, guint depth)
{
  static const char *const silent[] = { "then", "else", "$defs", "definitions", NULL };
  gsize n_bytes;
  const char *name = wly_json_key (logic->schema->json, at, &n_bytes);

  if (wly_schema_keyword_is_free (name) || g_strv_contains (silent, name) || negate_limit (logic, at, name))
    return TRUE;
  if (g_str_equal (name, "type"))
    return negate_type (logic, at);
  if (g_str_equal (name, "const") || g_str_equal (name, "enum"))
    return negate_values (logic, at, g_str_equal (name, "const"));
  if (g_str_equal (name, "required"))
    return negate_required (logic, at);
  if (g_str_equal (name, "properties"))
    return negate_properties (logic, at, depth);
  if (g_str_equal (name, "anyOf"))
    return negate_list (logic, at, "allOf", depth);
  if (g_str_equal (name, "allOf"))
    return negate_list (logic, at, "anyOf", depth);
  if (g_str_equal (name, "$ref"))
    return negate_reference (logic, at, depth);
  if (g_str_equal (name, "not")) {
    separate (logic);
    write_reference (logic, at);
    return TRUE;
  }
  return wly_schema_fail (logic->schema, at, "the keyword “%.*s” cannot be honoured within “not” or “if”",
                          wly_utf8_shown (name), name);
}

/* The schema of all that is not of a schema.  Depth: of the text, which is bounded, and of references. */
static gboolean
negate (Logic *logic, WlyJsonId id, guint depth)
{
  WlyJsonKind kind = wly_json_kind (logic->schema->json, id);

  if (kind != WLY_JSON_OBJECT) {
    g_string_append (logic->out, kind == WLY_JSON_TRUE ? "false" : "true");
    return TRUE;
  }
  if (logic->out->len > BYTES_MAX)
    return wly_schema_fail (logic->schema, id, "it is too large within “not” or “if”");
  if (!wly_schema_keywords_check (logic->schema, id))
    return FALSE;
  g_string_append (logic->out, "{\"anyOf\":[");
  for (WlyJsonId at = first_of (logic, id); at != 0; at = next_of (logic, at))
    if (!negate_keyword (logic, at, depth))
      return FALSE;
  if (logic->out->str[logic->out->len - 1] == '[')
    g_string_append (logic->out, "false");
  g_string_append (logic->out, "]}");
  return TRUE;
}

/* ---- the keywords ---- */

static gboolean
write_if (Logic *logic, const WlySchemaItem *item, WlyJsonId condition)
{
  WlyJsonId then      = wly_schema_get (logic->schema, item, "then");
  WlyJsonId otherwise = wly_schema_get (logic->schema, item, "else");

  if (then == 0 && otherwise == 0)
    return TRUE;
  separate (logic);
  g_string_append (logic->out, "{\"anyOf\":[{\"allOf\":[");
  write_reference (logic, condition);
  if (then != 0) {
    separate (logic);
    write_reference (logic, then);
  }
  g_string_append (logic->out, "]},{\"allOf\":[");
  if (!negate (logic, condition, 0))
    return FALSE;
  if (otherwise != 0) {
    separate (logic);
    write_reference (logic, otherwise);
  }
  g_string_append (logic->out, "]}]}");
  return TRUE;
}

static void
write_dependent (Logic *logic, WlyJsonId named, gboolean schemas)
{
  for (WlyJsonId at = first_of (logic, named); at != 0; at = next_of (logic, at)) {
    separate (logic);
    g_string_append (logic->out, "{\"anyOf\":[{\"properties\":{");
    write_key (logic, at);
    g_string_append (logic->out, ":false}},");
    if (schemas) {
      write_reference (logic, at);
    } else {
      g_string_append (logic->out, "{\"required\":");
      wly_json_write (logic->schema->json, at, logic->out);
      g_string_append_c (logic->out, '}');
    }
    g_string_append (logic->out, "]}");
  }
}

static gboolean
write_all (Logic *logic, WlyJsonId id)
{
  const WlySchemaItem item = { id, 0 };
  WlyJsonId not            = wly_schema_get (logic->schema, &item, "not");
  WlyJsonId condition      = wly_schema_get (logic->schema, &item, "if");
  WlyJsonId required       = wly_schema_get (logic->schema, &item, "dependentRequired");
  WlyJsonId schemas        = wly_schema_get (logic->schema, &item, "dependentSchemas");

  if (not == 0 && condition == 0 && required == 0 && schemas == 0)
    return TRUE;
  if (!wly_schema_keywords_check (logic->schema, id))
    return FALSE;
  g_string_append (logic->out, "{\"allOf\":[");
  if (required != 0)
    write_dependent (logic, required, FALSE);
  if (schemas != 0)
    write_dependent (logic, schemas, TRUE);
  if (not != 0) {
    separate (logic);
    if (!negate (logic, not, 0))
      return FALSE;
  }
  if (condition != 0 && !write_if (logic, &item, condition))
    return FALSE;
  separate (logic);
  g_string_append (logic->out, "true]}");
  return TRUE;
}

/* What was found of an object of the text, which need not be a schema: then nobody asks for it. */
typedef struct {
  WlyJsonId written;
  GError *error;
} Found;

static void
found_free (gpointer data)
{
  Found *found = data;

  g_clear_error (&found->error);
  g_free (found);
}

gboolean
wly_schema_logic_read (WlySchema *schema)
{
  g_autoptr (GString) out = g_string_new (NULL);
  Logic logic             = { schema, out };
  gsize n_bytes           = 0;

  schema->n_given = schema->json->values->len;
  schema->logic   = g_hash_table_new_full (NULL, NULL, NULL, found_free);
  for (WlyJsonId id = WLY_JSON_ROOT; id < schema->n_given; id++) {
    Found *found;

    g_string_truncate (out, 0);
    if (wly_json_kind (schema->json, id) != WLY_JSON_OBJECT || (write_all (&logic, id) && out->len == 0))
      continue;
    found        = g_new0 (Found, 1);
    found->error = g_steal_pointer (&schema->error);
    n_bytes += out->len;
    g_hash_table_insert (schema->logic, GUINT_TO_POINTER (id), found);
    if (n_bytes > BYTES_MAX)
      return wly_schema_fail (schema, id, "there is too much of “not”, “if” and their like");
    if (found->error == NULL)
      found->written = wly_json_append (schema->json, out->str, out->len, id, &found->error);
  }
  return TRUE;
}

WlyJsonId
wly_schema_logic_get (WlySchema *schema, WlyJsonId id)
{
  const Found *found = g_hash_table_lookup (schema->logic, GUINT_TO_POINTER (id));

  if (found == NULL)
    return 0;
  if (found->error != NULL && schema->error == NULL)
    schema->error = g_error_copy (found->error);
  return found->written;
}

/* ---- what is left over ---- */

GArray *
wly_schema_logic_seen (WlySchema *schema, const WlySchemaItem *item, const char *keyword)
{
  static const char *const branches[] = { "not", "if", "dependentSchemas", "dependentRequired", "anyOf", "oneOf" };
  g_autoptr (GArray) seen             = g_array_new (FALSE, FALSE, sizeof (WlySchemaItem));
  const WlySchemaItem own             = { item->id, 0 };

  g_array_append_val (seen, own);
  if (!wly_schema_flatten (schema, seen))
    return NULL;
  for (guint i = 0; i < seen->len; i++) {
    const WlySchemaItem *other = wly_schema_item (seen, i);
    const char *against        = other->id != item->id && wly_schema_get (schema, other, keyword) != 0 ? keyword : NULL;

    for (gsize b = 0; b < G_N_ELEMENTS (branches) && against == NULL; b++)
      against = wly_schema_get (schema, other, branches[b]) != 0 ? branches[b] : NULL;
    if (against == NULL)
      continue;
    wly_schema_fail (schema, wly_schema_get (schema, item, keyword),
                     "together with “%s” in what it refers to or consists of, it cannot be honoured", against);
    return NULL;
  }
  return g_steal_pointer (&seen);
}
