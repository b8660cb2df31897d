/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Methods of texts and dictionaries, and what filters share with them.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <string.h>

/* ---- white space and other characters at the ends ---- */

static gboolean
is_stripped (const WlyTemplateText *text, gsize start, gsize n_bytes, const WlyTemplateText *characters)
{
  const WlyTemplateText one = { .data = text->data + start, .n_bytes = n_bytes };
  gsize n;
  guint32 code;

  if (characters != NULL)
    return wly_template_text_find (characters, 0, &one) != G_MAXSIZE;
  code = wly_unicode_get (text->data + start, &n);
  return (wly_unicode_class (code) & WLY_UNICODE_SPACE) != 0 || (code >= 0x1c && code <= 0x1f);
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
    for (n = 1; ((guint8)text->data[last - n] & 0xc0) == 0x80;)
      n++;
    if (!is_stripped (text, last - n, n, characters))
      break;
    last -= n;
    eval->n_steps += n_set / 64;
  }
  return wly_template_eval_step (eval, text->n_bytes / 64)
         && wly_template_eval_take (eval, wly_template_text_part (eval->arena, text, first, last), ret_value);
}

/* ---- other methods of texts ---- */

gboolean
wly_template_methods_replace (WlyTemplateEval *eval, const WlyTemplateText *text, const WlyTemplateText *old,
                              const WlyTemplateText *new, WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  gsize place                         = 0;

  if (old->n_bytes == 0)
    return wly_template_eval_fail (eval, "what is replaced is empty");
  wly_template_builder_init (&builder);
  for (;;) {
    const gsize found = wly_template_text_find (text, place, old);

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
  return wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), ret_value);
}

/* One run of text in its new case; @inside: a word goes on from the run before. */
static char *
change_case (const char *data, gsize n_bytes, WlyTemplateCase to, gboolean *inside)
{
  GString *result;
  gsize n;

  if (to == WLY_TEMPLATE_UPPER)
    return g_utf8_strup (data, (gssize)n_bytes);
  if (to == WLY_TEMPLATE_LOWER)
    return g_utf8_strdown (data, (gssize)n_bytes);
  result = g_string_new (NULL);
  for (gsize i = 0; i < n_bytes; i += n) {
    const guint32 code = wly_unicode_get (data + i, &n);

    g_string_append_unichar (result, *inside ? g_unichar_tolower (code) : g_unichar_toupper (code));
    *inside = to == WLY_TEMPLATE_CAPITALIZE || g_unichar_isalpha (code);
  }
  return g_string_free (result, FALSE);
}

gboolean
wly_template_methods_case (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateCase to,
                           WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  gboolean inside                     = FALSE;
  gsize start                         = 0;

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < text->n_runs; i++) {
    g_autofree char *changed = change_case (text->data + start, text->runs[i].end - start, to, &inside);

    wly_template_builder_append (&builder, changed, strlen (changed), text->runs[i].trusted);
    start = text->runs[i].end;
  }
  return wly_template_eval_take (eval, wly_template_builder_finish (&builder, eval->arena), ret_value);
}

static gboolean
append_part (WlyTemplateEval *eval, const WlyTemplateText *text, gsize start, gsize end, WlyTemplateValue *list)
{
  WlyTemplateValue part;

  return wly_template_eval_take (eval, wly_template_text_part (eval->arena, text, start, end), &part)
         && wly_template_eval_append (eval, list, part);
}

static gboolean
split_at_spaces (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *list)
{
  gsize start = 0, end, n;

  while (start < text->n_bytes) {
    n = wly_unicode_n_bytes ((guint8)text->data[start]);
    if (is_stripped (text, start, n, NULL)) {
      start += n;
      continue;
    }
    for (end = start; end < text->n_bytes; end += n) {
      n = wly_unicode_n_bytes ((guint8)text->data[end]);
      if (is_stripped (text, end, n, NULL))
        break;
    }
    if (!append_part (eval, text, start, end, list))
      return FALSE;
    start = end;
  }
  return TRUE;
}

