/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What all parts of a run share: errors, steps, scopes, new values, attributes, arguments.
 */
#include "template/template-eval.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <stdarg.h>
#include <string.h>

gboolean
wly_template_eval_fail (WlyTemplateEval *eval, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  if (eval->error == NULL || *eval->error == NULL)
    g_set_error (eval->error, WLY_ERROR, WLY_ERROR_TEMPLATE_FAILED, "chat template, line %u: %s", eval->line, text);
  return FALSE;
}

gboolean
wly_template_eval_full (WlyTemplateEval *eval)
{
  return wly_template_eval_fail (eval, "the values need more than %u bytes", WLY_TEMPLATE_MAX_MEMORY);
}

gboolean
wly_template_eval_step (WlyTemplateEval *eval, guint64 n_steps)
{
  eval->n_steps += n_steps;
  if (eval->n_steps > WLY_TEMPLATE_MAX_STEPS)
    return wly_template_eval_fail (eval, "more than %u steps were needed", WLY_TEMPLATE_MAX_STEPS);
  return TRUE;
}

gboolean
wly_template_eval_nest (WlyTemplateEval *eval)
{
  if (eval->n_nested == WLY_TEMPLATE_MAX_NESTED)
    return wly_template_eval_fail (eval, "more than %u expressions and blocks run in each other",
                                   WLY_TEMPLATE_MAX_NESTED);
  eval->n_nested++;
  return TRUE;
}

const WlyTemplateRow *
wly_template_eval_row (const WlyTemplateRow *rows, gsize n_rows, const char *name)
{
  for (gsize i = 0; i < n_rows; i++)
    if (strcmp (rows[i].name, name) == 0)
      return &rows[i];
  return NULL;
}

/* ---- new values ---- */

gboolean
wly_template_eval_take (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value)
{
  if (text == NULL)
    return wly_template_eval_full (eval);
  *ret_value = WLY_TEMPLATE_VALUE_TEXT (text);
  return wly_template_eval_step (eval, text->n_bytes / 64);
}

gboolean
wly_template_eval_part (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gsize end,
                        WlyTemplateValue *ret_value)
{
  return wly_template_eval_take (eval, wly_template_text_part (eval->arena, text, start, end), ret_value);
}

gboolean
wly_template_eval_finish (WlyTemplateEval *eval, WlyTemplateBuilder *builder, WlyTemplateValue *ret_value)
{
  return wly_template_eval_take (eval, wly_template_builder_finish (builder, eval->arena), ret_value);
}

gboolean
wly_template_eval_new_text (WlyTemplateEval *eval, const char *data, gsize n_bytes, gboolean trusted,
                            WlyTemplateValue *ret_value)
{
  return wly_template_eval_take (eval, wly_template_text_new (eval->arena, data, n_bytes, trusted), ret_value);
}

gboolean
wly_template_eval_new_list (WlyTemplateEval *eval, WlyTemplateValue *ret_value)
{
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_LIST, .items = wly_template_items_new (eval->arena, 0) };
  return ret_value->items != NULL || wly_template_eval_full (eval);
}

gboolean
wly_template_eval_append (WlyTemplateEval *eval, WlyTemplateValue *list, WlyTemplateValue item)
{
  return wly_template_eval_step (eval, 1)
         && (wly_template_items_append (eval->arena, list->items, item) || wly_template_eval_full (eval));
}

gboolean
wly_template_eval_put (WlyTemplateEval *eval, WlyTemplateValue *dict, WlyTemplateValue key, WlyTemplateValue value)
{
  if (!wly_template_value_is_key (&key))
    return wly_template_eval_fail (eval, "a %s cannot be the key of a dictionary", wly_template_value_kind_name (&key));
  return wly_template_eval_step (eval, 1 + dict->items->n_items / 8)
         && (wly_template_items_set (eval->arena, dict->items, key, value) || wly_template_eval_full (eval));
}

gboolean
wly_template_eval_new_pair (WlyTemplateEval *eval, WlyTemplateValue first, WlyTemplateValue second,
                            WlyTemplateValue *ret_value)
{
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_TUPLE;
  return wly_template_eval_append (eval, ret_value, first) && wly_template_eval_append (eval, ret_value, second);
}

