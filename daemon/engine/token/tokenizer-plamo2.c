/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * PLaMo-2: as the unigram model, but from the end of the text to its start, with scores in steps of 0.0001, and with
 * the bytes of a character where no token covers it.  Source: the model's own tokeniser, tokenization_plamo.py.
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <math.h>
#include <string.h>

/* Each byte of a text may be looked at once for each byte of the longest token. */
#define MAX_TOKEN_BYTES 512
#define SCORE_STEPS     1e4
#define UNKNOWN_SCORE   (-1e7)
#define INVALID_SCORE   (-2e7)

static double
score_of (const WlyVocab *vocab, gint32 id)
{
  const float score = vocab->scores == NULL ? 0 : vocab->scores[id];

  if (!isfinite (score) || fabsf (score) > 1e5f)
    return INVALID_SCORE;
  return round (score * SCORE_STEPS);
}

gboolean
wly_tokenizer_plamo2_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab         = &tokenizer->vocab;
  g_autofree guint32 *ids = g_new (guint32, vocab->n_tokens);
  gsize n                 = 0;

  if (!wly_vocab_check_longest (vocab, MAX_TOKEN_BYTES, "PLaMo-2's vocabulary", error)
      || !wly_vocab_read_specials (vocab, error))
    return FALSE;
  vocab->add_bos = FALSE;
  vocab->add_eos = FALSE;
  for (guint byte = 0; byte < 256; byte++) {
    if (vocab->bytes[byte] < 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the vocabulary has no token <0x%02X>; PLaMo-2 needs it",
                   byte);
      return FALSE;
    }
  }
  for (guint32 id = 0; id < vocab->n_tokens; id++)
    if (wly_vocab_is_text (vocab, (gint32)id) && score_of (vocab, (gint32)id) > INVALID_SCORE)
      ids[n++] = id;
  wly_trie_init (&tokenizer->trie, vocab->texts, ids, n);
  tokenizer->pairs = wly_pair_set_new (vocab);
  return TRUE;
}

/* The best token at @start, all behind it being cut already; of equal ones the longest.  Sums are of whole numbers, and
 * exact. */
static void
choose (WlyEncoder *encoder, const char *word, gsize n_bytes, gsize start)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  WlyEncoderCut *cuts           = encoder->cuts;
  const gsize after             = start + wly_unicode_n_bytes ((guint8)word[start]);
  WlyEncoderCut best            = { cuts[after].score + UNKNOWN_SCORE, WLY_TOKEN_NONE, (guint32)after };
  guint32 node                  = WLY_TRIE_ROOT;

  for (gsize end = start; end < n_bytes;) {
    gint32 id;
    double score;

    encoder->n_steps++;
    node = wly_trie_step (&tokenizer->trie, node, (guint8)word[end++]);
    if (node == WLY_TRIE_ROOT)
      break;
    id = tokenizer->trie.ids[node];
    if (id < 0 || cuts[end].place == 0)
      continue;
    score = cuts[end].score + score_of (&tokenizer->vocab, id);
    if (score >= best.score)
      best = (WlyEncoderCut){ score, id, (guint32)end };
  }
  cuts[start] = best;
}

static void
encode_word (WlyEncoder *encoder, const char *word, gsize n_bytes)
{
  const gint32 *bytes = encoder->tokenizer->vocab.bytes;
  WlyEncoderCut *cuts = wly_tokenizer_cuts (encoder, n_bytes + 1);

  /* a place inside of a character has no way on, and is marked so: 0 */
  cuts[n_bytes] = (WlyEncoderCut){ .place = 1 };
  for (gsize i = n_bytes; i-- > 0;) {
    cuts[i] = (WlyEncoderCut){ 0 };
    if (((guint8)word[i] & 0xc0) != 0x80)
      choose (encoder, word, n_bytes, i);
  }
  for (gsize i = 0; i < n_bytes; i = cuts[i].place) {
    if (cuts[i].id >= 0)
      wly_tokenizer_push (encoder, cuts[i].id);
    for (gsize j = i; cuts[i].id < 0 && j < cuts[i].place; j++)
      wly_tokenizer_push (encoder, bytes[(guint8)word[j]]);
  }
}

void
wly_tokenizer_plamo2_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  static const char byte_order_mark[] = "\xef\xbb\xbf"; /* none of the text */
  gsize start                         = n_bytes >= 3 && memcmp (text, byte_order_mark, 3) == 0 ? 3 : 0, end;

  for (; start < n_bytes; start = end) {
    end = wly_pair_set_word_end (encoder->tokenizer->pairs, text, start, n_bytes, WLY_WORD_MAX_SYMBOLS);
    encode_word (encoder, text + start, end - start);
    encoder->n_steps += end - start;
  }
}