/* The argument as a text; FALSE: it is another value. */
static gboolean
text_argument (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, guint place,
               const WlyTemplateText **ret_text)
{
  const WlyTemplateValue *value = wly_template_arguments_get (arguments, place, NULL);

  *ret_text = NULL;
  if (value == NULL || value->kind == WLY_TEMPLATE_NONE)
    return TRUE;
  if (value->kind != WLY_TEMPLATE_TEXT)
    return wly_template_eval_fail (eval, "an argument is %s where a text is needed",
                                   wly_template_value_kind_name (value));
  *ret_text = value->text;
  return TRUE;
}

static gboolean
need_text (WlyTemplateEval *eval, const WlyTemplateArguments *arguments, guint place, const WlyTemplateText **ret_text)
{
  if (!text_argument (eval, arguments, place, ret_text))
    return FALSE;
  return *ret_text != NULL || wly_template_eval_fail (eval, "an argument is missing");
}

static gboolean
run_split (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *limit = wly_template_arguments_get (arguments, 1, "maxsplit");
  gint64 n_left                 = limit != NULL && limit->kind == WLY_TEMPLATE_INTEGER ? limit->integer : -1;
  const WlyTemplateText *separator;
  gsize place = 0, found;

  if (!text_argument (eval, arguments, 0, &separator) || !wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  if (separator == NULL)
    return n_left < 0 ? split_at_spaces (eval, value->text, ret_value)
                      : wly_template_eval_fail (eval, "split needs a separator here");
  if (separator->n_bytes == 0)
    return wly_template_eval_fail (eval, "the separator of split is empty");
  while (n_left-- != 0 && (found = wly_template_text_find (value->text, place, separator)) != G_MAXSIZE) {
    if (!append_part (eval, value->text, place, found, ret_value))
      return FALSE;
    place = found + separator->n_bytes;
  }
  return append_part (eval, value->text, place, value->text->n_bytes, ret_value);
}

static gboolean
run_strip (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  const WlyTemplateText *characters;

  return text_argument (eval, arguments, 0, &characters)
         && wly_template_methods_strip (eval, value->text, characters, TRUE, TRUE, ret_value);
}

static gboolean
run_lstrip (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
            WlyTemplateValue *ret_value)
{
  const WlyTemplateText *characters;

  return text_argument (eval, arguments, 0, &characters)
         && wly_template_methods_strip (eval, value->text, characters, TRUE, FALSE, ret_value);
}

static gboolean
run_rstrip (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
            WlyTemplateValue *ret_value)
{
  const WlyTemplateText *characters;

  return text_argument (eval, arguments, 0, &characters)
         && wly_template_methods_strip (eval, value->text, characters, FALSE, TRUE, ret_value);
}

static gboolean
run_startswith (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
                WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text = value->text, *part;

  if (!need_text (eval, arguments, 0, &part))
    return FALSE;
  *ret_value =
      (WlyTemplateValue){ .kind    = WLY_TEMPLATE_BOOLEAN,
                          .boolean = text->n_bytes >= part->n_bytes
                                     && (part->n_bytes == 0 || memcmp (text->data, part->data, part->n_bytes) == 0) };
  return TRUE;
}

static gboolean
run_endswith (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
              WlyTemplateValue *ret_value)
{
  const WlyTemplateText *text = value->text, *part;

  if (!need_text (eval, arguments, 0, &part))
    return FALSE;
  *ret_value = (WlyTemplateValue){
    .kind = WLY_TEMPLATE_BOOLEAN,
    .boolean =
        text->n_bytes >= part->n_bytes
        && (part->n_bytes == 0 || memcmp (text->data + text->n_bytes - part->n_bytes, part->data, part->n_bytes) == 0)
  };
  return TRUE;
}

static gboolean
run_replace (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
             WlyTemplateValue *ret_value)
{
  const WlyTemplateText *old, *new;

  return need_text (eval, arguments, 0, &old) && need_text (eval, arguments, 1, &new)
         && wly_template_methods_replace (eval, value->text, old, new, ret_value);
}

static gboolean
run_upper (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  return wly_template_methods_case (eval, value->text, WLY_TEMPLATE_UPPER, ret_value);
}

static gboolean
run_lower (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  return wly_template_methods_case (eval, value->text, WLY_TEMPLATE_LOWER, ret_value);
}

static gboolean
run_title (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  return wly_template_methods_case (eval, value->text, WLY_TEMPLATE_TITLE, ret_value);
}

static gboolean
run_capitalize (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
                WlyTemplateValue *ret_value)
{
  return wly_template_methods_case (eval, value->text, WLY_TEMPLATE_CAPITALIZE, ret_value);
}

/* ---- methods of dictionaries ---- */

gboolean
wly_template_methods_dict_items (WlyTemplateEval *eval, const WlyTemplateValue *dict, WlyTemplateValue *ret_value)
{
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = 0; i < dict->items->n_items; i += 2) {
    WlyTemplateValue pair;

    if (!wly_template_eval_new_list (eval, &pair) || !wly_template_eval_append (eval, &pair, dict->items->items[i])
        || !wly_template_eval_append (eval, &pair, dict->items->items[i + 1])
        || !wly_template_eval_append (eval, ret_value, pair))
      return FALSE;
  }
  return TRUE;
}

