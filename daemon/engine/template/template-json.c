/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values as JSON, laid out as json.dumps (ensure_ascii=False) of Python does.
 */
#include "template/template-eval.h"

typedef struct {
  WlyTemplateEval *eval;
  WlyTemplateBuilder builder;
  gint indent;
} Writer;

static void
write_literal (Writer *writer, const char *text)
{
  wly_template_builder_append (&writer->builder, text, strlen (text), TRUE);
}

static void
write_break (Writer *writer, guint depth)
{
  if (writer->indent < 0)
    return;
  write_literal (writer, "\n");
  for (gint i = 0; i < writer->indent * (gint)depth; i++)
    write_literal (writer, " ");
}

static gboolean
write_text (Writer *writer, const WlyTemplateText *text)
{
  static const char escaped[] = "\"\\\n\r\t\b\f", letters[] = "\"\\nrtbf";
  gsize start = 0;

  write_literal (writer, "\"");
  for (gsize i = 0; i < text->n_bytes; i++) {
    const guint8 byte = (guint8)text->data[i];
    const char *found = byte == 0 ? NULL : strchr (escaped, (char)byte);
    char escape[8];

    if (byte >= 0x20 && found == NULL)
      continue;
    wly_template_builder_append_part (&writer->builder, text, start, i);
    if (found != NULL)
      g_snprintf (escape, sizeof escape, "\\%c", letters[found - escaped]);
    else
      g_snprintf (escape, sizeof escape, "\\u%04x", byte);
    /* what an escape stands for was in the text */
    wly_template_builder_append (&writer->builder, escape, strlen (escape), FALSE);
    start = i + 1;
  }
  wly_template_builder_append_part (&writer->builder, text, start, text->n_bytes);
  write_literal (writer, "\"");
  return wly_template_eval_step (writer->eval, text->n_bytes / 64);
}

static gboolean write_value (Writer *writer, const WlyTemplateValue *value, guint depth);

static gboolean
write_items (Writer *writer, const WlyTemplateItems *items, gboolean dict, guint depth)
{
  write_literal (writer, dict ? "{" : "[");
  for (gsize i = 0; i < items->n_items; i++) {
    if (i > 0)
      write_literal (writer, writer->indent < 0 ? ", " : ",");
    write_break (writer, depth + 1);
    if (dict) {
      if (!write_text (writer, items->items[i++].text))
        return FALSE;
      write_literal (writer, ": ");
    }
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
  const WlyTemplateText *text;

  if (depth >= WLY_TEMPLATE_VALUE_DEPTH)
    return wly_template_eval_fail (writer->eval, "more than %d lists stand in each other", WLY_TEMPLATE_VALUE_DEPTH);
  if (!wly_template_eval_step (writer->eval, 1))
    return FALSE;
  if (writer->builder.bytes->len > WLY_TEMPLATE_MAX_OUTPUT)
    return wly_template_eval_fail (writer->eval, "tojson wrote more than %u bytes", WLY_TEMPLATE_MAX_OUTPUT);
  switch (value->kind) {
  case WLY_TEMPLATE_NONE:
    write_literal (writer, "null");
    return TRUE;
  case WLY_TEMPLATE_BOOLEAN:
    write_literal (writer, value->boolean ? "true" : "false");
    return TRUE;
  case WLY_TEMPLATE_INTEGER:
  case WLY_TEMPLATE_FLOAT:
    if (!wly_template_eval_text (writer->eval, value, &text))
      return FALSE;
    wly_template_builder_append (&writer->builder, text->data, text->n_bytes, TRUE);
    return TRUE;
  case WLY_TEMPLATE_TEXT:
    return write_text (writer, value->text);
  case WLY_TEMPLATE_LIST:
  case WLY_TEMPLATE_DICT:
    return write_items (writer, value->items, value->kind == WLY_TEMPLATE_DICT, depth);
  default:
    return wly_template_eval_fail (writer->eval, "a value that is %s has no JSON form",
                                   wly_template_value_kind_name (value));
  }
}

gboolean
wly_template_json_write (WlyTemplateEval *eval, const WlyTemplateValue *value, gint indent, WlyTemplateValue *ret_value)
{
  Writer writer = { .eval = eval, .indent = indent };
  gboolean done;

  wly_template_builder_init (&writer.builder);
  done = write_value (&writer, value, 0)
         && wly_template_eval_take (eval, wly_template_builder_finish (&writer.builder, eval->arena), ret_value);
  wly_template_builder_clear (&writer.builder);
  return done;
}