/* ---- scopes ---- */

static WlyTemplateVariable *
find_variable (WlyTemplateScope *scope, const char *name)
{
  for (guint i = 0; i < scope->n_variables; i++)
    if (scope->variables[i].name == name || (scope->parent == NULL && strcmp (scope->variables[i].name, name) == 0))
      return &scope->variables[i];
  return NULL;
}

WlyTemplateValue
wly_template_eval_get (WlyTemplateEval *eval, const char *name)
{
  for (WlyTemplateScope *scope = eval->scope; scope != NULL; scope = scope->parent) {
    const WlyTemplateVariable *variable = find_variable (scope, name);

    eval->n_steps += scope->n_variables / 16;
    if (variable != NULL)
      return variable->value;
  }
  return WLY_TEMPLATE_VALUE_UNDEFINED;
}

gboolean
wly_template_eval_set (WlyTemplateEval *eval, const char *name, WlyTemplateValue value)
{
  WlyTemplateScope *scope       = eval->scope;
  WlyTemplateVariable *variable = find_variable (scope, name);

  if (variable != NULL) {
    variable->value = value;
    return wly_template_eval_step (eval, 1 + scope->n_variables / 16);
  }
  if (scope->n_variables == scope->size) {
    const guint size           = MAX (4, scope->size * 2);
    WlyTemplateVariable *grown = wly_template_arena_alloc (eval->arena, size * sizeof *grown);

    if (grown == NULL)
      return wly_template_eval_full (eval);
    if (scope->n_variables > 0)
      memcpy (grown, scope->variables, scope->n_variables * sizeof *grown);
    scope->variables = grown;
    scope->size      = size;
  }
  scope->variables[scope->n_variables++] = (WlyTemplateVariable){ name, value };
  return wly_template_eval_step (eval, 1 + scope->n_variables / 16);
}

gboolean
wly_template_eval_enter (WlyTemplateEval *eval, WlyTemplateScope *parent)
{
  WlyTemplateScope *scope = wly_template_arena_alloc (eval->arena, sizeof *scope);

  if (scope == NULL)
    return wly_template_eval_full (eval);
  scope->parent = parent;
  eval->scope   = scope;
  return TRUE;
}

/* ---- attributes and items ---- */

/* Methods that change a list or a dictionary are hidden, as the sandbox of Jinja2 hides them. */
static gboolean
is_hidden (const WlyTemplateValue *value, const char *name)
{
  static const char *const of_lists[] = { "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove" };
  static const char *const of_dicts[] = { "clear", "pop", "popitem", "setdefault", "update" };

  if (value->kind == WLY_TEMPLATE_LIST && value->flavour == 0) {
    for (gsize i = 0; i < G_N_ELEMENTS (of_lists); i++)
      if (strcmp (of_lists[i], name) == 0)
        return TRUE;
  } else if (value->kind == WLY_TEMPLATE_DICT) {
    for (gsize i = 0; i < G_N_ELEMENTS (of_dicts); i++)
      if (strcmp (of_dicts[i], name) == 0)
        return TRUE;
  }
  return FALSE;
}

static gboolean
lookup (WlyTemplateEval *eval, const WlyTemplateItems *dict, const char *name, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *found = wly_template_value_lookup_name (dict, name);

  if (found != NULL)
    *ret_value = *found;
  return wly_template_eval_step (eval, dict->n_items / 16);
}

