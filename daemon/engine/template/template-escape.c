/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Texts as parts of HTML and of URLs.
 */
#include "template/template-eval.h"

#include <string.h>

gboolean
wly_template_escape_html (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateValue *ret_value)
{
  static const char signs[]           = "&<>'\"";
  static const char *const escapes[]  = { "&amp;", "&lt;", "&gt;", "&#39;", "&#34;" };
  g_auto (WlyTemplateBuilder) builder = { 0 };
  gsize start                         = 0;

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < text->n_bytes; i++) {
    const char *sign = text->data[i] == '\0' ? NULL : strchr (signs, text->data[i]);

    if (sign == NULL)
      continue;
    wly_template_builder_append_part (&builder, text, start, i);
    wly_template_builder_append (&builder, escapes[sign - signs], strlen (escapes[sign - signs]), FALSE);
    start = i + 1;
  }
  wly_template_builder_append_part (&builder, text, start, text->n_bytes);
  if (!wly_template_eval_finish (eval, &builder, ret_value))
    return FALSE;
  ret_value->flavour = WLY_TEMPLATE_MARKUP;
  return wly_template_eval_step (eval, text->n_bytes / 64);
}

gboolean
wly_template_escape_url (WlyTemplateEval *eval, const WlyTemplateText *text, gboolean query,
                         WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  char escape[4];

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < text->n_bytes; i++) {
    const char byte = text->data[i];

    if (g_ascii_isalnum (byte) || (byte != '\0' && strchr ("_.-~", byte) != NULL) || (byte == '/' && !query)) {
      wly_template_builder_append_part (&builder, text, i, i + 1);
      continue;
    }
    g_snprintf (escape, sizeof escape, "%%%02X", (guint8)byte);
    wly_template_builder_append (&builder, query && byte == ' ' ? "+" : escape, query && byte == ' ' ? 1 : 3, FALSE);
  }
  return wly_template_eval_finish (eval, &builder, ret_value) && wly_template_eval_step (eval, text->n_bytes / 8);
}
