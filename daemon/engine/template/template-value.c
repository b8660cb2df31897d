/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/template-value.h"

#include <string.h>

const char *
wly_template_value_kind_name (const WlyTemplateValue *value)
{
  static const char *const names[] = { "undefined", "NoneType", "bool",   "int",   "float", "str",    "list",  "dict",
                                       "namespace", "function", "method", "macro", "loop",  "cycler", "joiner" };

  return names[value->kind];
}

gboolean
wly_template_value_truth (const WlyTemplateValue *value)
{
  switch (value->kind) {
  case WLY_TEMPLATE_UNDEFINED:
  case WLY_TEMPLATE_NONE:
    return FALSE;
  case WLY_TEMPLATE_BOOLEAN:
    return value->boolean;
  case WLY_TEMPLATE_INTEGER:
    return value->integer != 0;
  case WLY_TEMPLATE_FLOAT:
    return value->real != 0;
  case WLY_TEMPLATE_TEXT:
    return value->text->n_bytes > 0;
  case WLY_TEMPLATE_LIST:
    return value->flavour == WLY_TEMPLATE_GENERATOR || value->items->n_items > 0;
  case WLY_TEMPLATE_DICT:
    return value->items->n_items > 0;
  default:
    return TRUE;
  }
}

gboolean
wly_template_value_is_number (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_BOOLEAN || value->kind == WLY_TEMPLATE_INTEGER
         || value->kind == WLY_TEMPLATE_FLOAT;
}

double
wly_template_value_number (const WlyTemplateValue *value)
{
  if (value->kind == WLY_TEMPLATE_FLOAT)
    return value->real;
  return value->kind == WLY_TEMPLATE_BOOLEAN ? (double)value->boolean : (double)value->integer;
}

gboolean
wly_template_value_integer (const WlyTemplateValue *value, gint64 *ret_integer)
{
  if (value->kind != WLY_TEMPLATE_INTEGER && value->kind != WLY_TEMPLATE_BOOLEAN)
    return FALSE;
  *ret_integer = value->kind == WLY_TEMPLATE_BOOLEAN ? value->boolean != FALSE : value->integer;
  return TRUE;
}

gboolean
wly_template_value_is_sequence (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_LIST && value->flavour < WLY_TEMPLATE_GENERATOR;
}

gboolean
wly_template_value_is_key (const WlyTemplateValue *value)
{
  return value->kind != WLY_TEMPLATE_DICT
         && (value->kind != WLY_TEMPLATE_LIST || value->flavour == WLY_TEMPLATE_TUPLE
             || value->flavour == WLY_TEMPLATE_GROUP || value->flavour == WLY_TEMPLATE_RANGE
             || value->flavour == WLY_TEMPLATE_GENERATOR);
}

/* Lists of the same flavour may be equal. */
static gboolean
equal_lists (const WlyTemplateValue *left, const WlyTemplateValue *right)
{
  const guint32 one = left->flavour == WLY_TEMPLATE_GROUP ? WLY_TEMPLATE_TUPLE : left->flavour;
  const guint32 two = right->flavour == WLY_TEMPLATE_GROUP ? WLY_TEMPLATE_TUPLE : right->flavour;

  if (one == WLY_TEMPLATE_GENERATOR || one == WLY_TEMPLATE_VALUES)
    return left->items == right->items;
  return one == two;
}

static gboolean
equal_items (const WlyTemplateItems *left, const WlyTemplateItems *right, guint depth, guint64 *n_steps)
{
  if (left->n_items != right->n_items)
    return FALSE;
  for (gsize i = 0; i < left->n_items; i++)
    if (!wly_template_value_equal (&left->items[i], &right->items[i], depth + 1, n_steps))
      return FALSE;
  return TRUE;
}

