/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Upper and lower case, as str of Python has them, whatever the locale.
 */
#include "template/template-eval.h"
#include "token/unicode.h"

#include <string.h>

#define SIGMA       0x3a3u
#define FINAL_SIGMA 0x3c2u

/* The character in another case: one or more characters.  One by one, because GLib's functions for whole texts follow
 * the locale where i is concerned. */
static void
put_changed (GString *result, const char *data, gsize n_bytes, gboolean upper, gboolean title)
{
  const guint32 code     = wly_unicode_get (data, &n_bytes);
  g_autofree char *other = NULL;

  if (code < 0x80) {
    g_string_append_c (result, upper ? g_ascii_toupper ((char)code) : g_ascii_tolower ((char)code));
    return;
  }
  if (upper && title && g_unichar_totitle (code) != g_unichar_toupper (code)) {
    g_string_append_unichar (result, g_unichar_totitle (code));
    return;
  }
  other = upper ? g_utf8_strup (data, (gssize)n_bytes) : g_utf8_strdown (data, (gssize)n_bytes);
  if (title && g_utf8_strlen (other, -1) > 1) {
    /* ß as Ss */
    const char *rest       = g_utf8_next_char (other);
    g_autofree char *lower = g_utf8_strdown (rest, -1);

    g_string_append_len (result, other, rest - other);
    g_string_append (result, lower);
    return;
  }
  g_string_append (result, other);
}

static gboolean
has_case (guint32 code)
{
  return g_unichar_isupper (code) || g_unichar_islower (code) || g_unichar_istitle (code);
}

/* Whether the capital sigma at @place stands at the end of a word. */
static gboolean
ends_word (const WlyTemplateText *text, gsize place)
{
  gsize n;

  if (place + 2 < text->n_bytes && has_case (wly_unicode_get (text->data + place + 2, &n)))
    return FALSE;
  return place > 0 && has_case (wly_unicode_get (text->data + wly_template_text_before (text, place), &n));
}

/* What the filter title begins words after. */
static gboolean
separates (guint32 code)
{
  return wly_template_text_is_space (code) || (code < 0x80 && strchr ("-({[<", (char)code) != NULL);
}

static void
change_one (GString *result, const WlyTemplateText *text, gsize place, gsize n, WlyTemplateCase to, gboolean inside)
{
  gsize n_code;
  const guint32 code  = wly_unicode_get (text->data + place, &n_code);
  const gboolean swap = to == WLY_TEMPLATE_SWAP && !g_unichar_isupper (code);
  const gboolean upper =
      to == WLY_TEMPLATE_UPPER || swap || (!inside && to != WLY_TEMPLATE_LOWER && to != WLY_TEMPLATE_SWAP);

  if (to == WLY_TEMPLATE_SWAP && !has_case (code))
    g_string_append_len (result, text->data + place, (gssize)n);
  else if (!upper && code == SIGMA && ends_word (text, place))
    g_string_append_unichar (result, FINAL_SIGMA);
  else
    put_changed (result, text->data + place, n, upper, to == WLY_TEMPLATE_TITLE || to == WLY_TEMPLATE_CAPITALIZE);
}

gboolean
wly_template_case_change (WlyTemplateEval *eval, const WlyTemplateText *text, WlyTemplateCase to,
                          WlyTemplateValue *ret_value)
{
  g_auto (WlyTemplateBuilder) builder = { 0 };
  g_autoptr (GString) changed         = g_string_new (NULL);
  gboolean inside                     = FALSE;
  gsize place                         = 0, n;

  wly_template_builder_init (&builder);
  for (gsize i = 0; i < text->n_runs; i++) {
    for (; place < text->runs[i].end; place += n) {
      const guint32 code = wly_unicode_get (text->data + place, &n);

      change_one (changed, text, place, n, to, inside);
      inside = to == WLY_TEMPLATE_TITLE ? has_case (code) : to == WLY_TEMPLATE_HEADING ? !separates (code) : TRUE;
    }
    wly_template_builder_append (&builder, changed->str, changed->len, text->runs[i].trusted);
    g_string_truncate (changed, 0);
  }
  return wly_template_eval_finish (eval, &builder, ret_value) && wly_template_eval_step (eval, text->n_bytes / 8);
}

gboolean
wly_template_case_is (const WlyTemplateText *text, WlyTemplateCase which)
{
  gboolean found = FALSE, inside = FALSE;
  gsize n;

  for (gsize i = 0; i < text->n_bytes; i += n) {
    const guint32 code   = wly_unicode_get (text->data + i, &n);
    const gboolean upper = g_unichar_isupper (code) || g_unichar_istitle (code);

    if (has_case (code)) {
      const gboolean right = which == WLY_TEMPLATE_TITLE ? upper != inside : upper == (which == WLY_TEMPLATE_UPPER);

      if (!right)
        return FALSE;
      found = TRUE;
    }
    inside = has_case (code);
  }
  return found;
}
