/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Names to numbers, and whether a name stands twice.
 *
 * Sorted by (hash, name), not a hash table: names come from the file, and whoever makes many of them with one hash must
 * not get more than n log n comparisons out of it.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  guint64 hash;
  const char *name; /* belongs to whoever added it, and must outlive the index */
  guint32 number;
} WlyGgufIndexEntry;

typedef struct {
  GArray *entries; /* of WlyGgufIndexEntry */
} WlyGgufIndex;

void wly_gguf_index_init (WlyGgufIndex *index, guint n_expected);
void wly_gguf_index_finish (WlyGgufIndex *index); /* a zeroed one is fine */

void wly_gguf_index_add (WlyGgufIndex *index, const char *name, guint32 number);
/* Once, after the last name; gives a name that stands twice, or NULL. */
const char *wly_gguf_index_sort (WlyGgufIndex *index);
gboolean wly_gguf_index_find (const WlyGgufIndex *index, const char *name, guint32 *ret_number);

G_END_DECLS
