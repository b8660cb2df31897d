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

  return wly_template_eval_expression (eval, node->a, &value) && wly_template_repr_text (eval, &value, &text)
         && put (eval, text);
}

/* An if and its elifs: a chain along elif. */
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

/* A body in a scope of its own behind @parent. */
static gboolean
run_inside (WlyTemplateEval *eval, WlyTemplateScope *parent, guint32 body)
{
  WlyTemplateScope *outer = eval->scope;
  gboolean done;

  done        = wly_template_eval_enter (eval, parent) && wly_template_run_body (eval, body);
  eval->scope = outer;
  return done;
}

/* What a body writes, as a text, and through @filters where there are any. */
static gboolean
capture (WlyTemplateEval *eval, WlyTemplateScope *parent, guint32 body, guint32 filters, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  WlyTemplateBuilder *outer           = eval->output;
  gboolean done;

  wly_template_builder_init (&builder);
  eval->output = &builder;
  done         = run_inside (eval, parent, body);
  eval->output = outer;
  if (!done || !wly_template_eval_finish (eval, &builder, ret_value))
    return FALSE;
  eval->captured = *ret_value;
  return filters == 0 || wly_template_eval_expression (eval, filters, ret_value);
}

/* ---- set, with ---- */

static gboolean
assign_attribute (WlyTemplateEval *eval, const WlyTemplateNode *target, WlyTemplateValue value)
{
  WlyTemplateValue name_space = wly_template_eval_get (eval, wly_template_ast_node (eval->ast, target->a)->text), key;

  if (name_space.kind != WLY_TEMPLATE_NAMESPACE)
    return wly_template_eval_fail (eval, "\"%s\" is set in what is no namespace", target->text);
  return wly_template_eval_new_text (eval, target->text, target->n_bytes, TRUE, &key)
         && wly_template_eval_put (eval, &name_space, key, value);
}

/* A name takes the value, a tuple of names its items. */
static gboolean
assign (WlyTemplateEval *eval, guint32 index, WlyTemplateValue value)
{
  const WlyTemplateNode *target = wly_template_ast_node (eval->ast, index);
  WlyTemplateItems *items;
  gsize n = 0;

  if (target->kind == WLY_TEMPLATE_NODE_NAME)
    return wly_template_eval_set (eval, target->text, value);
  if (target->kind == WLY_TEMPLATE_NODE_ATTRIBUTE)
    return assign_attribute (eval, target, value);
  if (!wly_template_eval_items (eval, &value, &items))
    return FALSE;
  for (guint32 i = target->a; i != 0; i = wly_template_ast_node (eval->ast, i)->next)
    n++;
  if (n != items->n_items)
    return wly_template_eval_fail (eval, "there are %" G_GSIZE_FORMAT " values for %" G_GSIZE_FORMAT " names",
                                   items->n_items, n);
  n = 0;
  for (guint32 i = target->a; i != 0; i = wly_template_ast_node (eval->ast, i)->next)
    if (!assign (eval, i, items->items[n++]))
      return FALSE;
  return TRUE;
}

static gboolean
run_set (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateValue value;

  return wly_template_eval_expression (eval, node->b, &value) && assign (eval, node->a, value);
}

static gboolean
run_set_block (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateValue value;

  return capture (eval, eval->scope, node->b, node->c, &value) && assign (eval, node->a, value);
}

/* All values are those of the outer scope. */
static gboolean
run_with (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateScope *outer = eval->scope, *inner;
  gboolean done           = wly_template_eval_enter (eval, outer);

  inner = eval->scope;
  for (guint32 i = node->a; i != 0 && done; i = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *set = wly_template_ast_node (eval->ast, i);
    WlyTemplateValue value;

    eval->scope = outer;
    done        = wly_template_eval_expression (eval, set->b, &value);
    eval->scope = inner;
    done        = done && assign (eval, set->a, value);
  }
  done        = done && wly_template_run_body (eval, node->b);
  eval->scope = outer;
  return done;
}

