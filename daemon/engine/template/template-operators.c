/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "template/template-eval.h"
#include "template/template-lexer.h"
#include "token/unicode.h"

#include <math.h>

/* ---- arithmetic ---- */

static gboolean
overflow (WlyTemplateEval *eval)
{
  return wly_template_eval_fail (eval, "a number is too large");
}

/* Python rounds down and gives the remainder the divisor's sign. */
static gboolean
divide (WlyTemplateEval *eval, gint64 left, gint64 right, gboolean remainder, gint64 *ret_value)
{
  gint64 quotient, rest;

  if (right == 0)
    return wly_template_eval_fail (eval, "division by zero");
  if (left == G_MININT64 && right == -1)
    return overflow (eval);
  quotient = left / right;
  rest     = left % right;
  if (rest != 0 && (rest < 0) != (right < 0)) {
    quotient--;
    rest += right;
  }
  *ret_value = remainder ? rest : quotient;
  return TRUE;
}

static gboolean
integers (WlyTemplateEval *eval, guint32 sign, gint64 left, gint64 right, WlyTemplateValue *ret_value)
{
  gint64 result = 1;

  switch (sign) {
  case WLY_TEMPLATE_OPERATOR ('+', 0):
    if (__builtin_add_overflow (left, right, &result))
      return overflow (eval);
    break;
  case WLY_TEMPLATE_OPERATOR ('-', 0):
    if (__builtin_sub_overflow (left, right, &result))
      return overflow (eval);
    break;
  case WLY_TEMPLATE_OPERATOR ('*', 0):
    if (__builtin_mul_overflow (left, right, &result))
      return overflow (eval);
    break;
  case WLY_TEMPLATE_OPERATOR ('*', '*'):
    if (right < 0) {
      if (left == 0)
        return wly_template_eval_fail (eval, "division by zero");
      *ret_value = WLY_TEMPLATE_VALUE_FLOAT (pow ((double)left, (double)right));
      return TRUE;
    }
    if (left == 0 || left == 1 || left == -1)
      result = right == 0 ? 1 : left == -1 && right % 2 == 0 ? 1 : left;
    else if (right > 64)
      return overflow (eval);
    else
      for (; right > 0; right--)
        if (__builtin_mul_overflow (result, left, &result))
          return overflow (eval);
    break;
  default:
    if (!divide (eval, left, right, sign == WLY_TEMPLATE_OPERATOR ('%', 0), &result))
      return FALSE;
    break;
  }
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_INTEGER, .integer = result };
  return TRUE;
}

static gboolean
reals (WlyTemplateEval *eval, guint32 sign, double left, double right, WlyTemplateValue *ret_value)
{
  double result, rest;

  switch (sign) {
  case WLY_TEMPLATE_OPERATOR ('+', 0):
    result = left + right;
    break;
  case WLY_TEMPLATE_OPERATOR ('-', 0):
    result = left - right;
    break;
  case WLY_TEMPLATE_OPERATOR ('*', 0):
    result = left * right;
    break;
  case WLY_TEMPLATE_OPERATOR ('*', '*'):
    if (left == 0 && right < 0)
      return wly_template_eval_fail (eval, "division by zero");
    result = pow (left, right);
    if (isfinite (left) && isfinite (right) && !isfinite (result))
      return wly_template_eval_fail (eval, "a number is too large, or no real one");
    break;
  default:
    if (right == 0)
      return wly_template_eval_fail (eval, "division by zero");
    result = left / right;
    if (sign == WLY_TEMPLATE_OPERATOR ('/', 0))
      break;
    /* as Python: the remainder has the divisor's sign, and the quotient goes with it */
    rest   = fmod (left, right);
    result = (left - rest) / right;
    if (rest != 0 && (right < 0) != (rest < 0)) {
      rest += right;
      result -= 1;
    }
    if (rest == 0)
      rest = copysign (0.0, right);
    if (result != 0)
      result = floor (result) + (result - floor (result) > 0.5 ? 1 : 0);
    else
      result = copysign (0.0, left / right);
    if (sign == WLY_TEMPLATE_OPERATOR ('%', 0))
      result = rest;
    break;
  }
  *ret_value = WLY_TEMPLATE_VALUE_FLOAT (result);
  return TRUE;
}

static gboolean
repeat_text (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 n, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  if (n > 0 && text->n_bytes > 0 && (guint64)n > WLY_TEMPLATE_MAX_OUTPUT / text->n_bytes)
    return wly_template_eval_fail (eval, "a text is repeated too often");
  wly_template_builder_init (&builder);
  for (; n > 0 && text->n_bytes > 0; n--) {
    if (!wly_template_eval_step (eval, 1))
      return FALSE;
    wly_template_builder_append_part (&builder, text, 0, text->n_bytes);
  }
  return wly_template_eval_finish (eval, &builder, ret_value);
}

