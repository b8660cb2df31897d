/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of texts, as str of Python has them.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <string.h>

#define METHOD(name)                                                                                                   \
  static gboolean name (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,   \
                        WlyTemplateValue *ret_value)

/* ---- white space and other characters at the ends ---- */

static gboolean
is_stripped (const WlyTemplateText *text, gsize start, gsize n_bytes, const WlyTemplateText *characters)
{
  const WlyTemplateText one = { .data = text->data + start, .n_bytes = n_bytes };
  gsize n;

  if (characters != NULL)
    return wly_template_text_find (characters, 0, &one) != G_MAXSIZE;
  return wly_template_text_is_space (wly_unicode_get (text->data + start, &n));
}

gboolean
wly_template_methods_strip (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *characters,
                            gboolean start, gboolean end, WlyTemplateValue *ret_value)
{
  const gsize n_set = characters == NULL ? 0 : characters->n_bytes;
  gsize first = 0, last = text->n_bytes, n;

  while (start && first < last) {
    n = wly_unicode_n_bytes ((guint8)text->data[first]);
    if (!is_stripped (text, first, n, characters))
      break;
    first += n;
    if (!wly_template_eval_step (eval, n_set / 64))
      return FALSE;
  }
  while (end && first < last) {
    n = last - wly_template_text_before (text, last);
    if (!is_stripped (text, last - n, n, characters))
      break;
    last -= n;
    if (!wly_template_eval_step (eval, n_set / 64))
      return FALSE;
  }
  return wly_template_eval_step (eval, text->n_bytes / 64)
         && wly_template_eval_part (eval, text, first, last, ret_value);
}

static gboolean
strip (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, gboolean start,
       gboolean end, WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *given;
  const WlyTemplateText *characters;

  return wly_template_arguments_bind (eval, arguments, "chars", &given)
         && wly_template_arguments_text_or_none (eval, given, &characters)
         && wly_template_methods_strip (eval, value->text, characters, start, end, ret_value);
}

METHOD (run_strip)
{
  return strip (eval, value, arguments, TRUE, TRUE, ret_value);
}

METHOD (run_lstrip)
{
  return strip (eval, value, arguments, TRUE, FALSE, ret_value);
}

METHOD (run_rstrip)
{
  return strip (eval, value, arguments, FALSE, TRUE, ret_value);
}

/* ---- new texts ---- */

/* An empty @old stands between all characters. */
static gsize
next_old (const WlyTemplateText *text, gsize place, gsize done, const WlyTemplateText *old)
{
  if (old->n_bytes > 0)
    return wly_template_text_find (text, place, old);
  if (done == 0)
    return 0;
  return place < text->n_bytes ? place + wly_unicode_n_bytes ((guint8)text->data[place]) : G_MAXSIZE;
}

gboolean
wly_template_methods_replace (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *old,
                              const WlyTemplateText *new, gint64 limit, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  gsize place                         = 0;

  wly_template_builder_init (&builder);
  for (gsize done = 0; limit < 0 || done < (guint64)limit; done++) {
    const gsize found = next_old (text, place, done, old);

    if (found == G_MAXSIZE)
      break;
    wly_template_builder_append_part (&builder, text, place, found);
    wly_template_builder_append_part (&builder, new, 0, new->n_bytes);
    place = found + old->n_bytes;
    if (builder.bytes->len > WLY_TEMPLATE_MAX_MEMORY)
      return wly_template_eval_full (eval);
    if (!wly_template_eval_step (eval, 1))
      return FALSE;
  }
  wly_template_builder_append_part (&builder, text, place, text->n_bytes);
  return wly_template_eval_finish (eval, &builder, ret_value);
}

METHOD (run_replace)
{
  const WlyTemplateValue *given[3];
  const WlyTemplateText *old, *new;
  gint64 limit;

  return wly_template_arguments_bind (eval, arguments, "old new/count", given)
         && wly_template_arguments_text (eval, given[0], &old) && wly_template_arguments_text (eval, given[1], &new)
         && wly_template_arguments_integer (eval, given[2], -1, &limit)
         && wly_template_methods_replace (eval, value->text, old, new, limit, ret_value);
}

METHOD (run_join)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  const WlyTemplateValue *given;
  WlyTemplateItems *items;

  if (!wly_template_arguments_bind (eval, arguments, "iterable/", &given)
      || !wly_template_eval_items (eval, given, &items))
    return FALSE;
  wly_template_builder_init (&builder);
  for (gsize i = 0; i < items->n_items; i++) {
    const WlyTemplateText *text;

    if (!wly_template_arguments_text (eval, &items->items[i], &text)
        || !wly_template_eval_step (eval, 1 + text->n_bytes / 64))
      return FALSE;
    if (i > 0)
      wly_template_builder_append_part (&builder, value->text, 0, value->text->n_bytes);
    wly_template_builder_append_part (&builder, text, 0, text->n_bytes);
    if (builder.bytes->len > WLY_TEMPLATE_MAX_MEMORY)
      return wly_template_eval_full (eval);
  }
  return wly_template_eval_finish (eval, &builder, ret_value);
}

/* @left and @right times @fill around the text from byte @start on, behind what stands before it. */
static gboolean
pad (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gint64 left, gint64 right,
     const WlyTemplateText *fill, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };

  if (left > WLY_TEMPLATE_MAX_RANGE || right > WLY_TEMPLATE_MAX_RANGE)
    return wly_template_eval_fail (eval, "a text is filled up to too many characters");
  wly_template_builder_init (&builder);
  wly_template_builder_append_part (&builder, text, 0, start);
  for (gint64 i = 0; i < left; i++)
    wly_template_builder_append_part (&builder, fill, 0, fill->n_bytes);
  wly_template_builder_append_part (&builder, text, start, text->n_bytes);
  for (gint64 i = 0; i < right; i++)
    wly_template_builder_append_part (&builder, fill, 0, fill->n_bytes);
  return wly_template_eval_step (eval, (guint64)(MAX (left, 0) + MAX (right, 0)) / 16)
         && wly_template_eval_finish (eval, &builder, ret_value);
}

