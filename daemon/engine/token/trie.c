/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/trie.h"

#include <stdlib.h>
#include <string.h>

/* A text with its first bytes at hand: most comparisons end there. */
typedef struct {
  guint64 start;
  const WlyGgufString *text;
  guint32 id;
} Entry;

static guint64
start_of (const WlyGgufString *text)
{
  guint64 start = 0;

  memcpy (&start, text->data, MIN (text->n_bytes, sizeof start));
  return GUINT64_FROM_BE (start);
}

static int
compare_entries (const void *a, const void *b)
{
  const Entry *left = a, *right = b;
  const gsize n_left = left->text->n_bytes, n_right = right->text->n_bytes;
  int order;

  if (left->start != right->start)
    return left->start < right->start ? -1 : 1;
  order = memcmp (left->text->data, right->text->data, MIN (n_left, n_right));
  if (order == 0 && n_left != n_right)
    order = n_left < n_right ? -1 : 1;
  return order != 0 ? order : left->id < right->id ? -1 : 1;
}

static Entry *
sort_texts (const WlyGgufString *texts, const guint32 *ids, gsize n_ids, gsize *ret_n, gsize *ret_n_bytes)
{
  Entry *entries = g_new (Entry, n_ids + 1);
  gsize n = 0, n_bytes = 0;

  for (gsize i = 0; i < n_ids; i++) {
    const WlyGgufString *text = &texts[ids[i]];

    if (text->n_bytes == 0)
      continue;
    entries[n++] = (Entry){ start_of (text), text, ids[i] };
    n_bytes += text->n_bytes;
  }
  qsort (entries, n, sizeof *entries, compare_entries);
  *ret_n       = n;
  *ret_n_bytes = n_bytes;
  return entries;
}

/* The entries below a node: they share as many bytes as it is deep. */
typedef struct {
  guint32 low, high;
} Range;

/* Gives the node what ends there, and a child for each byte that goes on from there. */
static void
add_children (WlyTrie *trie, Range *ranges, guint32 node, gsize depth, const Entry *entries)
{
  guint32 place = ranges[node].low, high = ranges[node].high;

  trie->ids[node] = -1;
  if (place < high && entries[place].text->n_bytes == depth)
    trie->ids[node] = (gint32)entries[place].id;
  while (place < high && entries[place].text->n_bytes == depth)
    place++;
  while (place < high) {
    const guint8 byte = (guint8)entries[place].text->data[depth];
    Range range       = { place, place };

    while (range.high < high && (guint8)entries[range.high].text->data[depth] == byte)
      range.high++;
    place                      = range.high;
    trie->bytes[trie->n_nodes] = byte;
    ranges[trie->n_nodes++]    = range;
  }
}

void
wly_trie_init (WlyTrie *trie, const WlyGgufString *texts, const guint32 *ids, gsize n_ids)
{
  gsize n, n_bytes, depth = 0;
  g_autofree Entry *entries = sort_texts (texts, ids, n_ids, &n, &n_bytes);
  g_autofree Range *ranges  = g_new (Range, n_bytes + 1);
  gsize level_end           = 1;

  /* as many nodes as bytes at most; what is not needed goes back below */
  *trie     = (WlyTrie){ .first = g_new (guint32, n_bytes + 2), .n_nodes = 1 };
  trie->ids = g_new (gint32, n_bytes + 1);

  trie->bytes    = g_malloc (n_bytes + 1);
  trie->bytes[0] = 0;
  ranges[0]      = (Range){ 0, (guint32)n };
  for (gsize node = 0; node < trie->n_nodes; node++) {
    if (node == level_end) {
      level_end = trie->n_nodes;
      depth++;
    }
    trie->first[node] = (guint32)trie->n_nodes;
    add_children (trie, ranges, (guint32)node, depth, entries);
  }
  trie->first[trie->n_nodes] = (guint32)trie->n_nodes;
  for (guint32 child = trie->first[0]; child < trie->first[1]; child++)
    trie->roots[trie->bytes[child]] = child;

  trie->first = g_renew (guint32, trie->first, trie->n_nodes + 1);
  trie->ids   = g_renew (gint32, trie->ids, trie->n_nodes);
  trie->bytes = g_realloc (trie->bytes, trie->n_nodes);
}

void
wly_trie_finish (WlyTrie *trie)
{
  g_clear_pointer (&trie->first, g_free);
  g_clear_pointer (&trie->ids, g_free);
  g_clear_pointer (&trie->bytes, g_free);
}

gsize
wly_trie_longest (const WlyTrie *trie, const char *text, gsize n_bytes, gint32 *ret_id, guint64 *n_steps)
{
  guint32 node  = WLY_TRIE_ROOT;
  gsize longest = 0;

  for (gsize i = 0; i < n_bytes; i++) {
    (*n_steps)++;
    node = wly_trie_step (trie, node, (guint8)text[i]);
    if (node == WLY_TRIE_ROOT)
      break;
    if (trie->ids[node] >= 0) {
      longest = i + 1;
      *ret_id = trie->ids[node];
    }
  }
  return longest;
}
