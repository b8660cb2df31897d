/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Expressions.
 */
#include "template/template-eval.h"

#include "token/unicode.h"

#include <string.h>

/* ---- expressions that do not begin with another ---- */

static gboolean
eval_list (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  WlyTemplateValue item;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->flavour = node->kind == WLY_TEMPLATE_NODE_TUPLE ? WLY_TEMPLATE_TUPLE : 0;
  for (guint32 i = node->a; i != 0; i = wly_template_ast_node (eval->ast, i)->next)
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
    i = wly_template_ast_node (eval->ast, i)->next;
    if (!wly_template_eval_expression (eval, i, &item) || !wly_template_eval_put (eval, ret_value, key, item))
      return FALSE;
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
  *ret_value = WLY_TEMPLATE_VALUE_UNDEFINED;
  return node->c == 0 || wly_template_eval_expression (eval, node->c, ret_value);
}

static gboolean
eval_prefix (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue zero = WLY_TEMPLATE_VALUE_INTEGER (0);
  const guint32 sign =
      node->kind == WLY_TEMPLATE_NODE_NEGATIVE ? WLY_TEMPLATE_OPERATOR ('-', 0) : WLY_TEMPLATE_OPERATOR ('+', 0);
  WlyTemplateValue operand;

  if (!wly_template_eval_expression (eval, node->a, &operand))
    return FALSE;
  if (node->kind == WLY_TEMPLATE_NODE_NOT) {
    *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (!wly_template_value_truth (&operand));
    return TRUE;
  }
  if (operand.kind == WLY_TEMPLATE_FLOAT) {
    *ret_value = node->kind == WLY_TEMPLATE_NODE_NEGATIVE ? WLY_TEMPLATE_VALUE_FLOAT (-operand.real) : operand;
    return TRUE;
  }
  if (!wly_template_value_is_number (&operand))
    return wly_template_eval_fail (eval, "a %s has no sign", wly_template_value_kind_name (&operand));
  return wly_template_operators_binary (eval, sign, &zero, &operand, ret_value);
}

static gboolean
eval_atom (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateValue *ret_value)
{
  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_TEXT:
    return wly_template_eval_new_text (eval, node->text, node->n_bytes, TRUE, ret_value);
  case WLY_TEMPLATE_NODE_INTEGER:
    *ret_value = WLY_TEMPLATE_VALUE_INTEGER (node->integer);
    return TRUE;
  case WLY_TEMPLATE_NODE_FLOAT:
    *ret_value = WLY_TEMPLATE_VALUE_FLOAT (node->real);
    return TRUE;
  case WLY_TEMPLATE_NODE_BOOLEAN:
    *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (node->integer != 0);
    return TRUE;
  case WLY_TEMPLATE_NODE_NONE:
    *ret_value = WLY_TEMPLATE_VALUE_NONE;
    return TRUE;
  case WLY_TEMPLATE_NODE_NAME:
    return eval_name (eval, node->text, ret_value);
  case WLY_TEMPLATE_NODE_LIST:
  case WLY_TEMPLATE_NODE_TUPLE:
    return eval_list (eval, node, ret_value);
  case WLY_TEMPLATE_NODE_DICT:
    return eval_dict (eval, node->a, ret_value);
  case WLY_TEMPLATE_NODE_CHOICE:
    return eval_choice (eval, node, ret_value);
  case WLY_TEMPLATE_NODE_CAPTURED:
    *ret_value = eval->captured;
    return TRUE;
  case WLY_TEMPLATE_NODE_NOT:
  case WLY_TEMPLATE_NODE_NEGATIVE:
  case WLY_TEMPLATE_NODE_POSITIVE:
    return eval_prefix (eval, node, ret_value);
  default:
    return wly_template_eval_fail (eval, "an expression is missing");
  }
}

/* ---- expressions that begin with another ---- */

gboolean
wly_template_eval_call (WlyTemplateEval *eval, const WlyTemplateValue *callee, const WlyTemplateArguments *arguments,
                        WlyTemplateValue *ret_value)
{
  switch (callee->kind) {
  case WLY_TEMPLATE_METHOD:
    return wly_template_methods_run (eval, callee->method, arguments, ret_value);
  case WLY_TEMPLATE_FUNCTION:
    return wly_template_functions_run (eval, callee->function, arguments, ret_value);
  case WLY_TEMPLATE_MACRO:
    return wly_template_run_macro (eval, callee->macro, arguments, ret_value);
  case WLY_TEMPLATE_JOINER:
    return wly_template_loop_next (eval, callee, ret_value);
  case WLY_TEMPLATE_LOOP:
    if (arguments->n != 1 || arguments->names[0] != NULL)
      return wly_template_eval_fail (eval, "a loop is called with what it goes through");
    return wly_template_run_loop (eval, callee->loop, &arguments->values[0], ret_value);
  default:
    return wly_template_eval_fail (eval, "what is called is no function; it is %s",
                                   wly_template_value_kind_name (callee));
  }
}

static gboolean
call (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *callee, WlyTemplateValue *ret_value)
{
  WlyTemplateArguments arguments;

  return wly_template_eval_arguments (eval, node->b, &arguments)
         && wly_template_eval_call (eval, callee, &arguments, ret_value);
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
  *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (result != (node->integer != 0));
  return TRUE;
}

/* left < a <= b: each with its neighbour, up to the first that does not hold. */
static gboolean
compare (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *left, WlyTemplateValue *ret_value)
{
  WlyTemplateValue value = *left;
  gboolean result        = TRUE;

  for (guint32 i = node->b; i != 0 && result; i = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *link = wly_template_ast_node (eval->ast, i);
    WlyTemplateValue right;

    if (!wly_template_eval_expression (eval, link->a, &right)
        || !wly_template_operators_compare (eval, link->sign, &value, &right, &result))
      return FALSE;
    value = right;
  }
  *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (result);
  return TRUE;
}

static gboolean
apply (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateValue *left, WlyTemplateValue *ret_value)
{
  WlyTemplateValue right;

  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_AND:
  case WLY_TEMPLATE_NODE_OR:
    *ret_value = *left;
    if (wly_template_value_truth (left) == (node->kind == WLY_TEMPLATE_NODE_OR))
      return TRUE;
    return wly_template_eval_expression (eval, node->b, ret_value);
  case WLY_TEMPLATE_NODE_ATTRIBUTE:
    return wly_template_eval_attribute (eval, left, node->text, ret_value);
  case WLY_TEMPLATE_NODE_SLICE:
    return slice (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_CALL:
    return call (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_FILTER:
  case WLY_TEMPLATE_NODE_TEST:
    return apply_named (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_COMPARE:
    return compare (eval, node, left, ret_value);
  case WLY_TEMPLATE_NODE_INDEX:
    return wly_template_eval_expression (eval, node->b, &right)
           && wly_template_eval_item (eval, left, &right, ret_value);
  default:
    return wly_template_eval_expression (eval, node->b, &right)
           && wly_template_operators_binary (eval, node->sign, left, &right, ret_value);
  }
}

gboolean
wly_template_eval_expression (WlyTemplateEval *eval, guint32 index, WlyTemplateValue *ret_value)
{
  const guint bottom          = eval->chain->len;
  const WlyTemplateNode *node = wly_template_ast_node (eval->ast, index);
  WlyTemplateValue value;
  gboolean going;

  if (!wly_template_eval_nest (eval))
    return FALSE;
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
  eval->n_nested--;
  if (going)
    *ret_value = value;
  return going;
}
