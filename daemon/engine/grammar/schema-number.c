/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers of a JSON Schema as texts: no value is computed, digits are compared.
 */
#include "grammar/schema-private.h"

#include "grammar/regex.h"

#include <string.h>

#define DIGITS_MAX   64 /* of a limit, written without exponent */
#define INTEGER      "-?(?:0|[1-9][0-9]{0,39})"
#define SHORT        "-?(?:0|[1-9][0-9]{0,14})"
#define EXPONENT     "(?:[eE][+-]?(?:[0-9]{1,2}|1[0-9]{2}|2[0-4][0-9]))?"
#define MULTIPLE_MAX 1000

/* A number as digits before and behind the point, without zeros that say nothing. */
typedef struct {
  gboolean negative;
  char whole[2 * DIGITS_MAX + 2];
  char part[2 * DIGITS_MAX + 2];
} Decimal;

static void
trim (Decimal *decimal)
{
  gsize zeros = strspn (decimal->whole, "0");
  gsize n     = strlen (decimal->part);

  if (decimal->whole[zeros] == '\0' && zeros > 0)
    zeros--;
  memmove (decimal->whole, decimal->whole + zeros, strlen (decimal->whole + zeros) + 1);
  while (n > 0 && decimal->part[n - 1] == '0')
    decimal->part[--n] = '\0';
  if (g_str_equal (decimal->whole, "0") && n == 0)
    decimal->negative = FALSE;
}

/* FALSE: it has too many digits. */
static gboolean
read_decimal (const char *text, Decimal *ret_decimal)
{
  g_autoptr (GString) digits = g_string_new (NULL);
  gint64 point               = -1; /* digits before it */
  gint64 exponent            = 0;
  Decimal decimal            = { 0 };

  for (; *text != '\0' && strchr ("eE", *text) == NULL; text++) {
    if (*text == '-')
      decimal.negative = TRUE;
    else if (*text == '.')
      point = (gint64)digits->len;
    else
      g_string_append_c (digits, *text);
  }
  if (point < 0)
    point = (gint64)digits->len;
  if (*text != '\0' && !g_ascii_string_to_signed (text[1] == '+' ? text + 2 : text + 1, 10, -400, 400, &exponent, NULL))
    return FALSE;
  point += exponent;
  while (point <= 0) {
    g_string_prepend_c (digits, '0');
    point++;
  }
  while ((gint64)digits->len < point)
    g_string_append_c (digits, '0');
  if (point > DIGITS_MAX || (gint64)digits->len - point > DIGITS_MAX)
    return FALSE;
  memcpy (decimal.whole, digits->str, (gsize)point);
  memcpy (decimal.part, digits->str + point, digits->len - (gsize)point);
  trim (&decimal);
  *ret_decimal = decimal;
  return TRUE;
}

/* ---- comparing ---- */

gboolean
wly_schema_number_compare (const char *a, const char *b, int *ret_order)
{
  Decimal x, y;
  gsize n_x, n_y;

  if (!read_decimal (a, &x) || !read_decimal (b, &y))
    return FALSE;
  n_x = strlen (x.whole);
  n_y = strlen (y.whole);
  if (x.negative != y.negative)
    *ret_order = x.negative ? -1 : 1;
  else if (n_x != n_y)
    *ret_order = (n_x < n_y) != x.negative ? -1 : 1;
  else {
    *ret_order = strcmp (x.whole, y.whole);
    if (*ret_order == 0)
      *ret_order = strcmp (x.part, y.part); /* without zeros at its end, the beginning of another is less */
    if (x.negative)
      *ret_order = -*ret_order;
  }
  return TRUE;
}

/* Texts whose digits at one place are above (@more) or below those of @digits, and equal before; each is followed by
 * any @n_rest digits per place left, or (@open) by any number. */
static void
add_places (GString *out, const char *lead, const char *digits, gboolean more, gboolean open, const char *tail)
{
  gsize n = strlen (digits);

  for (gsize i = 0; i < n; i++) {
    char low  = more ? (char)(digits[i] + 1) : '0';
    char high = more ? '9' : (char)(digits[i] - 1);

    if (low > high)
      continue;
    g_string_append_printf (out, "|%s%.*s[%c-%c]", lead, (int)i, digits, low, high);
    if (open)
      g_string_append (out, "[0-9]*");
    else
      g_string_append_printf (out, "[0-9]{%" G_GSIZE_FORMAT "}", n - i - 1);
    g_string_append (out, tail);
  }
}

