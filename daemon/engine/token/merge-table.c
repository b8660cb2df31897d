/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/merge-table.h"

#include "wly-error.h"

#include <string.h>

#define MAX_PROBES 1024

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

/* "left right": the first space that is not the first byte parts them. */
static gboolean
read_merge (WlyMergeTable *table, const WlyVocab *vocab, const WlyGgufString *text, guint32 rank)
{
  const char *space   = text->n_bytes < 3 ? NULL : memchr (text->data + 1, ' ', text->n_bytes - 1);
  const gsize n_left  = space == NULL ? 0 : (gsize)(space - text->data);
  const gsize n_right = text->n_bytes - n_left - 1;
  guint64 left_hash, right_hash;
  WlyMergeSlot merge = { .rank = rank };

  if (space == NULL || n_right == 0 || n_left > vocab->table.longest || n_right > vocab->table.longest)
    return FALSE;
  left_hash   = wly_token_table_hash (text->data, n_left);
  right_hash  = wly_token_table_hash (space + 1, n_right);
  merge.left  = wly_token_table_find (&vocab->table, left_hash, text->data, n_left, NULL, 0);
  merge.right = wly_token_table_find (&vocab->table, right_hash, space + 1, n_right, NULL, 0);
  if (merge.left < 0 || merge.right < 0)
    return FALSE;
  merge.result =
      wly_token_table_find (&vocab->table, wly_token_table_join (&vocab->table, left_hash, right_hash, n_right),
                            text->data, n_left, space + 1, n_right);
  /* plain text must not grow into a token with a meaning */
  if (merge.result >= 0 && !wly_vocab_is_text (vocab, merge.result))
    return TRUE;
  return insert (table, merge);
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
  for (gsize i = 0; i < n_texts; i++) {
    if (!read_merge (table, vocab, &texts[i], (guint32)i)) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                   "merge %" G_GSIZE_FORMAT " of tokenizer.ggml.merges does not name two tokens of the vocabulary", i);
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