static gboolean
equal_dicts (const WlyTemplateItems *left, const WlyTemplateItems *right, guint depth, guint64 *n_steps)
{
  if (left->n_items != right->n_items)
    return FALSE;
  for (gsize i = 0; i < left->n_items; i += 2) {
    const WlyTemplateValue *other = wly_template_value_lookup (right, &left->items[i]);

    *n_steps += right->n_items;
    if (other == NULL || !wly_template_value_equal (&left->items[i + 1], other, depth + 1, n_steps))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_template_value_equal (const WlyTemplateValue *left, const WlyTemplateValue *right, guint depth, guint64 *n_steps)
{
  if (++*n_steps > WLY_TEMPLATE_MAX_STEPS || depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return FALSE;
  if (wly_template_value_is_number (left) && wly_template_value_is_number (right)) {
    if (left->kind == WLY_TEMPLATE_INTEGER && right->kind == WLY_TEMPLATE_INTEGER)
      return left->integer == right->integer;
    return wly_template_value_number (left) == wly_template_value_number (right);
  }
  if (left->kind != right->kind)
    return FALSE;
  switch (left->kind) {
  case WLY_TEMPLATE_TEXT:
    *n_steps += MIN (left->text->n_bytes, right->text->n_bytes) / 64;
    return wly_template_text_compare (left->text, right->text) == 0;
  case WLY_TEMPLATE_LIST:
    return equal_lists (left, right) && equal_items (left->items, right->items, depth, n_steps);
  case WLY_TEMPLATE_DICT:
    return equal_dicts (left->items, right->items, depth, n_steps);
  case WLY_TEMPLATE_NAMESPACE:
    return left->items == right->items;
  case WLY_TEMPLATE_FUNCTION:
    return left->function == right->function;
  case WLY_TEMPLATE_METHOD:
  case WLY_TEMPLATE_MACRO:
  case WLY_TEMPLATE_LOOP:
  case WLY_TEMPLATE_CYCLER:
  case WLY_TEMPLATE_JOINER:
    return left->method == right->method;
  case WLY_TEMPLATE_UNDEFINED:
  case WLY_TEMPLATE_NONE:
    return TRUE;
  default:
    return FALSE;
  }
}

static gboolean
same_key (const WlyTemplateValue *left, const WlyTemplateValue *right)
{
  guint64 n_steps = WLY_TEMPLATE_MAX_STEPS - WLY_TEMPLATE_VALUE_KEY_PARTS;

  if (left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_TEXT)
    return left->text->n_bytes == right->text->n_bytes && wly_template_text_compare (left->text, right->text) == 0;
  return wly_template_value_equal (left, right, 0, &n_steps);
}

const WlyTemplateValue *
wly_template_value_lookup (const WlyTemplateItems *dict, const WlyTemplateValue *key)
{
  for (gsize i = 0; i < dict->n_items; i += 2)
    if (same_key (&dict->items[i], key))
      return &dict->items[i + 1];
  return NULL;
}

const WlyTemplateValue *
wly_template_value_lookup_name (const WlyTemplateItems *dict, const char *key)
{
  for (gsize i = 0; i < dict->n_items; i += 2)
    if (dict->items[i].kind == WLY_TEMPLATE_TEXT && wly_template_text_is (dict->items[i].text, key))
      return &dict->items[i + 1];
  return NULL;
}

WlyTemplateItems *
wly_template_items_new (WlyTemplateArena *arena, gsize size)
{
  WlyTemplateItems *items = wly_template_arena_alloc (arena, sizeof *items);

  if (items == NULL || size > G_MAXSIZE / sizeof *items->items)
    return NULL;
  items->size  = size;
  items->items = wly_template_arena_alloc (arena, size * sizeof *items->items);
  return items->items == NULL ? NULL : items;
}

gboolean
wly_template_items_append (WlyTemplateArena *arena, WlyTemplateItems *items, WlyTemplateValue value)
{
  if (items->n_items == items->size) {
    const gsize size        = MAX (8, items->size * 2);
    WlyTemplateValue *grown = wly_template_arena_alloc (arena, size * sizeof *grown);

    if (grown == NULL)
      return FALSE;
    if (items->n_items > 0)
      memcpy (grown, items->items, items->n_items * sizeof *grown);
    items->items = grown;
    items->size  = size;
  }
  items->items[items->n_items++] = value;
  return TRUE;
}

gboolean
wly_template_items_set (WlyTemplateArena *arena, WlyTemplateItems *dict, WlyTemplateValue key, WlyTemplateValue value)
{
  for (gsize i = 0; i < dict->n_items; i += 2) {
    if (same_key (&dict->items[i], &key)) {
      dict->items[i + 1] = value;
      return TRUE;
    }
  }
  return wly_template_items_append (arena, dict, key) && wly_template_items_append (arena, dict, value);
}

/* Roles that templates put between their own signs: "<|" + role + "|>" must give the token.  Any other word an app
 * could use to spell one. */
static gboolean
is_known_role (const char *role)
{
  static const char *const roles[] = {
    "assistant",   "bot",    "critic", "developer",     "documents",    "environment",
    "function",    "gpt",    "human",  "input",         "ipython",      "model",
    "observation", "system", "tool",   "tool_response", "tool_results", "user",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (roles); i++)
    if (g_str_equal (role, roles[i]))
      return TRUE;
  return FALSE;
}

static gboolean
dict_from_variant (WlyTemplateArena *arena, GVariant *variant, gboolean trusted, guint depth, WlyTemplateItems *dict)
{
  GVariantIter iter;
  const char *key;
  GVariant *value;

  g_variant_iter_init (&iter, variant);
  while (g_variant_iter_next (&iter, "{&sv}", &key, &value)) {
    g_autoptr (GVariant) held   = value;
    const WlyTemplateText *name = wly_template_text_new (arena, key, strlen (key), trusted);
    const gboolean role         = g_str_equal (key, "role") && g_variant_is_of_type (value, G_VARIANT_TYPE_STRING)
                          && is_known_role (g_variant_get_string (value, NULL));
    WlyTemplateValue item;

    if (name == NULL || !wly_template_value_from_variant (arena, value, trusted || role, depth + 1, &item)
        || !wly_template_items_set (arena, dict, WLY_TEMPLATE_VALUE_TEXT (name), item))
      return FALSE;
  }
  return TRUE;
}

static gboolean
list_from_variant (WlyTemplateArena *arena, GVariant *variant, gboolean trusted, guint depth, WlyTemplateItems *list)
{
  const gsize n = g_variant_n_children (variant);

  for (gsize i = 0; i < n; i++) {
    g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
    WlyTemplateValue item;

    if (!wly_template_value_from_variant (arena, child, trusted, depth + 1, &item)
        || !wly_template_items_append (arena, list, item))
      return FALSE;
  }
  return TRUE;
}

static WlyTemplateValue
number_from_variant (GVariant *variant)
{
  switch (g_variant_classify (variant)) {
  case G_VARIANT_CLASS_BOOLEAN:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = g_variant_get_boolean (variant) };
  case G_VARIANT_CLASS_BYTE:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_byte (variant) };
  case G_VARIANT_CLASS_INT16:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_int16 (variant) };
  case G_VARIANT_CLASS_UINT16:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_uint16 (variant) };
  case G_VARIANT_CLASS_INT32:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_int32 (variant) };
  case G_VARIANT_CLASS_UINT32:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_uint32 (variant) };
  case G_VARIANT_CLASS_INT64:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = g_variant_get_int64 (variant) };
  case G_VARIANT_CLASS_UINT64:
    return (WlyTemplateValue){ .kind    = WLY_TEMPLATE_INTEGER,
                               .integer = (gint64)MIN (g_variant_get_uint64 (variant), G_MAXINT64) };
  case G_VARIANT_CLASS_DOUBLE:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_FLOAT, .real = g_variant_get_double (variant) };
  default:
    return (WlyTemplateValue){ .kind = WLY_TEMPLATE_NONE };
  }
}

