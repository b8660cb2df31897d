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
    if (right < 0 || right > 64)
      return overflow (eval);
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
  double result;

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
    result = pow (left, right);
    break;
  default:
    if (right == 0)
      return wly_template_eval_fail (eval, "division by zero");
    result = left / right;
    if (sign == WLY_TEMPLATE_OPERATOR ('/', '/'))
      result = floor (result);
    else if (sign == WLY_TEMPLATE_OPERATOR ('%', 0))
      result = left - floor (result) * right;
    break;
  }
  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_FLOAT, .real = result };
  return TRUE;
}

static gboolean
repeat (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 n, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  if (n > 0 && text->n_bytes > 0 && (guint64)n > WLY_TEMPLATE_MAX_OUTPUT / text->n_bytes)
    return wly_template_eval_fail (eval, "a text is repeated too often");
  wly_template_builder_init (&builder);
  for (; n > 0; n--) {
    if (!wly_template_eval_step (eval, 1))
      return FALSE;
    wly_template_builder_append_part (&builder, text, 0, text->n_bytes);
  }
  return wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), ret_value);
}

static gboolean
join_lists (WlyTemplateEval *eval, const WlyTemplateValue *left, const WlyTemplateValue *right,
            WlyTemplateValue *ret_value)
{
  WlyTemplateValue list;

  if (!wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gsize i = 0; i < left->items->n_items; i++)
    if (!wly_template_eval_append (eval, &list, left->items->items[i]))
      return FALSE;
  for (gsize i = 0; i < right->items->n_items; i++)
    if (!wly_template_eval_append (eval, &list, right->items->items[i]))
      return FALSE;
  *ret_value = list;
  return TRUE;
}

gboolean
wly_template_operators_binary (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                               const WlyTemplateValue *right, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *texts[2];

  if (sign == WLY_TEMPLATE_OPERATOR ('~', 0))
    return wly_template_eval_text (eval, left, &texts[0]) && wly_template_eval_text (eval, right, &texts[1])
           && wly_template_eval_take (eval, wly_template_text_join (eval->arena, texts[0], texts[1]), ret_value);
  if (wly_template_value_is_number (left) && wly_template_value_is_number (right)) {
    if (left->kind == WLY_TEMPLATE_FLOAT || right->kind == WLY_TEMPLATE_FLOAT || sign == WLY_TEMPLATE_OPERATOR ('/', 0))
      return reals (eval, sign, wly_template_value_number (left), wly_template_value_number (right), ret_value);
    return integers (eval, sign, left->kind == WLY_TEMPLATE_BOOLEAN ? left->boolean : left->integer,
                     right->kind == WLY_TEMPLATE_BOOLEAN ? right->boolean : right->integer, ret_value);
  }
  if (sign == WLY_TEMPLATE_OPERATOR ('+', 0) && left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_TEXT)
    return wly_template_eval_take (eval, wly_template_text_join (eval->arena, left->text, right->text), ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('+', 0) && left->kind == WLY_TEMPLATE_LIST && right->kind == WLY_TEMPLATE_LIST)
    return join_lists (eval, left, right, ret_value);
  if (sign == WLY_TEMPLATE_OPERATOR ('*', 0) && left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_INTEGER)
    return repeat (eval, left->text, right->integer, ret_value);
  return wly_template_eval_fail (eval, "%s %c%c %s cannot be computed", wly_template_value_kind_name (left), (char)sign,
                                 sign > 255 ? (char)(sign >> 8) : ' ', wly_template_value_kind_name (right));
}

/* ---- comparison ---- */

gboolean
wly_template_operators_compare (WlyTemplateEval *eval, guint32 sign, const WlyTemplateValue *left,
                                const WlyTemplateValue *right, gboolean *ret_result)
{
  const gboolean or_equal = sign > 255;
  double order;

  if (sign == WLY_TEMPLATE_OPERATOR ('=', '=') || sign == WLY_TEMPLATE_OPERATOR ('!', '=')) {
    guint64 n_steps = 0;

    *ret_result = wly_template_value_equal (left, right, 0, &n_steps) == (sign == WLY_TEMPLATE_OPERATOR ('=', '='));
    return wly_template_eval_step (eval, n_steps);
  }
  if (wly_template_value_is_number (left) && wly_template_value_is_number (right))
    order = wly_template_value_number (left) - wly_template_value_number (right);
  else if (left->kind == WLY_TEMPLATE_TEXT && right->kind == WLY_TEMPLATE_TEXT)
    order = wly_template_text_compare (left->text, right->text);
  else
    return wly_template_eval_fail (eval, "%s and %s have no order", wly_template_value_kind_name (left),
                                   wly_template_value_kind_name (right));
  if ((char)sign == '<')
    *ret_result = or_equal ? order <= 0 : order < 0;
  else
    *ret_result = or_equal ? order >= 0 : order > 0;
  return TRUE;
}

gboolean
wly_template_operators_in (WlyTemplateEval *eval, const WlyTemplateValue *item, const WlyTemplateValue *container,
                           gboolean *ret_result)
{
  guint64 n_steps = 0;

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
    for (gsize i = 0; i < container->items->n_items && !*ret_result; i++)
      *ret_result = wly_template_value_equal (item, &container->items->items[i], 0, &n_steps);
    return wly_template_eval_step (eval, n_steps);
  case WLY_TEMPLATE_DICT:
    *ret_result = item->kind == WLY_TEMPLATE_TEXT && wly_template_value_lookup (container->items, item->text) != NULL;
    return wly_template_eval_step (eval, container->items->n_items / 16);
  default:
    return wly_template_eval_fail (eval, "a %s holds nothing", wly_template_value_kind_name (container));
  }
}

