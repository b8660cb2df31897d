/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What stands behind "|": filters of single values, and the way to the others.
 */
#include "template/template-eval.h"

#include <math.h>
#include <string.h>

#define FILTER(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

/* An argument as str() has it; NULL where it was not given or is none. */
static gboolean
as_text (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateText **ret_text)
{
  *ret_text = NULL;
  return value == NULL || value->kind == WLY_TEMPLATE_NONE || wly_template_repr_text (eval, value, ret_text);
}

/* What a filter makes of a markup is one, too. */
static gboolean
keep_flavour (const WlyTemplateValue *value, WlyTemplateValue *ret_value)
{
  if (value->kind == WLY_TEMPLATE_TEXT && ret_value->kind == WLY_TEMPLATE_TEXT)
    ret_value->flavour = value->flavour;
  return TRUE;
}

/* ---- texts ---- */

FILTER (run_trim)
{
  const WlyTemplateValue *given;
  const WlyTemplateText *text, *characters;

  return wly_template_arguments_bind (eval, arguments, "chars", &given) && wly_template_repr_text (eval, value, &text)
         && as_text (eval, given, &characters)
         && wly_template_methods_strip (eval, text, characters, TRUE, TRUE, ret_value)
         && keep_flavour (value, ret_value);
}

static gboolean
change_case (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
             WlyTemplateCase to, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text;

  return wly_template_arguments_bind (eval, arguments, "", NULL) && wly_template_repr_text (eval, value, &text)
         && wly_template_case_change (eval, text, to, ret_value) && keep_flavour (value, ret_value);
}

FILTER (run_upper)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_UPPER, ret_value);
}

FILTER (run_lower)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_LOWER, ret_value);
}

FILTER (run_title)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_HEADING, ret_value);
}

FILTER (run_capitalize)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_CAPITALIZE, ret_value);
}

FILTER (run_replace)
{
  const WlyTemplateText *text, *old, *new;
  const WlyTemplateValue *given[3];
  gint64 limit;

  return wly_template_arguments_bind (eval, arguments, "old new/count", given)
         && wly_template_repr_text (eval, value, &text) && wly_template_repr_text (eval, given[0], &old)
         && wly_template_repr_text (eval, given[1], &new)
         && wly_template_arguments_integer_or_none (eval, given[2], -1, &limit)
         && wly_template_methods_replace (eval, text, old, new, limit, ret_value);
}

FILTER (run_string)
{
  const WlyTemplateText *text;

  return wly_template_arguments_bind (eval, arguments, "", NULL) && wly_template_repr_text (eval, value, &text)
         && wly_template_eval_take (eval, text, ret_value) && keep_flavour (value, ret_value);
}

