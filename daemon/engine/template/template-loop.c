/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The variable loop, cycler() and joiner().
 */
#include "template/template-eval.h"

#include <string.h>

gboolean
wly_template_loop_attribute (WlyTemplateEval *eval, const WlyTemplateLoop *loop, const char *name,
                             WlyTemplateValue *ret_value)
{
  const gint64 n = (gint64)loop->items->n_items, i = (gint64)loop->index;
  const struct {
    const char *name;
    gint64 value;
  } numbers[] = {
    { "index", i + 1 },         { "index0", i }, { "revindex", n - i },
    { "revindex0", n - i - 1 }, { "length", n }, { "depth", (gint64)loop->depth + 1 },
    { "depth0", loop->depth },
  };

  for (gsize j = 0; j < G_N_ELEMENTS (numbers); j++)
    if (strcmp (numbers[j].name, name) == 0)
      *ret_value = WLY_TEMPLATE_VALUE_INTEGER (numbers[j].value);
  if (strcmp (name, "first") == 0 || strcmp (name, "last") == 0)
    *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (i == (name[0] == 'f' ? 0 : n - 1));
  else if (strcmp (name, "previtem") == 0 && i > 0)
    *ret_value = loop->items->items[i - 1];
  else if (strcmp (name, "nextitem") == 0 && i + 1 < n)
    *ret_value = loop->items->items[i + 1];
  return TRUE;
}

static gboolean
run_cycle (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  if (arguments->n == 0)
    return wly_template_eval_fail (eval, "cycle has no values");
  *ret_value = arguments->values[value->loop->index % arguments->n];
  return TRUE;
}

static gboolean
run_changed (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
             WlyTemplateValue *ret_value)
{
  WlyTemplateLoop *loop = value->loop;
  WlyTemplateValue now;
  guint64 n_steps = 0;
  gboolean same;

  if (!wly_template_eval_new_list (eval, &now))
    return FALSE;
  for (guint i = 0; i < arguments->n; i++)
    if (!wly_template_eval_append (eval, &now, arguments->values[i]))
      return FALSE;
  same       = loop->changed != NULL && wly_template_value_equal (loop->changed, &now, 0, &n_steps);
  *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (!same);
  if (loop->changed == NULL)
    loop->changed = wly_template_arena_alloc (eval->arena, sizeof now);
  if (loop->changed == NULL)
    return wly_template_eval_full (eval);
  *loop->changed = now;
  return wly_template_eval_step (eval, n_steps);
}

gboolean
wly_template_loop_next (WlyTemplateEval *eval, const WlyTemplateValue *counter, WlyTemplateValue *ret_value)
{
  WlyTemplateCounter *state = counter->counter;

  if (counter->kind == WLY_TEMPLATE_JOINER && state->n_used++ == 0)
    return wly_template_eval_new_text (eval, "", 0, TRUE, ret_value);
  *ret_value = state->items->items[counter->kind == WLY_TEMPLATE_JOINER ? 0 : state->n_used++ % state->items->n_items];
  return TRUE;
}

static gboolean
run_next (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
          WlyTemplateValue *ret_value)
{
  return wly_template_arguments_bind (eval, arguments, "", NULL) && wly_template_loop_next (eval, value, ret_value);
}

static gboolean
run_reset (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  value->counter->n_used = 0;
  *ret_value             = WLY_TEMPLATE_VALUE_NONE;
  return wly_template_arguments_bind (eval, arguments, "", NULL);
}

WlyTemplateFunction
wly_template_loop_method (WlyTemplateKind kind, const char *name)
{
  static const struct {
    const char *name;
    WlyTemplateKind kind;
    WlyTemplateFunction run;
  } methods[] = {
    { "cycle", WLY_TEMPLATE_LOOP, run_cycle },
    { "changed", WLY_TEMPLATE_LOOP, run_changed },
    { "next", WLY_TEMPLATE_CYCLER, run_next },
    { "reset", WLY_TEMPLATE_CYCLER, run_reset },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == kind && strcmp (methods[i].name, name) == 0)
      return methods[i].run;
  return NULL;
}
