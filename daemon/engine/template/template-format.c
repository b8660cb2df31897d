/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts with holes: "%d of %s" % values, and "{} of {name:>8}".format (values).  Source: the Python documentation,
 * "printf-style String Formatting" and "Format Specification Mini-Language".
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <math.h>
#include <string.h>

#define MAX_WIDTH 4096

typedef struct {
  WlyTemplateEval *eval;
  WlyTemplateBuilder builder;
  const WlyTemplateText *format;
  gsize place;
} Formatter;

/* How one value is written. */
typedef struct {
  char fill[4];
  gsize n_fill;
  char align;                /* < > ^ =, '\0': what the value likes */
  char sign;                 /* + - or space */
  char group;                /* , or _ between thousands, '\0' */
  char type;                 /* '\0': what the value likes */
  gboolean alternate, plain; /* plain: nothing is asked for */
  gint width, precision;     /* -1: not given */
} Spec;

static char
peek (const Formatter *formatter, gsize ahead)
{
  return formatter->place + ahead < formatter->format->n_bytes ? formatter->format->data[formatter->place + ahead]
                                                               : '\0';
}

static gboolean
fail (Formatter *formatter)
{
  return wly_template_eval_fail (formatter->eval, "a text with holes is not written right, or a value does not fit");
}

/* ---- one value ---- */

/* Thousands apart, before the point. */
static void
group_digits (GString *number, char sign)
{
  gssize end = (gssize)strcspn (number->str, ".e");

  for (gssize i = end - 3; i > 0; i -= 3)
    g_string_insert_c (number, i, sign);
}

/* Without its sign. */
static gboolean
write_integer (Formatter *formatter, const Spec *spec, guint64 number, GString *result)
{
  const char type =
      spec->type == '\0' || spec->type == 'n' || spec->type == 'i' || spec->type == 'u' ? 'd' : spec->type;

  if (type == 'd')
    g_string_append_printf (result, "%" G_GUINT64_FORMAT, number);
  else if (type == 'x')
    g_string_append_printf (result, "%s%" G_GINT64_MODIFIER "x", spec->alternate ? "0x" : "", number);
  else if (type == 'X')
    g_string_append_printf (result, "%s%" G_GINT64_MODIFIER "X", spec->alternate ? "0X" : "", number);
  else if (type == 'o')
    g_string_append_printf (result, "%s%" G_GINT64_MODIFIER "o", spec->alternate ? "0o" : "", number);
  else if (type == 'b') {
    g_string_append (result, spec->alternate ? "0b" : "");
    for (gint bit = number == 0 ? 0 : 63 - __builtin_clzll (number); bit >= 0; bit--)
      g_string_append_c (result, (number >> bit & 1) != 0 ? '1' : '0');
  } else
    return fail (formatter);
  if (spec->group != '\0')
    group_digits (result, spec->group);
  return TRUE;
}

/* Without its sign. */
static gboolean
write_real (Formatter *formatter, const Spec *spec, double number, GString *result)
{
  char text[512], format[16], type = spec->type == '\0' ? 'r' : spec->type == 'n' ? 'g' : spec->type;
  const gboolean percent = type == '%';

  if (strchr ("reEfFgG%", type) == NULL || spec->precision > 200)
    return fail (formatter);
  if (percent) {
    number *= 100;
    type = 'f';
  }
  if (!isfinite (number)) {
    g_snprintf (text, sizeof text, "%s", isnan (number) ? "nan" : "inf");
  } else if (type == 'r' && spec->precision < 0) {
    wly_template_repr_real (number, text);
  } else {
    g_snprintf (format, sizeof format, "%%%s.%d%c", spec->alternate ? "#" : "",
                spec->precision < 0 ? 6 : spec->precision, type == 'r' ? 'g' : type);
    g_ascii_formatd (text, sizeof text, format, number);
    /* without a type there is always a digit behind the point */
    if (type == 'r' && strpbrk (text, ".e") == NULL)
      g_strlcat (text, ".0", sizeof text);
  }
  g_string_append (result, text);
  if (percent)
    g_string_append_c (result, '%');
  if (spec->group != '\0')
    group_digits (result, spec->group);
  return TRUE;
}

static void
put_fill (Formatter *formatter, const Spec *spec, gint n)
{
  for (; n > 0; n--)
    wly_template_builder_append (&formatter->builder, spec->fill, spec->n_fill, TRUE);
}