/* Marks HTML as it is. */
FILTER (run_safe)
{
  if (!run_string (eval, value, arguments, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_MARKUP;
  return TRUE;
}

static gboolean
escape (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, gboolean twice,
        WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text;

  *ret_value = *value;
  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (!twice && value->kind == WLY_TEMPLATE_TEXT && value->flavour == WLY_TEMPLATE_MARKUP)
    return TRUE;
  return wly_template_repr_text (eval, value, &text) && wly_template_escape_html (eval, text, ret_value);
}

FILTER (run_escape)
{
  return escape (eval, value, arguments, FALSE, ret_value);
}

FILTER (run_forceescape)
{
  return escape (eval, value, arguments, TRUE, ret_value);
}

FILTER (run_center)
{
  const WlyTemplateValue *given;
  const WlyTemplateText *text;
  WlyTemplateValue space;
  gint64 width;

  return wly_template_arguments_bind (eval, arguments, "width", &given)
         && wly_template_arguments_integer (eval, given, 80, &width) && wly_template_repr_text (eval, value, &text)
         && wly_template_eval_new_text (eval, " ", 1, TRUE, &space)
         && wly_template_methods_center (eval, text, width, space.text, ret_value) && keep_flavour (value, ret_value);
}

FILTER (run_format)
{
  WlyTemplateValue list;
  const WlyTemplateText *text;

  if (!wly_template_repr_text (eval, value, &text) || !wly_template_eval_new_list (eval, &list))
    return FALSE;
  list.flavour = WLY_TEMPLATE_TUPLE;
  for (guint i = 0; i < arguments->n; i++) {
    WlyTemplateValue name;

    if ((arguments->names[i] != NULL) != (arguments->names[0] != NULL))
      return wly_template_eval_fail (eval, "format has values by place or by name, not both");
    if (arguments->names[i] != NULL) {
      list.kind    = WLY_TEMPLATE_DICT;
      list.flavour = 0;
      if (!wly_template_eval_new_text (eval, arguments->names[i], strlen (arguments->names[i]), TRUE, &name)
          || !wly_template_eval_put (eval, &list, name, arguments->values[i]))
        return FALSE;
    } else if (!wly_template_eval_append (eval, &list, arguments->values[i])) {
      return FALSE;
    }
  }
  return wly_template_format_percent (eval, text, &list, ret_value);
}

/* Lines of @text with @margin in front: of all but the first, unless @first; of empty ones only with @blank. */
static gboolean
indent_lines (WlyTemplateEval *eval, const WlyTemplateItems *lines, const WlyTemplateText *margin, gboolean first,
              gboolean blank, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < lines->n_items; i++) {
    const WlyTemplateText *line = lines->items[i].text;

    if (i > 0)
      wly_template_builder_append (&builder, "\n", 1, TRUE);
    if (i == 0 ? first : blank || line->n_bytes > 0)
      wly_template_builder_append_part (&builder, margin, 0, margin->n_bytes);
    wly_template_builder_append_part (&builder, line, 0, line->n_bytes);
    if (builder.bytes->len > WLY_TEMPLATE_MAX_MEMORY)
      return wly_template_eval_full (eval);
  }
  return wly_template_eval_finish (eval, &builder, ret_value);
}

FILTER (run_indent)
{
  const WlyTemplateValue *given[3];
  WlyTemplateValue newline, joined, lines, margin;
  g_autofree char *spaces = NULL;
  gint64 width;

  if (!wly_template_arguments_bind (eval, arguments, "width first blank", given))
    return FALSE;
  if (value->kind != WLY_TEMPLATE_TEXT)
    return wly_template_eval_fail (eval, "a %s cannot be indented", wly_template_value_kind_name (value));
  if (given[0] != NULL && given[0]->kind == WLY_TEMPLATE_TEXT) {
    margin = *given[0];
  } else {
    if (!wly_template_arguments_integer (eval, given[0], 4, &width))
      return FALSE;
    spaces = g_strnfill ((gsize)CLAMP (width, 0, 1024), ' ');
    if (!wly_template_eval_new_text (eval, spaces, strlen (spaces), TRUE, &margin))
      return FALSE;
  }
  /* a newline more at the end: so that an empty last line counts */
  return wly_template_eval_new_text (eval, "\n", 1, TRUE, &newline)
         && wly_template_eval_take (eval, wly_template_text_join (eval->arena, value->text, newline.text), &joined)
         && wly_template_methods_split_lines (eval, joined.text, FALSE, &lines)
         && indent_lines (eval, lines.items, margin.text, given[1] != NULL && wly_template_value_truth (given[1]),
                          given[2] != NULL && wly_template_value_truth (given[2]), ret_value)
         && keep_flavour (value, ret_value);
}

/* Lists that are short enough stay as they are; longer ones cannot be cut. */
static gboolean
fits (WlyTemplateEval *eval, const WlyTemplateValue *value, gint64 n_max)
{
  const gsize n = value->kind == WLY_TEMPLATE_DICT   ? value->items->n_items / 2
                  : value->kind == WLY_TEMPLATE_LIST ? value->items->n_items
                                                     : 0;

  if ((value->kind == WLY_TEMPLATE_LIST && value->flavour != WLY_TEMPLATE_GENERATOR) || value->kind == WLY_TEMPLATE_DICT
      || value->kind == WLY_TEMPLATE_UNDEFINED)
    if ((gint64)n <= n_max)
      return TRUE;
  return wly_template_eval_fail (eval, "a %s cannot be truncated", wly_template_value_kind_name (value));
}

FILTER (run_truncate)
{
  const WlyTemplateValue *given[4];
  const WlyTemplateText *text, *end = NULL;
  WlyTemplateValue dots, head;
  gint64 length, leeway, n;
  gsize place;

  if (!wly_template_arguments_bind (eval, arguments, "length killwords end leeway", given)
      || !wly_template_arguments_integer (eval, given[0], 255, &length) || !as_text (eval, given[2], &end)
      || !wly_template_arguments_integer_or_none (eval, given[3], 5, &leeway)
      || !wly_template_eval_new_text (eval, "...", 3, TRUE, &dots))
    return FALSE;
  if (end == NULL)
    end = dots.text;
  n = (gint64)wly_template_value_text_length (end);
  if (length < n || leeway < 0)
    return wly_template_eval_fail (eval, "what truncate keeps is shorter than its end");
  *ret_value = *value;
  if (value->kind != WLY_TEMPLATE_TEXT)
    return fits (eval, value, length + leeway);
  text = value->text;
  if ((gint64)wly_template_value_text_length (text) <= length + leeway)
    return TRUE;
  place = wly_template_operators_place (text, (gsize)(length - n));
  if (given[1] == NULL || !wly_template_value_truth (given[1])) {
    gsize space = place;

    while (space > 0 && text->data[space - 1] != ' ')
      space--;
    place = space > 0 ? space - 1 : place;
  }
  return wly_template_eval_part (eval, text, 0, place, &head)
         && wly_template_eval_take (eval, wly_template_text_join (eval->arena, head.text, end), ret_value);
}

FILTER (run_wordcount)
{
  const WlyTemplateText *text;
  gboolean inside = FALSE;
  gint64 n        = 0;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL) || !wly_template_repr_text (eval, value, &text))
    return FALSE;
  for (const char *c = text->data; c < text->data + text->n_bytes; c = g_utf8_next_char (c)) {
    const gunichar code  = g_utf8_get_char (c);
    const gboolean wordy = code == '_' || g_unichar_isalnum (code);

    n += wordy && !inside;
    inside = wordy;
  }
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER (n);
  return wly_template_eval_step (eval, text->n_bytes / 32);
}

