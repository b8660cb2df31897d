/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/charset.h"

WlyCharset *
wly_charset_new (void)
{
  return g_array_new (FALSE, FALSE, sizeof (WlyCharRange));
}

void
wly_charset_add (WlyCharset *set, guint32 low, guint32 high)
{
  WlyCharRange range = { low, MIN (high, WLY_CHARSET_MAX) };

  if (low <= range.high)
    g_array_append_val (set, range);
}

void
wly_charset_add_set (WlyCharset *set, const WlyCharset *other)
{
  g_array_append_vals (set, other->data, other->len);
}

static int
compare_ranges (gconstpointer a, gconstpointer b)
{
  const WlyCharRange *x = a;
  const WlyCharRange *y = b;

  return x->low < y->low ? -1 : x->low > y->low;
}

/* Appends what of a range is no surrogate. */
static void
add_scalars (WlyCharset *set, guint32 low, guint32 high)
{
  if (low < 0xd800)
    wly_charset_add (set, low, MIN (high, 0xd7ffu));
  if (high > 0xdfff)
    wly_charset_add (set, MAX (low, 0xe000u), high);
}

void
wly_charset_settle (WlyCharset *set)
{
  g_autoptr (GArray) sorted = g_array_copy (set);
  guint32 low = 0, high = 0;

  g_array_sort (sorted, compare_ranges);
  g_array_set_size (set, 0);
  for (guint i = 0; i < sorted->len; i++) {
    const WlyCharRange *range = wly_charset_range (sorted, i);

    if (i > 0 && range->low <= high + 1) {
      high = MAX (high, range->high);
      continue;
    }
    if (i > 0)
      add_scalars (set, low, high);
    low  = range->low;
    high = range->high;
  }
  if (sorted->len > 0)
    add_scalars (set, low, high);
}

void
wly_charset_negate (WlyCharset *set)
{
  g_autoptr (GArray) old = g_array_copy (set);
  guint32 next           = 0;

  g_array_set_size (set, 0);
  for (guint i = 0; i < old->len; i++) {
    const WlyCharRange *range = wly_charset_range (old, i);

    if (range->low > next)
      add_scalars (set, next, range->low - 1);
    next = range->high + 1;
  }
  if (next <= WLY_CHARSET_MAX)
    add_scalars (set, next, WLY_CHARSET_MAX);
}

void
wly_charset_cut (WlyCharset *set, guint32 low, guint32 high)
{
  g_autoptr (GArray) old = g_array_copy (set);

  g_array_set_size (set, 0);
  for (guint i = 0; i < old->len; i++) {
    const WlyCharRange *range = wly_charset_range (old, i);

    wly_charset_add (set, MAX (low, range->low), MIN (high, range->high));
  }
}

gboolean
wly_charset_has (const WlyCharset *set, guint32 low, guint32 high)
{
  for (guint i = 0; i < set->len; i++)
    if (wly_charset_range (set, i)->low <= low && wly_charset_range (set, i)->high >= high)
      return TRUE;
  return FALSE;
}

gboolean
wly_charset_has_plain (const WlyCharset *set)
{
  return wly_charset_has (set, 0x20, 0x21) && wly_charset_has (set, 0x23, 0x5b) && wly_charset_has (set, 0x5d, 0x7e)
         && wly_charset_has (set, 0x80, 0xd7ff) && wly_charset_has (set, 0xe000, WLY_CHARSET_MAX);
}
