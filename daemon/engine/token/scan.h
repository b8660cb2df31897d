/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Steps that the scanners of pre-tokenisers share.
 */
#pragma once

#include "token/pre-split.h"

G_BEGIN_DECLS

/* Sets of classes: a bit for each of the 16, white space in the upper half. */
#define WLY_SCAN_SET(category) (1u << (category) | 1u << ((category) | WLY_UNICODE_SPACE))
#define WLY_SCAN_SPACES        0xff00u
#define WLY_SCAN_LETTERS       WLY_SCAN_SET (WLY_UNICODE_LETTER)
#define WLY_SCAN_NUMBERS       WLY_SCAN_SET (WLY_UNICODE_NUMBER)
#define WLY_SCAN_MARKS         WLY_SCAN_SET (WLY_UNICODE_MARK)
#define WLY_SCAN_PUNCTUATION   WLY_SCAN_SET (WLY_UNICODE_PUNCTUATION)
#define WLY_SCAN_SYMBOLS       WLY_SCAN_SET (WLY_UNICODE_SYMBOL)
/* [^\s\p{L}\p{N}] */
#define WLY_SCAN_OTHERS (0xffffu & ~(WLY_SCAN_SPACES | WLY_SCAN_LETTERS | WLY_SCAN_NUMBERS))

typedef struct {
  guint32 code; /* no character: WLY_SCAN_NONE */
  guint8 class;
  guint8 n_bytes; /* 0: the piece ends here */
} WlyScanCharacter;

#define WLY_SCAN_NONE G_MAXUINT32

static inline WlyScanCharacter
wly_scan_at (WlyScan *scan, gsize place)
{
  guint8 first;
  gsize n_bytes;
  guint32 code;

  if (place >= scan->end)
    return (WlyScanCharacter){ .code = WLY_SCAN_NONE };
  scan->n_steps++;
  first = (guint8)scan->text[place];
  if (first < 0x80)
    return (WlyScanCharacter){ first, wly_unicode_ascii[first], 1 };
  code = wly_unicode_get (scan->text + place, &n_bytes);
  return (WlyScanCharacter){ code, wly_unicode_class (code), (guint8)n_bytes };
}

static inline gboolean
wly_scan_is (WlyScanCharacter character, guint set)
{
  return character.n_bytes != 0 && (set >> character.class & 1) != 0;
}

static inline gboolean
wly_scan_is_newline (WlyScanCharacter character)
{
  return character.code == '\n' || character.code == '\r';
}

/* The end of the run of characters in @set from @place on. */
static inline gsize
wly_scan_run (WlyScan *scan, gsize place, guint set)
{
  WlyScanCharacter character = wly_scan_at (scan, place);

  while (wly_scan_is (character, set)) {
    place += character.n_bytes;
    character = wly_scan_at (scan, place);
  }
  return place;
}

/* The same for at most @limit characters. */
static inline gsize
wly_scan_run_at_most (WlyScan *scan, gsize place, guint set, guint limit)
{
  for (; limit > 0; limit--) {
    const WlyScanCharacter character = wly_scan_at (scan, place);

    if (!wly_scan_is (character, set))
      break;
    place += character.n_bytes;
  }
  return place;
}

G_END_DECLS
