/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Arguments of what templates call, as Python binds them.
 */
#include "template/template-eval.h"

#include <string.h>

gboolean
wly_template_arguments_bind (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, const char *signature,
                             const WlyTemplateValue **ret_values)
{
  gboolean used[WLY_TEMPLATE_MAX_ARGUMENTS] = { FALSE };
  gboolean needed                           = strchr (signature, '/') != NULL;
  guint n                                   = 0;

  for (const char *name = signature; *name != '\0'; n++) {
    const gsize n_name = strcspn (name, " /");

    ret_values[n] = NULL;
    if (n < arguments->n && arguments->names[n] == NULL) {
      ret_values[n] = &arguments->values[n];
      used[n]       = TRUE;
    }
    for (guint i = 0; i < arguments->n; i++) {
      if (arguments->names[i] == NULL || strlen (arguments->names[i]) != n_name
          || memcmp (arguments->names[i], name, n_name) != 0)
        continue;
      if (ret_values[n] != NULL)
        return wly_template_eval_fail (eval, "the argument \"%s\" is given twice", arguments->names[i]);
      ret_values[n] = &arguments->values[i];
      used[i]       = TRUE;
    }
    if (needed && ret_values[n] == NULL)
      return wly_template_eval_fail (eval, "the argument \"%.*s\" is missing", (int)n_name, name);
    name += n_name;
    if (*name == '/')
      needed = FALSE;
    name += *name != '\0';
  }
  for (guint i = 0; i < arguments->n; i++)
    if (!used[i])
      return arguments->names[i] == NULL
                 ? wly_template_eval_fail (eval, "there are too many arguments")
                 : wly_template_eval_fail (eval, "the argument \"%s\" is not known", arguments->names[i]);
  return TRUE;
}

gboolean
wly_template_arguments_text_or_none (WlyTemplateEval *eval, const WlyTemplateValue *value,
                                     const WlyTemplateText **ret_text)
{
  *ret_text = NULL;
  return value == NULL || value->kind == WLY_TEMPLATE_NONE || wly_template_arguments_text (eval, value, ret_text);
}

gboolean
wly_template_arguments_text (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateText **ret_text)
{
  if (value->kind != WLY_TEMPLATE_TEXT)
    return wly_template_eval_fail (eval, "an argument is %s where a text is needed",
                                   wly_template_value_kind_name (value));
  *ret_text = value->text;
  return TRUE;
}

gboolean
wly_template_arguments_integer (WlyTemplateEval *eval, const WlyTemplateValue *value, gint64 fallback,
                                gint64 *ret_integer)
{
  *ret_integer = fallback;
  return value == NULL || wly_template_value_integer (value, ret_integer)
         || wly_template_eval_fail (eval, "an argument is %s where a whole number is needed",
                                    wly_template_value_kind_name (value));
}

gboolean
wly_template_arguments_integer_or_none (WlyTemplateEval *eval, const WlyTemplateValue *value, gint64 fallback,
                                        gint64 *ret_integer)
{
  return wly_template_arguments_integer (eval, value != NULL && value->kind == WLY_TEMPLATE_NONE ? NULL : value,
                                         fallback, ret_integer);
}
