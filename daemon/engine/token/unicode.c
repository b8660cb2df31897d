/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/unicode.h"

typedef struct {
  guint32 first, last;
  guint16 stride;
  gint32 difference;
} WlyUnicodeLower;

typedef struct {
  guint32 first, last, base;
} WlyUnicodeBase;

#include "token/unicode-tables.h"

WlyUnicodeClass
wly_unicode_class (guint32 code)
{
  const gsize block = MIN (code / WLY_UNICODE_BLOCK, G_N_ELEMENTS (unicode_block_index) - 1);
  const gsize place = unicode_block_index[block] * (gsize)WLY_UNICODE_BLOCK + code % WLY_UNICODE_BLOCK;
  const guint8 pair = unicode_blocks[place / 2];

  return (place & 1) != 0 ? pair >> 4 : pair & 15;
}

guint32
wly_unicode_lower (guint32 code)
{
  gsize low = 0, high = G_N_ELEMENTS (unicode_lower);

  if (code < 0x80)
    return code >= 'A' && code <= 'Z' ? code + 32 : code;
  while (low < high) {
    const gsize middle         = (low + high) / 2;
    const WlyUnicodeLower *row = &unicode_lower[middle];

    if (code > row->last)
      low = middle + 1;
    else if (code < row->first)
      high = middle;
    else
      return (code - row->first) % row->stride == 0 ? code + (guint32)row->difference : code;
  }
  return code;
}

guint32
wly_unicode_base (guint32 code)
{
  gsize low = 0, high = G_N_ELEMENTS (unicode_base);

  if (code < 0x80)
    return code;
  while (low < high) {
    const gsize middle        = (low + high) / 2;
    const WlyUnicodeBase *row = &unicode_base[middle];

    if (code > row->last)
      low = middle + 1;
    else if (code < row->first)
      high = middle;
    else
      return row->base;
  }
  return code;
}

gsize
wly_unicode_put (guint32 code, char *ret_bytes)
{
  if (code < 0x80) {
    ret_bytes[0] = (char)code;
    return 1;
  }
  if (code < 0x800) {
    ret_bytes[0] = (char)(0xc0 | code >> 6);
    ret_bytes[1] = (char)(0x80 | (code & 0x3f));
    return 2;
  }
  if (code < 0x10000) {
    ret_bytes[0] = (char)(0xe0 | code >> 12);
    ret_bytes[1] = (char)(0x80 | (code >> 6 & 0x3f));
    ret_bytes[2] = (char)(0x80 | (code & 0x3f));
    return 3;
  }
  ret_bytes[0] = (char)(0xf0 | code >> 18);
  ret_bytes[1] = (char)(0x80 | (code >> 12 & 0x3f));
  ret_bytes[2] = (char)(0x80 | (code >> 6 & 0x3f));
  ret_bytes[3] = (char)(0x80 | (code & 0x3f));
  return 4;
}

gboolean
wly_unicode_get_checked (const char *text, gsize n_bytes, guint32 *ret_code, gsize *ret_n_bytes)
{
  const gunichar code = g_utf8_get_char_validated (text, (gssize)MIN (n_bytes, 4));

  if (n_bytes == 0 || code >= 0x110000)
    return FALSE;
  *ret_code    = code;
  *ret_n_bytes = wly_unicode_n_bytes ((guint8)text[0]);
  return TRUE;
}
