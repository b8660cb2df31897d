/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which characters stand side by side inside of some token.  Between two that never do, no merge can reach over: there
 * a long text falls into words.  A bit for each pair, by hash; one that is set for nothing costs time, never a token.
 */
#pragma once

#include "token/vocab.h"

G_BEGIN_DECLS

#define WLY_PAIR_SET_BITS 20

typedef struct {
  guint32 bits[(1u << WLY_PAIR_SET_BITS) / 32];
} WlyPairSet;

/* Of all tokens that plain text may become.  Free with g_free(). */
WlyPairSet *wly_pair_set_new (const WlyVocab *vocab);

static inline guint32
wly_pair_set_bit (guint32 left, guint32 right)
{
  return (guint32)((((guint64)left << 21 | right) * G_GUINT64_CONSTANT (0x9e3779b97f4a7c15))
                   >> (64 - WLY_PAIR_SET_BITS));
}

static inline gboolean
wly_pair_set_has (const WlyPairSet *set, guint32 left, guint32 right)
{
  const guint32 bit = wly_pair_set_bit (left, right);

  return (set->bits[bit / 32] >> (bit % 32) & 1) != 0;
}

/* The end of the word that starts at @start (< @n_bytes); where it has no end it is cut after @max_bytes. */
gsize wly_pair_set_word_end (const WlyPairSet *set, const char *text, gsize start, gsize n_bytes, gsize max_bytes);

G_END_DECLS