/* @sign, then the text from @sign on, filled up to the width. */
static void
put_aligned (Formatter *formatter, const Spec *spec, char likes, char sign, const WlyTemplateText *text)
{
  const char align = spec->align == '\0' ? likes : spec->align;
  const gint n     = spec->width - (gint)wly_template_value_text_length (text) - (sign != '\0');
  const gint left  = align == '>' ? n : align == '^' ? n / 2 : 0;

  put_fill (formatter, spec, left);
  if (sign != '\0')
    wly_template_builder_append (&formatter->builder, &sign, 1, TRUE);
  if (align == '=')
    put_fill (formatter, spec, n);
  wly_template_builder_append_part (&formatter->builder, text, 0, text->n_bytes);
  if (align == '<' || align == '^')
    put_fill (formatter, spec, n - left);
}

static gboolean
put_number (Formatter *formatter, const Spec *spec, const WlyTemplateValue *value)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  const gboolean real =
      value->kind == WLY_TEMPLATE_FLOAT || (spec->type != '\0' && strchr ("eEfFgG%", spec->type) != NULL);
  const double number     = wly_template_value_number (value);
  const gboolean negative = signbit (number) != 0 && !isnan (number);
  gint64 integer          = 0;
  WlyTemplateValue text;

  if (real ? !write_real (formatter, spec, fabs (number), digits)
           : !wly_template_value_integer (value, &integer)
                 || !write_integer (formatter, spec, integer < 0 ? -(guint64)integer : (guint64)integer, digits))
    return FALSE;
  if (!wly_template_eval_new_text (formatter->eval, digits->str, digits->len, TRUE, &text))
    return FALSE;
  put_aligned (formatter, spec, '>', negative ? '-' : spec->sign == '-' ? '\0' : spec->sign, text.text);
  return TRUE;
}

static gboolean
put_text (Formatter *formatter, const Spec *spec, const WlyTemplateText *text)
{
  gsize end = text->n_bytes;
  WlyTemplateValue part;

  if (spec->precision >= 0)
    end = wly_template_operators_place (text, (gsize)spec->precision);
  if (!wly_template_eval_part (formatter->eval, text, 0, end, &part))
    return FALSE;
  put_aligned (formatter, spec, '<', '\0', part.text);
  return TRUE;
}

static gboolean
check_size (Formatter *formatter)
{
  if (formatter->builder.bytes->len > WLY_TEMPLATE_MAX_OUTPUT)
    return wly_template_eval_fail (formatter->eval, "a text has more than %u bytes", WLY_TEMPLATE_MAX_OUTPUT);
  return wly_template_eval_step (formatter->eval, 1);
}

/* A number of the format; -1: there is none. */
static gint
take_number (Formatter *formatter)
{
  gint number = -1;

  for (; g_ascii_isdigit (peek (formatter, 0)); formatter->place++)
    number = MIN (MAX (number, 0) * 10 + (peek (formatter, 0) - '0'), MAX_WIDTH + 1);
  return number;
}

/* ---- % ---- */

/* The next of the values, which are in a tuple or are one. */
static gboolean
take_next (Formatter *formatter, const WlyTemplateValue *values, gsize *n_used, WlyTemplateValue *ret_value)
{
  const gboolean tuple = values->kind == WLY_TEMPLATE_LIST && values->flavour == WLY_TEMPLATE_TUPLE;

  if (*n_used >= (tuple ? values->items->n_items : 1))
    return wly_template_eval_fail (formatter->eval, "there are fewer values than holes");
  *ret_value = tuple ? values->items->items[*n_used] : *values;
  (*n_used)++;
  return TRUE;
}

/* "(name)" behind "%": that item of the dictionary. */
static gboolean
take_named (Formatter *formatter, const WlyTemplateValue *values, WlyTemplateValue *ret_value)
{
  const char *start = formatter->format->data + formatter->place + 1;
  const gsize room  = formatter->format->n_bytes - formatter->place - 1;
  const char *end   = memchr (start, ')', room);
  const WlyTemplateValue *found;
  WlyTemplateValue name;

  if (end == NULL || values->kind != WLY_TEMPLATE_DICT)
    return fail (formatter);
  formatter->place += (gsize)(end - start) + 2;
  if (!wly_template_eval_new_text (formatter->eval, start, (gsize)(end - start), TRUE, &name))
    return FALSE;
  found = wly_template_value_lookup (values->items, &name);
  if (found == NULL)
    return fail (formatter);
  *ret_value = *found;
  return TRUE;
}