static gboolean
run_scope (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  const WlyTemplateText *text;
  WlyTemplateValue value;

  if (node->b == 0)
    return run_inside (eval, eval->scope, node->a);
  return capture (eval, eval->scope, node->a, node->b, &value) && wly_template_repr_text (eval, &value, &text)
         && put (eval, text);
}

/* ---- for ---- */

/* The items that pass the loop's own condition: loop.index and its like count these only. */
static gboolean
filter_items (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateScope *outer,
              const WlyTemplateItems **items)
{
  WlyTemplateValue list, condition;

  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gsize i = 0; i < (*items)->n_items; i++) {
    if (!wly_template_eval_enter (eval, outer) || !assign (eval, node->a, (*items)->items[i])
        || !wly_template_eval_expression (eval, node->c, &condition))
      return FALSE;
    if (wly_template_value_truth (&condition) && !wly_template_eval_append (eval, &list, (*items)->items[i]))
      return FALSE;
  }
  *items = list.items;
  return TRUE;
}

/* One round in a scope of its own; *ret_whole: it went to its end, without break and continue. */
static gboolean
run_round (WlyTemplateEval *eval, WlyTemplateLoop *loop, gboolean lazily, gboolean *ret_whole)
{
  const WlyTemplateNode *node = loop->node;
  WlyTemplateValue condition;

  if (!wly_template_eval_step (eval, 1) || !wly_template_eval_enter (eval, loop->scope))
    return FALSE;
  if ((node->integer & WLY_TEMPLATE_USES_LOOP) != 0
      && !wly_template_eval_set (eval, eval->ast->name_loop,
                                 (WlyTemplateValue){ .kind = WLY_TEMPLATE_LOOP, .loop = loop }))
    return FALSE;
  if (!assign (eval, node->a, loop->items->items[loop->index]))
    return FALSE;
  if (lazily) {
    if (!wly_template_eval_expression (eval, node->c, &condition))
      return FALSE;
    if (!wly_template_value_truth (&condition))
      return TRUE;
  }
  if (!wly_template_run_body (eval, node->d))
    return FALSE;
  *ret_whole |= eval->signal == WLY_TEMPLATE_GO_ON;
  return TRUE;
}

/* The other body runs where no round went to its end: so it is in Jinja2. */
static gboolean
run_rounds (WlyTemplateEval *eval, const WlyTemplateNode *node, WlyTemplateScope *scope, const WlyTemplateItems *items,
            guint depth)
{
  const gboolean lazily = node->c != 0 && (node->integer & WLY_TEMPLATE_USES_LOOP) == 0;
  WlyTemplateLoop *loop = wly_template_arena_alloc (eval->arena, sizeof *loop);
  gboolean whole        = FALSE;

  if (loop == NULL)
    return wly_template_eval_full (eval);
  if (node->c != 0 && !lazily && !filter_items (eval, node, scope, &items))
    return FALSE;
  *loop = (WlyTemplateLoop){ .node = node, .scope = scope, .items = items, .depth = depth };
  for (; loop->index < items->n_items && eval->signal != WLY_TEMPLATE_BREAK; loop->index++) {
    eval->signal = WLY_TEMPLATE_GO_ON;
    if (!run_round (eval, loop, lazily, &whole))
      return FALSE;
  }
  eval->signal = WLY_TEMPLATE_GO_ON;
  return whole || run_inside (eval, scope, node->e);
}

static gboolean
run_for (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateScope *outer = eval->scope;
  WlyTemplateItems *items;
  WlyTemplateValue value;
  gboolean done;

  if (!wly_template_eval_expression (eval, node->b, &value) || !wly_template_eval_items (eval, &value, &items))
    return FALSE;
  done        = run_rounds (eval, node, outer, items, 0);
  eval->scope = outer;
  return done;
}