static gboolean
run_items (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
           WlyTemplateValue *ret_value)
{
  return wly_template_methods_dict_items (eval, value, ret_value);
}

static gboolean
every_second (WlyTemplateEval *eval, const WlyTemplateValue *dict, gsize first, WlyTemplateValue *ret_value)
{
  if (!wly_template_eval_new_list (eval, ret_value))
    return FALSE;
  for (gsize i = first; i < dict->items->n_items; i += 2)
    if (!wly_template_eval_append (eval, ret_value, dict->items->items[i]))
      return FALSE;
  return TRUE;
}

static gboolean
run_keys (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
          WlyTemplateValue *ret_value)
{
  return every_second (eval, value, 0, ret_value);
}

static gboolean
run_values (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
            WlyTemplateValue *ret_value)
{
  return every_second (eval, value, 1, ret_value);
}

static gboolean
run_get (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
         WlyTemplateValue *ret_value)
{
  const WlyTemplateValue *other = wly_template_arguments_get (arguments, 1, NULL), *found;
  const WlyTemplateText *key;

  if (!need_text (eval, arguments, 0, &key))
    return FALSE;
  found      = wly_template_value_lookup (value->items, key);
  *ret_value = found != NULL ? *found : other != NULL ? *other : (WlyTemplateValue){ .kind = WLY_TEMPLATE_NONE };
  return wly_template_eval_step (eval, value->items->n_items / 16);
}

static const struct {
  const char *name;
  WlyTemplateKind kind;
  gboolean (*run) (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
                   WlyTemplateValue *ret_value);
} methods[] = {
  { "strip", WLY_TEMPLATE_TEXT, run_strip },
  { "lstrip", WLY_TEMPLATE_TEXT, run_lstrip },
  { "rstrip", WLY_TEMPLATE_TEXT, run_rstrip },
  { "split", WLY_TEMPLATE_TEXT, run_split },
  { "startswith", WLY_TEMPLATE_TEXT, run_startswith },
  { "endswith", WLY_TEMPLATE_TEXT, run_endswith },
  { "replace", WLY_TEMPLATE_TEXT, run_replace },
  { "upper", WLY_TEMPLATE_TEXT, run_upper },
  { "lower", WLY_TEMPLATE_TEXT, run_lower },
  { "title", WLY_TEMPLATE_TEXT, run_title },
  { "capitalize", WLY_TEMPLATE_TEXT, run_capitalize },
  { "items", WLY_TEMPLATE_DICT, run_items },
  { "keys", WLY_TEMPLATE_DICT, run_keys },
  { "values", WLY_TEMPLATE_DICT, run_values },
  { "get", WLY_TEMPLATE_DICT, run_get },
};

gboolean
wly_template_methods_known (const WlyTemplateValue *value, const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == value->kind && strcmp (methods[i].name, name) == 0)
      return TRUE;
  return FALSE;
}

gboolean
wly_template_methods_run (WlyTemplateEval *eval, const WlyTemplateMethod *method, const WlyTemplateArguments *arguments,
                          WlyTemplateValue *ret_value)
{
  for (gsize i = 0; i < G_N_ELEMENTS (methods); i++)
    if (methods[i].kind == method->receiver.kind && strcmp (methods[i].name, method->name) == 0)
      return methods[i].run (eval, &method->receiver, arguments, ret_value);
  return wly_template_eval_fail (eval, "the method \"%s\" is not supported here", method->name);
}
