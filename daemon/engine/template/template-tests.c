/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands behind "is".
 */
#include "template/template-eval.h"
#include "template/template-lexer.h"

#include <string.h>

typedef gboolean (*KindTest) (const WlyTemplateValue *value);

static gboolean
is_defined (const WlyTemplateValue *value)
{
  return value->kind != WLY_TEMPLATE_UNDEFINED;
}

static gboolean
is_undefined (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_UNDEFINED;
}

static gboolean
is_none (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_NONE;
}

static gboolean
is_boolean (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_BOOLEAN;
}

static gboolean
is_true (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_BOOLEAN && value->boolean;
}

static gboolean
is_false (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_BOOLEAN && !value->boolean;
}

static gboolean
is_integer (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_INTEGER;
}

static gboolean
is_float (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_FLOAT;
}

static gboolean
is_string (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_TEXT;
}

static gboolean
is_escaped (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_TEXT && value->flavour == WLY_TEMPLATE_MARKUP;
}

static gboolean
is_mapping (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_DICT;
}

/* What can be asked for a length and for items by place or key; an undefined value answers, too, if only to fail. */
static gboolean
is_sequence (const WlyTemplateValue *value)
{
  return wly_template_value_is_sequence (value) || value->kind == WLY_TEMPLATE_TEXT || value->kind == WLY_TEMPLATE_DICT
         || value->kind == WLY_TEMPLATE_UNDEFINED;
}

static gboolean
is_iterable (const WlyTemplateValue *value)
{
  return is_sequence (value) || value->kind == WLY_TEMPLATE_LIST || value->kind == WLY_TEMPLATE_LOOP;
}

static gboolean
is_callable (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_FUNCTION || value->kind == WLY_TEMPLATE_METHOD || value->kind == WLY_TEMPLATE_MACRO
         || value->kind == WLY_TEMPLATE_UNDEFINED || value->kind == WLY_TEMPLATE_LOOP
         || value->kind == WLY_TEMPLATE_JOINER;
}

static const struct {
  const char *name;
  KindTest test;
} kind_tests[] = {
  { "defined", is_defined },   { "undefined", is_undefined }, { "none", is_none },
  { "boolean", is_boolean },   { "true", is_true },           { "false", is_false },
  { "integer", is_integer },   { "float", is_float },         { "number", wly_template_value_is_number },
  { "string", is_string },     { "mapping", is_mapping },     { "sequence", is_sequence },
  { "iterable", is_iterable }, { "callable", is_callable },   { "escaped", is_escaped },
};

static const struct {
  const char *name;
  guint32 sign;
} comparisons[] = {
  { "equalto", WLY_TEMPLATE_OPERATOR ('=', '=') }, { "eq", WLY_TEMPLATE_OPERATOR ('=', '=') },
  { "==", WLY_TEMPLATE_OPERATOR ('=', '=') },      { "ne", WLY_TEMPLATE_OPERATOR ('!', '=') },
  { "!=", WLY_TEMPLATE_OPERATOR ('!', '=') },      { "lt", WLY_TEMPLATE_OPERATOR ('<', 0) },
  { "lessthan", WLY_TEMPLATE_OPERATOR ('<', 0) },  { "<", WLY_TEMPLATE_OPERATOR ('<', 0) },
  { "le", WLY_TEMPLATE_OPERATOR ('<', '=') },      { "<=", WLY_TEMPLATE_OPERATOR ('<', '=') },
  { "gt", WLY_TEMPLATE_OPERATOR ('>', 0) },        { "greaterthan", WLY_TEMPLATE_OPERATOR ('>', 0) },
  { ">", WLY_TEMPLATE_OPERATOR ('>', 0) },         { "ge", WLY_TEMPLATE_OPERATOR ('>', '=') },
  { ">=", WLY_TEMPLATE_OPERATOR ('>', '=') },
};

static gboolean
divisible (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateValue *by, gint64 remainder,
           gboolean *ret_result)
{
  WlyTemplateValue rest;

  if (!wly_template_operators_binary (eval, WLY_TEMPLATE_OPERATOR ('%', 0), value, by, &rest))
    return FALSE;
  *ret_result = wly_template_value_is_number (&rest) && wly_template_value_number (&rest) == (double)remainder;
  return TRUE;
}

