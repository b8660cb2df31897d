/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of all kinds of values.
 */
#include "template/template-eval.h"

#include <string.h>

#define METHOD(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

/* ---- dictionaries ---- */

/* A view: @first and every second of key, value, key, value …, or pairs of both. */
static gboolean
view (WlyTemplateEval *eval, const WlyTemplateValue *dict, guint32 flavour, const WlyTemplateArguments *arguments,
      WlyTemplateValue *ret_value)
{
  const WlyTemplateItems *items = dict->items;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i += 2) {
    WlyTemplateValue item = items->items[i + (flavour == WLY_TEMPLATE_VALUES)];

    if (flavour == WLY_TEMPLATE_PAIRS && !wly_template_eval_new_pair (eval, item, items->items[i + 1], &item))
      return FALSE;
    if (!wly_template_eval_append (eval, ret_value, item))
      return FALSE;
  }
  ret_value->flavour = flavour;
  return TRUE;
}

METHOD (run_items)
{
  return view (eval, value, WLY_TEMPLATE_PAIRS, arguments, ret_value);
}

METHOD (run_keys)
{
  return view (eval, value, WLY_TEMPLATE_KEYS, arguments, ret_value);
}

METHOD (run_values)
{
  return view (eval, value, WLY_TEMPLATE_VALUES, arguments, ret_value);
}

METHOD (run_get)
{
  const WlyTemplateValue *given[2], *found;

  if (!wly_template_arguments_bind (eval, arguments, "key/default", given))
    return FALSE;
  if (!wly_template_value_is_key (given[0]))
    return wly_template_eval_fail (eval, "a %s cannot be the key of a dictionary",
                                   wly_template_value_kind_name (given[0]));
  found      = wly_template_value_lookup (value->items, given[0]);
  *ret_value = found != NULL ? *found : given[1] != NULL ? *given[1] : WLY_TEMPLATE_VALUE_NONE;
  return wly_template_eval_step (eval, value->items->n_items / 16);
}

METHOD (run_copy)
{
  if (!wly_template_arguments_bind (eval, arguments, "", NULL) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < value->items->n_items; i++)
    if (!wly_template_eval_append (eval, ret_value, value->items->items[i]))
      return FALSE;
  ret_value->kind = value->kind;
  return TRUE;
}

/* ---- lists ---- */

METHOD (run_index)
{
  const WlyTemplateValue *given;
  guint64 n_steps = 0;

  if (!wly_template_arguments_bind (eval, arguments, "value/", &given))
    return FALSE;
  for (gsize i = 0; i < value->items->n_items; i++) {
    if (wly_template_value_equal (&value->items->items[i], given, 0, &n_steps)) {
      *ret_value = WLY_TEMPLATE_VALUE_INTEGER ((gint64)i);
      return wly_template_eval_step (eval, n_steps);
    }
  }
  return wly_template_eval_fail (eval, "a value is not in a list");
}

METHOD (run_count)
{
  const WlyTemplateValue *given;
  guint64 n_steps = 0;
  gint64 n        = 0;

  if (!wly_template_arguments_bind (eval, arguments, "value/", &given))
    return FALSE;
  for (gsize i = 0; i < value->items->n_items; i++)
    n += wly_template_value_equal (&value->items->items[i], given, 0, &n_steps);
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER (n);
  return wly_template_eval_step (eval, n_steps);
}

/* ---- all of them ---- */

static WlyTemplateFunction
find_text (const char *name, const char **ret_name)
{
  const WlyTemplateRow *row = wly_template_methods_text_find (name);

  row = row != NULL ? row : wly_template_methods_part_find (name);
  row = row != NULL ? row : wly_template_methods_ask_find (name);
  if (row == NULL)
    return NULL;
  *ret_name = row->name;
  return row->run;
}

static WlyTemplateFunction
find (const WlyTemplateValue *value, const char *name, const char **ret_name)
{
  static const struct {
    const char *name;
    WlyTemplateKind kind;
    WlyTemplateFunction run;
  } methods[] = {
    { "items", WLY_TEMPLATE_DICT, run_items },   { "keys", WLY_TEMPLATE_DICT, run_keys },
    { "values", WLY_TEMPLATE_DICT, run_values }, { "get", WLY_TEMPLATE_DICT, run_get },
    { "copy", WLY_TEMPLATE_DICT, run_copy },     { "copy", WLY_TEMPLATE_LIST, run_copy },
    { "index", WLY_TEMPLATE_LIST, run_index },   { "count", WLY_TEMPLATE_LIST, run_count },
    { "cycle", WLY_TEMPLATE_LOOP, NULL },        { "changed", WLY_TEMPLATE_LOOP, NULL },
    { "next", WLY_TEMPLATE_CYCLER, NULL },       { "reset", WLY_TEMPLATE_CYCLER, NULL },
  };

  if (value->kind == WLY_TEMPLATE_TEXT)
    return find_text (name, ret_name);
  if (value->kind == WLY_TEMPLATE_LIST && !wly_template_value_is_sequence (value))
    return NULL;
  if (value->kind == WLY_TEMPLATE_LIST && value->flavour != 0 && strcmp (name, "copy") == 0)
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++) {
    if (methods[i].kind == value->kind && strcmp (methods[i].name, name) == 0) {
      *ret_name = methods[i].name;
      return methods[i].run != NULL ? methods[i].run : wly_template_loop_method (value->kind, name);
    }
  }
  return NULL;
}

WlyTemplateFunction
wly_template_methods_find (const WlyTemplateValue *value, const char *name, const char **ret_name)
{
  const char *stays = NULL;

  return find (value, name, ret_name != NULL ? ret_name : &stays);
}

/* Whether what the method makes of a markup is one, too. */
static void
mark (const WlyTemplateValue *receiver, WlyTemplateValue *value)
{
  if (receiver->kind != WLY_TEMPLATE_TEXT || receiver->flavour != WLY_TEMPLATE_MARKUP)
    return;
  if (value->kind == WLY_TEMPLATE_TEXT)
    value->flavour = WLY_TEMPLATE_MARKUP;
  for (gsize i = 0; value->kind == WLY_TEMPLATE_LIST && i < value->items->n_items; i++)
    value->items->items[i].flavour = WLY_TEMPLATE_MARKUP;
}

gboolean
wly_template_methods_run (WlyTemplateEval *eval, const WlyTemplateMethod *method, const WlyTemplateArguments *arguments,
                          WlyTemplateValue *ret_value)
{
  const WlyTemplateFunction run = wly_template_methods_find (&method->receiver, method->name, NULL);

  if (run == NULL)
    return wly_template_eval_fail (eval, "the method \"%s\" is not supported here", method->name);
  if (!run (eval, &method->receiver, arguments, ret_value))
    return FALSE;
  mark (&method->receiver, ret_value);
  return TRUE;
}
