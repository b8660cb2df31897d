/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands behind "|".
 */
#include "template/template-eval.h"

#include <math.h>

#define FILTER(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

static gboolean
as_text (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, guint place, const char *name,
         const WlyTemplateText **ret_text)
{
  const WlyTemplateValue *value = wly_template_arguments_get (arguments, place, name);

  *ret_text = NULL;
  return value == NULL || wly_template_eval_text (eval, value, ret_text);
}

FILTER (run_trim)
{
  const WlyTemplateText *text, *characters;

  return wly_template_eval_text (eval, value, &text) && as_text (eval, arguments, 0, "chars", &characters)
         && wly_template_methods_strip (eval, text, characters, TRUE, TRUE, ret_value);
}

FILTER (run_length)
{
  gint64 n = 0;

  if (value->kind == WLY_TEMPLATE_TEXT)
    n = (gint64)wly_template_value_text_length (value->text);
  else if (value->kind == WLY_TEMPLATE_LIST)
    n = (gint64)value->items->n_items;
  else if (value->kind == WLY_TEMPLATE_DICT)
    n = (gint64)value->items->n_items / 2;
  else if (value->kind != WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "a %s has no length", wly_template_value_kind_name (value));
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = n };
  return value->kind != WLY_TEMPLATE_TEXT || wly_template_eval_step (eval, value->text->n_bytes / 64);
}

static gboolean
change_case (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateCase to, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text;

  return wly_template_eval_text (eval, value, &text) && wly_template_methods_case (eval, text, to, ret_value);
}

FILTER (run_upper)
{
  return change_case (eval, value, WLY_TEMPLATE_UPPER, ret_value);
}

FILTER (run_lower)
{
  return change_case (eval, value, WLY_TEMPLATE_LOWER, ret_value);
}

FILTER (run_title)
{
  return change_case (eval, value, WLY_TEMPLATE_TITLE, ret_value);
}

FILTER (run_capitalize)
{
  return change_case (eval, value, WLY_TEMPLATE_CAPITALIZE, ret_value);
}

FILTER (run_replace)
{
  const WlyTemplateText *text, *old, *new;

  if (!wly_template_eval_text (eval, value, &text) || !as_text (eval, arguments, 0, "old", &old)
      || !as_text (eval, arguments, 1, "new", &new))
    return FALSE;
  if (old == NULL || new == NULL)
    return wly_template_eval_fail (eval, "replace needs two texts");
  return wly_template_methods_replace (eval, text, old, new, ret_value);
}

FILTER (run_string)
{
  const WlyTemplateText *text;

  return wly_template_eval_text (eval, value, &text) && wly_template_eval_take (eval, text, ret_value);
}

FILTER (run_default)
{
  const WlyTemplateValue *other   = wly_template_arguments_get (arguments, 0, "default_value");
  const WlyTemplateValue *boolean = wly_template_arguments_get (arguments, 1, "boolean");
  const gboolean given = boolean != NULL && wly_template_value_truth (boolean) ? wly_template_value_truth (value)
                                                                               : value->kind != WLY_TEMPLATE_UNDEFINED;

  if (given)
    *ret_value = *value;
  else if (other != NULL)
    *ret_value = *other;
  else
    return wly_template_eval_new_text (eval, "", 0, TRUE, ret_value);
  return TRUE;
}

/* The item of an attribute, where one is named; the item itself else. */
static gboolean
attribute_of (WlyTemplateEval *eval, const WlyTemplateValue *item, const WlyTemplateText *attribute,
              WlyTemplateValue *ret_value)
{
  g_autofree char *name = NULL;

  *ret_value = *item;
  if (attribute == NULL)
    return TRUE;
  name = g_strndup (attribute->data, attribute->n_bytes);
  return wly_template_eval_attribute (eval, item, name, ret_value);
}