static gboolean
put_percent (Formatter *formatter, Spec *spec, WlyTemplateValue *value)
{
  const WlyTemplateText *text;
  WlyTemplateValue shown;
  gint64 integer;

  switch (spec->type) {
  case 's':
    return wly_template_repr_text (formatter->eval, value, &text) && put_text (formatter, spec, text);
  case 'r':
  case 'a':
    return wly_template_repr_run (formatter->eval, value, &shown) && put_text (formatter, spec, shown.text);
  case 'c':
    if (value->kind == WLY_TEMPLATE_TEXT && wly_template_value_text_length (value->text) == 1)
      return put_text (formatter, spec, value->text);
    return fail (formatter);
  case 'd':
  case 'i':
  case 'u':
    if (value->kind == WLY_TEMPLATE_FLOAT && fabs (value->real) < 9e18)
      *value = WLY_TEMPLATE_VALUE_INTEGER ((gint64)value->real);
    G_GNUC_FALLTHROUGH;
  case 'x':
  case 'X':
  case 'o':
    if (!wly_template_value_integer (value, &integer))
      return fail (formatter);
    return put_number (formatter, spec, value);
  default:
    if (strchr ("eEfFgG", spec->type) == NULL || !wly_template_value_is_number (value))
      return fail (formatter);
    return put_number (formatter, spec, value);
  }
}

/* Flags, width and precision of a hole; "*" takes them from the values. */
static gboolean
read_percent_spec (Formatter *formatter, const WlyTemplateValue *values, gsize *n_used, Spec *spec)
{
  WlyTemplateValue width;
  gint64 integer;

  *spec = (Spec){ .fill = " ", .n_fill = 1, .align = '>', .sign = '-', .width = -1, .precision = -1 };
  for (;; formatter->place++) {
    const char flag = peek (formatter, 0);

    if (flag == '-')
      spec->align = '<';
    else if (flag == '+' || (flag == ' ' && spec->sign != '+'))
      spec->sign = flag;
    else if (flag == '#')
      spec->alternate = TRUE;
    else if (flag == '0')
      spec->fill[0] = '0';
    else
      break;
  }
  if (peek (formatter, 0) == '*') {
    if (!take_next (formatter, values, n_used, &width) || !wly_template_value_integer (&width, &integer))
      return fail (formatter);
    spec->align = integer < 0 ? '<' : spec->align;
    spec->width = (gint)MIN (ABS (CLAMP (integer, -MAX_WIDTH - 1, MAX_WIDTH + 1)), MAX_WIDTH + 1);
    formatter->place++;
  } else {
    spec->width = take_number (formatter);
  }
  if (peek (formatter, 0) == '.') {
    formatter->place++;
    spec->precision = take_number (formatter);
    spec->precision = MAX (spec->precision, 0);
  }
  while (peek (formatter, 0) != '\0' && strchr ("hlL", peek (formatter, 0)) != NULL)
    formatter->place++;
  spec->type = peek (formatter, 0);
  formatter->place++;
  if (spec->align == '<' || strchr ("srac", spec->type) != NULL)
    spec->fill[0] = ' ';
  else if (spec->fill[0] == '0')
    spec->align = '=';
  return spec->width <= MAX_WIDTH || fail (formatter);
}

static gboolean
run_percent (Formatter *formatter, const WlyTemplateValue *values)
{
  const WlyTemplateText *format = formatter->format;
  const gboolean tuple          = values->kind == WLY_TEMPLATE_LIST && values->flavour == WLY_TEMPLATE_TUPLE;
  gsize n_used                  = 0;
  gboolean named                = FALSE;

  while (formatter->place < format->n_bytes) {
    WlyTemplateValue value = WLY_TEMPLATE_VALUE_UNDEFINED;
    gboolean by_name;
    gsize end = formatter->place;
    Spec spec;

    while (end < format->n_bytes && format->data[end] != '%')
      end++;
    wly_template_builder_append_part (&formatter->builder, format, formatter->place, end);
    formatter->place = end + 1;
    if (end >= format->n_bytes)
      break;
    by_name = peek (formatter, 0) == '(';
    named |= by_name;
    if ((by_name && !take_named (formatter, values, &value)) || !read_percent_spec (formatter, values, &n_used, &spec))
      return FALSE;
    if (spec.type == '%')
      wly_template_builder_append (&formatter->builder, "%", 1, TRUE);
    else if ((!by_name && !take_next (formatter, values, &n_used, &value)) || !put_percent (formatter, &spec, &value))
      return FALSE;
    if (!check_size (formatter))
      return FALSE;
  }
  if (!named && n_used < (tuple ? values->items->n_items : 1) && (tuple || values->kind != WLY_TEMPLATE_DICT)
      && (tuple || (values->kind != WLY_TEMPLATE_LIST && values->kind != WLY_TEMPLATE_UNDEFINED)))
    return wly_template_eval_fail (formatter->eval, "there are more values than holes");
  return TRUE;
}

