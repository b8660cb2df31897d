/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Expressions.
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

/* ---- values ---- */

gboolean
wly_template_eval_take (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value)
{
  if (text == NULL)
    return wly_template_eval_full (eval);
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_TEXT, .text = text };
  return wly_template_eval_step (eval, text->n_bytes / 64);
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

WlyTemplateValue
wly_template_eval_get (WlyTemplateEval *eval, const char *name)
{
  eval->n_steps += eval->variables->len / 16;
  for (guint i = eval->variables->len; i > 0; i--) {
    const WlyTemplateVariable *variable = &g_array_index (eval->variables, WlyTemplateVariable, i - 1);

    if (strcmp (variable->name, name) == 0)
      return variable->value;
  }
  return (WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED };
}

void
wly_template_eval_set (WlyTemplateEval *eval, const char *name, WlyTemplateValue value)
{
  const WlyTemplateVariable fresh = { name, value };

  for (guint i = eval->variables->len; i > eval->scope; i--) {
    WlyTemplateVariable *variable = &g_array_index (eval->variables, WlyTemplateVariable, i - 1);

    if (strcmp (variable->name, name) == 0) {
      variable->value = value;
      return;
    }
  }
  g_array_append_val (eval->variables, fresh);
}

static gboolean
text_of_real (WlyTemplateEval *eval, double real, const WlyTemplateText **ret_text)
{
  char text[G_ASCII_DTOSTR_BUF_SIZE + 2];
  WlyTemplateValue value;

  for (int precision = 1; precision <= 17; precision++) {
    char format[8];

    g_snprintf (format, sizeof format, "%%.%dg", precision);
    g_ascii_formatd (text, sizeof text - 2, format, real);
    if (g_ascii_strtod (text, NULL) == real)
      break;
  }
  if (strpbrk (text, ".eni") == NULL)
    g_strlcat (text, ".0", sizeof text);
  if (!wly_template_eval_new_text (eval, text, strlen (text), TRUE, &value))
    return FALSE;
  *ret_text = value.text;
  return TRUE;
}

gboolean
wly_template_eval_text (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateText **ret_text)
{
  WlyTemplateValue result;
  char number[32];

  switch (value->kind) {
  case WLY_TEMPLATE_TEXT:
    *ret_text = value->text;
    return TRUE;
  case WLY_TEMPLATE_UNDEFINED:
    g_strlcpy (number, "", sizeof number);
    break;
  case WLY_TEMPLATE_NONE:
    g_strlcpy (number, "None", sizeof number);
    break;
  case WLY_TEMPLATE_BOOLEAN:
    g_strlcpy (number, value->boolean ? "True" : "False", sizeof number);
    break;
  case WLY_TEMPLATE_INTEGER:
    g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, value->integer);
    break;
  case WLY_TEMPLATE_FLOAT:
    return text_of_real (eval, value->real, ret_text);
  default:
    return wly_template_eval_fail (eval, "a %s cannot be written as text here", wly_template_value_kind_name (value));
  }
  if (!wly_template_eval_new_text (eval, number, strlen (number), TRUE, &result))
    return FALSE;
  *ret_text = result.text;
  return TRUE;
}

gboolean
wly_template_eval_attribute (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name,
                             WlyTemplateValue *ret_value)
{
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED };
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "\"%s\" is asked of a value that is undefined", name);
  if (value->kind == WLY_TEMPLATE_DICT || value->kind == WLY_TEMPLATE_NAMESPACE) {
    const WlyTemplateValue *found = wly_template_value_lookup_name (value->items, name);

    if (found != NULL)
      *ret_value = *found;
    if (!wly_template_eval_step (eval, value->items->n_items / 16))
      return FALSE;
  }
  return TRUE;
}

/* The same behind a dot, where methods go first. */
static gboolean
dotted (WlyTemplateEval *eval, const WlyTemplateValue *value, const char *name, WlyTemplateValue *ret_value)
{
  WlyTemplateMethod *method;

  if (!wly_template_methods_known (value, name))
    return wly_template_eval_attribute (eval, value, name, ret_value);
  method = wly_template_arena_alloc (eval->arena, sizeof *method);
  if (method == NULL)
    return wly_template_eval_full (eval);
  *method    = (WlyTemplateMethod){ *value, name };
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_METHOD, .method = method };
  return TRUE;
}

