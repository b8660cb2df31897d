/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pre-split-groups.h"

#include "token/scan.h"

#include <string.h>

gsize
wly_pre_split_groups_numbers (WlyScan *scan, gsize start, gconstpointer rules)
{
  const gsize first = wly_scan_run (scan, start, 0xffffu & ~WLY_SCAN_NUMBERS);
  gsize place = first, n = 0;

  if (start < scan->run_end) /* in a number whose first group was cut already */
    return wly_scan_run_at_most (scan, start, WLY_SCAN_NUMBERS, 3);
  for (WlyScanCharacter character = wly_scan_at (scan, place); wly_scan_is (character, WLY_SCAN_NUMBERS); n++) {
    place += character.n_bytes;
    character = wly_scan_at (scan, place);
  }
  scan->run_end = place;
  return wly_scan_run_at_most (scan, first, WLY_SCAN_NUMBERS, n % 3 == 0 ? 3 : (guint)(n % 3));
}

static gsize
count_digits (WlyScan *scan, gsize start)
{
  gsize n = 0;

  while (start + n < scan->end && g_ascii_isdigit (scan->text[start + n]))
    n++;
  scan->n_steps += n + 1;
  return n;
}

gsize
wly_pre_split_groups_digits (WlyScan *scan, gsize start, gconstpointer rules)
{
  gsize place = start;

  while (place < scan->end) {
    gsize n;

    if (place < scan->run_end) { /* of digits, and a number of threes is left of them */
      if (place > start)
        return place;
      place += 3;
      continue;
    }
    n = count_digits (scan, place);
    if (n >= 3) {
      scan->run_end = place + n;
      place += n % 3;
      if (place > start)
        return place;
      continue;
    }
    place += n > 0 ? n : wly_scan_at (scan, place).n_bytes;
  }
  return place;
}

/* Bytes of a match at @start, 0: none. */
typedef gsize (*MatchFunc) (WlyScan *scan, gsize start);

/* The end of a match at @start, else where the next one begins; a match begins with one of the bytes in @firsts. */
static gsize
match_or_next (WlyScan *scan, gsize start, const char *firsts, MatchFunc match)
{
  const gsize n = match (scan, start);
  gsize place   = start;

  if (n > 0)
    return start + n;
  while (++place < scan->end) {
    scan->n_steps++;
    if (strchr (firsts, scan->text[place]) != NULL && match (scan, place) > 0)
      break;
  }
  return place;
}

static gboolean
has_text (const WlyScan *scan, gsize place, const char *text)
{
  return scan->end - place >= strlen (text) && memcmp (scan->text + place, text, strlen (text)) == 0;
}

static gsize
match_sentinel (WlyScan *scan, gsize start)
{
  static const char head[] = "<sentinel:";
  const gsize digits       = start + strlen (head);
  gsize n;

  if (!has_text (scan, start, head))
    return 0;
  n = count_digits (scan, digits);
  return n > 0 && has_text (scan, digits + n, ">") ? strlen (head) + n + 1 : 0;
}

gsize
wly_pre_split_groups_sentinel (WlyScan *scan, gsize start, gconstpointer rules)
{
  return match_or_next (scan, start, "<", match_sentinel);
}

static gsize
match_image (WlyScan *scan, gsize start)
{
  static const char head[] = "IMGIMG";
  gsize n                  = 0;

  if (!has_text (scan, start, head))
    return 0;
  start += strlen (head);
  while (n < 4 && start + n < scan->end && scan->text[start + n] >= 'A' && scan->text[start + n] <= 'I')
    n++;
  return n > 0 && has_text (scan, start + n, "Z") ? strlen (head) + n + 1 : 0;
}

gsize
wly_pre_split_groups_image (WlyScan *scan, gsize start, gconstpointer rules)
{
  return match_or_next (scan, start, "I", match_image);
}

static gsize
match_tab (WlyScan *scan, gsize start)
{
  if (scan->text[start] == '\t' || scan->text[start] == '\n')
    return 1;
  if (has_text (scan, start, "    "))
    return 4;
  return has_text (scan, start, "  ") ? 2 : 0;
}

gsize
wly_pre_split_groups_tabs (WlyScan *scan, gsize start, gconstpointer rules)
{
  return match_or_next (scan, start, "\t\n ", match_tab);
}
