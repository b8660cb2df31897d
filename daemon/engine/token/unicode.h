/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Code points as tokenisers see them: UTF-8, classes, lower case, base letters.  Unicode 15.1, pinned in
 * unicode-tables.h, because a class that moves with a library's version moves token ids.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The class of a code point: a category, and whether regular expressions call it \s. */
typedef guint8 WlyUnicodeClass;

enum {
  WLY_UNICODE_UNASSIGNED,   /* \p{Cn} */
  WLY_UNICODE_NUMBER,       /* \p{N} */
  WLY_UNICODE_LETTER,       /* \p{L} */
  WLY_UNICODE_SEPARATOR,    /* \p{Z} */
  WLY_UNICODE_MARK,         /* \p{M} */
  WLY_UNICODE_PUNCTUATION,  /* \p{P} */
  WLY_UNICODE_SYMBOL,       /* \p{S} */
  WLY_UNICODE_CONTROL,      /* the rest of \p{C} */
  WLY_UNICODE_CATEGORY = 7, /* mask of the above */
  WLY_UNICODE_SPACE    = 8, /* bit: \s */
};

extern const guint8 wly_unicode_ascii[128]; /* classes of ASCII */
WlyUnicodeClass wly_unicode_class (guint32 code);
guint32 wly_unicode_lower (guint32 code); /* simple mapping */
guint32 wly_unicode_base (guint32 code);  /* first of the canonical decomposition */

/* Bytes of the character that starts with this byte; @text is valid UTF-8 throughout. */
static inline gsize
wly_unicode_n_bytes (guint8 first)
{
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* The character at @text, which is valid UTF-8 and not at its end. */
static inline guint32
wly_unicode_get (const char *text, gsize *ret_n_bytes)
{
  const guint8 *bytes = (const guint8 *)text;

  *ret_n_bytes = wly_unicode_n_bytes (bytes[0]);
  switch (*ret_n_bytes) {
  case 1:
    return bytes[0];
  case 2:
    return (bytes[0] & 0x1fu) << 6 | (bytes[1] & 0x3fu);
  case 3:
    return (bytes[0] & 0x0fu) << 12 | (bytes[1] & 0x3fu) << 6 | (bytes[2] & 0x3fu);
  default:
    return (bytes[0] & 0x07u) << 18 | (bytes[1] & 0x3fu) << 12 | (bytes[2] & 0x3fu) << 6 | (bytes[3] & 0x3fu);
  }
}

/* Writes at most 4 bytes; gives their number. */
gsize wly_unicode_put (guint32 code, char *ret_bytes);

/* Reads one character of text that may hold any bytes; FALSE where it is no valid UTF-8. */
gboolean wly_unicode_get_checked (const char *text, gsize n_bytes, guint32 *ret_code, gsize *ret_n_bytes);

G_END_DECLS