gboolean
wly_template_eval_own_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                                 WlyTemplateValue *ret_value)
{
  WlyTemplateMethod *method;
  const char *stays;

  *ret_value = WLY_TEMPLATE_VALUE_UNDEFINED;
  if (name[0] == '_')
    return TRUE;
  if (value->kind == WLY_TEMPLATE_NAMESPACE)
    return lookup (eval, value->items, name, ret_value);
  if (value->kind == WLY_TEMPLATE_LIST && value->flavour == WLY_TEMPLATE_GROUP
      && (strcmp (name, "grouper") == 0 || strcmp (name, "list") == 0)) {
    *ret_value = value->items->items[name[0] == 'l'];
    return TRUE;
  }
  if (value->kind == WLY_TEMPLATE_MACRO && strcmp (name, "name") == 0 && value->macro->node->text != NULL)
    return wly_template_eval_new_text (eval, value->macro->node->text, strlen (value->macro->node->text), TRUE,
                                       ret_value);
  if (value->kind == WLY_TEMPLATE_CYCLER && strcmp (name, "current") == 0) {
    *ret_value = value->counter->items->items[value->counter->n_used % value->counter->items->n_items];
    return TRUE;
  }
  if (wly_template_methods_find (value, name, &stays) == NULL)
    return value->kind != WLY_TEMPLATE_LOOP || wly_template_loop_attribute (eval, value->loop, name, ret_value);
  method = wly_template_arena_alloc (eval->arena, sizeof *method);
  if (method == NULL)
    return wly_template_eval_full (eval);
  *method    = (WlyTemplateMethod){ *value, stays };
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_METHOD, .method = method };
  return TRUE;
}

gboolean
wly_template_eval_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                             WlyTemplateValue *ret_value)
{
  *ret_value = WLY_TEMPLATE_VALUE_UNDEFINED;
  if (value->kind == WLY_TEMPLATE_UNDEFINED && g_str_has_prefix (name, "__"))
    return TRUE;
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "\"%s\" is asked of a value that is undefined", name);
  if (!wly_template_eval_own_attribute (eval, value, name, ret_value))
    return FALSE;
  if (value->kind != WLY_TEMPLATE_DICT || ret_value->kind != WLY_TEMPLATE_UNDEFINED || is_hidden (value, name))
    return TRUE;
  return lookup (eval, value->items, name, ret_value);
}

static gboolean
text_item (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 index, WlyTemplateValue *ret_value)
{
  const gint64 n     = (gint64)wly_template_value_text_length (text);
  const gint64 place = index < 0 ? index + n : index;
  gsize start, end;

  if (place < 0 || place >= n)
    return TRUE;
  start = wly_template_operators_place (text, (gsize)place);
  end   = start + wly_unicode_n_bytes ((guint8)text->data[start]);
  return wly_template_eval_step (eval, text->n_bytes / 32)
         && wly_template_eval_part (eval, text, start, end, ret_value);
}

gboolean
wly_template_eval_item (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateValue *index,
                        WlyTemplateValue *ret_value)
{
  g_autofree char *name = NULL;
  gint64 place;

  *ret_value = WLY_TEMPLATE_VALUE_UNDEFINED;
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "an item is asked of a value that is undefined");
  if (value->kind == WLY_TEMPLATE_DICT) {
    const WlyTemplateValue *found =
        wly_template_value_is_key (index) ? wly_template_value_lookup (value->items, index) : NULL;

    if (found != NULL)
      *ret_value = *found;
    if (!wly_template_eval_step (eval, value->items->n_items / 16))
      return FALSE;
    if (found != NULL)
      return TRUE;
  }
  if (index->kind == WLY_TEMPLATE_TEXT) {
    name = g_strndup (index->text->data, index->text->n_bytes);
    if (is_hidden (value, name))
      return TRUE;
    return wly_template_eval_own_attribute (eval, value, name, ret_value);
  }
  if (!wly_template_value_integer (index, &place))
    return TRUE;
  if (value->kind == WLY_TEMPLATE_TEXT)
    return text_item (eval, value->text, place, ret_value);
  if (wly_template_value_is_sequence (value)) {
    place += place < 0 ? (gint64)value->items->n_items : 0;
    if (place >= 0 && place < (gint64)value->items->n_items)
      *ret_value = value->items->items[place];
  }
  return TRUE;
}

