/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "parse/output-format.h"

#include "parse/format-private.h"

#include <string.h>

#define N_TEXTS 13

/* The texts that are the format's own. */
static void
list_texts (WlyOutputFormat *format, char **ret_texts[N_TEXTS])
{
  char **const texts[] = { &format->open,          &format->middle,         &format->close,
                           &format->name_key,      &format->arguments_key,  &format->before_name,
                           &format->key_open,      &format->key_close,      &format->value_close,
                           &format->after_members, &format->reasoning_open, &format->reasoning_close,
                           &format->outer_close };

  G_STATIC_ASSERT (G_N_ELEMENTS (texts) == N_TEXTS);
  memcpy (ret_texts, texts, sizeof texts);
}

WlyOutputFormat *
wly_output_format_new (const WlyChatTemplate *chat_template, const char *source, gsize n_bytes, GVariant *variables)
{
  WlyOutputFormat *format = g_new0 (WlyOutputFormat, 1);
  WlyFormatProbe probe    = { chat_template, source, n_bytes, variables, "" };
  char **texts[N_TEXTS];

  list_texts (format, texts);
  for (gsize i = 0; i < N_TEXTS; i++)
    *texts[i] = g_strdup ("");
  if (variables != NULL)
    g_variant_lookup (variables, "eos_token", "&s", &probe.eos);
  wly_format_reasoning_find (&probe, format);
  wly_format_calls_find (&probe, format);
  return format;
}

void
wly_output_format_free (WlyOutputFormat *format)
{
  char **texts[N_TEXTS];

  if (format == NULL)
    return;
  list_texts (format, texts);
  for (gsize i = 0; i < N_TEXTS; i++)
    g_free (*texts[i]);
  for (gsize i = 0; format->ignored[i] != NULL; i++)
    g_free (format->ignored[i]);
  g_free (format);
}

gboolean
wly_output_format_begins_reasoning (const WlyOutputFormat *format, const char *prompt, gsize n_bytes)
{
  const gsize n = strlen (format->reasoning_open);

  while (n_bytes > 0 && g_ascii_isspace (prompt[n_bytes - 1]))
    n_bytes--;
  return n > 0 && n_bytes >= n && memcmp (prompt + n_bytes - n, format->reasoning_open, n) == 0;
}

gboolean
wly_output_format_has_mark (const WlyOutputFormat *format, const char *text, gsize n_bytes)
{
  const char *const marks[] = { format->open,           format->middle,        format->close,
                                format->before_name,    format->key_open,      format->key_close,
                                format->value_close,    format->after_members, format->reasoning_open,
                                format->reasoning_close };

  for (gsize i = 0; i < G_N_ELEMENTS (marks); i++)
    if (n_bytes > 0 && memmem (marks[i], strlen (marks[i]), text, n_bytes) != NULL)
      return TRUE;
  for (gsize i = 0; format->ignored[i] != NULL; i++)
    if (n_bytes > 0 && memmem (format->ignored[i], strlen (format->ignored[i]), text, n_bytes) != NULL)
      return TRUE;
  return FALSE;
}
