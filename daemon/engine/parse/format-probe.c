/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/format-private.h"

#include "template/chat-input.h"

#include <string.h>

#define MARK_BYTES 64

gboolean
wly_format_probe_render (const WlyFormatProbe *probe, const char *json, gboolean prompt, WlyRendered *ret_rendered)
{
  g_autoptr (GVariant) given = wly_chat_input_read (json, strlen (json), NULL);
  WlyChatInput input         = { NULL, NULL, probe->variables, prompt };

  if (given == NULL)
    return FALSE;
  input.given = g_variant_ref_sink (given);
  return wly_chat_template_render (probe->chat_template, &input, ret_rendered, NULL);
}

gboolean
wly_format_probe_has (const WlyFormatProbe *probe, const char *text)
{
  return text != NULL && memmem (probe->source, probe->n_bytes, text, strlen (text)) != NULL;
}

void
wly_format_probe_set (char **text, const char *value)
{
  g_free (*text);
  *text = g_strdup (value);
}

void
wly_format_probe_ignore (WlyOutputFormat *format, const char *mark)
{
  gsize n = 0;

  while (format->ignored[n] != NULL)
    n++;
  g_assert (n < WLY_OUTPUT_FORMAT_IGNORED);
  format->ignored[n] = g_strdup (mark);
}

void
wly_format_probe_outer (WlyOutputFormat *format, const char *open, const char *close)
{
  wly_format_probe_set (&format->outer_close, close);
  wly_format_probe_ignore (format, open);
  if (*close != '\0')
    wly_format_probe_ignore (format, close);
}

/* Bytes of a mark that is begun at the end and not closed. */
static gsize
begun_mark (const char *text, gsize n_bytes)
{
  for (gsize n = 1; n <= MIN (n_bytes, MARK_BYTES); n++) {
    const char c = text[n_bytes - n];

    if (c == '<' || c == '[')
      return n;
    if (c == '>' || c == ']' || g_ascii_isspace (c))
      return 0;
  }
  return 0;
}

gsize
wly_format_probe_common (const char *a, gsize n_a, const char *b, gsize n_b)
{
  gsize n = 0;

  while (n < MIN (n_a, n_b) && a[n] == b[n])
    n++;
  return n - begun_mark (a, n);
}

char *
wly_format_probe_first_mark (const char *text, const char *eos)
{
  const char *end;

  while (g_ascii_isspace (*text))
    text++;
  if (*text == '\0' || (*eos != '\0' && g_str_has_prefix (text, eos)))
    return g_strdup ("");
  if (*text == '`')
    text += strspn (text, "`\n");
  end = *text == '<' ? strchr (text, '>') : *text == '[' ? strchr (text, ']') : NULL;
  return end == NULL ? g_strdup ("") : g_strndup (text, (gsize)(end - text) + 1);
}
