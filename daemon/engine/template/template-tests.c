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
is_mapping (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_DICT;
}

static gboolean
is_sequence (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_LIST || value->kind == WLY_TEMPLATE_TEXT || value->kind == WLY_TEMPLATE_DICT;
}

static gboolean
is_iterable (const WlyTemplateValue *value)
{
  return is_sequence (value) || value->kind == WLY_TEMPLATE_UNDEFINED;
}

static gboolean
is_callable (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_FUNCTION || value->kind == WLY_TEMPLATE_METHOD;
}

static const struct {
  const char *name;
  KindTest test;
} kind_tests[] = {
  { "defined", is_defined },   { "undefined", is_undefined }, { "none", is_none },
  { "boolean", is_boolean },   { "true", is_true },           { "false", is_false },
  { "integer", is_integer },   { "float", is_float },         { "number", wly_template_value_is_number },
  { "string", is_string },     { "mapping", is_mapping },     { "sequence", is_sequence },
  { "iterable", is_iterable }, { "callable", is_callable },
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
  *ret_result = wly_template_value_number (&rest) == (double)remainder;
  return TRUE;
}

gboolean
wly_template_tests_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                        const WlyTemplateArguments *arguments, gboolean *ret_result)
{
  const WlyTemplateValue two    = { .kind = WLY_TEMPLATE_INTEGER, .integer = 2 };
  const WlyTemplateValue *other = wly_template_arguments_get (arguments, 0, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (kind_tests); i++) {
    if (strcmp (kind_tests[i].name, name) == 0) {
      *ret_result = kind_tests[i].test (value);
      return TRUE;
    }
  }
  if (strcmp (name, "odd") == 0 || strcmp (name, "even") == 0)
    return divisible (eval, value, &two, name[0] == 'o', ret_result);
  if (other == NULL)
    return wly_template_eval_fail (eval, "the test \"%s\" is not supported here", name);
  for (gsize i = 0; i < G_N_ELEMENTS (comparisons); i++)
    if (strcmp (comparisons[i].name, name) == 0)
      return wly_template_operators_compare (eval, comparisons[i].sign, value, other, ret_result);
  if (strcmp (name, "in") == 0)
    return wly_template_operators_in (eval, value, other, ret_result);
  if (strcmp (name, "divisibleby") == 0)
    return divisible (eval, value, other, 0, ret_result);
  return wly_template_eval_fail (eval, "the test \"%s\" is not supported here", name);
}