static gboolean
append_all (WlyTemplateEval *eval, WlyTemplateValue *list, const WlyTemplateItems *items)
{
  for (gsize i = 0; i < items->n_items; i++)
    if (!wly_template_eval_append (eval, list, items->items[i]))
      return FALSE;
  return TRUE;
}

static gboolean
repeat_list (WlyTemplateEval *eval, const WlyTemplateValue *list, gint64 n, WlyTemplateValue *ret_value)
{
  WlyTemplateValue result;

  if (!wly_template_eval_new_list (eval, &result))
    return FALSE;
  for (; n > 0 && list->items->n_items > 0; n--)
    if (!append_all (eval, &result, list->items))
      return FALSE;
  result.flavour = list->flavour;
  *ret_value     = result;
  return TRUE;
}

/* A list or a tuple, which can be added and repeated. */
static gboolean
is_plain_list (const WlyTemplateValue *value)
{
  return value->kind == WLY_TEMPLATE_LIST && value->flavour <= WLY_TEMPLATE_GROUP;
}

static gboolean
add_lists (WlyTemplateEval *eval, const WlyTemplateValue *left, const WlyTemplateValue *right,
           WlyTemplateValue *ret_value)
{
  WlyTemplateValue list;

  if (!wly_template_eval_new_list (eval, &list) || !append_all (eval, &list, left->items)
      || !append_all (eval, &list, right->items))
    return FALSE;
  list.flavour = left->flavour == 0 ? 0 : WLY_TEMPLATE_TUPLE;
  *ret_value   = list;
  return TRUE;
}

/* What is marked as markup escapes what is not. */
static gboolean
add_texts (WlyTemplateEval *eval, const WlyTemplateValue *left, const WlyTemplateValue *right,
           WlyTemplateValue *ret_value)
{
  WlyTemplateValue one = *left, two = *right;
  const gboolean markup = one.flavour == WLY_TEMPLATE_MARKUP || two.flavour == WLY_TEMPLATE_MARKUP;

  if (markup && one.flavour != WLY_TEMPLATE_MARKUP && !wly_template_escape_html (eval, one.text, &one))
    return FALSE;
  if (markup && two.flavour != WLY_TEMPLATE_MARKUP && !wly_template_escape_html (eval, two.text, &two))
    return FALSE;
  if (!wly_template_eval_take (eval, wly_template_text_join (eval->arena, one.text, two.text), ret_value))
    return FALSE;
  ret_value->flavour = markup ? WLY_TEMPLATE_MARKUP : 0;
  return TRUE;
}

static gboolean
numbers (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left, const WlyTemplateValue *right,
         WlyTemplateValue *ret_value)
{
  gint64 one, two;

  if (sign == WLY_TEMPLATE_OPERATOR ('/', 0) || !wly_template_value_integer (left, &one)
      || !wly_template_value_integer (right, &two))
    return reals (eval, sign, wly_template_value_number (left), wly_template_value_number (right), ret_value);
  return integers (eval, sign, one, two, ret_value);
}

/* text * n, n * text and the same of lists; FALSE in *ret_done: neither. */
static gboolean
repeat (WlyTemplateEval *eval, const WlyTemplateValue *left, const WlyTemplateValue *right, gboolean *ret_done,
        WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *value = left;
  gint64 n;

  *ret_done = TRUE;
  if (wly_template_value_integer (left, &n))
    value = right;
  else if (!wly_template_value_integer (right, &n))
    value = NULL;
  if (value != NULL && value->kind == WLY_TEMPLATE_TEXT) {
    const guint32 flavour = value->flavour;

    if (!repeat_text (eval, value->text, n, ret_value))
      return FALSE;
    ret_value->flavour = flavour;
    return TRUE;
  }
  if (value != NULL && is_plain_list (value))
    return repeat_list (eval, value, n, ret_value);
  *ret_done = FALSE;
  return TRUE;
}