/* ---- items ---- */

/* Byte of the character @index of a text of valid UTF-8. */
static gsize
place_of (const WlyTemplateText *text, gsize index)
{
  gsize place = 0;

  for (; index > 0 && place < text->n_bytes; index--)
    place += wly_unicode_n_bytes ((guint8)text->data[place]);
  return place;
}

gboolean
wly_template_operators_index (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateValue *index,
                              WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text = value->kind == WLY_TEMPLATE_TEXT ? value->text : NULL;
  gint64 place, n;
  gsize start;

  *ret_value = (WlyTemplateValue){ .kind = WLY_TEMPLATE_UNDEFINED };
  if (value->kind == WLY_TEMPLATE_UNDEFINED)
    return wly_template_eval_fail (eval, "an item is asked of a value that is undefined");
  if (index->kind == WLY_TEMPLATE_TEXT && (value->kind == WLY_TEMPLATE_DICT || value->kind == WLY_TEMPLATE_NAMESPACE)) {
    const WlyTemplateValue *found = wly_template_value_lookup (value->items, index->text);

    if (found != NULL)
      *ret_value = *found;
    return wly_template_eval_step (eval, value->items->n_items / 16);
  }
  if (index->kind != WLY_TEMPLATE_INTEGER || (value->kind != WLY_TEMPLATE_LIST && text == NULL))
    return TRUE;
  n     = (gint64)(text != NULL ? wly_template_value_text_length (text) : value->items->n_items);
  place = index->integer < 0 ? index->integer + n : index->integer;
  if (place < 0 || place >= n)
    return TRUE;
  if (text == NULL) {
    *ret_value = value->items->items[place];
    return TRUE;
  }
  start = place_of (text, (gsize)place);
  return wly_template_eval_step (eval, text->n_bytes / 32)
         && wly_template_eval_take (
             eval,
             wly_template_text_part (eval->arena, text, start, start + wly_unicode_n_bytes ((guint8)text->data[start])),
             ret_value);
}

/* A bound of a slice as Python takes it, in [low, high]. */
static gboolean
bound (WlyTemplateEval *eval, const WlyTemplateValue *part, gint64 fallback, gint64 n, gint64 low, gint64 high,
       gint64 *ret_value)
{
  *ret_value = fallback;
  if (part == NULL || part->kind == WLY_TEMPLATE_NONE)
    return TRUE;
  if (part->kind != WLY_TEMPLATE_INTEGER)
    return wly_template_eval_fail (eval, "a slice needs whole numbers");
  *ret_value = CLAMP (part->integer < 0 ? MAX (part->integer, -n - 1) + n : part->integer, low, high);
  return TRUE;
}

gboolean
wly_template_operators_slice (WlyTemplateEval *eval, const WlyTemplateValue *value,
                              const WlyTemplateValue *const parts[3], WlyTemplateValue *ret_value)
{
  const gboolean text   = value->kind == WLY_TEMPLATE_TEXT;
  WlyTemplateValue list = { .kind = WLY_TEMPLATE_UNDEFINED };
  WlyTemplateItems *items;
  gint64 n, start, stop, step = 1;

  if (!text && value->kind != WLY_TEMPLATE_LIST)
    return wly_template_eval_fail (eval, "a %s has no slices", wly_template_value_kind_name (value));
  n = (gint64)(text ? wly_template_value_text_length (value->text) : value->items->n_items);
  if (parts[2] != NULL && parts[2]->kind == WLY_TEMPLATE_INTEGER)
    step = CLAMP (parts[2]->integer, -n - 1, n + 1);
  if (step == 0)
    return wly_template_eval_fail (eval, "the step of a slice is zero");
  if (!bound (eval, parts[0], step > 0 ? 0 : n - 1, n, step > 0 ? 0 : -1, step > 0 ? n : n - 1, &start)
      || !bound (eval, parts[1], step > 0 ? n : -1, n, step > 0 ? 0 : -1, step > 0 ? n : n - 1, &stop))
    return FALSE;
  if (text && step == 1) {
    const gsize from = place_of (value->text, (gsize)start), to = place_of (value->text, (gsize)MAX (start, stop));

    return wly_template_eval_step (eval, value->text->n_bytes / 32)
           && wly_template_eval_take (eval, wly_template_text_part (eval->arena, value->text, from, to), ret_value);
  }
  if (!wly_template_eval_items (eval, value, &items) || !wly_template_eval_new_list (eval, &list))
    return FALSE;
  for (gint64 i = start; step > 0 ? i < stop : i > stop; i += step)
    if (!wly_template_eval_append (eval, &list, items->items[i]))
      return FALSE;
  *ret_value = list;
  if (text) {
    g_auto (WlyTemplateBuilder) builder = { 0 };

    wly_template_builder_init (&builder);
    for (gsize i = 0; i < list.items->n_items; i++)
      wly_template_builder_append_part (&builder, list.items->items[i].text, 0, list.items->items[i].text->n_bytes);
    return wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), ret_value);
  }
  return TRUE;
}
