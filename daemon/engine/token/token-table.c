/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/token-table.h"

#include "wly-error.h"

#include <string.h>

/* Chains of honest texts stay far below; texts that were made to collide would make every look-up linear. */
#define MAX_PROBES 1024

guint64
wly_token_table_hash (const char *text, gsize n_bytes)
{
  guint64 hash = 0;

  for (gsize i = 0; i < n_bytes; i++)
    hash = wly_token_table_extend (hash, (guint8)text[i]);
  return hash;
}

static gsize
first_slot (const WlyTokenTable *table, guint64 hash)
{
  return (hash * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15)) >> table->shift;
}

void
wly_token_table_prepare (const WlyTokenTable *table, const guint64 *hashes, gsize n_hashes)
{
  for (gsize i = 0; i < n_hashes; i++)
    __builtin_prefetch (&table->slots[first_slot (table, hashes[i])]);
  for (gsize i = 0; i < n_hashes; i++) {
    const gint32 id = table->slots[first_slot (table, hashes[i])].id;

    if (id >= 0)
      __builtin_prefetch (&table->texts[id]);
  }
  for (gsize i = 0; i < n_hashes; i++) {
    const gint32 id = table->slots[first_slot (table, hashes[i])].id;

    if (id >= 0)
      __builtin_prefetch (table->texts[id].data);
  }
}

gint32
wly_token_table_find (const WlyTokenTable *table, guint64 hash, const char *left, gsize n_left, const char *right,
                      gsize n_right)
{
  const gsize mask  = ((gsize)1 << (64 - table->shift)) - 1;
  const guint32 tag = (guint32)(hash >> 29);

  for (gsize slot = first_slot (table, hash);; slot = (slot + 1) & mask) {
    const gint32 id = table->slots[slot].id;

    if (id < 0)
      return -1;
    if (table->slots[slot].tag == tag && table->texts[id].n_bytes == n_left + n_right
        && memcmp (table->texts[id].data, left, n_left) == 0
        && (n_right == 0 || memcmp (table->texts[id].data + n_left, right, n_right) == 0))
      return id;
  }
}

static gboolean
insert (WlyTokenTable *table, gint32 id, guint64 hash, GError **error)
{
  const gsize mask          = ((gsize)1 << (64 - table->shift)) - 1;
  const WlyGgufString *text = &table->texts[id];
  const guint32 tag         = (guint32)(hash >> 29);
  gsize slot                = first_slot (table, hash);

  for (guint i = 0; i < MAX_PROBES; i++, slot = (slot + 1) & mask) {
    WlyTokenSlot *place = &table->slots[slot];

    if (place->id < 0) {
      *place = (WlyTokenSlot){ .tag = tag, .id = id };
      return TRUE;
    }
    if (place->tag == tag && table->texts[place->id].n_bytes == text->n_bytes
        && memcmp (table->texts[place->id].data, text->data, text->n_bytes) == 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "tokens %d and %d of the vocabulary have the same text",
                   place->id, id);
      return FALSE;
    }
  }
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the texts of the vocabulary collide at token %d", id);
  return FALSE;
}

gboolean
wly_token_table_init (WlyTokenTable *table, const WlyGgufString *texts, gsize n_texts, GError **error)
{
  guint bits = 4;

  while (((gsize)1 << bits) < n_texts * 2)
    bits++;
  *table = (WlyTokenTable){ .texts = texts, .shift = 64 - bits };
  for (gsize id = 0; id < n_texts; id++)
    table->longest = MAX (table->longest, texts[id].n_bytes);
  if (table->longest > WLY_TOKEN_MAX_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "a token of the vocabulary has %" G_GSIZE_FORMAT " bytes; at most %u are allowed", table->longest,
                 WLY_TOKEN_MAX_BYTES);
    return FALSE;
  }
  table->powers    = g_new (guint64, table->longest + 1);
  table->powers[0] = 1;
  for (gsize i = 1; i <= table->longest; i++)
    table->powers[i] = wly_token_table_multiply (table->powers[i - 1], WLY_TOKEN_BASE);
  table->slots = g_new (WlyTokenSlot, (gsize)1 << bits);
  memset (table->slots, 0xff, sizeof *table->slots << bits);
  for (gsize id = 0; id < n_texts; id++) {
    if (texts[id].n_bytes == 0)
      continue;
    if (!insert (table, (gint32)id, wly_token_table_hash (texts[id].data, texts[id].n_bytes), error))
      return FALSE;
  }
  return TRUE;
}

void
wly_token_table_finish (WlyTokenTable *table)
{
  g_clear_pointer (&table->slots, g_free);
  g_clear_pointer (&table->powers, g_free);
}