gboolean
wly_template_operators_binary (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                               const WlyTemplateValue *right, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *texts[2];
  gboolean done;

  if (sign == WLY_TEMPLATE_OPERATOR ('~', 0))
    return wly_template_repr_text (eval, left, &texts[0]) && wly_template_repr_text (eval, right, &texts[1])
           && wly_template_eval_take (eval, wly_template_text_join (eval->arena, texts[0], texts[1]), ret_value);
  if (wly_template_value_is_number (left) && wly_template_value_is_number (right))
    return numbers (eval, sign, left, right, ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('+', 0) && left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_TEXT)
    return add_texts (eval, left, right, ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('+', 0) && is_plain_list (left) && is_plain_list (right)
      && (left->flavour == 0) == (right->flavour == 0))
    return add_lists (eval, left, right, ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('%', 0) && left->kind == WLY_TEMPLATE_TEXT)
    return wly_template_format_percent (eval, left->text, right, ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('*', 0)) {
    if (!repeat (eval, left, right, &done, ret_value))
      return FALSE;
    if (done)
      return TRUE;
  }
  return wly_template_eval_fail (eval, "%s %c%c %s cannot be computed", wly_template_value_kind_name (left), (char)sign,
                                 sign > 255 ? (char)(sign >> 8) : ' ', wly_template_value_kind_name (right));
}

/* ---- comparison ---- */

gboolean
wly_template_operators_order (WlyTemplateEval *eval, const WlyTemplateValue *left, const WlyTemplateValue *right,
                              guint depth, int *ret_order)
{
  guint64 n_steps = 0;

  if (!wly_template_eval_step (eval, 1))
    return FALSE;
  if (wly_template_value_is_number (left) && wly_template_value_is_number (right)) {
    const double one = wly_template_value_number (left), two = wly_template_value_number (right);

    *ret_order = one < two ? -1 : one > two;
    if (left->kind == WLY_TEMPLATE_INTEGER && right->kind == WLY_TEMPLATE_INTEGER)
      *ret_order = left->integer < right->integer ? -1 : left->integer > right->integer;
    return TRUE;
  }
  if (left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_TEXT) {
    *ret_order = wly_template_text_compare (left->text, right->text);
    return wly_template_eval_step (eval, MIN (left->text->n_bytes, right->text->n_bytes) / 64);
  }
  if (!is_plain_list (left) || !is_plain_list (right) || (left->flavour == 0) != (right->flavour == 0)
      || depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return wly_template_eval_fail (eval, "%s and %s have no order", wly_template_value_kind_name (left),
                                   wly_template_value_kind_name (right));
  for (gsize i = 0; i < MIN (left->items->n_items, right->items->n_items); i++) {
    const WlyTemplateValue *one = &left->items->items[i], *two = &right->items->items[i];

    if (!wly_template_value_equal (one, two, 0, &n_steps))
      return wly_template_eval_step (eval, n_steps)
             && wly_template_operators_order (eval, one, two, depth + 1, ret_order);
  }
  *ret_order = left->items->n_items < right->items->n_items ? -1 : left->items->n_items > right->items->n_items;
  return wly_template_eval_step (eval, n_steps);
}

gboolean
wly_template_operators_compare (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                const WlyTemplateValue *right, gboolean *ret_result)
{
  const gboolean or_equal = sign > 255;
  guint64 n_steps         = 0;
  int order;

  if (sign == 0 || sign == 1) {
    if (!wly_template_operators_in (eval, left, right, ret_result))
      return FALSE;
    *ret_result = *ret_result != (sign == 1);
    return TRUE;
  }
  if (sign == WLY_TEMPLATE_OPERATOR ('=', '=') || sign == WLY_TEMPLATE_OPERATOR ('!', '=')) {
    *ret_result = wly_template_value_equal (left, right, 0, &n_steps) == (sign == WLY_TEMPLATE_OPERATOR ('=', '='));
    return wly_template_eval_step (eval, n_steps);
  }
  if (!wly_template_operators_order (eval, left, right, 0, &order))
    return FALSE;
  *ret_result = (char)sign == '<' ? order < 0 : order > 0;
  if (or_equal)
    *ret_result |= order == 0;
  return TRUE;
}

gboolean
wly_template_operators_in (WlyTemplateEval *eval, const WlyTemplateValue *item, const WlyTemplateValue *container,
                           gboolean *ret_result)
{
  guint64 n_steps = 0;
  WlyTemplateItems *items;

  *ret_result = FALSE;
  switch (container->kind) {
  case WLY_TEMPLATE_UNDEFINED:
    return TRUE;
  case WLY_TEMPLATE_TEXT:
    if (item->kind != WLY_TEMPLATE_TEXT)
      return wly_template_eval_fail (eval, "a text holds texts only, no %s", wly_template_value_kind_name (item));
    *ret_result = wly_template_text_find (container->text, 0, item->text) != G_MAXSIZE;
    return wly_template_eval_step (eval, container->text->n_bytes / 64);
  case WLY_TEMPLATE_LIST:
    if (!wly_template_eval_items (eval, container, &items))
      return FALSE;
    for (gsize i = 0; i < items->n_items && !*ret_result; i++)
      *ret_result = wly_template_value_equal (item, &items->items[i], 0, &n_steps);
    return wly_template_eval_step (eval, n_steps);
  case WLY_TEMPLATE_DICT:
    if (!wly_template_value_is_key (item))
      return wly_template_eval_fail (eval, "a %s cannot be the key of a dictionary",
                                     wly_template_value_kind_name (item));
    *ret_result = wly_template_value_lookup (container->items, item) != NULL;
    return wly_template_eval_step (eval, container->items->n_items / 16);
  default:
    return wly_template_eval_fail (eval, "a %s holds nothing", wly_template_value_kind_name (container));
  }
}

/* ---- slices ---- */

gsize
wly_template_operators_place (const WlyTemplateText *text, gsize index)
{
  gsize place = 0;

  for (; index > 0 && place < text->n_bytes; index--)
    place += wly_unicode_n_bytes ((guint8)text->data[place]);
  return place;
}

/* A bound of a slice as Python takes it, in [low, high]. */
static gboolean
bound (WlyTemplateEval *eval, const WlyTemplateValue *part, gint64 fallback, gint64 n, gint64 low, gint64 high,
       gint64 *ret_value)
{
  gint64 integer;

  *ret_value = fallback;
  if (part == NULL || part->kind == WLY_TEMPLATE_NONE)
    return TRUE;
  if (!wly_template_value_integer (part, &integer))
    return wly_template_eval_fail (eval, "a slice needs whole numbers");
  *ret_value = CLAMP (integer < 0 ? MAX (integer, -n - 1) + n : integer, low, high);
  return TRUE;
}

/* Items of a text are its characters, which are put together again. */
static gboolean
join_characters (WlyTemplateEval *eval, const WlyTemplateItems *characters, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < characters->n_items; i++)
    wly_template_builder_append_part (&builder, characters->items[i].text, 0, characters->items[i].text->n_bytes);
  return wly_template_eval_finish (eval, &builder, ret_value);
}