gboolean
wly_template_methods_center (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 width,
                             const WlyTemplateText *fill, WlyTemplateValue *ret_value)
{
  const gint64 n_fill = MAX (width - (gint64)wly_template_value_text_length (text), 0);
  const gint64 left   = n_fill / 2 + (n_fill & width & 1);

  return pad (eval, text, 0, left, n_fill - left, fill, ret_value);
}

/* Width and filling character of ljust and its like. */
static gboolean
read_width (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, gint64 *ret_width,
            const WlyTemplateText **ret_fill)
{
  const WlyTemplateValue *given[2];
  WlyTemplateValue space;

  if (!wly_template_arguments_bind (eval, arguments, "width/fillchar", given)
      || !wly_template_arguments_integer (eval, given[0], 0, ret_width)
      || !wly_template_eval_new_text (eval, " ", 1, TRUE, &space)
      || !wly_template_arguments_text (eval, given[1] != NULL ? given[1] : &space, ret_fill))
    return FALSE;
  return wly_template_value_text_length (*ret_fill) == 1
         || wly_template_eval_fail (eval, "what a text is filled up with is not one character");
}

METHOD (run_ljust)
{
  const WlyTemplateText *fill;
  gint64 width;

  return read_width (eval, arguments, &width, &fill)
         && pad (eval, value->text, 0, 0, width - (gint64)wly_template_value_text_length (value->text), fill,
                 ret_value);
}

METHOD (run_rjust)
{
  const WlyTemplateText *fill;
  gint64 width;

  return read_width (eval, arguments, &width, &fill)
         && pad (eval, value->text, 0, width - (gint64)wly_template_value_text_length (value->text), 0, fill,
                 ret_value);
}

METHOD (run_center)
{
  const WlyTemplateText *fill;
  gint64 width;

  return read_width (eval, arguments, &width, &fill)
         && wly_template_methods_center (eval, value->text, width, fill, ret_value);
}

METHOD (run_zfill)
{
  const WlyTemplateText *text = value->text;
  const WlyTemplateValue *given;
  WlyTemplateValue zero;
  gint64 width;

  return wly_template_arguments_bind (eval, arguments, "width/", &given)
         && wly_template_arguments_integer (eval, given, 0, &width)
         && wly_template_eval_new_text (eval, "0", 1, TRUE, &zero)
         && pad (eval, text, text->n_bytes > 0 && (text->data[0] == '+' || text->data[0] == '-'),
                 width - (gint64)wly_template_value_text_length (text), 0, zero.text, ret_value);
}

METHOD (run_expandtabs)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  const WlyTemplateText *text         = value->text;
  const WlyTemplateValue *given;
  gint64 size, column = 0;
  gsize n;

  if (!wly_template_arguments_bind (eval, arguments, "tabsize", &given)
      || !wly_template_arguments_integer (eval, given, 8, &size))
    return FALSE;
  size = CLAMP (size, 0, 256);
  wly_template_builder_init (&builder);
  for (gsize i = 0; i < text->n_bytes; i += n) {
    n = wly_unicode_n_bytes ((guint8)text->data[i]);
    if (text->data[i] == '\t') {
      for (gint64 left = size == 0 ? 0 : size - column % size; left > 0; left--, column++)
        wly_template_builder_append (&builder, " ", 1, FALSE);
      continue;
    }
    wly_template_builder_append_part (&builder, text, i, i + n);
    column = text->data[i] == '\n' || text->data[i] == '\r' ? 0 : column + 1;
  }
  return wly_template_eval_finish (eval, &builder, ret_value) && wly_template_eval_step (eval, text->n_bytes / 8);
}

/* ---- case ---- */

static gboolean
change_case (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
             WlyTemplateCase to, WlyTemplateValue *ret_value)
{
  return wly_template_arguments_bind (eval, arguments, "", NULL)
         && wly_template_case_change (eval, value->text, to, ret_value);
}

METHOD (run_upper)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_UPPER, ret_value);
}

METHOD (run_lower)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_LOWER, ret_value);
}

METHOD (run_title)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_TITLE, ret_value);
}

METHOD (run_capitalize)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_CAPITALIZE, ret_value);
}

METHOD (run_swapcase)
{
  return change_case (eval, value, arguments, WLY_TEMPLATE_SWAP, ret_value);
}

METHOD (run_format)
{
  return wly_template_format_braces (eval, value->text, arguments, ret_value);
}

const WlyTemplateRow *
wly_template_methods_text_find (const char *name)
{
  static const WlyTemplateRow methods[] = {
    { "capitalize", run_capitalize }, { "casefold", run_lower },    { "center", run_center },
    { "expandtabs", run_expandtabs }, { "format", run_format },     { "join", run_join },
    { "ljust", run_ljust },           { "lower", run_lower },       { "lstrip", run_lstrip },
    { "replace", run_replace },       { "rjust", run_rjust },       { "rstrip", run_rstrip },
    { "strip", run_strip },           { "swapcase", run_swapcase }, { "title", run_title },
    { "upper", run_upper },           { "zfill", run_zfill },
  };

  return wly_template_eval_row (methods, G_N_ELEMENTS (methods), name);
}
