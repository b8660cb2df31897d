/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SentencePiece with merges: characters grow to tokens, the best score first; what is no token becomes its bytes.
 * Spaces are written "▁" in the vocabulary.  Source: the sentencepiece project's BPE model.
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"

#include <string.h>

#define SPACE      "\xe2\x96\x81"
#define SPACE_CODE 0x2581u

gboolean
wly_tokenizer_spm_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab = &tokenizer->vocab;

  vocab->add_bos          = TRUE;
  vocab->add_space_prefix = TRUE;
  if (!wly_vocab_read_specials (vocab, error))
    return FALSE;
  tokenizer->pairs = wly_pair_set_new (vocab);
  return TRUE;
}

/* Floats in an order of whole numbers, the greatest first. */
static guint32
rank_of_score (float score)
{
  guint32 bits;

  score += 0.0f; /* one zero */
  memcpy (&bits, &score, sizeof bits);
  bits = (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
  return ~bits;
}

static gboolean
find_merge (gconstpointer data, const char *word, const WlyMergeSymbol *left, const WlyMergeSymbol *right,
            WlyMergeResult *ret_result)
{
  const WlyVocab *vocab = data;
  const gsize n_bytes   = (gsize)left->n_bytes + right->n_bytes;
  gint32 id;

  if (n_bytes > vocab->table.longest)
    return FALSE;
  id = wly_vocab_find_text (vocab, wly_token_table_join (&vocab->table, left->hash, right->hash, right->n_bytes),
                            word + left->start, n_bytes);
  if (id < 0)
    return FALSE;
  *ret_result = (WlyMergeResult){ rank_of_score (vocab->scores == NULL ? 0 : vocab->scores[id]), id };
  return TRUE;
}

static guint64
join_hashes (gconstpointer data, const WlyMergeSymbol *left, const WlyMergeSymbol *right)
{
  const WlyVocab *vocab = data;

  return wly_token_table_join (&vocab->table, left->hash, right->hash, right->n_bytes);
}

static void
push_bytes (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyVocab *vocab = &encoder->tokenizer->vocab;

  for (gsize i = 0; i < n_bytes; i++) {
    const gint32 id = vocab->bytes[(guint8)text[i]];

    if (id >= 0)
      wly_tokenizer_push (encoder, id);
    else if (vocab->unk >= 0)
      wly_tokenizer_push (encoder, vocab->unk);
  }
}

static void
flush_word (WlyEncoder *encoder)
{
  const WlyVocab *vocab = &encoder->tokenizer->vocab;
  WlyMerge *merge       = &encoder->merge;
  const char *word      = encoder->word->str;

  if (merge->n_symbols == 0)
    return;
  wly_merge_run (merge, word, find_merge, join_hashes, vocab);
  for (guint32 i = 0; i != WLY_MERGE_END; i = merge->symbols[i].next) {
    const WlyMergeSymbol *symbol = &merge->symbols[i];

    if (symbol->id >= 0)
      wly_tokenizer_push (encoder, symbol->id);
    else
      push_bytes (encoder, word + symbol->start, symbol->n_bytes);
  }
  wly_merge_start (merge);
  g_string_truncate (encoder->word, 0);
}

static void
add_character (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const guint64 hash = wly_token_table_hash (text, n_bytes);

  wly_merge_add (&encoder->merge, encoder->word->len, n_bytes,
                 wly_vocab_find_text (&encoder->tokenizer->vocab, hash, text, n_bytes), hash);
  g_string_append_len (encoder->word, text, (gssize)n_bytes);
  encoder->n_steps++;
}

void
wly_tokenizer_spm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  guint32 previous              = SPACE_CODE;
  gsize n;

  wly_merge_start (&encoder->merge);
  g_string_truncate (encoder->word, 0);
  if (tokenizer->vocab.add_space_prefix && encoder->at_start)
    add_character (encoder, SPACE, 3);
  for (gsize i = 0; i < n_bytes; i += n) {
    guint32 code = wly_unicode_get (text + i, &n);

    if (code == ' ')
      code = SPACE_CODE;
    if (!wly_pair_set_has (tokenizer->pairs, previous, code) || encoder->merge.n_symbols >= WLY_WORD_MAX_SYMBOLS)
      flush_word (encoder);
    if (code == SPACE_CODE)
      add_character (encoder, SPACE, 3);
    else
      add_character (encoder, text + i, n);
    previous = code;
  }
  flush_word (encoder);
}

void
wly_tokenizer_spm_decode (const WlyGgufString *token, GString *text)
{
  for (gsize i = 0; i < token->n_bytes;) {
    if (token->n_bytes - i >= 3 && memcmp (token->data + i, SPACE, 3) == 0) {
      g_string_append_c (text, ' ');
      i += 3;
    } else {
      g_string_append_c (text, token->data[i++]);
    }
  }
}
