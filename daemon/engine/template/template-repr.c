/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values as str() and repr() of Python write them.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <math.h>
#include <string.h>

/* ---- numbers ---- */

void
wly_template_repr_real (double real, char *buffer)
{
  char digits[40], *exponent_text, *dot;
  int exponent, precision = 0;

  if (!isfinite (real)) {
    g_strlcpy (buffer, isnan (real) ? "nan" : real < 0 ? "-inf" : "inf", 40);
    return;
  }
  /* the fewest digits that give the number back */
  do {
    char format[8];

    g_snprintf (format, sizeof format, "%%.%de", precision);
    g_ascii_formatd (digits, sizeof digits, format, real);
  } while (g_ascii_strtod (digits, NULL) != real && precision++ < 16);
  exponent_text  = strchr (digits, 'e');
  exponent       = (int)g_ascii_strtoll (exponent_text + 1, NULL, 10);
  *exponent_text = '\0';
  if (exponent >= -4 && exponent < 16) {
    char format[8];

    g_snprintf (format, sizeof format, "%%.%df", MAX (precision - exponent, 1));
    g_ascii_formatd (buffer, 40, format, real);
    return;
  }
  dot = strchr (digits, '.');
  if (dot != NULL && dot[1] == '\0')
    *dot = '\0';
  g_snprintf (buffer, 40, "%se%c%02d", digits, exponent < 0 ? '-' : '+', ABS (exponent));
}

/* ---- texts ---- */

/* Whether repr() writes the character as it is. */
static gboolean
is_printable (guint32 code)
{
  switch (g_unichar_type (code)) {
  case G_UNICODE_CONTROL:
  case G_UNICODE_FORMAT:
  case G_UNICODE_UNASSIGNED:
  case G_UNICODE_PRIVATE_USE:
  case G_UNICODE_SURROGATE:
  case G_UNICODE_LINE_SEPARATOR:
  case G_UNICODE_PARAGRAPH_SEPARATOR:
    return FALSE;
  case G_UNICODE_SPACE_SEPARATOR:
    return code == ' ';
  default:
    return TRUE;
  }
}