/* Ends a run that went well, or did not. */
static gboolean
finish (Formatter *formatter, gboolean done, WlyTemplateValue *ret_value)
{
  done = done && wly_template_eval_finish (formatter->eval, &formatter->builder, ret_value);
  wly_template_builder_clear (&formatter->builder);
  return done;
}

gboolean
wly_template_format_percent (WlyTemplateEval *eval, const WlyTemplateText *format, const WlyTemplateValue *values,
                             WlyTemplateValue *ret_value)
{
  Formatter formatter = { .eval = eval, .format = format };

  wly_template_builder_init (&formatter.builder);
  return finish (&formatter, run_percent (&formatter, values), ret_value);
}

/* ---- { } ---- */

/* Behind ":" of a hole. */
static gboolean
read_brace_spec (Formatter *formatter, const char *text, gsize n_bytes, Spec *spec)
{
  const WlyTemplateText own = { .data = text, .n_bytes = n_bytes };
  Formatter inner           = { .eval = formatter->eval, .format = &own };
  gsize n                   = n_bytes > 0 ? wly_unicode_n_bytes ((guint8)text[0]) : 0;

  *spec = (Spec){ .fill = " ", .n_fill = 1, .sign = '-', .plain = n_bytes == 0, .width = -1, .precision = -1 };
  if (n > 0 && n < n_bytes && strchr ("<>^=", text[n]) != NULL) {
    memcpy (spec->fill, text, n);
    spec->n_fill = n;
    spec->align  = text[n];
    inner.place  = n + 1;
  } else if (n > 0 && strchr ("<>^=", text[0]) != NULL) {
    spec->align = text[0];
    inner.place = 1;
  }
  if (peek (&inner, 0) != '\0' && strchr ("+- ", peek (&inner, 0)) != NULL)
    spec->sign = own.data[inner.place++];
  if (peek (&inner, 0) == '#') {
    spec->alternate = TRUE;
    inner.place++;
  }
  if (peek (&inner, 0) == '0') {
    if (spec->align == '\0') {
      spec->align   = '=';
      spec->fill[0] = '0';
      spec->n_fill  = 1;
    }
    inner.place++;
  }
  spec->width = take_number (&inner);
  if (peek (&inner, 0) == ',' || peek (&inner, 0) == '_')
    spec->group = own.data[inner.place++];
  if (peek (&inner, 0) == '.') {
    inner.place++;
    spec->precision = take_number (&inner);
    if (spec->precision < 0)
      return fail (formatter);
  }
  if (inner.place < n_bytes)
    spec->type = text[inner.place++];
  return (inner.place == n_bytes && spec->width <= MAX_WIDTH && spec->precision <= MAX_WIDTH) || fail (formatter);
}

/* The value of "0.name[key]". */
static gboolean
find_field (Formatter *formatter, const WlyTemplateArguments *arguments, const char *name, gsize n_bytes, guint *n_auto,
            WlyTemplateValue *ret_value)
{
  const gsize n_first           = strcspn (name, ".[:!}");
  const WlyTemplateValue *found = NULL;
  g_autofree char *first        = g_strndup (name, MIN (n_first, n_bytes));
  gboolean digits               = *first != '\0';
  guint64 place                 = *n_auto;

  for (const char *c = first; *c != '\0'; c++)
    digits = digits && g_ascii_isdigit (*c);
  if (*first == '\0')
    (*n_auto)++;
  else if (digits)
    place = g_ascii_strtoull (first, NULL, 10);
  for (guint i = 0; i < arguments->n; i++) {
    if (arguments->names[i] == NULL ? (digits || *first == '\0') && i == place
                                    : strcmp (arguments->names[i], first) == 0)
      found = &arguments->values[i];
  }
  if (found == NULL)
    return wly_template_eval_fail (formatter->eval, "there is no value for a hole");
  *ret_value = *found;
  for (gsize i = strlen (first); i < n_bytes;) {
    const WlyTemplateValue left = *ret_value;
    const gboolean dot          = name[i] == '.';
    const gsize n               = dot ? strcspn (name + i + 1, ".[:!}") : strcspn (name + i + 1, "]");
    g_autofree char *part       = g_strndup (name + i + 1, MIN (n, n_bytes - i - 1));
    WlyTemplateValue key;
    char *end;

    if (dot ? !wly_template_eval_attribute (formatter->eval, &left, part, ret_value)
            : !wly_template_eval_new_text (formatter->eval, part, strlen (part), TRUE, &key))
      return FALSE;
    if (!dot) {
      const gint64 number = g_ascii_strtoll (part, &end, 10);

      if (*part != '\0' && *end == '\0')
        key = WLY_TEMPLATE_VALUE_INTEGER (number);
      if (!wly_template_eval_item (formatter->eval, &left, &key, ret_value))
        return FALSE;
    }
    i += n + (dot ? 1 : 2);
  }
  return TRUE;
}

