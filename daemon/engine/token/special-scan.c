/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/special-scan.h"

#include <string.h>

static gint
compare_texts (gconstpointer a, gconstpointer b, gpointer data)
{
  const WlyGgufString *texts = data;
  const WlyGgufString *left = &texts[*(const guint32 *)a], *right = &texts[*(const guint32 *)b];
  const int order = memcmp (left->data, right->data, MIN (left->n_bytes, right->n_bytes));

  return order != 0 ? order : left->n_bytes < right->n_bytes ? -1 : left->n_bytes > right->n_bytes;
}

static gboolean
is_special (const WlyVocab *vocab, guint32 id)
{
  const guint8 type = vocab->types[id];

  return (type == WLY_TOKEN_CONTROL || type == WLY_TOKEN_USER_DEFINED || type == WLY_TOKEN_UNKNOWN)
         && vocab->texts[id].n_bytes != 0 && vocab->texts[id].n_bytes <= WLY_SPECIAL_MAX_BYTES;
}

void
wly_special_scan_init (WlySpecialScan *scan, const WlyVocab *vocab)
{
  guint32 place = 0;

  *scan = (WlySpecialScan){ .vocab = vocab };
  for (guint32 id = 0; id < vocab->n_tokens; id++)
    scan->n_ids += is_special (vocab, id);
  scan->ids = g_new (guint32, scan->n_ids + 1);
  for (guint32 id = 0; id < vocab->n_tokens; id++)
    if (is_special (vocab, id))
      scan->ids[place++] = id;
  g_qsort_with_data (scan->ids, (gint)scan->n_ids, sizeof *scan->ids, compare_texts, vocab->texts);
  place = 0;
  for (guint byte = 0; byte <= 256; byte++) {
    while (place < scan->n_ids && (guint8)vocab->texts[scan->ids[place]].data[0] < byte)
      place++;
    scan->first[byte] = place;
  }
}

void
wly_special_scan_finish (WlySpecialScan *scan)
{
  g_clear_pointer (&scan->ids, g_free);
}

/* First of ids[low, high), which share @depth bytes, whose next byte is at least @byte; an ended text has none and
 * stands before all. */
static guint32
lower_bound (const WlySpecialScan *scan, guint32 low, guint32 high, gsize depth, guint byte, guint64 *n_steps)
{
  while (low < high) {
    const guint32 middle      = low + (high - low) / 2;
    const WlyGgufString *text = &scan->vocab->texts[scan->ids[middle]];

    (*n_steps)++;
    if (text->n_bytes <= depth || (guint8)text->data[depth] < byte)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

/* The longest token that stands at @start and may; its id or WLY_TOKEN_NONE. */
static gint32
match_at (const WlySpecialScan *scan, WlySpecialCursor *cursor, gsize start, gsize trusted_end)
{
  const WlyVocab *vocab = scan->vocab;
  const guint8 *bytes   = (const guint8 *)cursor->text;
  guint32 low = scan->first[bytes[start]], high = scan->first[bytes[start] + 1];
  gint32 found = WLY_TOKEN_NONE;

  for (gsize depth = 1; low < high; depth++) {
    const guint32 id = scan->ids[low];

    /* the one that ends here, if there is one, is the first of those that share so much */
    if (vocab->texts[id].n_bytes == depth
        && (vocab->types[id] == WLY_TOKEN_USER_DEFINED || start + depth <= trusted_end))
      found = (gint32)id;
    if (start + depth == cursor->n_bytes)
      break;
    low  = lower_bound (scan, low, high, depth, bytes[start + depth], &cursor->n_steps);
    high = lower_bound (scan, low, high, depth, bytes[start + depth] + 1u, &cursor->n_steps);
  }
  return found;
}

/* End of the trusted bytes that @start lies in, 0: it is not trusted. */
static gsize
find_trusted_end (WlySpecialCursor *cursor, gsize start)
{
  while (cursor->span < cursor->n_spans && cursor->span_start + cursor->spans[cursor->span].n_bytes <= start)
    cursor->span_start += cursor->spans[cursor->span++].n_bytes;
  if (cursor->span == cursor->n_spans || !cursor->spans[cursor->span].trusted)
    return 0;
  return cursor->span_start + cursor->spans[cursor->span].n_bytes;
}

gboolean
wly_special_scan_next (const WlySpecialScan *scan, WlySpecialCursor *cursor, gsize start, WlySpecialMatch *ret_match)
{
  const guint8 *bytes = (const guint8 *)cursor->text;

  if (scan->n_ids == 0)
    return FALSE;
  for (gsize place = start; place < cursor->n_bytes; place++) {
    gint32 id;

    cursor->n_steps++;
    if (scan->first[bytes[place]] == scan->first[bytes[place] + 1])
      continue;
    id = match_at (scan, cursor, place, find_trusted_end (cursor, place));
    if (id >= 0) {
      *ret_match = (WlySpecialMatch){ place, scan->vocab->texts[id].n_bytes, id };
      return TRUE;
    }
  }
  return FALSE;
}