FILTER (run_join)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  const WlyTemplateText *separator, *attribute, *text;
  WlyTemplateItems *items;
  WlyTemplateValue item;

  if (!as_text (eval, arguments, 0, "d", &separator) || !as_text (eval, arguments, 1, "attribute", &attribute)
      || !wly_template_eval_items (eval, value, &items))
    return FALSE;
  wly_template_builder_init (&builder);
  for (gsize i = 0; i < items->n_items; i++) {
    if (i > 0 && separator != NULL)
      wly_template_builder_append_part (&builder, separator, 0, separator->n_bytes);
    if (!attribute_of (eval, &items->items[i], attribute, &item) || !wly_template_eval_text (eval, &item, &text)
        || !wly_template_eval_step (eval, 1 + text->n_bytes / 64))
      return FALSE;
    wly_template_builder_append_part (&builder, text, 0, text->n_bytes);
    if (builder.bytes->len > WLY_TEMPLATE_MAX_MEMORY)
      return wly_template_eval_full (eval);
  }
  return wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), ret_value);
}

static gboolean
item_at (WlyTemplateEval *eval, const WlyTemplateValue *value, gboolean last, WlyTemplateValue *ret_value)
{
  WlyTemplateItems *items;

  if (!wly_template_eval_items (eval, value, &items))
    return FALSE;
  *ret_value = items->n_items == 0 ? (WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED }
                                   : items->items[last ? items->n_items - 1 : 0];
  return TRUE;
}

FILTER (run_first)
{
  return item_at (eval, value, FALSE, ret_value);
}

FILTER (run_last)
{
  return item_at (eval, value, TRUE, ret_value);
}

FILTER (run_list)
{
  WlyTemplateItems *items;

  if (!wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++)
    if (!wly_template_eval_append (eval, ret_value, items->items[i]))
      return FALSE;
  return TRUE;
}

FILTER (run_items)
{
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_new_list (eval, ret_value);
  if (value->kind != WLY_TEMPLATE_DICT)
    return wly_template_eval_fail (eval, "a %s has no items", wly_template_value_kind_name (value));
  return wly_template_methods_dict_items (eval, value, ret_value);
}

FILTER (run_int)
{
  g_autofree char *text = NULL;
  gint64 number         = 0;

  if (value->kind == WLY_TEMPLATE_TEXT) {
    text = g_strndup (value->text->data, value->text->n_bytes);
    g_strstrip (text);
    if (!g_ascii_string_to_signed (text, 10, G_MININT64, G_MAXINT64, &number, NULL))
      number = 0;
  } else if (value->kind == WLY_TEMPLATE_FLOAT) {
    if (!(fabs (value->real) < 9e18))
      return wly_template_eval_fail (eval, "a number is too large");
    number = (gint64)value->real;
  } else if (wly_template_value_is_number (value)) {
    number = value->kind == WLY_TEMPLATE_BOOLEAN ? value->boolean : value->integer;
  }
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = number };
  return TRUE;
}

FILTER (run_tojson)
{
  const WlyTemplateValue *indent = wly_template_arguments_get (arguments, 0, "indent");
  gint n                         = -1;

  for (guint i = 0; i < arguments->n; i++)
    if (arguments->names[i] != NULL && strcmp (arguments->names[i], "indent") != 0
        && strcmp (arguments->names[i], "ensure_ascii") != 0)
      return wly_template_eval_fail (eval, "tojson with \"%s\" is not supported here", arguments->names[i]);
  if (indent != NULL && indent->kind == WLY_TEMPLATE_INTEGER)
    n = (gint)CLAMP (indent->integer, -1, 32);
  return wly_template_json_write (eval, value, n, ret_value);
}

