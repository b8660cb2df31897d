/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of texts that ask what they are made of.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <string.h>

#define METHOD(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

static gboolean
is_decimal (guint32 code)
{
  return g_unichar_type (code) == G_UNICODE_DECIMAL_NUMBER;
}

static gboolean
is_digit (guint32 code)
{
  return is_decimal (code) || code == 0xb2 || code == 0xb3 || code == 0xb9 || (code >= 0x2070 && code <= 0x2079)
         || (code >= 0x2080 && code <= 0x2089) || (code >= 0x2460 && code <= 0x2468);
}

static gboolean
is_numeric (guint32 code)
{
  const GUnicodeType type = g_unichar_type (code);

  return is_digit (code) || type == G_UNICODE_LETTER_NUMBER || type == G_UNICODE_OTHER_NUMBER;
}

static gboolean
is_alpha (guint32 code)
{
  return (wly_unicode_class (code) & WLY_UNICODE_CATEGORY) == WLY_UNICODE_LETTER;
}

static gboolean
is_alnum (guint32 code)
{
  return is_alpha (code) || is_numeric (code);
}

static gboolean
is_ascii (guint32 code)
{
  return code < 0x80;
}

static gboolean
is_upper (const WlyTemplateText *text)
{
  return wly_template_case_is (text, WLY_TEMPLATE_UPPER);
}

static gboolean
is_lower (const WlyTemplateText *text)
{
  return wly_template_case_is (text, WLY_TEMPLATE_LOWER);
}

static gboolean
is_title (const WlyTemplateText *text)
{
  return wly_template_case_is (text, WLY_TEMPLATE_TITLE);
}

static gboolean
all_are (const WlyTemplateText *text, gboolean (*is) (guint32 code), gboolean empty)
{
  gsize n;

  for (gsize i = 0; i < text->n_bytes; i += n)
    if (!is (wly_unicode_get (text->data + i, &n)))
      return FALSE;
  return text->n_bytes > 0 || empty;
}

#define QUESTION(name, answer)                                                                                         \
  METHOD (name)                                                                                                        \
  {                                                                                                                    \
    *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (answer);                                                                  \
    return wly_template_arguments_bind (eval, arguments, "", NULL)                                                     \
           && wly_template_eval_step (eval, value->text->n_bytes / 32);                                                \
  }

QUESTION (run_isdecimal, all_are (value->text, is_decimal, FALSE))
QUESTION (run_isdigit, all_are (value->text, is_digit, FALSE))
QUESTION (run_isnumeric, all_are (value->text, is_numeric, FALSE))
QUESTION (run_isalpha, all_are (value->text, is_alpha, FALSE))
QUESTION (run_isalnum, all_are (value->text, is_alnum, FALSE))
QUESTION (run_isspace, all_are (value->text, wly_template_text_is_space, FALSE))
QUESTION (run_isascii, all_are (value->text, is_ascii, TRUE))
QUESTION (run_isupper, is_upper (value->text))
QUESTION (run_islower, is_lower (value->text))
QUESTION (run_istitle, is_title (value->text))

const WlyTemplateRow *
wly_template_methods_ask_find (const char *name)
{
  static const WlyTemplateRow methods[] = {
    { "isalnum", run_isalnum },     { "isalpha", run_isalpha }, { "isascii", run_isascii },
    { "isdecimal", run_isdecimal }, { "isdigit", run_isdigit }, { "islower", run_islower },
    { "isnumeric", run_isnumeric }, { "isspace", run_isspace }, { "istitle", run_istitle },
    { "isupper", run_isupper },
  };

  return wly_template_eval_row (methods, G_N_ELEMENTS (methods), name);
}
