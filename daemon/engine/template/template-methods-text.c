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

static gboolean
append_part (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gsize end, WlyTemplateValue *list)
{
  WlyTemplateValue part;

  return wly_template_eval_part (eval, text, start, end, &part) && wly_template_eval_append (eval, list, part);
}

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

/* Where the character before @place begins. */
static gsize
before (const WlyTemplateText *text, gsize place)
{
  do
    place--;
  while (((guint8)text->data[place] & 0xc0) == 0x80);
  return place;
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
    eval->n_steps += n_set / 64;
  }
  while (end && first < last) {
    n = last - before (text, last);
    if (!is_stripped (text, last - n, n, characters))
      break;
    last -= n;
    eval->n_steps += n_set / 64;
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

/* ---- splitting ---- */

/* At runs of white space, at most @limit times; from the end with @backward. */
static gboolean
split_at_spaces (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 limit, WlyTemplateValue *list)
{
  gsize start = 0, end, n;

  for (;;) {
    for (n = 0; start < text->n_bytes; start += n) {
      n = wly_unicode_n_bytes ((guint8)text->data[start]);
      if (!is_stripped (text, start, n, NULL))
        break;
    }
    if (start >= text->n_bytes)
      return TRUE;
    end = start;
    if (limit-- == 0) {
      WlyTemplateValue rest;

      return wly_template_eval_part (eval, text, start, text->n_bytes, &rest)
             && wly_template_methods_strip (eval, rest.text, NULL, FALSE, TRUE, &rest)
             && wly_template_eval_append (eval, list, rest);
    }
    for (; end < text->n_bytes; end += n) {
      n = wly_unicode_n_bytes ((guint8)text->data[end]);
      if (is_stripped (text, end, n, NULL))
        break;
    }
    if (!append_part (eval, text, start, end, list))
      return FALSE;
    start = end;
  }
}

/* The same from the end; the list is in reverse. */
static gboolean
split_back_at_spaces (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 limit, WlyTemplateValue *list)
{
  gsize end = text->n_bytes, start, n;

  for (;;) {
    while (end > 0 && (n = end - before (text, end), is_stripped (text, end - n, n, NULL)))
      end -= n;
    if (end == 0)
      return TRUE;
    start = end;
    if (limit-- == 0) {
      WlyTemplateValue rest;

      return wly_template_eval_part (eval, text, 0, end, &rest)
             && wly_template_methods_strip (eval, rest.text, NULL, TRUE, FALSE, &rest)
             && wly_template_eval_append (eval, list, rest);
    }
    while (start > 0 && (n = start - before (text, start), !is_stripped (text, start - n, n, NULL)))
      start -= n;
    if (!append_part (eval, text, start, end, list))
      return FALSE;
    end = start;
  }
}

static gboolean
split_at (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *separator, gint64 limit,
          WlyTemplateValue *list)
{
  gsize place = 0, found;

  while (limit-- != 0 && (found = wly_template_text_find (text, place, separator)) != G_MAXSIZE) {
    if (!append_part (eval, text, place, found, list))
      return FALSE;
    place = found + separator->n_bytes;
  }
  return append_part (eval, text, place, text->n_bytes, list);
}

/* The first place of @part within the bytes from @start to @end, or the last; G_MAXSIZE: none. */
static gboolean
find_part (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gsize end, const WlyTemplateText *part,
           gboolean backward, gsize *ret_place)
{
  const gsize n = part->n_bytes;

  *ret_place = G_MAXSIZE;
  if (n > end || end - n < start)
    return TRUE;
  if (!backward || n == 0) {
    const gsize found = backward ? end : wly_template_text_find (text, start, part);

    *ret_place = found <= end - n ? found : G_MAXSIZE;
    return TRUE;
  }
  for (gsize place = end - n + 1; place-- > start && *ret_place == G_MAXSIZE;) {
    if (text->data[place] != part->data[0])
      continue;
    if (memcmp (text->data + place, part->data, n) == 0)
      *ret_place = place;
    /* a long part that is there but for its end costs as much at each place */
    else if (!wly_template_eval_step (eval, n / 64))
      return FALSE;
  }
  return TRUE;
}

static gboolean
split_back_at (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *separator, gint64 limit,
               WlyTemplateValue *list)
{
  gsize end = text->n_bytes, found;

  while (limit-- != 0) {
    if (!find_part (eval, text, 0, end, separator, TRUE, &found))
      return FALSE;
    if (found == G_MAXSIZE)
      break;
    if (!append_part (eval, text, found + separator->n_bytes, end, list))
      return FALSE;
    end = found;
  }
  return append_part (eval, text, 0, end, list) && wly_template_eval_step (eval, text->n_bytes / 16);
}

static void
reverse (WlyTemplateItems *items)
{
  for (gsize i = 0; i < items->n_items / 2; i++) {
    const WlyTemplateValue item = items->items[i];

    items->items[i]                      = items->items[items->n_items - 1 - i];
    items->items[items->n_items - 1 - i] = item;
  }
}

static gboolean
split (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, gboolean backward,
       WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *given[2];
  const WlyTemplateText *separator;
  gboolean done;
  gint64 limit;

  if (!wly_template_arguments_bind (eval, arguments, "sep maxsplit", given)
      || !wly_template_arguments_text_or_none (eval, given[0], &separator)
      || !wly_template_arguments_integer (eval, given[1], -1, &limit) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  if (separator == NULL)
    done = (backward ? split_back_at_spaces : split_at_spaces) (eval, value->text, limit, ret_value);
  else if (separator->n_bytes == 0)
    return wly_template_eval_fail (eval, "the separator of split is empty");
  else
    done = (backward ? split_back_at : split_at) (eval, value->text, separator, limit, ret_value);
  if (done && backward)
    reverse (ret_value->items);
  return done && wly_template_eval_step (eval, value->text->n_bytes / 32);
}

METHOD (run_split)
{
  return split (eval, value, arguments, FALSE, ret_value);
}

METHOD (run_rsplit)
{
  return split (eval, value, arguments, TRUE, ret_value);
}

/* Bytes of the line's end at @place; 0: there is none. */
static gsize
line_end (const WlyTemplateText *text, gsize place)
{
  gsize n;
  const guint32 code = wly_unicode_get (text->data + place, &n);

  if (code == '\r' && place + 1 < text->n_bytes && text->data[place + 1] == '\n')
    return 2;
  return (code >= '\n' && code <= '\r') || (code >= 0x1c && code <= 0x1e) || code == 0x85 || code == 0x2028
                 || code == 0x2029
             ? n
             : 0;
}

gboolean
wly_template_methods_split_lines (WlyTemplateEval *eval, const WlyTemplateText *text, gboolean keep_ends,
                                  WlyTemplateValue *ret_value)
{
  gsize start = 0;

  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < text->n_bytes;) {
    const gsize n = line_end (text, i);

    if (n == 0) {
      i += wly_unicode_n_bytes ((guint8)text->data[i]);
      continue;
    }
    if (!append_part (eval, text, start, keep_ends ? i + n : i, ret_value))
      return FALSE;
    start = i += n;
  }
  return (start == text->n_bytes || append_part (eval, text, start, text->n_bytes, ret_value))
         && wly_template_eval_step (eval, text->n_bytes / 32);
}

METHOD (run_splitlines)
{
  const WlyTemplateValue *keep;

  return wly_template_arguments_bind (eval, arguments, "keepends", &keep)
         && wly_template_methods_split_lines (eval, value->text, keep != NULL && wly_template_value_truth (keep),
                                              ret_value);
}

static gboolean
partition (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           gboolean backward, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text = value->text, *separator;
  const WlyTemplateValue *given;
  gsize found, start, end;

  if (!wly_template_arguments_bind (eval, arguments, "sep/", &given)
      || !wly_template_arguments_text (eval, given, &separator))
    return FALSE;
  if (separator->n_bytes == 0)
    return wly_template_eval_fail (eval, "the separator of partition is empty");
  if (!find_part (eval, text, 0, text->n_bytes, separator, backward, &found))
    return FALSE;
  start = found != G_MAXSIZE ? found : backward ? 0 : text->n_bytes;
  end   = found != G_MAXSIZE ? found + separator->n_bytes : start;
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_TUPLE;
  return append_part (eval, text, 0, start, ret_value) && append_part (eval, text, start, end, ret_value)
         && append_part (eval, text, end, text->n_bytes, ret_value)
         && wly_template_eval_step (eval, text->n_bytes / 16);
}

METHOD (run_partition)
{
  return partition (eval, value, arguments, FALSE, ret_value);
}

METHOD (run_rpartition)
{
  return partition (eval, value, arguments, TRUE, ret_value);
}

/* ---- looking for parts ---- */

/* A bound that is none counts as not given. */
static gboolean
take_bound (WlyTemplateEval *eval, const WlyTemplateValue *bound, gint64 fallback, gint64 *ret_place)
{
  return wly_template_arguments_integer (eval, bound != NULL && bound->kind == WLY_TEMPLATE_NONE ? NULL : bound,
                                         fallback, ret_place);
}

/* Bytes of text[start:end], whose bounds are two arguments; FALSE in *ret_any: there is no such part. */
static gboolean
take_range (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateValue *const bounds[2],
            gsize *ret_start, gsize *ret_end, gboolean *ret_any)
{
  const gint64 n = (gint64)wly_template_value_text_length (text);
  gint64 start, end;

  if (!take_bound (eval, bounds[0], 0, &start) || !take_bound (eval, bounds[1], n, &end))
    return FALSE;
  *ret_any   = start <= n;
  start      = start < 0 ? MAX (start + n, 0) : MIN (start, n);
  end        = end < 0 ? MAX (end + n, 0) : MIN (end, n);
  *ret_any   = *ret_any && start <= end;
  *ret_start = wly_template_operators_place (text, (gsize)start);
  *ret_end   = wly_template_operators_place (text, (gsize)end);
  return wly_template_eval_step (eval, text->n_bytes / 32);
}

static gboolean
find (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, gboolean backward,
      gint64 *ret_place)
{
  const WlyTemplateText *text = value->text, *part;
  const WlyTemplateValue *given[3];
  gsize start, end, found;
  gboolean any;

  *ret_place = -1;
  if (!wly_template_arguments_bind (eval, arguments, "sub/start end", given)
      || !wly_template_arguments_text (eval, given[0], &part)
      || !take_range (eval, text, given + 1, &start, &end, &any))
    return FALSE;
  if (!any)
    return TRUE;
  if (!find_part (eval, text, start, end, part, backward, &found))
    return FALSE;
  if (found != G_MAXSIZE) {
    const WlyTemplateText head = { .data = text->data, .n_bytes = found };

    *ret_place = (gint64)wly_template_value_text_length (&head);
  }
  return wly_template_eval_step (eval, text->n_bytes / 16);
}

static gboolean
find_or_fail (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
              gboolean backward, gboolean fails, WlyTemplateValue *ret_value)
{
  gint64 place;

  if (!find (eval, value, arguments, backward, &place))
    return FALSE;
  if (fails && place < 0)
    return wly_template_eval_fail (eval, "a text is not found in another");
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER (place);
  return TRUE;
}

METHOD (run_find)
{
  return find_or_fail (eval, value, arguments, FALSE, FALSE, ret_value);
}

METHOD (run_rfind)
{
  return find_or_fail (eval, value, arguments, TRUE, FALSE, ret_value);
}

METHOD (run_index)
{
  return find_or_fail (eval, value, arguments, FALSE, TRUE, ret_value);
}

METHOD (run_rindex)
{
  return find_or_fail (eval, value, arguments, TRUE, TRUE, ret_value);
}

METHOD (run_count)
{
  const WlyTemplateText *text = value->text, *part;
  const WlyTemplateValue *given[3];
  gsize start, end, found;
  gint64 n = 0;
  gboolean any;

  if (!wly_template_arguments_bind (eval, arguments, "sub/start end", given)
      || !wly_template_arguments_text (eval, given[0], &part)
      || !take_range (eval, text, given + 1, &start, &end, &any))
    return FALSE;
  if (any && part->n_bytes == 0) {
    const WlyTemplateText range = { .data = text->data + start, .n_bytes = end - start };

    n = (gint64)wly_template_value_text_length (&range) + 1;
  }
  while (any && part->n_bytes > 0 && (found = wly_template_text_find (text, start, part)) != G_MAXSIZE
         && found + part->n_bytes <= end) {
    n++;
    start = found + part->n_bytes;
  }
  *ret_value = WLY_TEMPLATE_VALUE_INTEGER (n);
  return wly_template_eval_step (eval, text->n_bytes / 16);
}

static gboolean
has_at_end (const WlyTemplateText *text, gsize start, gsize end, const WlyTemplateText *part, gboolean at_end)
{
  if (end - start < part->n_bytes)
    return FALSE;
  return part->n_bytes == 0
         || memcmp (text->data + (at_end ? end - part->n_bytes : start), part->data, part->n_bytes) == 0;
}

/* startswith, endswith: one text or a tuple of them. */
static gboolean
match_end (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments, gboolean at_end,
           WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *given[3], *parts;
  gsize start, end, n_parts = 1;
  gboolean any, found = FALSE;

  if (!wly_template_arguments_bind (eval, arguments, "prefix/start end", given)
      || !take_range (eval, value->text, given + 1, &start, &end, &any))
    return FALSE;
  parts = given[0];
  if (parts->kind == WLY_TEMPLATE_LIST && parts->flavour == WLY_TEMPLATE_TUPLE) {
    n_parts = parts->items->n_items;
    parts   = parts->items->items;
  }
  for (gsize i = 0; i < n_parts; i++) {
    const WlyTemplateText *part;

    if (!wly_template_arguments_text (eval, &parts[i], &part))
      return FALSE;
    found = found || (any && has_at_end (value->text, start, end, part, at_end));
  }
  *ret_value = WLY_TEMPLATE_VALUE_BOOLEAN (found);
  return wly_template_eval_step (eval, n_parts);
}

METHOD (run_startswith)
{
  return match_end (eval, value, arguments, FALSE, ret_value);
}

METHOD (run_endswith)
{
  return match_end (eval, value, arguments, TRUE, ret_value);
}

static gboolean
remove_end (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
            gboolean at_end, WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text = value->text, *part;
  const WlyTemplateValue *given;
  gsize n;

  if (!wly_template_arguments_bind (eval, arguments, "prefix/", &given)
      || !wly_template_arguments_text (eval, given, &part))
    return FALSE;
  n = has_at_end (text, 0, text->n_bytes, part, at_end) ? part->n_bytes : 0;
  return wly_template_eval_part (eval, text, at_end ? 0 : n, at_end ? text->n_bytes - n : text->n_bytes, ret_value);
}

METHOD (run_removeprefix)
{
  return remove_end (eval, value, arguments, FALSE, ret_value);
}

METHOD (run_removesuffix)
{
  return remove_end (eval, value, arguments, TRUE, ret_value);
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
  for (gsize done = 0; limit-- != 0; done++) {
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

WlyTemplateFunction
wly_template_methods_text_find (const char *name, const char **ret_name)
{
  static const struct {
    const char *name;
    WlyTemplateFunction run;
  } methods[] = {
    { "capitalize", run_capitalize },
    { "casefold", run_lower },
    { "center", run_center },
    { "count", run_count },
    { "endswith", run_endswith },
    { "expandtabs", run_expandtabs },
    { "find", run_find },
    { "format", run_format },
    { "index", run_index },
    { "join", run_join },
    { "ljust", run_ljust },
    { "lower", run_lower },
    { "lstrip", run_lstrip },
    { "partition", run_partition },
    { "removeprefix", run_removeprefix },
    { "removesuffix", run_removesuffix },
    { "replace", run_replace },
    { "rfind", run_rfind },
    { "rindex", run_rindex },
    { "rjust", run_rjust },
    { "rpartition", run_rpartition },
    { "rsplit", run_rsplit },
    { "rstrip", run_rstrip },
    { "split", run_split },
    { "splitlines", run_splitlines },
    { "startswith", run_startswith },
    { "strip", run_strip },
    { "swapcase", run_swapcase },
    { "title", run_title },
    { "upper", run_upper },
    { "zfill", run_zfill },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++) {
    if (strcmp (methods[i].name, name) == 0) {
      *ret_name = methods[i].name;
      return methods[i].run;
    }
  }
  return wly_template_methods_ask_find (name, ret_name);
}
