/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/pair-set.h"

#include "token/unicode.h"

static void
add_text (WlyPairSet *set, const WlyGgufString *text)
{
  guint32 code, previous = G_MAXUINT32;
  gsize n_bytes;

  for (gsize i = 0; i < text->n_bytes; i += n_bytes) {
    if (!wly_unicode_get_checked (text->data + i, text->n_bytes - i, &code, &n_bytes))
      return; /* no text is like this token */
    if (previous != G_MAXUINT32) {
      const guint32 bit = wly_pair_set_bit (previous, code);

      set->bits[bit / 32] |= 1u << (bit % 32);
    }
    previous = code;
  }
}

WlyPairSet *
wly_pair_set_new (const WlyVocab *vocab)
{
  WlyPairSet *set = g_new0 (WlyPairSet, 1);

  for (guint32 id = 0; id < vocab->n_tokens; id++)
    if (wly_vocab_is_text (vocab, (gint32)id))
      add_text (set, &vocab->texts[id]);
  return set;
}

gsize
wly_pair_set_word_end (const WlyPairSet *set, const char *text, gsize start, gsize n_bytes, gsize max_bytes)
{
  guint32 code, previous = G_MAXUINT32;
  gsize place = start, n;

  while (place < n_bytes && place - start < max_bytes) {
    /* a file's normaliser may leave half a character at the end */
    if (wly_unicode_n_bytes ((guint8)text[place]) > n_bytes - place)
      return n_bytes;
    code = wly_unicode_get (text + place, &n);
    if (previous != G_MAXUINT32 && !wly_pair_set_has (set, previous, code))
      break;
    previous = code;
    place += n;
  }
  return place;
}