/* Alternatives for numbers without sign above (@more) or below a limit, or equal to it. */
static void
add_compared (GString *out, const char *sign, const Decimal *limit, gboolean more, gboolean equal)
{
  g_autofree char *lead = g_strdup_printf ("%s%s\\.", sign, limit->whole);
  gsize n_whole         = strlen (limit->whole);

  if (more)
    g_string_append_printf (out, "|%s[0-9]{%" G_GSIZE_FORMAT ",}(?:\\.[0-9]+)?", sign, n_whole + 1);
  else if (n_whole > 1)
    g_string_append_printf (out, "|%s[0-9]{1,%" G_GSIZE_FORMAT "}(?:\\.[0-9]+)?", sign, n_whole - 1);
  add_places (out, sign, limit->whole, more, FALSE, "(?:\\.[0-9]+)?");
  add_places (out, lead, limit->part, more, TRUE, "");
  if (more)
    g_string_append_printf (out, "|%s%s[0-9]*[1-9][0-9]*", lead, limit->part);
  if (!more && *limit->part != '\0') {
    g_string_append_printf (out, "|%s%s", sign, limit->whole);
    for (gsize i = 1; i < strlen (limit->part); i++)
      g_string_append_printf (out, "|%s%.*s", lead, (int)i, limit->part);
  }
  if (!equal)
    return;
  g_string_append_printf (out, "|%s%s0*", lead, limit->part);
  if (*limit->part == '\0')
    g_string_append_printf (out, "|%s%s", sign, limit->whole);
}

/* All numbers from (@lower) or up to a limit. */
static char *
compared (const Decimal *limit, gboolean lower, gboolean equal)
{
  GString *out        = g_string_new ("[^0-9]"); /* no number: so that each alternative begins with | */
  const Decimal zero  = { FALSE, "0", "" };
  gboolean is_zero    = g_str_equal (limit->whole, "0") && *limit->part == '\0';
  gboolean below_zero = limit->negative;

  if (lower && below_zero) {
    add_compared (out, "-", limit, FALSE, equal);
    add_compared (out, "", &zero, TRUE, TRUE);
  } else if (lower) {
    add_compared (out, "", limit, TRUE, equal);
    if (is_zero && equal)
      g_string_append (out, "|-0(?:\\.0+)?");
  } else if (below_zero) {
    add_compared (out, "-", limit, TRUE, equal);
  } else {
    add_compared (out, "", limit, FALSE, equal);
    add_compared (out, "-", &zero, TRUE, !is_zero || equal);
  }
  return g_string_free (out, FALSE);
}

/* ---- lists of schemas ---- */

static WlyDfa *
texts_of (WlySchema *schema, WlyJsonId at, const char *expression)
{
  return wly_schema_pattern (schema, at, expression, strlen (expression), WLY_LANGUAGE_WHOLE);
}

static WlyDfa *
limit_texts (WlySchema *schema, WlyJsonId at, gboolean lower, gboolean equal)
{
  g_autofree char *expression = NULL;
  gsize n_bytes;
  Decimal limit;

  if (!read_decimal (wly_json_text (schema->json, at, &n_bytes), &limit)) {
    wly_schema_fail (schema, at, "limits of numbers have up to 64 digits on either side of the point");
    return NULL;
  }
  expression = compared (&limit, lower, equal);
  return texts_of (schema, at, expression);
}

/* Digits whose number is divided by @n; the sign may stand before. */
static WlyDfa *
multiple_texts (guint n)
{
  g_autoptr (WlyLanguage) language = wly_language_new ();
  guint32 begun, first;

  language->start = wly_language_add_state (language);
  begun           = wly_language_add_state (language);
  language->end   = wly_language_add_state (language);
  first           = language->n_states;
  language->n_states += n;
  wly_language_add_empty (language, language->start, begun);
  wly_language_add_range (language, language->start, '-', '-', begun);
  for (guint32 digit = 0; digit < 10; digit++) {
    wly_language_add_range (language, begun, '0' + digit, '0' + digit, first + digit % n);
    for (guint32 rest = 0; rest < n; rest++)
      wly_language_add_range (language, first + rest, '0' + digit, '0' + digit, first + (rest * 10 + digit) % n);
  }
  wly_language_add_empty (language, first, language->end);
  return wly_dfa_new (language, WLY_LANGUAGE_WHOLE, WLY_DFA_WORK_MAX);
}

/* 0: no whole number in the range that can be honoured. */
static guint
read_multiple (const WlySchema *schema, WlyJsonId at)
{
  gsize n_bytes;
  Decimal decimal;
  guint64 value;

  if (!read_decimal (wly_json_text (schema->json, at, &n_bytes), &decimal) || *decimal.part != '\0' || decimal.negative
      || !g_ascii_string_to_unsigned (decimal.whole, 10, 1, MULTIPLE_MAX, &value, NULL))
    return 0;
  return (guint)value;
}

typedef struct {
  gboolean reals;
  gboolean multiples;
  gsize n_whole; /* digits before the point of the longest limit; 0: no limits */
} Shape;