/* key=value of one pair. */
static gboolean
encode_pair (WlyTemplateEval *eval, WlyTemplateBuilder *builder, const WlyTemplateValue *key,
             const WlyTemplateValue *value)
{
  const WlyTemplateValue *parts[2] = { key, value };

  for (guint i = 0; i < 2; i++) {
    const WlyTemplateText *text;
    WlyTemplateValue part;

    if (!wly_template_repr_text (eval, parts[i], &text) || !wly_template_escape_url (eval, text, TRUE, &part))
      return FALSE;
    if (i > 0 || builder->bytes->len > 0)
      wly_template_builder_append (builder, i > 0 ? "=" : "&", 1, TRUE);
    wly_template_builder_append_part (builder, part.text, 0, part.text->n_bytes);
  }
  return TRUE;
}

FILTER (run_urlencode)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  WlyTemplateItems *items, *pair;
  const WlyTemplateText *text;

  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (value->kind != WLY_TEMPLATE_DICT && value->kind != WLY_TEMPLATE_LIST && value->kind != WLY_TEMPLATE_UNDEFINED)
    return wly_template_repr_text (eval, value, &text) && wly_template_escape_url (eval, text, FALSE, ret_value);
  wly_template_builder_init (&builder);
  if (value->kind == WLY_TEMPLATE_DICT) {
    for (gsize i = 0; i < value->items->n_items; i += 2)
      if (!encode_pair (eval, &builder, &value->items->items[i], &value->items->items[i + 1]))
        return FALSE;
    return wly_template_eval_finish (eval, &builder, ret_value);
  }
  if (!wly_template_eval_items (eval, value, &items))
    return FALSE;
  for (gsize i = 0; i < items->n_items; i++) {
    if (!wly_template_eval_items (eval, &items->items[i], &pair))
      return FALSE;
    if (pair->n_items != 2)
      return wly_template_eval_fail (eval, "urlencode takes pairs");
    if (!encode_pair (eval, &builder, &pair->items[0], &pair->items[1]))
      return FALSE;
  }
  return wly_template_eval_finish (eval, &builder, ret_value);
}

/* ---- numbers ---- */

FILTER (run_abs)
{
  const WlyTemplateValue zero = WLY_TEMPLATE_VALUE_INTEGER (0);

  *ret_value = *value;
  if (!wly_template_arguments_bind (eval, arguments, "", NULL))
    return FALSE;
  if (!wly_template_value_is_number (value))
    return wly_template_eval_fail (eval, "a %s has no absolute value", wly_template_value_kind_name (value));
  if (value->kind == WLY_TEMPLATE_FLOAT)
    ret_value->real = fabs (value->real);
  else if (value->kind == WLY_TEMPLATE_BOOLEAN || value->integer < 0)
    return wly_template_operators_binary (
        eval, WLY_TEMPLATE_OPERATOR (value->kind == WLY_TEMPLATE_BOOLEAN ? '+' : '-', 0), &zero, value, ret_value);
  return TRUE;
}

