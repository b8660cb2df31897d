/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The keywords of JSON Schema: which are known, and what kind of value each has.
 */
#include "grammar/schema-private.h"
#include "wly-error.h"
#include "wly-utf8.h"

#include <string.h>

typedef enum {
  FREE,    /* says something about the schema, not about values */
  SCHEMA,  /* an object, true or false */
  SCHEMAS, /* a list of them, not empty */
  NAMED,   /* an object of them */
  COUNT,
  NUMBER,
  TEXT,
  FLAG,
  LIST,
  TEXTS,
  NAMED_TEXTS, /* an object of those */
  ANYTHING,
  TYPES, /* a text or a list of texts */
} Kind;

static const struct {
  const char *name;
  Kind kind;
} keywords[] = {
  { "$schema", FREE },
  { "$id", FREE },
  { "$anchor", FREE },
  { "$comment", FREE },
  { "$defs", NAMED },
  { "definitions", NAMED },
  { "title", FREE },
  { "description", FREE },
  { "default", FREE },
  { "examples", FREE },
  { "example", FREE },
  { "deprecated", FREE },
  { "readOnly", FREE },
  { "writeOnly", FREE },
  { "$ref", TEXT },
  { "allOf", SCHEMAS },
  { "anyOf", SCHEMAS },
  { "oneOf", SCHEMAS },
  { "type", TYPES },
  { "enum", LIST },
  { "const", ANYTHING },
  { "nullable", FLAG },
  { "minimum", NUMBER },
  { "maximum", NUMBER },
  { "exclusiveMinimum", NUMBER },
  { "exclusiveMaximum", NUMBER },
  { "multipleOf", NUMBER },
  { "minLength", COUNT },
  { "maxLength", COUNT },
  { "pattern", TEXT },
  { "format", TEXT },
  { "items", SCHEMA },
  { "prefixItems", SCHEMAS },
  { "contains", SCHEMA },
  { "minContains", COUNT },
  { "minItems", COUNT },
  { "maxItems", COUNT },
  { "uniqueItems", FLAG },
  { "properties", NAMED },
  { "patternProperties", NAMED },
  { "additionalProperties", SCHEMA },
  { "propertyNames", SCHEMA },
  { "required", TEXTS },
  { "minProperties", COUNT },
  { "maxProperties", COUNT },
  { "not", SCHEMA },
  { "if", SCHEMA },
  { "then", SCHEMA },
  { "else", SCHEMA },
  { "dependentRequired", NAMED_TEXTS },
  { "dependentSchemas", NAMED },
  { "unevaluatedItems", SCHEMA },
  { "unevaluatedProperties", SCHEMA },
};

gboolean
wly_schema_fail (WlySchema *schema, WlyJsonId at, const char *format, ...)
{
  g_autofree char *pointer = wly_json_pointer (schema->json, at);
  g_autofree char *message = NULL;
  va_list args;

  if (schema->error != NULL)
    return FALSE;
  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (&schema->error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "JSON Schema, “#%.*s”: %s", wly_utf8_shown (pointer),
               pointer, message);
  return FALSE;
}

WlyJsonId
wly_schema_get (const WlySchema *schema, const WlySchemaItem *item, const char *keyword)
{
  return wly_json_find (schema->json, item->id, keyword);
}

/* Digits alone, and what a schema can count with: 3, or 3.0. */
static gboolean
read_count (const WlySchema *schema, WlyJsonId id, guint32 *ret_count)
{
  gsize n_bytes;
  const char *text      = wly_json_text (schema->json, id, &n_bytes);
  g_autofree char *copy = g_strndup (text, n_bytes);
  char *point           = strchr (copy, '.');
  guint64 value;

  if (point != NULL && strspn (point + 1, "0") == strlen (point + 1))
    *point = '\0';
  if (!g_ascii_string_to_unsigned (copy, 10, 0, G_MAXUINT32 - 1, &value, NULL))
    return FALSE;
  *ret_count = (guint32)value;
  return TRUE;
}

gboolean
wly_schema_get_count (WlySchema *schema, const WlySchemaItem *item, const char *keyword, guint32 *ret_count)
{
  WlyJsonId id = wly_schema_get (schema, item, keyword);

  return id != 0 && read_count (schema, id, ret_count);
}

static gboolean
is_schema (const WlySchema *schema, WlyJsonId id)
{
  WlyJsonKind kind = wly_json_kind (schema->json, id);

  return kind == WLY_JSON_OBJECT || kind == WLY_JSON_TRUE || kind == WLY_JSON_FALSE;
}

static gboolean
all_are (const WlySchema *schema, WlyJsonId id, gboolean texts)
{
  for (WlyJsonId at = wly_json_get (schema->json, id)->first; at != 0; at = wly_json_get (schema->json, at)->next)
    if (texts ? wly_json_kind (schema->json, at) != WLY_JSON_STRING : !is_schema (schema, at))
      return FALSE;
  return TRUE;
}