/* is: the same object of Python, as far as there are objects here. */
static gboolean
is_same (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateValue *other, gboolean *ret_result)
{
  guint64 n_steps = 0;

  *ret_result = value->kind == other->kind;
  if (value->kind == WLY_TEMPLATE_LIST || value->kind == WLY_TEMPLATE_DICT || value->kind == WLY_TEMPLATE_NAMESPACE)
    *ret_result = *ret_result && value->items == other->items;
  else
    *ret_result = *ret_result && wly_template_value_equal (value, other, 0, &n_steps);
  return wly_template_eval_step (eval, n_steps);
}

/* Names of filters and tests. */
static gboolean
is_name (WlyTemplateEval *eval, const WlyTemplateValue *value, gboolean (*known) (const char *name),
         gboolean *ret_result)
{
  g_autofree char *name = value->kind == WLY_TEMPLATE_TEXT ? g_strndup (value->text->data, value->text->n_bytes) : NULL;

  *ret_result = name != NULL && known (name);
  if (!wly_template_value_is_key (value))
    return wly_template_eval_fail (eval, "a %s is no name", wly_template_value_kind_name (value));
  return wly_template_eval_step (eval, 1);
}

static gboolean
has_case (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateCase which, gboolean *ret_result)
{
  const WlyTemplateText *text;

  if (!wly_template_repr_text (eval, value, &text))
    return FALSE;
  *ret_result = wly_template_case_is (text, which);
  return wly_template_eval_step (eval, text->n_bytes / 32);
}

/* Tests without arguments that are more than a question of kind; *ret_known: whether it is one. */
static gboolean
run_plain (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value, gboolean *ret_known,
           gboolean *ret_result)
{
  const WlyTemplateValue two = WLY_TEMPLATE_VALUE_INTEGER (2);

  *ret_known = TRUE;
  if (strcmp (name, "odd") == 0 || strcmp (name, "even") == 0)
    return divisible (eval, value, &two, name[0] == 'o', ret_result);
  if (strcmp (name, "lower") == 0 || strcmp (name, "upper") == 0)
    return has_case (eval, value, name[0] == 'u' ? WLY_TEMPLATE_UPPER : WLY_TEMPLATE_LOWER, ret_result);
  if (strcmp (name, "filter") == 0)
    return is_name (eval, value, wly_template_filters_known, ret_result);
  if (strcmp (name, "test") == 0)
    return is_name (eval, value, wly_template_tests_known, ret_result);
  *ret_known = FALSE;
  return TRUE;
}

gboolean
wly_template_tests_known (const char *name)
{
  static const char *const others[] = {
    "odd", "even", "lower", "upper", "filter", "test", "divisibleby", "in", "sameas"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (kind_tests); i++)
    if (strcmp (kind_tests[i].name, name) == 0)
      return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (comparisons); i++)
    if (strcmp (comparisons[i].name, name) == 0)
      return TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (strcmp (others[i], name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
wly_template_tests_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                        const WlyTemplateArguments *arguments, gboolean *ret_result)
{
  const WlyTemplateValue *other;
  gboolean known;

  for (gsize i = 0; i < G_N_ELEMENTS (kind_tests); i++) {
    if (strcmp (kind_tests[i].name, name) == 0) {
      *ret_result = kind_tests[i].test (value);
      return wly_template_arguments_bind (eval, arguments, "", NULL);
    }
  }
  if (!run_plain (eval, name, value, &known, ret_result))
    return FALSE;
  if (known)
    return wly_template_arguments_bind (eval, arguments, "", NULL);
  if (!wly_template_tests_known (name))
    return wly_template_eval_fail (eval, "the test \"%s\" is not known", name);
  if (!wly_template_arguments_bind (eval, arguments, "other/", &other))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (comparisons); i++)
    if (strcmp (comparisons[i].name, name) == 0)
      return wly_template_operators_compare (eval, comparisons[i].sign, value, other, ret_result);
  if (strcmp (name, "in") == 0)
    return wly_template_operators_in (eval, value, other, ret_result);
  if (strcmp (name, "sameas") == 0)
    return is_same (eval, value, other, ret_result);
  return divisible (eval, value, other, 0, ret_result);
}