static gboolean
characters (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *list)
{
  gsize n;

  for (gsize i = 0; i < text->n_bytes; i += n) {
    const gsize end = i + (n = wly_unicode_n_bytes ((guint8)text->data[i]));
    WlyTemplateValue item;

    if (!wly_template_eval_take (eval, wly_template_text_part (eval->arena, text, i, end), &item)
        || !wly_template_eval_append (eval, list, item))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_template_eval_items (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateItems **ret_items)
{
  WlyTemplateValue list;

  if (value->kind == WLY_TEMPLATE_LIST) {
    *ret_items = value->items;
    return TRUE;
  }
  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  *ret_items = list.items;
  switch (value->kind) {
  case WLY_TEMPLATE_UNDEFINED:
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

const WlyTemplateValue *
wly_template_arguments_get (const WlyTemplateArguments *arguments, guint place, const char *name)
{
  guint n_placed = 0;

  for (guint i = 0; i < arguments->n; i++) {
    if (arguments->names[i] == NULL && n_placed++ == place)
      return &arguments->values[i];
    if (arguments->names[i] != NULL && name != NULL && strcmp (arguments->names[i], name) == 0)
      return &arguments->values[i];
  }
  return NULL;
}

gboolean
wly_template_eval_arguments (WlyTemplateEval *eval, guint32 first, WlyTemplateArguments *ret_arguments)
{
  ret_arguments->n = 0;
  for (guint32 i = first; i != 0; i = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *node = wly_template_ast_node (eval->ast, i);

    if (ret_arguments->n == WLY_TEMPLATE_MAX_ARGUMENTS)
      return wly_template_eval_fail (eval, "a call has more than %d arguments", WLY_TEMPLATE_MAX_ARGUMENTS);
    ret_arguments->names[ret_arguments->n] = node->text;
    if (!wly_template_eval_expression (eval, node->a, &ret_arguments->values[ret_arguments->n++]))
      return FALSE;
  }
  return TRUE;
}

/* ---- expressions that do not begin with another ---- */

static gboolean
eval_list (WlyTemplateEval *eval, guint32 first, WlyTemplateValue *ret_value)
{
  WlyTemplateValue item;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (guint32 i = first; i != 0; i = wly_template_ast_node (eval->ast, i)->next)
    if (!wly_template_eval_expression (eval, i, &item) || !wly_template_eval_append (eval, ret_value, item))
      return FALSE;
  return TRUE;
}

static gboolean
eval_dict (WlyTemplateEval *eval, guint32 first, WlyTemplateValue *ret_value)
{
  WlyTemplateValue key, item;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->kind = WLY_TEMPLATE_DICT;
  for (guint32 i = first; i != 0; i = wly_template_ast_node (eval->ast, i)->next) {
    if (!wly_template_eval_expression (eval, i, &key))
      return FALSE;
    if (key.kind != WLY_TEMPLATE_TEXT)
      return wly_template_eval_fail (eval, "the key of a dictionary is no text");
    i = wly_template_ast_node (eval->ast, i)->next;
    if (!wly_template_eval_expression (eval, i, &item) || !wly_template_eval_step (eval, ret_value->items->n_items / 8))
      return FALSE;
    if (!wly_template_items_set (eval->arena, ret_value->items, key.text, item))
      return wly_template_eval_full (eval);
  }
  return TRUE;
}

static gboolean
eval_name (WlyTemplateEval *eval, const char *name, WlyTemplateValue *ret_value)
{
  *ret_value = wly_template_eval_get (eval, name);
  if (ret_value->kind == WLY_TEMPLATE_UNDEFINED) {
    const char *function = wly_template_functions_find (name);

    if (function != NULL)
      *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_FUNCTION, .function = function };
  }
  return TRUE;
}

static gboolean
eval_choice (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  WlyTemplateValue condition;

  if (!wly_template_eval_expression (eval, node->b, &condition))
    return FALSE;
  if (wly_template_value_truth (&condition))
    return wly_template_eval_expression (eval, node->a, ret_value);
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED };
  return node->c == 0 || wly_template_eval_expression (eval, node->c, ret_value);
}

static gboolean
eval_prefix (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue zero = { .kind = WLY_TEMPLATE_INTEGER, .integer = 0 };
  WlyTemplateValue operand;

  if (!wly_template_eval_expression (eval, node->a, &operand))
    return FALSE;
  if (node->kind == WLY_TEMPLATE_NODE_NOT) {
    *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = !wly_template_value_truth (&operand) };
    return TRUE;
  }
  return wly_template_operators_binary (eval, WLY_TEMPLATE_OPERATOR ('-', 0), &zero, &operand, ret_value);
}

static gboolean
eval_atom (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_TEXT:
    return wly_template_eval_new_text (eval, node->text, node->n_bytes, TRUE, ret_value);
  case WLY_TEMPLATE_NODE_INTEGER:
    *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = node->integer };
    return TRUE;
  case WLY_TEMPLATE_NODE_FLOAT:
    *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_FLOAT, .real = node->real };
    return TRUE;
  case WLY_TEMPLATE_NODE_BOOLEAN:
    *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = node->integer != 0 };
    return TRUE;
  case WLY_TEMPLATE_NODE_NONE:
    *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_NONE };
    return TRUE;
  case WLY_TEMPLATE_NODE_NAME:
    return eval_name (eval, node->text, ret_value);
  case WLY_TEMPLATE_NODE_LIST:
    return eval_list (eval, node->a, ret_value);
  case WLY_TEMPLATE_NODE_DICT:
    return eval_dict (eval, node->a, ret_value);
  case WLY_TEMPLATE_NODE_CHOICE:
    return eval_choice (eval, node, ret_value);
  case WLY_TEMPLATE_NODE_NOT:
  case WLY_TEMPLATE_NODE_NEGATIVE:
    return eval_prefix (eval, node, ret_value);
  default:
    return wly_template_eval_fail (eval, "an expression is missing");
  }
}