/* Keeps the items that pass (or fail, with @reject) a test, of an attribute of theirs with @by_attribute. */
static gboolean
choose (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
        gboolean by_attribute, gboolean reject, WlyTemplateValue *ret_value)
{
  const guint n_skip               = by_attribute ? 2 : 1;
  WlyTemplateArguments rest        = { .n = 0 };
  const WlyTemplateText *attribute = NULL, *test;
  g_autofree char *name            = NULL;
  WlyTemplateItems *items;

  if ((by_attribute && !as_text (eval, arguments, 0, NULL, &attribute))
      || !as_text (eval, arguments, n_skip - 1, NULL, &test) || !wly_template_eval_items (eval, value, &items)
      || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (guint i = n_skip; i < arguments->n; i++)
    rest.values[rest.n++] = arguments->values[i];
  name = test == NULL ? NULL : g_strndup (test->data, test->n_bytes);
  for (gsize i = 0; i < items->n_items; i++) {
    WlyTemplateValue item;
    gboolean result;

    if (!attribute_of (eval, &items->items[i], attribute, &item))
      return FALSE;
    result = wly_template_value_truth (&item);
    if (name != NULL && !wly_template_tests_run (eval, name, &item, &rest, &result))
      return FALSE;
    if (result != reject && !wly_template_eval_append (eval, ret_value, items->items[i]))
      return FALSE;
  }
  return TRUE;
}

FILTER (run_select)
{
  return choose (eval, value, arguments, FALSE, FALSE, ret_value);
}

FILTER (run_reject)
{
  return choose (eval, value, arguments, FALSE, TRUE, ret_value);
}

FILTER (run_selectattr)
{
  return choose (eval, value, arguments, TRUE, FALSE, ret_value);
}

FILTER (run_rejectattr)
{
  return choose (eval, value, arguments, TRUE, TRUE, ret_value);
}

FILTER (run_map)
{
  const WlyTemplateText *attribute, *filter;
  WlyTemplateArguments rest = { .n = 0 };
  g_autofree char *name     = NULL;
  WlyTemplateItems *items;

  if (!as_text (eval, arguments, G_MAXUINT, "attribute", &attribute) || !as_text (eval, arguments, 0, NULL, &filter)
      || !wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  if (attribute == NULL && filter == NULL)
    return wly_template_eval_fail (eval, "map needs the name of a filter or of an attribute");
  for (guint i = 1; i < arguments->n; i++)
    rest.values[rest.n++] = arguments->values[i];
  name = filter == NULL ? NULL : g_strndup (filter->data, filter->n_bytes);
  for (gsize i = 0; i < items->n_items; i++) {
    WlyTemplateValue item;

    if (name != NULL && strcmp (name, "map") == 0)
      return wly_template_eval_fail (eval, "map of map is not supported here");
    if (attribute != NULL ? !attribute_of (eval, &items->items[i], attribute, &item)
                          : !wly_template_filters_run (eval, name, &items->items[i], &rest, &item))
      return FALSE;
    if (!wly_template_eval_append (eval, ret_value, item))
      return FALSE;
  }
  return TRUE;
}

/* Marks HTML as it is; nothing is escaped here. */
FILTER (run_safe)
{
  *ret_value = *value;
  return TRUE;
}

static const struct {
  const char *name;
  gboolean (*run) (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
                   WlyTemplateValue *ret_value);
} filters[] = {
  { "capitalize", run_capitalize },
  { "count", run_length },
  { "d", run_default },
  { "default", run_default },
  { "first", run_first },
  { "int", run_int },
  { "items", run_items },
  { "join", run_join },
  { "last", run_last },
  { "length", run_length },
  { "list", run_list },
  { "lower", run_lower },
  { "map", run_map },
  { "reject", run_reject },
  { "rejectattr", run_rejectattr },
  { "replace", run_replace },
  { "safe", run_safe },
  { "select", run_select },
  { "selectattr", run_selectattr },
  { "string", run_string },
  { "title", run_title },
  { "tojson", run_tojson },
  { "trim", run_trim },
  { "upper", run_upper },
};

gboolean
wly_template_filters_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                          const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (filters); i++)
    if (strcmp (filters[i].name, name) == 0)
      return filters[i].run (eval, value, arguments, ret_value);
  return wly_template_eval_fail (eval, "the filter \"%s\" is not supported here", name);
}
