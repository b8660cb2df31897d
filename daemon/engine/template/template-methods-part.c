/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of texts that look for parts of them, as str of Python has them: splitting, finding, counting, ends.
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

static gboolean
is_space (const WlyTemplateText *text, gsize place)
{
  gsize n;

  return wly_template_text_is_space (wly_unicode_get (text->data + place, &n));
}

/* ---- splitting ---- */

/* At runs of white space, at most @limit times. */
static gboolean
split_at_spaces (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 limit, WlyTemplateValue *list)
{
  gsize start = 0, end;

  for (;;) {
    while (start < text->n_bytes && is_space (text, start))
      start += wly_unicode_n_bytes ((guint8)text->data[start]);
    if (start >= text->n_bytes)
      return TRUE;
    end = start;
    if (limit-- == 0) {
      WlyTemplateValue rest;

      return wly_template_eval_part (eval, text, start, text->n_bytes, &rest)
             && wly_template_methods_strip (eval, rest.text, NULL, FALSE, TRUE, &rest)
             && wly_template_eval_append (eval, list, rest);
    }
    while (end < text->n_bytes && !is_space (text, end))
      end += wly_unicode_n_bytes ((guint8)text->data[end]);
    if (!append_part (eval, text, start, end, list))
      return FALSE;
    start = end;
  }
}

/* The same from the end; the list is in reverse. */
static gboolean
split_back_at_spaces (WlyTemplateEval *eval, const WlyTemplateText *text, gint64 limit, WlyTemplateValue *list)
{
  gsize end = text->n_bytes, start;

  for (;;) {
    while (end > 0 && is_space (text, wly_template_text_before (text, end)))
      end = wly_template_text_before (text, end);
    if (end == 0)
      return TRUE;
    start = end;
    if (limit-- == 0) {
      WlyTemplateValue rest;

      return wly_template_eval_part (eval, text, 0, end, &rest)
             && wly_template_methods_strip (eval, rest.text, NULL, TRUE, FALSE, &rest)
             && wly_template_eval_append (eval, list, rest);
    }
    while (start > 0 && !is_space (text, wly_template_text_before (text, start)))
      start = wly_template_text_before (text, start);
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
  limit = MAX (limit, -1); /* it is counted down */
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

/* Bytes of text[start:end], whose bounds are two arguments; FALSE in *ret_any: there is no such part. */
static gboolean
take_range (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateValue *const bounds[2],
            gsize *ret_start, gsize *ret_end, gboolean *ret_any)
{
  const gint64 n = (gint64)wly_template_value_text_length (text);
  gint64 start, end;

  if (!wly_template_arguments_integer_or_none (eval, bounds[0], 0, &start)
      || !wly_template_arguments_integer_or_none (eval, bounds[1], n, &end))
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

const WlyTemplateRow *
wly_template_methods_part_find (const char *name)
{
  static const WlyTemplateRow methods[] = {
    { "count", run_count },
    { "endswith", run_endswith },
    { "find", run_find },
    { "index", run_index },
    { "partition", run_partition },
    { "removeprefix", run_removeprefix },
    { "removesuffix", run_removesuffix },
    { "rfind", run_rfind },
    { "rindex", run_rindex },
    { "rpartition", run_rpartition },
    { "rsplit", run_rsplit },
    { "split", run_split },
    { "splitlines", run_splitlines },
    { "startswith", run_startswith },
  };

  return wly_template_eval_row (methods, G_N_ELEMENTS (methods), name);
}