gboolean
wly_template_run_loop (WlyTemplateEval *eval, const WlyTemplateLoop *loop, const WlyTemplateValue *value,
                       WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  WlyTemplateBuilder *output          = eval->output;
  WlyTemplateScope *scope             = eval->scope;
  WlyTemplateItems *items;
  gboolean done;

  if ((loop->node->integer & WLY_TEMPLATE_RECURSIVE) == 0)
    return wly_template_eval_fail (eval, "a loop is called that is not recursive");
  if (!wly_template_eval_items (eval, value, &items))
    return FALSE;
  wly_template_builder_init (&builder);
  eval->output = &builder;
  done         = run_rounds (eval, loop->node, loop->scope, items, loop->depth + 1);
  eval->output = output;
  eval->scope  = scope;
  return done && wly_template_eval_finish (eval, &builder, ret_value);
}

/* ---- macros ---- */

static WlyTemplateValue
new_macro (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  WlyTemplateMacro *macro = wly_template_arena_alloc (eval->arena, sizeof *macro);

  if (macro == NULL)
    return WLY_TEMPLATE_VALUE_UNDEFINED;
  *macro = (WlyTemplateMacro){ node, eval->scope };
  return (WlyTemplateValue){ .kind = WLY_TEMPLATE_MACRO, .macro = macro };
}

