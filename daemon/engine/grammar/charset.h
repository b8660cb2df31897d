/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sets of code points, as sorted ranges.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define WLY_CHARSET_MAX 0x10ffffu

typedef struct {
  guint32 low, high; /* both included */
} WlyCharRange;

/* GArray of WlyCharRange: sorted, apart from each other, once wly_charset_settle() was called. */
typedef GArray WlyCharset;

WlyCharset *wly_charset_new (void); /* free with g_array_unref() */
void wly_charset_add (WlyCharset *set, guint32 low, guint32 high);
void wly_charset_add_set (WlyCharset *set, const WlyCharset *other);
/* Sorts and joins what was added; surrogates are left out. */
void wly_charset_settle (WlyCharset *set);
/* Makes a settled set what it was not. */
void wly_charset_negate (WlyCharset *set);
/* Keeps what is in @low .. @high of a settled set. */
void wly_charset_cut (WlyCharset *set, guint32 low, guint32 high);
gboolean wly_charset_has (const WlyCharset *set, guint32 low, guint32 high);
/* Whether a settled set has every plain character: those from U+0020 on without ", \ and U+007F. */
gboolean wly_charset_has_plain (const WlyCharset *set);

static inline const WlyCharRange *
wly_charset_range (const WlyCharset *set, guint i)
{
  return &g_array_index (set, WlyCharRange, i);
}

static inline gboolean
wly_charset_is_plain (guint32 code)
{
  return code >= 0x20 && code != '"' && code != '\\' && code != 0x7f;
}

G_END_DECLS