/* ---- expressions that begin with another ---- */

static gboolean
call (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *callee, WlyTemplateValue *ret_value)
{
  WlyTemplateArguments arguments;

  if (!wly_template_eval_arguments (eval, node->b, &arguments))
    return FALSE;
  if (callee->kind == WLY_TEMPLATE_METHOD)
    return wly_template_methods_run (eval, callee->method, &arguments, ret_value);
  if (callee->kind == WLY_TEMPLATE_FUNCTION)
    return wly_template_functions_run (eval, callee->function, &arguments, ret_value);
  return wly_template_eval_fail (eval, "what is called is no function; it is %s",
                                 wly_template_value_kind_name (callee));
}

static gboolean
slice (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *value, WlyTemplateValue *ret_value)
{
  const guint32 nodes[3]           = { node->b, node->c, node->d };
  const WlyTemplateValue *parts[3] = { NULL };
  WlyTemplateValue values[3];

  for (guint i = 0; i < 3; i++) {
    if (nodes[i] == 0)
      continue;
    if (!wly_template_eval_expression (eval, nodes[i], &values[i]))
      return FALSE;
    parts[i] = &values[i];
  }
  return wly_template_operators_slice (eval, value, parts, ret_value);
}

/* Filters and tests, whose arguments stand in brackets. */
static gboolean
apply_named (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *value,
             WlyTemplateValue *ret_value)
{
  WlyTemplateArguments arguments;
  gboolean result;

  if (!wly_template_eval_arguments (eval, node->b, &arguments))
    return FALSE;
  if (node->kind == WLY_TEMPLATE_NODE_FILTER)
    return wly_template_filters_run (eval, node->text, value, &arguments, ret_value);
  if (!wly_template_tests_run (eval, node->text, value, &arguments, &result))
    return FALSE;
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = result != (node->integer != 0) };
  return TRUE;
}

/* Those with a right side of their own. */
static gboolean
apply_two (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *left,
           WlyTemplateValue *ret_value)
{
  WlyTemplateValue right;
  gboolean result;

  if (!wly_template_eval_expression (eval, node->b, &right))
    return FALSE;
  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_BINARY:
    return wly_template_operators_binary (eval, node->sign, left, &right, ret_value);
  case WLY_TEMPLATE_NODE_INDEX:
    return wly_template_operators_index (eval, left, &right, ret_value);
  case WLY_TEMPLATE_NODE_COMPARE:
    if (!wly_template_operators_compare (eval, node->sign, left, &right, &result))
      return FALSE;
    break;
  default:
    if (!wly_template_operators_in (eval, left, &right, &result))
      return FALSE;
    result = result != (node->integer != 0);
    break;
  }
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = result };
  return TRUE;
}

static gboolean
apply (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *left, WlyTemplateValue *ret_value)
{
  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_AND:
  case WLY_TEMPLATE_NODE_OR:
    *ret_value = *left;
    if (wly_template_value_truth (left) == (node->kind == WLY_TEMPLATE_NODE_OR))
      return TRUE;
    return wly_template_eval_expression (eval, node->b, ret_value);
  case WLY_TEMPLATE_NODE_ATTRIBUTE:
    return dotted (eval, left, node->text, ret_value);
  case WLY_TEMPLATE_NODE_SLICE:
    return slice (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_CALL:
    return call (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_FILTER:
  case WLY_TEMPLATE_NODE_TEST:
    return apply_named (eval, node, left, ret_value);
  default:
    return apply_two (eval, node, left, ret_value);
  }
}

gboolean
wly_template_eval_expression (WlyTemplateEval *eval, guint32 index, WlyTemplateValue *ret_value)
{
  const guint bottom          = eval->chain->len;
  const WlyTemplateNode *node = wly_template_ast_node (eval->ast, index);
  WlyTemplateValue value;
  gboolean going;

  while (node->kind >= WLY_TEMPLATE_NODE_BINARY && node->kind <= WLY_TEMPLATE_NODE_TEST) {
    g_array_append_val (eval->chain, index);
    index = node->a;
    node  = wly_template_ast_node (eval->ast, index);
  }
  eval->line = node->line;
  going      = wly_template_eval_step (eval, 1) && eval_atom (eval, node, &value);
  while (going && eval->chain->len > bottom) {
    const WlyTemplateValue left = value;

    node       = wly_template_ast_node (eval->ast, g_array_index (eval->chain, guint32, eval->chain->len - 1));
    eval->line = node->line;
    g_array_set_size (eval->chain, eval->chain->len - 1);
    going = wly_template_eval_step (eval, 1) && apply (eval, node, &left, &value);
  }
  if (going)
    *ret_value = value;
  return going;
}