static gboolean
escape_of (guint32 code, char quote, char *buffer, gsize n_buffer)
{
  if (code == '\\' || code == (guint32)quote)
    g_snprintf (buffer, n_buffer, "\\%c", (char)code);
  else if (code == '\n' || code == '\r' || code == '\t')
    g_snprintf (buffer, n_buffer, "\\%c", code == '\n' ? 'n' : code == '\r' ? 'r' : 't');
  else if (is_printable (code))
    return FALSE;
  else
    g_snprintf (buffer, n_buffer, code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x", code);
  return TRUE;
}

static gboolean
write_text (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateText *text)
{
  const gboolean single = text->n_bytes > 0 && memchr (text->data, '\'', text->n_bytes) != NULL;
  const char quote      = single && memchr (text->data, '"', text->n_bytes) == NULL ? '"' : '\'';
  gsize start           = 0, n;

  wly_template_builder_append (builder, &quote, 1, TRUE);
  for (gsize i = 0; i < text->n_bytes; i += n) {
    const guint32 code = wly_unicode_get (text->data + i, &n);
    char escape[12];

    if (!escape_of (code, quote, escape, sizeof escape))
      continue;
    wly_template_builder_append_part (builder, text, start, i);
    /* what an escape stands for was in the text */
    wly_template_builder_append (builder, escape, strlen (escape), FALSE);
    start = i + n;
  }
  wly_template_builder_append_part (builder, text, start, text->n_bytes);
  wly_template_builder_append (builder, &quote, 1, TRUE);
  return wly_template_eval_step (eval, text->n_bytes / 32);
}

/* ---- all of them ---- */

static void
write_literal (WlyTemplateBuilder *builder, const char *text)
{
  wly_template_builder_append (builder, text, strlen (text), TRUE);
}

static gboolean write_value (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateValue *value,
                             guint depth);

static gboolean
write_items (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateItems *items, gboolean dict,
             guint depth)
{
  for (gsize i = 0; i < items->n_items; i++) {
    if (i > 0)
      write_literal (builder, ", ");
    if (!write_value (eval, builder, &items->items[i], depth + 1))
      return FALSE;
    if (!dict)
      continue;
    write_literal (builder, ": ");
    if (!write_value (eval, builder, &items->items[++i], depth + 1))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_list (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateValue *value, guint depth)
{
  static const char *const opens[]  = { "[", "(", "(", "", "", "dict_keys([", "dict_values([", "dict_items([" };
  static const char *const closes[] = { "]", ")", ")", "", "", "])", "])", "])" };
  g_autofree char *range            = NULL;

  if (value->flavour == WLY_TEMPLATE_GENERATOR) {
    write_literal (builder, "<generator object>");
    return TRUE;
  }
  if (value->flavour == WLY_TEMPLATE_RANGE) {
    const gint64 *numbers = value->items->range;

    range = numbers[2] == 1
                ? g_strdup_printf ("range(%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ")", numbers[0], numbers[1])
                : g_strdup_printf ("range(%" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ")",
                                   numbers[0], numbers[1], numbers[2]);
    write_literal (builder, range);
    return TRUE;
  }
  write_literal (builder, opens[value->flavour]);
  if (!write_items (eval, builder, value->items, FALSE, depth))
    return FALSE;
  if (value->items->n_items == 1 && (value->flavour == WLY_TEMPLATE_TUPLE || value->flavour == WLY_TEMPLATE_GROUP))
    write_literal (builder, ",");
  write_literal (builder, closes[value->flavour]);
  return TRUE;
}

static void
write_object (WlyTemplateBuilder *builder, const WlyTemplateValue *value)
{
  g_autofree char *text = NULL;

  if (value->kind == WLY_TEMPLATE_MACRO)
    text = value->macro->node->text == NULL ? g_strdup ("<Macro anonymous>")
                                            : g_strdup_printf ("<Macro '%s'>", value->macro->node->text);
  else if (value->kind == WLY_TEMPLATE_LOOP)
    text = g_strdup_printf ("<LoopContext %" G_GSIZE_FORMAT "/%" G_GSIZE_FORMAT ">", value->loop->index + 1,
                            value->loop->items->n_items);
  else
    text = g_strdup_printf ("<%s>", wly_template_value_kind_name (value));
  write_literal (builder, text);
}

static gboolean
write_dict (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateValue *value, guint depth)
{
  const gboolean name_space = value->kind == WLY_TEMPLATE_NAMESPACE;

  write_literal (builder, name_space ? "<Namespace {" : "{");
  if (!write_items (eval, builder, value->items, TRUE, depth))
    return FALSE;
  write_literal (builder, name_space ? "}>" : "}");
  return TRUE;
}

static gboolean
write_value (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateValue *value, guint depth)
{
  char number[40];

  if (depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return wly_template_eval_fail (eval, "more than %d lists stand in each other", WLY_TEMPLATE_VALUE_DEPTH);
  if (builder->bytes->len > WLY_TEMPLATE_MAX_OUTPUT)
    return wly_template_eval_fail (eval, "a text has more than %u bytes", WLY_TEMPLATE_MAX_OUTPUT);
  switch (value->kind) {
  case WLY_TEMPLATE_UNDEFINED:
    write_literal (builder, "Undefined");
    break;
  case WLY_TEMPLATE_NONE:
    write_literal (builder, "None");
    break;
  case WLY_TEMPLATE_BOOLEAN:
    write_literal (builder, value->boolean ? "True" : "False");
    break;
  case WLY_TEMPLATE_INTEGER:
    g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, value->integer);
    write_literal (builder, number);
    break;
  case WLY_TEMPLATE_FLOAT:
    wly_template_repr_real (value->real, number);
    write_literal (builder, number);
    break;
  case WLY_TEMPLATE_TEXT:
    write_literal (builder, value->flavour == WLY_TEMPLATE_MARKUP ? "Markup(" : "");
    if (!write_text (eval, builder, value->text))
      return FALSE;
    write_literal (builder, value->flavour == WLY_TEMPLATE_MARKUP ? ")" : "");
    break;
  case WLY_TEMPLATE_LIST:
    return wly_template_eval_step (eval, 1) && write_list (eval, builder, value, depth);
  case WLY_TEMPLATE_DICT:
  case WLY_TEMPLATE_NAMESPACE:
    return wly_template_eval_step (eval, 1) && write_dict (eval, builder, value, depth);
  default:
    write_object (builder, value);
    break;
  }
  return wly_template_eval_step (eval, 1);
}

gboolean
wly_template_repr_run (WlyTemplateEval *eval, const WlyTemplateValue *value, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  wly_template_builder_init (&builder);
  return write_value (eval, &builder, value, 0) && wly_template_eval_finish (eval, &builder, ret_value);
}

gboolean
wly_template_repr_text (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateText **ret_text)
{
  WlyTemplateValue result;

  if (value->kind == WLY_TEMPLATE_TEXT) {
    *ret_text = value->text;
    return TRUE;
  }
  if (value->kind == WLY_TEMPLATE_UNDEFINED ? !wly_template_eval_new_text (eval, "", 0, TRUE, &result)
                                            : !wly_template_repr_run (eval, value, &result))
    return FALSE;
  *ret_text = result.text;
  return TRUE;
}