static gboolean
define_macro (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  const WlyTemplateValue macro = new_macro (eval, node);

  if (macro.kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_full (eval);
  return wly_template_eval_set (eval, node->text, macro);
}

/* The argument of this name; it counts as used then. */
static const WlyTemplateValue *
take_keyword (const WlyTemplateArguments *arguments, const char *name, gboolean *used)
{
  for (guint i = 0; i < arguments->n; i++) {
    if (arguments->names[i] != NULL && strcmp (arguments->names[i], name) == 0) {
      used[i] = TRUE;
      return &arguments->values[i];
    }
  }
  return NULL;
}

/* varargs and kwargs: what no parameter took; an error where the macro does not look at them. */
static gboolean
set_rest (WlyTemplateEval *eval, gint64 uses, const WlyTemplateArguments *arguments, const gboolean *used)
{
  WlyTemplateValue places, names, key;

  if (!wly_template_eval_new_list (eval, &places) || !wly_template_eval_new_list (eval, &names))
    return FALSE;
  places.flavour = WLY_TEMPLATE_TUPLE;
  names.kind     = WLY_TEMPLATE_DICT;
  for (guint i = 0; i < arguments->n; i++) {
    const char *name   = arguments->names[i];
    const guint needed = name == NULL ? WLY_TEMPLATE_USES_VARARGS : WLY_TEMPLATE_USES_KWARGS;

    if (used[i])
      continue;
    if ((uses & needed) == 0)
      return name == NULL ? wly_template_eval_fail (eval, "a macro has too many arguments")
                          : wly_template_eval_fail (eval, "a macro has no argument \"%s\"", name);
    if (name == NULL ? !wly_template_eval_append (eval, &places, arguments->values[i])
                     : !wly_template_eval_new_text (eval, name, strlen (name), TRUE, &key)
                           || !wly_template_eval_put (eval, &names, key, arguments->values[i]))
      return FALSE;
  }
  return ((uses & WLY_TEMPLATE_USES_VARARGS) == 0 || wly_template_eval_set (eval, eval->ast->name_varargs, places))
         && ((uses & WLY_TEMPLATE_USES_KWARGS) == 0 || wly_template_eval_set (eval, eval->ast->name_kwargs, names));
}

/* In the macro's scope: its parameters, then what is left. */
static gboolean
set_parameters (WlyTemplateEval *eval, const WlyTemplateNode *node, const WlyTemplateArguments *arguments)
{
  gboolean used[WLY_TEMPLATE_MAX_ARGUMENTS] = { FALSE };
  const WlyTemplateValue *caller            = NULL;
  gint64 uses                               = node->integer;
  guint place                               = 0;

  for (guint32 i = node->a; i != 0; i = wly_template_ast_node (eval->ast, i)->next, place++) {
    const WlyTemplateNode *parameter = wly_template_ast_node (eval->ast, i);
    WlyTemplateValue value           = WLY_TEMPLATE_VALUE_UNDEFINED;
    const WlyTemplateValue *given    = NULL;

    if (place < arguments->n && arguments->names[place] == NULL) {
      given       = &arguments->values[place];
      used[place] = TRUE;
    } else {
      given = take_keyword (arguments, parameter->text, used);
    }
    if (given != NULL)
      value = *given;
    else if (parameter->a != 0 && !wly_template_eval_expression (eval, parameter->a, &value))
      return FALSE;
    if (!wly_template_eval_set (eval, parameter->text, value))
      return FALSE;
    if (parameter->text == eval->ast->name_caller)
      uses &= ~(gint64)WLY_TEMPLATE_USES_CALLER;
  }
  if ((uses & WLY_TEMPLATE_USES_CALLER) != 0) {
    caller = take_keyword (arguments, "caller", used);
    if (!wly_template_eval_set (eval, eval->ast->name_caller, caller != NULL ? *caller : WLY_TEMPLATE_VALUE_UNDEFINED))
      return FALSE;
  }
  return set_rest (eval, uses, arguments, used);
}

gboolean
wly_template_run_macro (WlyTemplateEval *eval, const WlyTemplateMacro *macro, const WlyTemplateArguments *arguments,
                        WlyTemplateValue *ret_value)
{
  WlyTemplateScope *scope = eval->scope;
  gboolean done;

  done = wly_template_eval_enter (eval, macro->scope) && set_parameters (eval, macro->node, arguments)
         && capture (eval, eval->scope, macro->node->b, 0, ret_value);
  eval->scope = scope;
  return done;
}

/* {% call %}: the call sees the block as its caller. */
static gboolean
run_call_block (WlyTemplateEval *eval, const WlyTemplateNode *node)
{
  const WlyTemplateNode *call   = wly_template_ast_node (eval->ast, node->a);
  const WlyTemplateNode *body   = wly_template_ast_node (eval->ast, node->b);
  const WlyTemplateValue caller = new_macro (eval, body);
  WlyTemplateArguments arguments;
  WlyTemplateValue callee, value;
  const WlyTemplateText *text;

  if (caller.kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_full (eval);
  return wly_template_eval_expression (eval, call->a, &callee)
         && wly_template_eval_arguments (eval, call->b, &arguments)
         && wly_template_eval_append_argument (eval, &arguments, "caller", caller)
         && wly_template_eval_call (eval, &callee, &arguments, &value) && wly_template_repr_text (eval, &value, &text)
         && put (eval, text);
}

/* ---- all of them ---- */

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
  case WLY_TEMPLATE_NODE_WITH:
    return run_with (eval, node);
  case WLY_TEMPLATE_NODE_SCOPE:
    return run_scope (eval, node);
  case WLY_TEMPLATE_NODE_MACRO:
    return define_macro (eval, node);
  case WLY_TEMPLATE_NODE_CALL_BLOCK:
    return run_call_block (eval, node);
  case WLY_TEMPLATE_NODE_BREAK:
    eval->signal = WLY_TEMPLATE_BREAK;
    return TRUE;
  case WLY_TEMPLATE_NODE_CONTINUE:
    eval->signal = WLY_TEMPLATE_CONTINUE;
    return TRUE;
  default:
    return wly_template_eval_fail (eval, "a tag needs other templates, which there are none of");
  }
}

gboolean
wly_template_run_body (WlyTemplateEval *eval, guint32 first)
{
  gboolean going = wly_template_eval_nest (eval);

  if (!going)
    return FALSE;
  for (guint32 i = first; i != 0 && going && eval->signal == WLY_TEMPLATE_GO_ON;
       i         = wly_template_ast_node (eval->ast, i)->next) {
    const WlyTemplateNode *node = wly_template_ast_node (eval->ast, i);

    eval->line = node->line;
    going      = wly_template_eval_step (eval, 1) && run_statement (eval, node);
  }
  eval->n_nested--;
  return going;
}