static gboolean
slice_bounds (WlyTemplateEval *eval, const WlyTemplateValue *const parts[3], gint64 n, gint64 *start, gint64 *stop,
              gint64 *step)
{
  *step = 1;
  if (parts[2] != NULL && parts[2]->kind != WLY_TEMPLATE_NONE && !wly_template_value_integer (parts[2], step))
    return wly_template_eval_fail (eval, "a slice needs whole numbers");
  *step = CLAMP (*step, -n - 1, n + 1);
  if (*step == 0)
    return wly_template_eval_fail (eval, "the step of a slice is zero");
  return bound (eval, parts[0], *step > 0 ? 0 : n - 1, n, *step > 0 ? 0 : -1, *step > 0 ? n : n - 1, start)
         && bound (eval, parts[1], *step > 0 ? n : -1, n, *step > 0 ? 0 : -1, *step > 0 ? n : n - 1, stop);
}

gboolean
wly_template_operators_slice (WlyTemplateEval *eval, const WlyTemplateValue *value,
                              const WlyTemplateValue *const parts[3], WlyTemplateValue *ret_value)
{
  const gboolean text   = value->kind == WLY_TEMPLATE_TEXT;
  const guint32 flavour = value->flavour == WLY_TEMPLATE_GROUP ? WLY_TEMPLATE_TUPLE : value->flavour;
  WlyTemplateValue list;
  WlyTemplateItems *items;
  gint64 n, start, stop, step;

  if (!text && !wly_template_value_is_sequence (value))
    return wly_template_eval_fail (eval, "a %s has no slices", wly_template_value_kind_name (value));
  n = (gint64)(text ? wly_template_value_text_length (value->text) : value->items->n_items);
  if (!slice_bounds (eval, parts, n, &start, &stop, &step))
    return FALSE;
  if (text && step == 1) {
    const gsize from = wly_template_operators_place (value->text, (gsize)start);
    const gsize to   = wly_template_operators_place (value->text, (gsize)MAX (start, stop));

    if (!wly_template_eval_step (eval, value->text->n_bytes / 32)
        || !wly_template_eval_part (eval, value->text, from, to, ret_value))
      return FALSE;
    ret_value->flavour = flavour;
    return TRUE;
  }
  if (!wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gint64 i = start; step > 0 ? i < stop : i > stop; i += step)
    if (!wly_template_eval_append (eval, &list, items->items[i]))
      return FALSE;
  if (text && !join_characters (eval, list.items, &list))
    return FALSE;
  list.flavour = flavour;
  *ret_value   = list;
  return TRUE;
}
