/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/merge-table.h"

#include "wly-error.h"

#include <string.h>

#define MAX_PROBES 1024
#define BLOCK      16 /* merges that are read at a time */

static gsize
first_slot (const WlyMergeTable *table, gint32 left, gint32 right)
{
  const guint64 key = (guint64)(guint32)left << 32 | (guint32)right;

  return ((key ^ key >> 29) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> table->shift;
}

const WlyMergeSlot *
wly_merge_table_find (const WlyMergeTable *table, gint32 left, gint32 right)
{
  const gsize mask = ((gsize)1 << (64 - table->shift)) - 1;

  for (gsize slot = first_slot (table, left, right);; slot = (slot + 1) & mask) {
    const WlyMergeSlot *place = &table->slots[slot];

    if (place->left < 0)
      return NULL;
    if (place->left == left && place->right == right)
      return place;
  }
}

/* Of two merges of one pair the first counts. */
static gboolean
insert (WlyMergeTable *table, WlyMergeSlot merge)
{
  const gsize mask = ((gsize)1 << (64 - table->shift)) - 1;
  gsize slot       = first_slot (table, merge.left, merge.right);

  for (guint i = 0; i < MAX_PROBES; i++, slot = (slot + 1) & mask) {
    WlyMergeSlot *place = &table->slots[slot];

    if (place->left < 0) {
      *place = merge;
      return TRUE;
    }
    if (place->left == merge.left && place->right == merge.right)
      return TRUE;
  }
  return FALSE;
}

/* A merge as it is read: its parts and their hashes, and that of what they become. */
typedef struct {
  const char *left, *right;
  gsize n_left, n_right;
} Parts;

enum { HASH_LEFT, HASH_RIGHT, HASH_BOTH, N_HASHES };

/* "left right": the first space that is not the first byte parts them. */
static gboolean
read_parts (const WlyVocab *vocab, const WlyGgufString *text, Parts *ret_parts, guint64 ret_hashes[N_HASHES])
{
  const char *space   = text->n_bytes < 3 ? NULL : memchr (text->data + 1, ' ', text->n_bytes - 1);
  const gsize n_left  = space == NULL ? 0 : (gsize)(space - text->data);
  const gsize n_right = text->n_bytes - n_left - 1;

  if (space == NULL || n_right == 0 || n_left > vocab->table.longest || n_right > vocab->table.longest)
    return FALSE;
  *ret_parts             = (Parts){ text->data, space + 1, n_left, n_right };
  ret_hashes[HASH_LEFT]  = wly_token_table_hash (text->data, n_left);
  ret_hashes[HASH_RIGHT] = wly_token_table_hash (space + 1, n_right);
  ret_hashes[HASH_BOTH]  = wly_token_table_join (&vocab->table, ret_hashes[HASH_LEFT], ret_hashes[HASH_RIGHT], n_right);
  return TRUE;
}

static gboolean
read_merge (WlyMergeTable *table, const WlyVocab *vocab, const Parts *parts, const guint64 hashes[N_HASHES],
            guint32 rank)
{
  WlyMergeSlot merge = { .rank = rank };

  merge.left  = wly_token_table_find (&vocab->table, hashes[HASH_LEFT], parts->left, parts->n_left, NULL, 0);
  merge.right = wly_token_table_find (&vocab->table, hashes[HASH_RIGHT], parts->right, parts->n_right, NULL, 0);
  if (merge.left < 0 || merge.right < 0)
    return FALSE;
  merge.result =
      wly_token_table_find (&vocab->table, hashes[HASH_BOTH], parts->left, parts->n_left, parts->right, parts->n_right);
  /* plain text must not grow into a token with a meaning */
  if (merge.result >= 0 && !wly_vocab_is_text (vocab, merge.result))
    return TRUE;
  return insert (table, merge);
}

/* Some merges at a time: each waits for memory, and they can do so together.  Gives how many are right. */
static gsize
read_block (WlyMergeTable *table, const WlyVocab *vocab, const WlyGgufString *texts, gsize n_texts, gsize first)
{
  Parts parts[BLOCK];
  guint64 hashes[BLOCK][N_HASHES];
  gsize n = 0;

  while (n < n_texts && read_parts (vocab, &texts[n], &parts[n], hashes[n]))
    n++;
  wly_token_table_prepare (&vocab->table, hashes[0], n * N_HASHES);
  for (gsize i = 0; i < n; i++)
    if (!read_merge (table, vocab, &parts[i], hashes[i], (guint32)(first + i)))
      return i;
  return n;
}

gboolean
wly_merge_table_init (WlyMergeTable *table, const WlyVocab *vocab, gboolean optional, GError **error)
{
  g_autofree WlyGgufString *texts = NULL;
  gsize n_texts                   = 0;
  guint bits                      = 4;

  if ((!wly_gguf_get_array_string (vocab->gguf, "tokenizer.ggml.merges", &texts, &n_texts) && !optional)
      || n_texts > G_MAXINT32) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                         "tokenizer.ggml.merges is missing or no list of strings; byte-level BPE needs it");
    return FALSE;
  }
  while (((gsize)1 << bits) < n_texts + n_texts / 2)
    bits++;
  table->shift = 64 - bits;
  table->slots = g_new (WlyMergeSlot, (gsize)1 << bits);
  memset (table->slots, 0xff, sizeof *table->slots << bits);
  for (gsize i = 0; i < n_texts; i += BLOCK) {
    const gsize n       = MIN (n_texts - i, BLOCK);
    const gsize n_right = read_block (table, vocab, &texts[i], n, i);

    if (n_right < n) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                   "merge %" G_GSIZE_FORMAT " of tokenizer.ggml.merges does not name two tokens of the vocabulary",
                   i + n_right);
      return FALSE;
    }
  }
  return TRUE;
}

void
wly_merge_table_finish (WlyMergeTable *table)
{
  g_clear_pointer (&table->slots, g_free);
}
