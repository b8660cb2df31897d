/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/merge.h"

typedef struct {
  WlyMerge *merge;
  const char *word;
  WlyMergeFindCb find_cb;
  WlyMergeHashCb hash_cb;
  gconstpointer data;
} Run;

void
wly_merge_finish (WlyMerge *merge)
{
  g_clear_pointer (&merge->symbols, g_free);
  g_clear_pointer (&merge->heap, g_free);
}

void
wly_merge_start (WlyMerge *merge)
{
  merge->n_symbols = 0;
  merge->n_heap    = 0;
}

void
wly_merge_add (WlyMerge *merge, gsize start, gsize n_bytes, gint32 id, guint64 hash)
{
  const guint32 index = (guint32)merge->n_symbols;

  if (merge->n_symbols == merge->symbols_size) {
    merge->symbols_size = MAX (64, merge->symbols_size * 2);
    merge->symbols      = g_renew (WlyMergeSymbol, merge->symbols, merge->symbols_size);
  }
  if (index > 0)
    merge->symbols[index - 1].next = index;
  merge->symbols[merge->n_symbols++] = (WlyMergeSymbol){
    .start    = (guint32)start,
    .n_bytes  = (guint32)n_bytes,
    .previous = index > 0 ? index - 1 : WLY_MERGE_END,
    .next     = WLY_MERGE_END,
    .id       = id,
    .hash     = hash,
  };
}

static inline guint64
order (const WlyMergeCandidate *candidate)
{
  return (guint64)candidate->rank << 32 | candidate->left;
}

static void
push (WlyMerge *merge, WlyMergeCandidate candidate)
{
  gsize place;

  if (merge->n_heap == merge->heap_size) {
    merge->heap_size = MAX (64, merge->heap_size * 2);
    merge->heap      = g_renew (WlyMergeCandidate, merge->heap, merge->heap_size);
  }
  for (place = merge->n_heap++; place > 0; place = (place - 1) / 2) {
    merge->n_steps++;
    if (order (&merge->heap[(place - 1) / 2]) <= order (&candidate))
      break;
    merge->heap[place] = merge->heap[(place - 1) / 2];
  }
  merge->heap[place] = candidate;
}

static WlyMergeCandidate
pop (WlyMerge *merge)
{
  const WlyMergeCandidate best = merge->heap[0], last = merge->heap[--merge->n_heap];
  gsize place = 0;

  for (gsize child = 1; child < merge->n_heap; child = place * 2 + 1) {
    merge->n_steps++;
    if (child + 1 < merge->n_heap && order (&merge->heap[child + 1]) < order (&merge->heap[child]))
      child++;
    if (order (&last) <= order (&merge->heap[child]))
      break;
    merge->heap[place] = merge->heap[child];
    place              = child;
  }
  merge->heap[place] = last;
  return best;
}

static void
consider (const Run *run, guint32 left, guint32 right)
{
  const WlyMergeSymbol *symbols = run->merge->symbols;
  WlyMergeResult result;

  if (left == WLY_MERGE_END || right == WLY_MERGE_END)
    return;
  run->merge->n_steps++;
  if (run->find_cb (run->data, run->word, &symbols[left], &symbols[right], &result))
    push (run->merge,
          (WlyMergeCandidate){ result.rank, left, symbols[left].n_bytes + symbols[right].n_bytes, result.id });
}

void
wly_merge_run (WlyMerge *merge, const char *word, WlyMergeFindCb find_cb, WlyMergeHashCb hash_cb, gconstpointer data)
{
  const Run run           = { merge, word, find_cb, hash_cb, data };
  WlyMergeSymbol *symbols = merge->symbols;

  for (guint32 i = 1; i < merge->n_symbols; i++)
    consider (&run, i - 1, i);
  while (merge->n_heap > 0) {
    const WlyMergeCandidate best = pop (merge);
    WlyMergeSymbol *left         = &symbols[best.left], *right;

    if (left->n_bytes == 0 || left->next == WLY_MERGE_END)
      continue;
    right = &symbols[left->next];
    if (left->n_bytes + right->n_bytes != best.n_bytes)
      continue;
    if (hash_cb != NULL)
      left->hash = hash_cb (data, left, right);
    left->id       = best.id;
    left->n_bytes  = best.n_bytes;
    left->next     = right->next;
    right->n_bytes = 0;
    if (left->next != WLY_MERGE_END)
      symbols[left->next].previous = best.left;
    consider (&run, left->previous, best.left);
    consider (&run, best.left, left->next);
  }
}
