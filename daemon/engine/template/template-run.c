/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Statements.
 */
#include "template/template-eval.h"

#include <string.h>

static gboolean
put (WlyTemplateEval *eval, const WlyTemplateText *text)
{
  if (eval->output->bytes->len + text->n_bytes > WLY_TEMPLATE_MAX_OUTPUT)
    return wly_template_eval_fail (eval, "it wrote more than %u bytes", WLY_TEMPLATE_MAX_OUTPUT);
  wly_template_builder_append_part (eval->output, text, 0, text->n_bytes);
  return wly_template_eval_step (eval, text->n_bytes / 64);
}

static gboolean
run_data (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  const WlyTemplateRun run   = { node->n_bytes, TRUE };
  const WlyTemplateText text = { node->text, node->n_bytes, &run, 1 };

  return put (eval, &text);
}

static gboolean
run_output (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateValue value;
  const WlyTemplateText *text;

  return wly_template_eval_expression (eval, node->a, &value) && wly_template_eval_text (eval, &value, &text)
         && put (eval, text);
}

/* An if and its elifs: a chain along c. */
static gboolean
run_if (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  for (;;) {
    WlyTemplateValue condition;

    if (!wly_template_eval_expression (eval, node->a, &condition))
      return FALSE;
    if (wly_template_value_truth (&condition))
      return wly_template_run_body (eval, node->b);
    if (node->elif == 0)
      return wly_template_run_body (eval, node->c);
    node = wly_template_ast_node (eval->ast, node->elif);
  }
}

/* ---- set ---- */

static gboolean
assign (WlyTemplateEval *eval, const WlyTemplateNode *target, WlyTemplateValue value)
{
  WlyTemplateValue name_space, key;

  if (target->kind == WLY_TEMPLATE_NODE_NAME) {
    wly_template_eval_set (eval, target->text, value);
    return wly_template_eval_step (eval, 1 + eval->variables->len / 16);
  }
  name_space = wly_template_eval_get (eval, wly_template_ast_node (eval->ast, target->a)->text);
  if (name_space.kind != WLY_TEMPLATE_NAMESPACE)
    return wly_template_eval_fail (eval, "\"%s\" is set in what is no namespace", target->text);
  if (!wly_template_eval_new_text (eval, target->text, target->n_bytes, TRUE, &key))
    return FALSE;
  if (!wly_template_items_set (eval->arena, name_space.items, key.text, value))
    return wly_template_eval_full (eval);
  return wly_template_eval_step (eval, 1 + name_space.items->n_items / 16);
}

/* One target takes the value, several its items. */
static gboolean
assign_all (WlyTemplateEval *eval, guint32 first, WlyTemplateValue value)
{
  const WlyTemplateNode *target = wly_template_ast_node (eval->ast, first);
  WlyTemplateItems *items;
  gsize n = 0;

  if (target->next == 0)
    return assign (eval, target, value);
  if (!wly_template_eval_items (eval, &value, &items))
    return FALSE;
  for (guint32 i = first; i != 0; i = target->next, n++) {
    target = wly_template_ast_node (eval->ast, i);
    if (n == items->n_items)
      break;
    if (!assign (eval, target, items->items[n]))
      return FALSE;
    if (target->next == 0 && n + 1 == items->n_items)
      return TRUE;
  }
  return wly_template_eval_fail (eval, "there are more names than values, or fewer");
}

static gboolean
run_set (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateValue value;

  return wly_template_eval_expression (eval, node->b, &value) && assign_all (eval, node->a, value);
}

static gboolean
run_set_block (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  WlyTemplateBuilder *outer           = eval->output;
  WlyTemplateValue value;
  gboolean done;

  wly_template_builder_init (&builder);
  eval->output = &builder;
  done         = wly_template_run_body (eval, node->b);
  eval->output = outer;
  return done && wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), &value)
         && assign (eval, wly_template_ast_node (eval->ast, node->a), value);
}

/* ---- for ---- */

static const char *const loop_names[] = {
  "index", "index0", "revindex", "revindex0", "first", "last", "length", "previtem", "nextitem",
};

static gboolean
make_loop (WlyTemplateEval *eval, WlyTemplateValue *ret_loop)
{
  const WlyTemplateValue none = { .kind = WLY_TEMPLATE_UNDEFINED };

  if (!wly_template_eval_new_list (eval, ret_loop))
    return FALSE;
  ret_loop->kind = WLY_TEMPLATE_DICT;
  for (gsize i = 0; i < G_N_ELEMENTS (loop_names); i++) {
    WlyTemplateValue key;

    if (!wly_template_eval_new_text (eval, loop_names[i], strlen (loop_names[i]), TRUE, &key)
        || !wly_template_eval_append (eval, ret_loop, key) || !wly_template_eval_append (eval, ret_loop, none))
      return FALSE;
  }
  return TRUE;
}