/* NULL: it is of its kind; else what it has to be. */
static const char *
wrong_kind (const WlySchema *schema, WlyJsonId id, Kind kind)
{
  const WlyJsonValue *value = wly_json_get (schema->json, id);
  guint32 count;

  switch (kind) {
  case SCHEMA:
    return is_schema (schema, id) ? NULL : "a schema is wanted (an object, true or false)";
  case SCHEMAS:
    return value->kind == WLY_JSON_ARRAY && value->n_children > 0 && all_are (schema, id, FALSE)
               ? NULL
               : "a list of schemas is wanted";
  case NAMED:
    return value->kind == WLY_JSON_OBJECT && all_are (schema, id, FALSE) ? NULL : "an object of schemas is wanted";
  case COUNT:
    return value->kind == WLY_JSON_NUMBER && read_count (schema, id, &count) ? NULL : "a whole number is wanted";
  case NUMBER:
    return value->kind == WLY_JSON_NUMBER ? NULL : "a number is wanted";
  case TEXT:
    return value->kind == WLY_JSON_STRING ? NULL : "a text is wanted";
  case FLAG:
    return value->kind == WLY_JSON_TRUE || value->kind == WLY_JSON_FALSE ? NULL : "true or false is wanted";
  case LIST:
    return value->kind == WLY_JSON_ARRAY && value->n_children > 0 ? NULL : "a list of values is wanted";
  case TEXTS:
    return value->kind == WLY_JSON_ARRAY && all_are (schema, id, TRUE) ? NULL : "a list of texts is wanted";
  case NAMED_TEXTS:
    for (WlyJsonId at = value->kind == WLY_JSON_OBJECT ? value->first : 0; at != 0;
         at           = wly_json_get (schema->json, at)->next)
      if (wrong_kind (schema, at, TEXTS) != NULL)
        return "an object of lists of texts is wanted";
    return value->kind == WLY_JSON_OBJECT ? NULL : "an object of lists of texts is wanted";
  case TYPES:
    return value->kind == WLY_JSON_STRING
                   || (value->kind == WLY_JSON_ARRAY && value->n_children > 0 && all_are (schema, id, TRUE))
               ? NULL
               : "a type or a list of types is wanted";
  default:
    return NULL;
  }
}

static gboolean
check_keyword (WlySchema *schema, WlyJsonId at)
{
  gsize n_bytes;
  const char *name  = wly_json_key (schema->json, at, &n_bytes);
  const char *wrong = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (keywords); i++) {
    if (!g_str_equal (keywords[i].name, name))
      continue;
    wrong = wrong_kind (schema, at, keywords[i].kind);
    return wrong == NULL || wly_schema_fail (schema, at, "%s", wrong);
  }
  return wly_schema_fail (schema, at, "the keyword “%.*s” is not supported", wly_utf8_shown (name), name);
}

gboolean
wly_schema_keyword_is_free (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (keywords); i++)
    if (keywords[i].kind == FREE && g_str_equal (keywords[i].name, name))
      return TRUE;
  return FALSE;
}

gboolean
wly_schema_keywords_check (WlySchema *schema, WlyJsonId id)
{
  if (id >= schema->n_given) /* our own */
    return TRUE;
  for (WlyJsonId at = wly_json_get (schema->json, id)->first; at != 0; at = wly_json_get (schema->json, at)->next)
    if (!check_keyword (schema, at))
      return FALSE;
  return TRUE;
}

/* ---- types ---- */

guint
wly_schema_type_of (const WlySchema *schema, WlyJsonId value)
{
  static const guint types[] = { WLY_SCHEMA_NULL,   WLY_SCHEMA_BOOLEAN, WLY_SCHEMA_BOOLEAN, 0,
                                 WLY_SCHEMA_STRING, WLY_SCHEMA_ARRAY,   WLY_SCHEMA_OBJECT };
  WlyJsonKind kind           = wly_json_kind (schema->json, value);
  gsize n_bytes;
  const char *text, *point;

  if (kind != WLY_JSON_NUMBER)
    return types[kind];
  /* 1.0 is an integer, too; with an exponent it would take arithmetic, and nobody writes that */
  text  = wly_json_text (schema->json, value, &n_bytes);
  point = strchr (text, '.');
  if (strpbrk (text, "eE") == NULL && (point == NULL || strspn (point + 1, "0") == strlen (point + 1)))
    return WLY_SCHEMA_INTEGER;
  return WLY_SCHEMA_REAL;
}

static guint
type_named (const WlySchema *schema, WlyJsonId id)
{
  static const struct {
    const char *name;
    guint types;
  } names[] = {
    { "null", WLY_SCHEMA_NULL },       { "boolean", WLY_SCHEMA_BOOLEAN },
    { "integer", WLY_SCHEMA_INTEGER }, { "number", WLY_SCHEMA_INTEGER | WLY_SCHEMA_REAL },
    { "string", WLY_SCHEMA_STRING },   { "array", WLY_SCHEMA_ARRAY },
    { "object", WLY_SCHEMA_OBJECT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (wly_json_is_text (schema->json, id, names[i].name))
      return names[i].types;
  wly_schema_fail ((WlySchema *)schema, id, "there is no such type");
  return 0;
}

static guint
types_of_item (const WlySchema *schema, const WlySchemaItem *item)
{
  WlyJsonId type     = wly_schema_get (schema, item, "type");
  WlyJsonId nullable = wly_schema_get (schema, item, "nullable");
  guint types        = 0;

  if (type == 0)
    return WLY_SCHEMA_ANY;
  if (wly_json_kind (schema->json, type) == WLY_JSON_STRING)
    types = type_named (schema, type);
  else
    for (WlyJsonId at = wly_json_get (schema->json, type)->first; at != 0; at = wly_json_get (schema->json, at)->next)
      types |= type_named (schema, at);
  if (nullable != 0 && wly_json_kind (schema->json, nullable) == WLY_JSON_TRUE)
    types |= WLY_SCHEMA_NULL;
  return types;
}

guint
wly_schema_types (const WlySchema *schema, const GArray *items)
{
  guint types = WLY_SCHEMA_ANY;

  for (guint i = 0; i < items->len; i++)
    types &= types_of_item (schema, wly_schema_item (items, i));
  return types;
}
