/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Functions that templates call by name.
 */
#include "template/template-eval.h"
#include "wly-utf8.h"

#include <string.h>

typedef gboolean (*Function) (WlyTemplateEval *eval, const WlyTemplateArguments *arguments,
                              WlyTemplateValue *ret_value);

static gboolean
run_raise (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *message;

  if (!wly_template_arguments_bind (eval, arguments, "message/", &message))
    return FALSE;
  /* what the template wrote, never what came from a message: errors are logged */
  if (message->kind == WLY_TEMPLATE_TEXT && wly_template_text_is_trusted (message->text))
    return wly_template_eval_fail (eval, "it refuses the conversation: %.*s",
                                   (int)wly_utf8_whole (message->text->data, MIN (message->text->n_bytes, 1024)),
                                   message->text->data);
  return wly_template_eval_fail (eval, "it refuses the conversation");
}

/* dict (mapping or pairs, name=value …) */
static gboolean
run_dict (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  WlyTemplateItems *items, *pair;
  WlyTemplateValue key;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->kind = WLY_TEMPLATE_DICT;
  for (guint i = 0; i < arguments->n; i++) {
    const WlyTemplateValue *value = &arguments->values[i];
    const char *name              = arguments->names[i];

    if (name != NULL) {
      if (!wly_template_eval_new_text (eval, name, strlen (name), TRUE, &key)
          || !wly_template_eval_put (eval, ret_value, key, *value))
        return FALSE;
      continue;
    }
    if (i > 0)
      return wly_template_eval_fail (eval, "a dictionary is made of one value");
    if (value->kind == WLY_TEMPLATE_DICT) {
      for (gsize j = 0; j < value->items->n_items; j += 2)
        if (!wly_template_eval_put (eval, ret_value, value->items->items[j], value->items->items[j + 1]))
          return FALSE;
      continue;
    }
    if (!wly_template_eval_items (eval, value, &items))
      return FALSE;
    for (gsize j = 0; j < items->n_items; j++) {
      if (!wly_template_eval_items (eval, &items->items[j], &pair))
        return FALSE;
      if (pair->n_items != 2)
        return wly_template_eval_fail (eval, "a dictionary is made of pairs");
      if (!wly_template_eval_put (eval, ret_value, pair->items[0], pair->items[1]))
        return FALSE;
    }
  }
  return TRUE;
}

static gboolean
run_namespace (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  if (!run_dict (eval, arguments, ret_value))
    return FALSE;
  ret_value->kind = WLY_TEMPLATE_NAMESPACE;
  return TRUE;
}

static gboolean
run_range (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  gint64 *numbers = wly_template_arena_alloc (eval->arena, 3 * sizeof *numbers);

  if (numbers == NULL)
    return wly_template_eval_full (eval);
  numbers[2] = 1;
  if (arguments->n == 0 || arguments->n > 3)
    return wly_template_eval_fail (eval, "range has one to three numbers");
  for (guint i = 0; i < arguments->n; i++) {
    gint64 *number = &numbers[arguments->n == 1 ? 1 : i];

    if (arguments->names[i] != NULL || !wly_template_value_integer (&arguments->values[i], number)
        || *number > G_MAXINT32 || *number < G_MININT32)
      return wly_template_eval_fail (eval, "range needs whole numbers of 32 bits");
  }
  if (numbers[2] == 0)
    return wly_template_eval_fail (eval, "the step of a range is zero");
  if ((numbers[1] - numbers[0] - (numbers[2] > 0 ? 1 : -1)) / numbers[2] >= WLY_TEMPLATE_MAX_RANGE)
    return wly_template_eval_fail (eval, "a range has more than %d numbers", WLY_TEMPLATE_MAX_RANGE);
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gint64 i = numbers[0]; numbers[2] > 0 ? i < numbers[1] : i > numbers[1]; i += numbers[2])
    if (!wly_template_eval_append (eval, ret_value, WLY_TEMPLATE_VALUE_INTEGER (i)))
      return FALSE;
  ret_value->flavour      = WLY_TEMPLATE_RANGE;
  ret_value->items->range = numbers;
  return TRUE;
}

static gboolean
new_counter (WlyTemplateEval *eval, WlyTemplateKind kind, WlyTemplateItems *items, WlyTemplateValue *ret_value)
{
  WlyTemplateCounter *counter = wly_template_arena_alloc (eval->arena, sizeof *counter);

  if (counter == NULL)
    return wly_template_eval_full (eval);
  counter->items = items;
  *ret_value     = (WlyTemplateValue){ .kind = kind, .counter = counter };
  return TRUE;
}

static gboolean
run_cycler (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  WlyTemplateValue list;

  if (arguments->n == 0)
    return wly_template_eval_fail (eval, "a cycler needs values");
  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (guint i = 0; i < arguments->n; i++)
    if (!wly_template_eval_append (eval, &list, arguments->values[i]))
      return FALSE;
  return new_counter (eval, WLY_TEMPLATE_CYCLER, list.items, ret_value);
}

static gboolean
run_joiner (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *given;
  WlyTemplateValue list, separator;

  if (!wly_template_arguments_bind (eval, arguments, "sep", &given) || !wly_template_eval_new_list (eval, &list)
      || !wly_template_eval_new_text (eval, ", ", 2, TRUE, &separator)
      || !wly_template_eval_append (eval, &list, given != NULL ? *given : separator))
    return FALSE;
  return new_counter (eval, WLY_TEMPLATE_JOINER, list.items, ret_value);
}

/* The time in the format of strftime(), in English; the variable _now (seconds of the epoch) stands in for the clock.
 */
static gboolean
run_strftime_now (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue fixed    = wly_template_eval_get (eval, "_now");
  g_autoptr (GDateTime) date_time = NULL;
  g_autofree char *name           = NULL;
  const WlyTemplateValue *format;
  char text[1024];
  gsize n_bytes;

  if (!wly_template_arguments_bind (eval, arguments, "format/", &format))
    return FALSE;
  if (format->kind != WLY_TEMPLATE_TEXT || format->text->n_bytes > 256)
    return wly_template_eval_fail (eval, "strftime_now needs a format");
  date_time =
      fixed.kind == WLY_TEMPLATE_INTEGER ? g_date_time_new_from_unix_utc (fixed.integer) : g_date_time_new_now_local ();
  name = g_strndup (format->text->data, format->text->n_bytes);
  if (date_time == NULL || !wly_template_time_write (date_time, name, text, sizeof text, &n_bytes))
    return wly_template_eval_fail (eval, "strftime_now cannot write its format");
  return wly_template_eval_new_text (eval, text, n_bytes, wly_template_text_is_trusted (format->text), ret_value);
}

static const struct {
  const char *name;
  Function run;
} functions[] = {
  { "raise_exception", run_raise }, { "namespace", run_namespace },       { "dict", run_dict },
  { "range", run_range },           { "strftime_now", run_strftime_now }, { "cycler", run_cycler },
  { "joiner", run_joiner },
};

const char *
wly_template_functions_find (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    if (strcmp (functions[i].name, name) == 0)
      return functions[i].name;
  return NULL;
}

gboolean
wly_template_functions_run (WlyTemplateEval *eval, const char *function, const WlyTemplateArguments *arguments,
                            WlyTemplateValue *ret_value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    if (functions[i].name == function)
      return functions[i].run (eval, arguments, ret_value);
  return wly_template_eval_fail (eval, "the function \"%s\" is not supported here", function);
}
