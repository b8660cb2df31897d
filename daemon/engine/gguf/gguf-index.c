/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-index.h"

#include <string.h>

/* FNV-1a; needs to be quick and to spread, not to be safe. */
static guint64
hash_name (const char *name)
{
  guint64 hash = 0xcbf29ce484222325u;

  for (const char *c = name; *c != '\0'; c++)
    hash = (hash ^ (guint8)*c) * 0x100000001b3u;
  return hash;
}

static int
compare_entries (guint64 hash_a, const char *name_a, guint64 hash_b, const char *name_b)
{
  if (hash_a != hash_b)
    return hash_a < hash_b ? -1 : 1;
  return strcmp (name_a, name_b);
}

static int
compare_entries_cb (const void *a, const void *b)
{
  const WlyGgufIndexEntry *x = a, *y = b;

  return compare_entries (x->hash, x->name, y->hash, y->name);
}

void
wly_gguf_index_init (WlyGgufIndex *index, guint n_expected)
{
  index->entries = g_array_sized_new (FALSE, FALSE, sizeof (WlyGgufIndexEntry), n_expected);
}

void
wly_gguf_index_finish (WlyGgufIndex *index)
{
  g_clear_pointer (&index->entries, g_array_unref);
}

void
wly_gguf_index_add (WlyGgufIndex *index, const char *name, guint32 number)
{
  const WlyGgufIndexEntry entry = { .hash = hash_name (name), .name = name, .number = number };

  g_array_append_val (index->entries, entry);
}

const char *
wly_gguf_index_sort (WlyGgufIndex *index)
{
  const WlyGgufIndexEntry *entries;

  g_array_sort (index->entries, compare_entries_cb);
  entries = (const WlyGgufIndexEntry *)(void *)index->entries->data;
  for (guint i = 1; i < index->entries->len; i++)
    if (compare_entries_cb (&entries[i - 1], &entries[i]) == 0)
      return entries[i].name;
  return NULL;
}

gboolean
wly_gguf_index_find (const WlyGgufIndex *index, const char *name, guint32 *ret_number)
{
  const WlyGgufIndexEntry *entries;
  const guint64 hash = hash_name (name);
  guint low          = 0, high;

  if (index->entries == NULL)
    return FALSE;
  entries = (const WlyGgufIndexEntry *)(void *)index->entries->data;
  high    = index->entries->len;
  while (low < high) {
    const guint middle = low + (high - low) / 2;
    const int order    = compare_entries (hash, name, entries[middle].hash, entries[middle].name);

    if (order == 0) {
      *ret_number = entries[middle].number;
      return TRUE;
    }
    if (order < 0)
      high = middle;
    else
      low = middle + 1;
  }
  return FALSE;
}
