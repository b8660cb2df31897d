/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Token texts as a tree of bytes: which tokens stand at the beginning of a text, byte by byte.
 *
 * Nodes lie level by level, the children of one side by side and in order of their bytes: 9 bytes a node, no pointer.
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

#define WLY_TRIE_ROOT 0u /* as a child: none */

typedef struct {
  guint32 *first; /* [n_nodes + 1] of a node's children; they end where those of the next node begin */
  gint32 *ids;    /* [n_nodes] token that ends here, -1: none */
  guint8 *bytes;  /* [n_nodes] the step that leads here */
  gsize n_nodes;
  guint32 roots[256]; /* children of the root by byte, where every look-up begins */
} WlyTrie;

/* Puts the texts of @ids in; empty ones are left out, of two equal ones the lower id counts. */
void wly_trie_init (WlyTrie *trie, const WlyGgufString *texts, const guint32 *ids, gsize n_ids);
void wly_trie_finish (WlyTrie *trie);

/* One step down; WLY_TRIE_ROOT: no text goes on so. */
static inline guint32
wly_trie_step (const WlyTrie *trie, guint32 node, guint8 byte)
{
  guint32 low, high;

  if (node == WLY_TRIE_ROOT)
    return trie->roots[byte];
  low  = trie->first[node];
  high = trie->first[node + 1];
  while (high - low > 8) {
    const guint32 middle = low + (high - low) / 2;

    if (trie->bytes[middle] <= byte)
      low = middle;
    else
      high = middle;
  }
  for (; low < high; low++)
    if (trie->bytes[low] == byte)
      return low;
  return WLY_TRIE_ROOT;
}

/* Bytes of the longest text of the tree that @text begins with, 0: none; @n_steps counts the bytes looked at. */
gsize wly_trie_longest (const WlyTrie *trie, const char *text, gsize n_bytes, gint32 *ret_id, guint64 *n_steps);

G_END_DECLS