static gboolean
characters (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *list)
{
  gsize n;

  for (gsize i = 0; i < text->n_bytes; i += n) {
    const gsize end = i + (n = wly_unicode_n_bytes ((guint8)text->data[i]));
    WlyTemplateValue item;

    if (!wly_template_eval_part (eval, text, i, end, &item) || !wly_template_eval_append (eval, list, item))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_template_eval_items (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateItems **ret_items)
{
  WlyTemplateValue list;

  if (value->kind == WLY_TEMPLATE_LIST && value->flavour != WLY_TEMPLATE_GENERATOR) {
    *ret_items = value->items;
    return TRUE;
  }
  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  *ret_items = list.items;
  switch (value->kind) {
  case WLY_TEMPLATE_UNDEFINED:
    return TRUE;
  case WLY_TEMPLATE_LIST: /* can be gone through once */
    **ret_items           = *value->items;
    value->items->n_items = 0;
    return TRUE;
  case WLY_TEMPLATE_TEXT:
    return characters (eval, value->text, &list);
  case WLY_TEMPLATE_DICT:
    for (gsize i = 0; i < value->items->n_items; i += 2)
      if (!wly_template_eval_append (eval, &list, value->items->items[i]))
        return FALSE;
    return TRUE;
  default:
    return wly_template_eval_fail (eval, "a %s has no items to go through", wly_template_value_kind_name (value));
  }
}

/* ---- arguments ---- */

gboolean
wly_template_eval_append_argument (WlyTemplateEval *eval, WlyTemplateArguments *arguments, const char *name,
                                   WlyTemplateValue value)
{
  if (arguments->n == WLY_TEMPLATE_MAX_ARGUMENTS)
    return wly_template_eval_fail (eval, "a call has more than %d arguments", WLY_TEMPLATE_MAX_ARGUMENTS);
  for (guint i = 0; i < arguments->n && name != NULL; i++)
    if (arguments->names[i] != NULL && strcmp (arguments->names[i], name) == 0)
      return wly_template_eval_fail (eval, "the argument \"%s\" is given twice", name);
  arguments->names[arguments->n]    = name;
  arguments->values[arguments->n++] = value;
  return TRUE;
}

/* *values, which go before the keywords, or **values. */
static gboolean
spread (WlyTemplateEval *eval, gboolean by_name, const WlyTemplateValue *value, WlyTemplateArguments *arguments)
{
  WlyTemplateItems *items;

  if (by_name && value->kind != WLY_TEMPLATE_DICT)
    return wly_template_eval_fail (eval, "what stands behind ** is no dictionary");
  if (by_name) {
    for (gsize i = 0; i < value->items->n_items; i += 2) {
      const WlyTemplateValue *key = &value->items->items[i];
      char *name;

      if (key->kind != WLY_TEMPLATE_TEXT)
        return wly_template_eval_fail (eval, "the name of an argument is no text");
      name = wly_template_arena_alloc (eval->arena, key->text->n_bytes + 1);
      if (name == NULL)
        return wly_template_eval_full (eval);
      if (key->text->n_bytes > 0)
        memcpy (name, key->text->data, key->text->n_bytes);
      if (!wly_template_eval_append_argument (eval, arguments, name, value->items->items[i + 1]))
        return FALSE;
    }
    return TRUE;
  }
  if (!wly_template_eval_items (eval, value, &items))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++)
    if (!wly_template_eval_append_argument (eval, arguments, NULL, items->items[i]))
      return FALSE;
  return TRUE;
}

/* Those by place first: *values may stand behind keywords. */
static void
sort_arguments (WlyTemplateArguments *arguments)
{
  WlyTemplateArguments sorted = { .n = 0 };

  for (guint by_name = 0; by_name < 2; by_name++) {
    for (guint i = 0; i < arguments->n; i++) {
      if ((arguments->names[i] != NULL) == by_name) {
        sorted.names[sorted.n]    = arguments->names[i];
        sorted.values[sorted.n++] = arguments->values[i];
      }
    }
  }
  *arguments = sorted;
}

gboolean
wly_template_eval_arguments (WlyTemplateEval *eval, guint32 first, WlyTemplateArguments *ret_arguments)
{
  gboolean spreads = FALSE;

  ret_arguments->n = 0;
  for (guint32 i = first; i != 0; i = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *node = wly_template_ast_node (eval->ast, i);
    WlyTemplateValue value;

    spreads |= node->sign != 0;
    if (!wly_template_eval_expression (eval, node->a, &value)
        || !(node->sign != 0 ? spread (eval, node->sign == 2, &value, ret_arguments)
                             : wly_template_eval_append_argument (eval, ret_arguments, node->text, value)))
      return FALSE;
  }
  if (spreads)
    sort_arguments (ret_arguments);
  return TRUE;
}