static gboolean
put_brace (Formatter *formatter, const Spec *spec, char conversion, const WlyTemplateValue *value)
{
  const WlyTemplateText *text;
  WlyTemplateValue shown = *value;

  if (conversion == 'r' || conversion == 'a') {
    if (!wly_template_repr_run (formatter->eval, value, &shown))
      return FALSE;
  } else if (conversion != 's' && conversion != '\0') {
    return fail (formatter);
  }
  if (conversion == '\0' && wly_template_value_is_number (value)
      && (value->kind != WLY_TEMPLATE_BOOLEAN || !spec->plain))
    return put_number (formatter, spec, value);
  if (conversion == '\0' && value->kind != WLY_TEMPLATE_TEXT && !spec->plain)
    return fail (formatter);
  if ((spec->type != '\0' && spec->type != 's') || spec->align == '=' || spec->group != '\0')
    return fail (formatter);
  return wly_template_repr_text (formatter->eval, &shown, &text) && put_text (formatter, spec, text);
}

/* Behind "{": a hole up to its "}". */
static gboolean
run_hole (Formatter *formatter, const WlyTemplateArguments *arguments, guint *n_auto)
{
  const char *start      = formatter->format->data + formatter->place;
  const gsize room       = formatter->format->n_bytes - formatter->place;
  const char *end        = memchr (start, '}', room);
  const char *colon      = end == NULL ? NULL : memchr (start, ':', (gsize)(end - start));
  const char *name_end   = colon != NULL ? colon : end, *mark;
  g_autofree char *field = NULL;
  char conversion        = '\0';
  WlyTemplateValue value;
  Spec spec;

  if (end == NULL || memchr (start, '{', (gsize)(end - start)) != NULL)
    return fail (formatter);
  mark = memchr (start, '!', (gsize)(name_end - start));
  if (mark != NULL) {
    if (mark + 2 != name_end)
      return fail (formatter);
    conversion = mark[1];
    name_end   = mark;
  }
  field = g_strndup (start, (gsize)(name_end - start));
  formatter->place += (gsize)(end - start) + 1;
  return find_field (formatter, arguments, field, strlen (field), n_auto, &value)
         && read_brace_spec (formatter, colon == NULL ? end : colon + 1, colon == NULL ? 0 : (gsize)(end - colon - 1),
                             &spec)
         && put_brace (formatter, &spec, conversion, &value);
}

static gboolean
run_braces (Formatter *formatter, const WlyTemplateArguments *arguments)
{
  const WlyTemplateText *format = formatter->format;
  guint n_auto                  = 0;

  while (formatter->place < format->n_bytes) {
    gsize end = formatter->place;
    char sign;

    while (end < format->n_bytes && format->data[end] != '{' && format->data[end] != '}')
      end++;
    wly_template_builder_append_part (&formatter->builder, format, formatter->place, end);
    formatter->place = end + 1;
    if (end >= format->n_bytes)
      break;
    sign = format->data[end];
    if (peek (formatter, 0) == sign) {
      wly_template_builder_append_part (&formatter->builder, format, end, end + 1);
      formatter->place++;
    } else if (sign == '}' || !run_hole (formatter, arguments, &n_auto)) {
      return fail (formatter);
    }
    if (!check_size (formatter))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_template_format_braces (WlyTemplateEval *eval, const WlyTemplateText *format, const WlyTemplateArguments *arguments,
                            WlyTemplateValue *ret_value)
{
  Formatter formatter = { .eval = eval, .format = format };

  wly_template_builder_init (&formatter.builder);
  return finish (&formatter, run_braces (&formatter, arguments), ret_value);
}