/* A text as int() or float() of Python reads it: white space around it, underscores between digits. */
static char *
number_text (const WlyTemplateText *text)
{
  GString *number = g_string_new_len (text->data, (gssize)text->n_bytes);

  g_strstrip (number->str);
  number->len = strlen (number->str);
  for (gsize i = 1; i + 1 < number->len;) {
    if (number->str[i] == '_' && g_ascii_isxdigit (number->str[i - 1]) && g_ascii_isxdigit (number->str[i + 1]))
      g_string_erase (number, (gssize)i, 1);
    else
      i++;
  }
  return g_string_free (number, FALSE);
}

static gboolean
read_real (const WlyTemplateText *text, double *ret_real)
{
  g_autofree char *number = number_text (text);
  char *end               = number;

  if (*number == '\0' || strpbrk (number, "xXpP(") != NULL)
    return FALSE;
  *ret_real = g_ascii_strtod (number, &end);
  return *end == '\0';
}

static gboolean
read_integer (const WlyTemplateText *text, gint64 base, gint64 *ret_integer)
{
  g_autofree char *number = number_text (text);
  const char *digits      = number + (*number == '+' || *number == '-');
  const char *prefix      = base == 16 ? "0x" : base == 8 ? "0o" : base == 2 ? "0b" : NULL;
  g_autofree char *joined = NULL;

  if (prefix != NULL && g_ascii_strncasecmp (digits, prefix, 2) == 0)
    digits += 2;
  joined = g_strconcat (*number == '-' ? "-" : "", digits, NULL);
  return base >= 2 && base <= 36 && g_ascii_isalnum (*digits)
         && g_ascii_string_to_signed (joined, (guint)base, G_MININT64, G_MAXINT64, ret_integer, NULL);
}

FILTER (run_int)
{
  const WlyTemplateValue zero = WLY_TEMPLATE_VALUE_INTEGER (0), *given[2];
  gint64 base, integer;
  double real;

  if (!wly_template_arguments_bind (eval, arguments, "default base", given)
      || !wly_template_arguments_integer (eval, given[1], 10, &base))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "a value that is undefined is no number");
  *ret_value = given[0] != NULL ? *given[0] : zero;
  if (wly_template_value_integer (value, &integer)
      || (value->kind == WLY_TEMPLATE_TEXT && read_integer (value->text, base, &integer))) {
    *ret_value = WLY_TEMPLATE_VALUE_INTEGER (integer);
    return TRUE;
  }
  if (value->kind == WLY_TEMPLATE_FLOAT)
    real = value->real;
  else if (value->kind != WLY_TEMPLATE_TEXT || !read_real (value->text, &real))
    return TRUE;
  if (!isfinite (real))
    return TRUE;
  if (!(fabs (real) < 9.2e18))
    return wly_template_eval_fail (eval, "a number is too large");
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER ((gint64)real);
  return TRUE;
}

FILTER (run_float)
{
  const WlyTemplateValue zero = WLY_TEMPLATE_VALUE_FLOAT (0), *given;
  double real;

  if (!wly_template_arguments_bind (eval, arguments, "default", &given))
    return FALSE;
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "a value that is undefined is no number");
  *ret_value = given != NULL ? *given : zero;
  if (wly_template_value_is_number (value))
    *ret_value = WLY_TEMPLATE_VALUE_FLOAT (wly_template_value_number (value));
  else if (value->kind == WLY_TEMPLATE_TEXT && read_real (value->text, &real))
    *ret_value = WLY_TEMPLATE_VALUE_FLOAT (real);
  return TRUE;
}

/* Halves go to the even neighbour, as the exact decimal digits say. */
static double
round_real (double real, gint64 precision)
{
  char text[400], format[16];

  if (precision < 0) {
    const double unit = pow (10, (double)-precision);

    return nearbyint (real / unit) * unit;
  }
  g_snprintf (format, sizeof format, "%%.%df", (int)MIN (precision, 60));
  return g_ascii_strtod (g_ascii_formatd (text, sizeof text, format, real), NULL);
}

