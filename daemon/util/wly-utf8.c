/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-utf8.h"

#include "wly-error.h"

#include <string.h>

#define SHOWN_MAX 256

/* Length that the first byte of a character promises; 0 where it can begin none (RFC 3629). */
static gsize
promised_length (guint8 first)
{
  if (first < 0x80)
    return 1;
  if (first >= 0xc2 && first <= 0xdf)
    return 2;
  if (first >= 0xe0 && first <= 0xef)
    return 3;
  if (first >= 0xf0 && first <= 0xf4)
    return 4;
  return 0;
}

/* Whether the bytes may be the beginning of a character that is not there in full. */
static gboolean
may_grow (const guint8 *text, gsize n_bytes)
{
  if (n_bytes == 0 || promised_length (text[0]) <= n_bytes)
    return FALSE;
  if (n_bytes >= 2) {
    if ((text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xed && text[1] > 0x9f)
        || (text[0] == 0xf0 && text[1] < 0x90) || (text[0] == 0xf4 && text[1] > 0x8f))
      return FALSE;
  }
  for (gsize i = 1; i < n_bytes; i++)
    if ((text[i] & 0xc0) != 0x80)
      return FALSE;
  return TRUE;
}

gsize
wly_utf8_whole (const char *text, gsize n_bytes)
{
  for (gsize back = 1; back <= 3 && back <= n_bytes; back++)
    if (may_grow ((const guint8 *)text + n_bytes - back, back))
      return n_bytes - back;
  return n_bytes;
}

char *
wly_utf8_clean (const char *text, gsize n_bytes, gsize *ret_n_bytes)
{
  GString *clean = g_string_sized_new (n_bytes);

  while (n_bytes > 0) {
    const char *end;
    gsize valid;

    g_utf8_validate_len (text, n_bytes, &end);
    valid = (gsize)(end - text);
    g_string_append_len (clean, text, (gssize)valid);
    text += valid;
    n_bytes -= valid;
    if (n_bytes > 0) {
      g_string_append (clean, "\xef\xbf\xbd");
      text++;
      n_bytes--;
    }
  }
  if (ret_n_bytes != NULL)
    *ret_n_bytes = clean->len;
  return g_string_free (clean, FALSE);
}

gboolean
wly_utf8_check (const char *text, gsize n_bytes, GError **error)
{
  const char *end;

  if (g_utf8_validate_len (text, n_bytes, &end))
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT,
               "The text is not valid UTF-8 without NUL: byte %" G_GSIZE_FORMAT " is 0x%02x", (gsize)(end - text),
               (guint8)*end);
  return FALSE;
}

int
wly_utf8_shown (const char *text)
{
  return (int)wly_utf8_whole (text, strnlen (text, SHOWN_MAX));
}
