/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Functions that templates call by name.
 */
#include "template/template-eval.h"

#include <string.h>

typedef gboolean (*Function) (WlyTemplateEval *eval, const WlyTemplateArguments *arguments,
                              WlyTemplateValue *ret_value);

static gboolean
run_raise (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *message = wly_template_arguments_get (arguments, 0, "message");

  /* what the template wrote, never what came from a message: errors are logged */
  if (message != NULL && message->kind == WLY_TEMPLATE_TEXT && wly_template_text_is_trusted (message->text))
    return wly_template_eval_fail (eval, "it refuses the conversation: %.*s", (int)MIN (message->text->n_bytes, 1024),
                                   message->text->data);
  return wly_template_eval_fail (eval, "it refuses the conversation");
}

static gboolean
run_namespace (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  WlyTemplateValue key;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->kind = WLY_TEMPLATE_NAMESPACE;
  for (guint i = 0; i < arguments->n; i++) {
    const char *name = arguments->names[i];

    if (name == NULL)
      return wly_template_eval_fail (eval, "what a namespace begins with needs names");
    if (!wly_template_eval_new_text (eval, name, strlen (name), TRUE, &key))
      return FALSE;
    if (!wly_template_items_set (eval->arena, ret_value->items, key.text, arguments->values[i]))
      return wly_template_eval_full (eval);
  }
  return TRUE;
}

static gboolean
run_dict (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  if (!run_namespace (eval, arguments, ret_value))
    return FALSE;
  ret_value->kind = WLY_TEMPLATE_DICT;
  return TRUE;
}

static gboolean
run_range (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  gint64 numbers[3] = { 0, 0, 1 };

  if (arguments->n == 0 || arguments->n > 3)
    return wly_template_eval_fail (eval, "range has one to three numbers");
  for (guint i = 0; i < arguments->n; i++) {
    if (arguments->values[i].kind != WLY_TEMPLATE_INTEGER || arguments->values[i].integer > G_MAXINT32
        || arguments->values[i].integer < G_MININT32)
      return wly_template_eval_fail (eval, "range needs whole numbers of 32 bits");
    numbers[arguments->n == 1 ? 1 : i] = arguments->values[i].integer;
  }
  if (numbers[2] == 0)
    return wly_template_eval_fail (eval, "the step of a range is zero");
  if ((numbers[1] - numbers[0]) / numbers[2] > WLY_TEMPLATE_MAX_RANGE)
    return wly_template_eval_fail (eval, "a range has more than %d numbers", WLY_TEMPLATE_MAX_RANGE);
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gint64 i = numbers[0]; numbers[2] > 0 ? i < numbers[1] : i > numbers[1]; i += numbers[2])
    if (!wly_template_eval_append (eval, ret_value, (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = i }))
      return FALSE;
  return TRUE;
}

/* The time in the format of strftime(); the variable _now (seconds of the epoch) stands in for the clock. */
static gboolean
run_strftime_now (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *format  = wly_template_arguments_get (arguments, 0, "format");
  const WlyTemplateValue fixed    = wly_template_eval_get (eval, "_now");
  g_autoptr (GDateTime) date_time = NULL;
  g_autofree char *name           = NULL;
  g_autofree char *text           = NULL;

  if (format == NULL || format->kind != WLY_TEMPLATE_TEXT || format->text->n_bytes > 256)
    return wly_template_eval_fail (eval, "strftime_now needs a format");
  date_time =
      fixed.kind == WLY_TEMPLATE_INTEGER ? g_date_time_new_from_unix_utc (fixed.integer) : g_date_time_new_now_local ();
  name = g_strndup (format->text->data, format->text->n_bytes);
  text = date_time == NULL ? NULL : g_date_time_format (date_time, name);
  if (text == NULL)
    return wly_template_eval_fail (eval, "strftime_now cannot write its format");
  return wly_template_eval_new_text (eval, text, strlen (text), wly_template_text_is_trusted (format->text), ret_value);
}

static const struct {
  const char *name;
  Function run;
} functions[] = {
  { "raise_exception", run_raise }, { "namespace", run_namespace },       { "dict", run_dict },
  { "range", run_range },           { "strftime_now", run_strftime_now },
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
