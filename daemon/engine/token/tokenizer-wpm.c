/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * WordPiece, as BERT has it: words without accents and case, cut into the longest tokens from the left; a word that
 * cannot be cut is unknown.  In a GGUF file a token that begins a word is written with "▁" before it, one that goes on
 * without its "##".
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"
#include "wly-error.h"

/* Each byte of a word may be looked at once for each byte of the longest token. */
#define MAX_TOKEN_BYTES 512
#define WORD_START      "\xe2\x96\x81"

gboolean
wly_tokenizer_wpm_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab = &tokenizer->vocab;

  vocab->add_bos   = TRUE;
  vocab->add_sep   = TRUE;
  vocab->lowercase = TRUE;
  return wly_vocab_check_longest (vocab, MAX_TOKEN_BYTES, "WordPiece", error) && wly_vocab_read_specials (vocab, error);
}

static gboolean
is_chinese (guint32 code)
{
  static const guint32 ranges[][2] = {
    { 0x3400, 0x4dbf },   { 0x4e00, 0x9fff },   { 0xf900, 0xfaff },   { 0x20000, 0x2a6df },
    { 0x2a700, 0x2b73f }, { 0x2b740, 0x2b81f }, { 0x2b920, 0x2ceaf }, { 0x2f800, 0x2fa1f },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (ranges); i++)
    if (code >= ranges[i][0] && code <= ranges[i][1])
      return TRUE;
  return FALSE;
}

/* The longest token at @text; its bytes, 0: none. */
static gsize
longest_match (WlyEncoder *encoder, const char *text, gsize n_bytes, gint32 *ret_id)
{
  const WlyVocab *vocab = &encoder->tokenizer->vocab;
  gsize found           = 0;
  guint64 hash          = 0;

  for (gsize i = 0; i < MIN (n_bytes, vocab->table.longest); i++) {
    gint32 id;

    hash = wly_token_table_extend (hash, (guint8)text[i]);
    id   = wly_vocab_find_text (vocab, hash, text, i + 1);
    encoder->n_steps++;
    if (id >= 0) {
      *ret_id = id;
      found   = i + 1;
    }
  }
  return found;
}

/* encoder->word begins with WORD_START. */
static void
flush_word (WlyEncoder *encoder)
{
  const gint32 unk     = encoder->tokenizer->vocab.unk;
  const GString *word  = encoder->word;
  const guint n_before = encoder->tokens->len;
  gint32 id            = WLY_TOKEN_NONE;
  gsize n;

  if (word->len > strlen (WORD_START)) {
    for (gsize i = 0; i < word->len; i += n) {
      n = longest_match (encoder, word->str + i, word->len - i, &id);
      if (n == 0) {
        g_array_set_size (encoder->tokens, n_before);
        break;
      }
      wly_tokenizer_push (encoder, id);
    }
    if (encoder->tokens->len == n_before && unk >= 0)
      wly_tokenizer_push (encoder, unk);
  }
  g_string_assign (encoder->word, WORD_START);
}

void
wly_tokenizer_wpm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyVocab *vocab = &encoder->tokenizer->vocab;
  char bytes[4];
  gsize n;

  g_string_assign (encoder->word, WORD_START);
  for (gsize i = 0; i < n_bytes; i += n) {
    guint32 code = wly_unicode_get (text + i, &n);
    WlyUnicodeClass class;
    guint category;
    gboolean alone;

    encoder->n_steps++;
    if (vocab->strip_accents)
      code = wly_unicode_base (code);
    class    = wly_unicode_class (code);
    category = class & WLY_UNICODE_CATEGORY;
    if ((class & WLY_UNICODE_SPACE) != 0) {
      flush_word (encoder);
      continue;
    }
    if (code == 0xfffd || category == WLY_UNICODE_CONTROL || (vocab->strip_accents && category == WLY_UNICODE_MARK))
      continue;
    alone = category == WLY_UNICODE_PUNCTUATION || (code < 0x7f && category == WLY_UNICODE_SYMBOL) || is_chinese (code);
    if (alone)
      flush_word (encoder);
    g_string_append_len (encoder->word, bytes,
                         (gssize)wly_unicode_put (vocab->lowercase ? wly_unicode_lower (code) : code, bytes));
    if (alone)
      flush_word (encoder);
  }
  flush_word (encoder);
}
