/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Token texts to ids.  The hash is a polynomial over the prime 2^61 - 1, so that the hash of two texts put together
 * follows from theirs in a few multiplications, however long they are: merges need no rehash.
 *
 *   hash ("")    = 0
 *   hash (x + b) = hash (x) * base + b + 1
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

/* No token is longer: bounds what one look-up can cost. */
#define WLY_TOKEN_MAX_BYTES 65536u

typedef struct {
  guint32 tag; /* upper bits of the hash */
  gint32 id;   /* -1: free */
} WlyTokenSlot;

typedef struct {
  const WlyGgufString *texts; /* the caller's; by id */
  WlyTokenSlot *slots;
  guint shift;     /* 64 - log2 (n_slots) */
  gsize longest;   /* bytes of the longest text */
  guint64 *powers; /* of the base, 0 … longest */
} WlyTokenTable;

/* Puts all texts in but the empty ones.  Errors: WLY_ERROR_INVALID_MODEL (two tokens of one text, a text over
 * WLY_TOKEN_MAX_BYTES, texts made to collide). */
gboolean wly_token_table_init (WlyTokenTable *table, const WlyGgufString *texts, gsize n_texts, GError **error);
void wly_token_table_finish (WlyTokenTable *table);

#define WLY_TOKEN_PRIME ((G_GUINT64_CONSTANT (1) << 61) - 1)
#define WLY_TOKEN_BASE  G_GUINT64_CONSTANT (0x1b873593cc9e2d51)

static inline guint64
wly_token_table_multiply (guint64 a, guint64 b)
{
  const unsigned __int128 product = (unsigned __int128)a * b;
  const guint64 sum               = (guint64)(product & WLY_TOKEN_PRIME) + (guint64)(product >> 61);

  return sum >= WLY_TOKEN_PRIME ? sum - WLY_TOKEN_PRIME : sum;
}

static inline guint64
wly_token_table_extend (guint64 hash, guint8 byte)
{
  const guint64 sum = wly_token_table_multiply (hash, WLY_TOKEN_BASE) + byte + 1;

  return sum >= WLY_TOKEN_PRIME ? sum - WLY_TOKEN_PRIME : sum;
}

guint64 wly_token_table_hash (const char *text, gsize n_bytes);

/* The hash of a text of two parts; @n_right <= table->longest. */
static inline guint64
wly_token_table_join (const WlyTokenTable *table, guint64 left, guint64 right, gsize n_right)
{
  const guint64 sum = wly_token_table_multiply (left, table->powers[n_right]) + right;

  return sum >= WLY_TOKEN_PRIME ? sum - WLY_TOKEN_PRIME : sum;
}

/* Fetches what look-ups of these hashes will need, so that they need not wait for memory one behind the other. */
void wly_token_table_prepare (const WlyTokenTable *table, const guint64 *hashes, gsize n_hashes);
/* The id of the text that is @left and @right put together (@n_right may be 0) and hashes to @hash; -1: none. */
gint32 wly_token_table_find (const WlyTokenTable *table, guint64 hash, const char *left, gsize n_left,
                             const char *right, gsize n_right);

G_END_DECLS