gboolean
wly_template_value_from_variant (WlyTemplateArena *arena, GVariant *variant, gboolean trusted, guint depth,
                                 WlyTemplateValue *ret_value)
{
  gsize n_bytes;

  if (depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return FALSE;
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_VARIANT)) {
    g_autoptr (GVariant) inner = g_variant_get_variant (variant);

    return wly_template_value_from_variant (arena, inner, trusted, depth + 1, ret_value);
  }
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_STRING)) {
    const char *data = g_variant_get_string (variant, &n_bytes);

    *ret_value =
        (WlyTemplateValue){ .kind = WLY_TEMPLATE_TEXT, .text = wly_template_text_new (arena, data, n_bytes, trusted) };
    return ret_value->text != NULL;
  }
  if (g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT) || g_variant_is_of_type (variant, G_VARIANT_TYPE_ARRAY)) {
    const gboolean dict = g_variant_is_of_type (variant, G_VARIANT_TYPE_VARDICT);

    *ret_value = (WlyTemplateValue){ .kind  = dict ? WLY_TEMPLATE_DICT : WLY_TEMPLATE_LIST,
                                     .items = wly_template_items_new (arena, 8) };
    if (ret_value->items == NULL)
      return FALSE;
    return dict ? dict_from_variant (arena, variant, trusted, depth, ret_value->items)
                : list_from_variant (arena, variant, trusted, depth, ret_value->items);
  }
  *ret_value = number_from_variant (variant);
  return TRUE;
}

gsize
wly_template_value_text_length (const WlyTemplateText *text)
{
  gsize n = 0;

  for (gsize i = 0; i < text->n_bytes; i++)
    n += ((guint8)text->data[i] & 0xc0) != 0x80;
  return n;
}