FILTER (run_round)
{
  const WlyTemplateValue *given[2];
  const WlyTemplateText *method = NULL;
  gint64 precision;
  double scale, real;

  if (!wly_template_arguments_bind (eval, arguments, "precision method", given)
      || !wly_template_arguments_integer (eval, given[0], 0, &precision) || !as_text (eval, given[1], &method))
    return FALSE;
  if (!wly_template_value_is_number (value))
    return wly_template_eval_fail (eval, "a %s cannot be rounded", wly_template_value_kind_name (value));
  if (method == NULL || wly_template_text_is (method, "common")) {
    *ret_value = *value;
    if (value->kind == WLY_TEMPLATE_BOOLEAN)
      *ret_value = WLY_TEMPLATE_VALUE_INTEGER (value->boolean != FALSE);
    else if (value->kind == WLY_TEMPLATE_FLOAT && isfinite (value->real))
      ret_value->real = round_real (value->real, precision);
    else if (value->kind == WLY_TEMPLATE_INTEGER && precision < 0)
      ret_value->integer = (gint64)round_real ((double)value->integer, precision);
    return TRUE;
  }
  if (!wly_template_text_is (method, "ceil") && !wly_template_text_is (method, "floor"))
    return wly_template_eval_fail (eval, "round knows common, ceil and floor");
  scale      = pow (10, (double)precision);
  real       = wly_template_value_number (value) * scale;
  real       = method->data[0] == 'c' ? ceil (real) : floor (real);
  *ret_value = WLY_TEMPLATE_VALUE_FLOAT (real / scale);
  return TRUE;
}

/* ---- any value ---- */

FILTER (run_default)
{
  const WlyTemplateValue *given[2];
  gboolean has;

  if (!wly_template_arguments_bind (eval, arguments, "default_value boolean", given))
    return FALSE;
  has = value->kind != WLY_TEMPLATE_UNDEFINED
        && (given[1] == NULL || !wly_template_value_truth (given[1]) || wly_template_value_truth (value));
  if (has)
    *ret_value = *value;
  else if (given[0] != NULL)
    *ret_value = *given[0];
  else
    return wly_template_eval_new_text (eval, "", 0, TRUE, ret_value);
  return TRUE;
}

FILTER (run_attr)
{
  g_autofree char *name = NULL;
  const WlyTemplateValue *given;
  const WlyTemplateText *text;

  if (!wly_template_arguments_bind (eval, arguments, "name/", &given) || !wly_template_repr_text (eval, given, &text))
    return FALSE;
  name = g_strndup (text->data, text->n_bytes);
  return wly_template_eval_own_attribute (eval, value, name, ret_value);
}

static const WlyTemplateRow *
find (const char *name)
{
  static const WlyTemplateRow filters[] = {
    { "abs", run_abs },
    { "attr", run_attr },
    { "capitalize", run_capitalize },
    { "center", run_center },
    { "d", run_default },
    { "default", run_default },
    { "e", run_escape },
    { "escape", run_escape },
    { "float", run_float },
    { "forceescape", run_forceescape },
    { "format", run_format },
    { "indent", run_indent },
    { "int", run_int },
    { "lower", run_lower },
    { "replace", run_replace },
    { "round", run_round },
    { "safe", run_safe },
    { "string", run_string },
    { "title", run_title },
    { "tojson", wly_template_json_run },
    { "trim", run_trim },
    { "truncate", run_truncate },
    { "upper", run_upper },
    { "urlencode", run_urlencode },
    { "wordcount", run_wordcount },
  };
  const WlyTemplateRow *row = wly_template_eval_row (filters, G_N_ELEMENTS (filters), name);

  return row != NULL ? row : wly_template_filters_list_find (name);
}

gboolean
wly_template_filters_known (const char *name)
{
  /* what Jinja2 has as well, but no template that is known uses */
  static const char *const others[] = {
    "filesizeformat", "pprint", "random", "striptags", "urlize", "wordwrap", "xmlattr",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    if (strcmp (others[i], name) == 0)
      return TRUE;
  return find (name) != NULL;
}

gboolean
wly_template_filters_run (WlyTemplateEval *eval, const char *name, const WlyTemplateValue *value,
                          const WlyTemplateArguments *arguments, WlyTemplateValue *ret_value)
{
  const WlyTemplateRow *row = find (name);

  if (row == NULL)
    return wly_template_eval_fail (eval, "the filter \"%s\" is not supported here", name);
  return row->run (eval, value, arguments, ret_value);
}