static void
look_at_limits (WlySchema *schema, const GArray *items, Shape *shape)
{
  static const char *const limits[] = { "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum" };

  for (guint i = 0; i < items->len; i++) {
    for (gsize k = 0; k < G_N_ELEMENTS (limits); k++) {
      WlyJsonId at = wly_schema_get (schema, wly_schema_item (items, i), limits[k]);
      Decimal limit;
      gsize n_bytes;

      if (at != 0 && read_decimal (wly_json_text (schema->json, at, &n_bytes), &limit))
        shape->n_whole = MAX (shape->n_whole, strlen (limit.whole));
    }
    if (wly_schema_get (schema, wly_schema_item (items, i), "multipleOf") != 0)
      shape->multiples = TRUE;
  }
}

/* Numbers without limits have up to 40 digits on either side and an exponent.  With limits there is none, and so few
 * digits that a double keeps on its side of the limit what is on that side in decimal. */
static WlyDfa *
shape_texts (WlySchema *schema, WlyJsonId at, const Shape *shape)
{
  g_autofree char *expression = NULL;

  if (shape->multiples)
    return texts_of (schema, at, SHORT);
  if (!shape->reals)
    return texts_of (schema, at, INTEGER);
  if (shape->n_whole == 0)
    return texts_of (schema, at, INTEGER "(?:\\.[0-9]{1,40})?" EXPONENT);
  if (shape->n_whole > 14)
    return texts_of (schema, at, INTEGER);
  expression = g_strdup_printf (SHORT "(?:\\.[0-9]{1,%d})?", (int)(15 - shape->n_whole));
  return texts_of (schema, at, expression);
}

static WlyDfa *
with_limit (WlySchema *schema, WlyDfa *texts, const WlySchemaItem *item, const char *keyword, gboolean lower)
{
  WlyJsonId at = wly_schema_get (schema, item, keyword);
  WlyDfa *limit;

  if (at == 0 || texts == NULL)
    return texts;
  limit = limit_texts (schema, at, lower, g_str_has_prefix (keyword, "m"));
  if (limit != NULL)
    return wly_schema_both (schema, at, texts, limit);
  wly_dfa_free (texts);
  return NULL;
}

static WlyDfa *
with_multiple (WlySchema *schema, WlyDfa *texts, const WlySchemaItem *item)
{
  WlyJsonId at = wly_schema_get (schema, item, "multipleOf");
  guint n;

  if (at == 0 || texts == NULL)
    return texts;
  n = read_multiple (schema, at);
  if (n != 0)
    return wly_schema_both (schema, at, texts, multiple_texts (n));
  wly_schema_fail (schema, at, "only whole numbers from 1 to 1000 can be honoured");
  wly_dfa_free (texts);
  return NULL;
}

/* Formats of numbers, which OpenAPI has. */
static WlyDfa *
with_format (WlySchema *schema, WlyDfa *texts, const WlySchemaItem *item)
{
  static const struct {
    const char *name;
    const char *low, *high; /* NULL: nothing to hold to */
  } formats[]  = { { "int32", "2147483648", "2147483647" },
                   { "int64", "9223372036854775808", "9223372036854775807" },
                   { "float", NULL, NULL },
                   { "double", NULL, NULL } };
  WlyJsonId at = wly_schema_get (schema, item, "format");

  for (gsize i = 0; at != 0 && texts != NULL && i < G_N_ELEMENTS (formats); i++) {
    if (!wly_json_is_text (schema->json, at, formats[i].name) || formats[i].low == NULL)
      continue;
    for (guint k = 0; k < 2 && texts != NULL; k++) {
      Decimal limit               = { .negative = k == 0 };
      g_autofree char *expression = NULL;

      g_strlcpy (limit.whole, k == 0 ? formats[i].low : formats[i].high, sizeof limit.whole);
      expression = compared (&limit, k == 0, TRUE);
      texts      = wly_schema_both (schema, at, texts, texts_of (schema, at, expression));
    }
  }
  return texts;
}

WlyDfa *
wly_schema_number_texts (WlySchema *schema, const GArray *items, gboolean reals)
{
  Shape shape   = { .reals = reals };
  WlyJsonId at  = items->len > 0 ? wly_schema_item (items, 0)->id : WLY_JSON_ROOT;
  WlyDfa *texts = NULL;

  look_at_limits (schema, items, &shape);
  texts = shape_texts (schema, at, &shape);
  for (guint i = 0; i < items->len; i++) {
    const WlySchemaItem *item = wly_schema_item (items, i);

    texts = with_limit (schema, texts, item, "minimum", TRUE);
    texts = with_limit (schema, texts, item, "maximum", FALSE);
    texts = with_limit (schema, texts, item, "exclusiveMinimum", TRUE);
    texts = with_limit (schema, texts, item, "exclusiveMaximum", FALSE);
    texts = with_multiple (schema, texts, item);
    texts = with_format (schema, texts, item);
  }
  return texts;
}

void
wly_schema_number (WlySchema *schema, const GArray *items, gboolean reals, WlyState from, WlyState to)
{
  g_autoptr (WlyDfa) texts = wly_schema_number_texts (schema, items, reals);

  if (texts != NULL)
    wly_dfa_emit (texts, schema->automaton, from, to, FALSE);
}
