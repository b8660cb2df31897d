/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values as JSON, laid out as json.dumps() of Python does.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <math.h>
#include <string.h>

typedef struct {
  WlyTemplateEval *eval;
  WlyTemplateBuilder builder;
  const WlyTemplateText *indent; /* of one level; NULL: all in one line */
  const WlyTemplateText *between_items, *behind_keys;
  gboolean ascii, sorted;
} Writer;

static void
write_literal (Writer *writer, const char *text)
{
  wly_template_builder_append (&writer->builder, text, strlen (text), TRUE);
}

static void
write_part (Writer *writer, const WlyTemplateText *text)
{
  wly_template_builder_append_part (&writer->builder, text, 0, text->n_bytes);
}

static void
write_break (Writer *writer, guint depth)
{
  if (writer->indent == NULL)
    return;
  write_literal (writer, "\n");
  for (guint i = 0; i < depth; i++)
    write_part (writer, writer->indent);
}

/* The escape of a character, if it needs one. */
static gboolean
escape_of (const Writer *writer, guint32 code, char *buffer, gsize n_buffer)
{
  static const char escaped[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
  const char *found = code == 0 || code >= 0x80 ? NULL : strchr (escaped, (char)code);

  if (found != NULL)
    g_snprintf (buffer, n_buffer, "\\%c", letters[found - escaped]);
  else if (code >= 0x10000 && writer->ascii)
    g_snprintf (buffer, n_buffer, "\\u%04x\\u%04x", 0xd800 + ((code - 0x10000) >> 10), 0xdc00 + (code & 0x3ff));
  else if (code < 0x20 || (code >= 0x7f && writer->ascii && code != 0x7f))
    g_snprintf (buffer, n_buffer, "\\u%04x", code);
  else
    return FALSE;
  return TRUE;
}

static gboolean
write_text (Writer *writer, const WlyTemplateText *text)
{
  gsize start = 0, n;

  write_literal (writer, "\"");
  for (gsize i = 0; i < text->n_bytes; i += n) {
    const guint32 code = wly_unicode_get (text->data + i, &n);
    char escape[16];

    if (!escape_of (writer, code, escape, sizeof escape))
      continue;
    wly_template_builder_append_part (&writer->builder, text, start, i);
    /* what an escape stands for was in the text */
    wly_template_builder_append (&writer->builder, escape, strlen (escape), FALSE);
    start = i + n;
  }
  wly_template_builder_append_part (&writer->builder, text, start, text->n_bytes);
  write_literal (writer, "\"");
  return wly_template_eval_step (writer->eval, text->n_bytes / 64);
}

static gboolean write_value (Writer *writer, const WlyTemplateValue *value, guint depth);

/* Numbers and words; FALSE: it is something else. */
static gboolean
write_scalar (Writer *writer, const WlyTemplateValue *value)
{
  char number[40];

  switch (value->kind) {
  case WLY_TEMPLATE_NONE:
    write_literal (writer, "null");
    return TRUE;
  case WLY_TEMPLATE_BOOLEAN:
    write_literal (writer, value->boolean ? "true" : "false");
    return TRUE;
  case WLY_TEMPLATE_INTEGER:
    g_snprintf (number, sizeof number, "%" G_GINT64_FORMAT, value->integer);
    break;
  case WLY_TEMPLATE_FLOAT:
    wly_template_repr_real (value->real, number);
    if (!isfinite (value->real))
      g_strlcpy (number, isnan (value->real) ? "NaN" : value->real < 0 ? "-Infinity" : "Infinity", sizeof number);
    break;
  default:
    return FALSE;
  }
  write_literal (writer, number);
  return TRUE;
}

static gboolean
write_key (Writer *writer, const WlyTemplateValue *key)
{
  if (key->kind == WLY_TEMPLATE_TEXT) {
    if (!write_text (writer, key->text))
      return FALSE;
  } else {
    write_literal (writer, "\"");
    if (!write_scalar (writer, key))
      return wly_template_eval_fail (writer->eval, "a %s cannot be a key in JSON", wly_template_value_kind_name (key));
    write_literal (writer, "\"");
  }
  write_part (writer, writer->behind_keys);
  return TRUE;
}

/* By keys, stable; insertion, because there are few. */
static gboolean
sort_by_keys (Writer *writer, const WlyTemplateItems *items, WlyTemplateItems **ret_items)
{
  WlyTemplateItems *sorted = wly_template_items_new (writer->eval->arena, items->n_items);

  if (sorted == NULL)
    return wly_template_eval_full (writer->eval);
  for (gsize i = 0; i < items->n_items; i += 2) {
    gsize place = i;

    while (place > 0) {
      int order;

      if (!wly_template_operators_order (writer->eval, &sorted->items[place - 2], &items->items[i], 0, &order))
        return FALSE;
      if (order <= 0)
        break;
      sorted->items[place]     = sorted->items[place - 2];
      sorted->items[place + 1] = sorted->items[place - 1];
      place -= 2;
    }
    sorted->items[place]     = items->items[i];
    sorted->items[place + 1] = items->items[i + 1];
  }
  sorted->n_items = items->n_items;
  *ret_items      = sorted;
  return TRUE;
}

static gboolean
write_items (Writer *writer, const WlyTemplateValue *value, guint depth)
{
  const gboolean dict     = value->kind == WLY_TEMPLATE_DICT;
  WlyTemplateItems *items = value->items;

  if (dict && writer->sorted && !sort_by_keys (writer, value->items, &items))
    return FALSE;
  write_literal (writer, dict ? "{" : "[");
  for (gsize i = 0; i < items->n_items; i++) {
    if (i > 0)
      write_part (writer, writer->between_items);
    write_break (writer, depth + 1);
    if (dict && !write_key (writer, &items->items[i++]))
      return FALSE;
    if (!write_value (writer, &items->items[i], depth + 1))
      return FALSE;
  }
  if (items->n_items > 0)
    write_break (writer, depth);
  write_literal (writer, dict ? "}" : "]");
  return TRUE;
}

static gboolean
write_value (Writer *writer, const WlyTemplateValue *value, guint depth)
{
  if (depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return wly_template_eval_fail (writer->eval, "more than %d lists stand in each other", WLY_TEMPLATE_VALUE_DEPTH);
  if (!wly_template_eval_step (writer->eval, 1))
    return FALSE;
  if (writer->builder.bytes->len > WLY_TEMPLATE_MAX_OUTPUT)
    return wly_template_eval_fail (writer->eval, "tojson wrote more than %u bytes", WLY_TEMPLATE_MAX_OUTPUT);
  if (write_scalar (writer, value))
    return TRUE;
  if (value->kind == WLY_TEMPLATE_TEXT)
    return write_text (writer, value->text);
  if (value->kind == WLY_TEMPLATE_DICT || (value->kind == WLY_TEMPLATE_LIST && value->flavour <= WLY_TEMPLATE_GROUP))
    return write_items (writer, value, depth);
  return wly_template_eval_fail (writer->eval, "a value that is %s has no JSON form",
                                 wly_template_value_kind_name (value));
}

/* indent: a number of spaces, or a text. */
static gboolean
read_indent (Writer *writer, const WlyTemplateValue *indent)
{
  g_autofree char *spaces = NULL;
  WlyTemplateValue text;
  gint64 n;

  if (indent == NULL || indent->kind == WLY_TEMPLATE_NONE)
    return TRUE;
  if (indent->kind == WLY_TEMPLATE_TEXT) {
    writer->indent = indent->text;
    return TRUE;
  }
  if (!wly_template_value_integer (indent, &n))
    return wly_template_eval_fail (writer->eval, "indent of tojson is no number");
  spaces = g_strnfill ((gsize)CLAMP (n, 0, 1024), ' ');
  if (!wly_template_eval_new_text (writer->eval, spaces, strlen (spaces), TRUE, &text))
    return FALSE;
  writer->indent = text.text;
  return TRUE;
}

static gboolean
read_separators (Writer *writer, const WlyTemplateValue *separators)
{
  const char *between = writer->indent == NULL ? ", " : ",";
  WlyTemplateValue texts[2];

  if (separators == NULL || separators->kind == WLY_TEMPLATE_NONE) {
    if (!wly_template_eval_new_text (writer->eval, between, strlen (between), TRUE, &texts[0])
        || !wly_template_eval_new_text (writer->eval, ": ", 2, TRUE, &texts[1]))
      return FALSE;
  } else {
    if (!wly_template_value_is_sequence (separators) || separators->items->n_items != 2
        || separators->items->items[0].kind != WLY_TEMPLATE_TEXT
        || separators->items->items[1].kind != WLY_TEMPLATE_TEXT)
      return wly_template_eval_fail (writer->eval, "separators of tojson are two texts");
    texts[0] = separators->items->items[0];
    texts[1] = separators->items->items[1];
  }
  writer->between_items = texts[0].text;
  writer->behind_keys   = texts[1].text;
  return TRUE;
}

gboolean
wly_template_json_run (WlyTemplateEval *eval, const WlyTemplateValue *value, const WlyTemplateArguments *arguments,
                       WlyTemplateValue *ret_value)
{
  Writer writer = { .eval = eval };
  const WlyTemplateValue *given[4];
  gboolean done;

  if (!wly_template_arguments_bind (eval, arguments, "ensure_ascii indent separators sort_keys", given)
      || !read_indent (&writer, given[1]) || !read_separators (&writer, given[2]))
    return FALSE;
  writer.ascii  = given[0] != NULL && wly_template_value_truth (given[0]);
  writer.sorted = given[3] != NULL && wly_template_value_truth (given[3]);
  wly_template_builder_init (&writer.builder);
  done = write_value (&writer, value, 0) && wly_template_eval_finish (eval, &writer.builder, ret_value);
  wly_template_builder_clear (&writer.builder);
  return done;
}