static void
update_loop (WlyTemplateValue *loop, const WlyTemplateItems *items, gsize index)
{
  const WlyTemplateValue none = { .kind = WLY_TEMPLATE_UNDEFINED };
  const gint64 n = (gint64)items->n_items, i = (gint64)index;
  const gint64 numbers[] = { i + 1, i, n - i, n - i - 1, i == 0, i == n - 1, n };

  for (gsize j = 0; j < G_N_ELEMENTS (numbers); j++) {
    WlyTemplateValue *value = &loop->items->items[j * 2 + 1];

    if (j == 4 || j == 5)
      *value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_BOOLEAN, .boolean = (gboolean)numbers[j] };
    else
      *value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = numbers[j] };
  }
  loop->items->items[15] = index > 0 ? items->items[index - 1] : none;
  loop->items->items[17] = index + 1 < items->n_items ? items->items[index + 1] : none;
}

/* The items that pass the loop's own condition: loop.index and its like count these only. */
static gboolean
filter_items (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateItems **items)
{
  const guint n_outer = eval->variables->len;
  WlyTemplateValue list, condition;

  if (node->c == 0)
    return TRUE;
  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gsize i = 0; i < (*items)->n_items; i++) {
    if (!assign_all (eval, node->a, (*items)->items[i]) || !wly_template_eval_expression (eval, node->c, &condition))
      return FALSE;
    g_array_set_size (eval->variables, n_outer);
    if (wly_template_value_truth (&condition) && !wly_template_eval_append (eval, &list, (*items)->items[i]))
      return FALSE;
  }
  *items = list.items;
  return TRUE;
}

/* In a scope of its own; each round forgets what the one before set. */
static gboolean
run_rounds (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateItems *items)
{
  const guint n_outer = eval->variables->len;
  WlyTemplateValue loop;

  if (!filter_items (eval, node, &items) || !make_loop (eval, &loop))
    return FALSE;
  if (items->n_items == 0)
    return wly_template_run_body (eval, node->e);
  for (gsize i = 0; i < items->n_items && eval->signal != WLY_TEMPLATE_BREAK; i++) {
    eval->signal = WLY_TEMPLATE_GO_ON;
    g_array_set_size (eval->variables, n_outer);
    update_loop (&loop, items, i);
    wly_template_eval_set (eval, "loop", loop);
    if (!assign_all (eval, node->a, items->items[i]) || !wly_template_run_body (eval, node->d))
      return FALSE;
  }
  eval->signal = WLY_TEMPLATE_GO_ON;
  return TRUE;
}

static gboolean
run_for (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  const guint outer_scope = eval->scope, n_outer = eval->variables->len;
  WlyTemplateItems *items;
  WlyTemplateValue value;
  gboolean done;

  if (!wly_template_eval_expression (eval, node->b, &value) || !wly_template_eval_items (eval, &value, &items))
    return FALSE;
  eval->scope = n_outer;
  done        = run_rounds (eval, node, items);
  eval->scope = outer_scope;
  g_array_set_size (eval->variables, n_outer);
  return done;
}

static gboolean
run_statement (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  switch ((WlyTemplateNodeKind)node->kind) {
  case WLY_TEMPLATE_NODE_DATA:
    return run_data (eval, node);
  case WLY_TEMPLATE_NODE_OUTPUT:
    return run_output (eval, node);
  case WLY_TEMPLATE_NODE_IF:
    return run_if (eval, node);
  case WLY_TEMPLATE_NODE_FOR:
    return run_for (eval, node);
  case WLY_TEMPLATE_NODE_SET:
    return run_set (eval, node);
  case WLY_TEMPLATE_NODE_SET_BLOCK:
    return run_set_block (eval, node);
  case WLY_TEMPLATE_NODE_GROUP:
    return wly_template_run_body (eval, node->a);
  case WLY_TEMPLATE_NODE_BREAK:
    eval->signal = WLY_TEMPLATE_BREAK;
    return TRUE;
  default:
    eval->signal = WLY_TEMPLATE_CONTINUE;
    return TRUE;
  }
}

gboolean
wly_template_run_body (WlyTemplateEval *eval, guint32 first)
{
  for (guint32 i = first; i != 0 && eval->signal == WLY_TEMPLATE_GO_ON;
       i         = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *node = wly_template_ast_node (eval->ast, i);

    eval->line = node->line;
    if (!wly_template_eval_step (eval, 1) || !run_statement (eval, node))
      return FALSE;
  }
  return TRUE;
}
