/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Byte-level BPE.  Token texts are written in an alphabet of 256 visible characters, one for each byte, that GPT-2
 * introduced: bytes that print stand for themselves, the others for U+0100 and on, in order.
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <string.h>

static gboolean
prints (guint32 byte)
{
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte != 0xad);
}

/* The code points of the alphabet, by byte. */
static void
make_alphabet (guint16 ret_codes[256])
{
  guint16 next = 0x100;

  for (guint byte = 0; byte < 256; byte++)
    ret_codes[byte] = prints (byte) ? (guint16)byte : next++;
}

/* The byte of a code point, -1: none. */
static gint
byte_of_code (guint32 code)
{
  guint32 n = 0x100;

  if (code < 0x100)
    return prints (code) ? (gint)code : -1;
  if (code >= 0x144)
    return -1;
  for (guint byte = 0; byte < 256; byte++)
    if (!prints (byte) && n++ == code)
      return (gint)byte;
  return -1;
}

static const WlyPreTokenizer *
find_pre (const WlyVocab *vocab, GError **error)
{
  g_autofree char *name      = wly_gguf_dup_string (vocab->gguf, "tokenizer.ggml.pre");
  const WlyPreTokenizer *pre = wly_pre_split_find (name == NULL || *name == '\0' ? "default" : name);

  if (pre == NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL,
                 "tokenizer.ggml.pre is \"%.64s\", a pre-tokeniser that is not known here", name);
  return pre;
}

gboolean
wly_tokenizer_bpe_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab = &tokenizer->vocab;
  guint16 alphabet[256];
  char text[4];

  tokenizer->pre = find_pre (vocab, error);
  if (tokenizer->pre == NULL)
    return FALSE;
  vocab->add_bos = (tokenizer->pre->flags & WLY_PRE_ADD_BOS) != 0;
  if (!wly_vocab_read_specials (vocab, error))
    return FALSE;
  make_alphabet (alphabet);
  for (guint byte = 0; byte < 256; byte++) {
    const gsize n_bytes = wly_unicode_put (alphabet[byte], text);

    vocab->bytes[byte] = wly_vocab_find_text (vocab, wly_token_table_hash (text, n_bytes), text, n_bytes);
  }
  return wly_merge_table_init (&tokenizer->merges, vocab, error);
}

static gboolean
find_merge (gconstpointer data, const char *word, const WlyMergeSymbol *left, const WlyMergeSymbol *right,
            WlyMergeResult *ret_result)
{
  const WlyMergeSlot *slot;

  if (left->id < 0 || right->id < 0)
    return FALSE;
  slot = wly_merge_table_find (data, left->id, right->id);
  if (slot == NULL)
    return FALSE;
  *ret_result = (WlyMergeResult){ slot->rank, slot->result };
  return TRUE;
}

/* The token that a whole word is; WLY_TOKEN_NONE: none. */
static gint32
find_word (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyVocab *vocab = &encoder->tokenizer->vocab;
  GString *word         = encoder->word;

  if (n_bytes > vocab->table.longest)
    return WLY_TOKEN_NONE;
  encoder->n_steps += n_bytes;
  g_string_truncate (word, 0);
  for (gsize i = 0; i < n_bytes; i++) {
    const gint32 id = vocab->bytes[(guint8)text[i]];

    if (id < 0)
      return WLY_TOKEN_NONE;
    g_string_append_len (word, vocab->texts[id].data, (gssize)vocab->texts[id].n_bytes);
  }
  return wly_vocab_find_text (vocab, wly_token_table_hash (word->str, word->len), word->str, word->len);
}

static void
encode_word (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  const gint32 *bytes           = tokenizer->vocab.bytes;
  WlyMerge *merge               = &encoder->merge;

  if ((tokenizer->pre->flags & WLY_PRE_IGNORE_MERGES) != 0) {
    const gint32 id = find_word (encoder, text, n_bytes);

    if (id >= 0) {
      wly_tokenizer_push (encoder, id);
      return;
    }
  }
  wly_merge_start (merge);
  for (gsize i = 0; i < n_bytes; i++)
    wly_merge_add (merge, i, 1, bytes[(guint8)text[i]], 0);
  wly_merge_run (merge, text, find_merge, NULL, &tokenizer->merges);
  for (guint32 i = 0; i != WLY_MERGE_END; i = merge->symbols[i].next) {
    const WlyMergeSymbol *symbol = &merge->symbols[i];

    if (symbol->id >= 0) {
      wly_tokenizer_push (encoder, symbol->id);
      continue;
    }
    /* a merge that is no token: its bytes, those that the vocabulary has */
    for (guint32 j = symbol->start; j < symbol->start + symbol->n_bytes; j++)
      if (bytes[(guint8)text[j]] >= 0)
        wly_tokenizer_push (encoder, bytes[(guint8)text[j]]);
  }
}

void
wly_tokenizer_bpe_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  WlyPreSplit split;
  gsize start, end;

  wly_pre_split_init (&split, encoder->tokenizer->pre, text, n_bytes);
  while (wly_pre_split_next (&split, &start, &end))
    for (gsize n; start < end; start += n) {
      n = MIN (end - start, WLY_WORD_MAX_SYMBOLS);
      encode_word (encoder, text + start, n);
    }
  encoder->n_steps += split.scan.n_steps;
}

void
wly_tokenizer_bpe_decode (const WlyGgufString *token, GString *text)
{
  for (gsize i = 0; i < token->n_bytes;) {
    guint32 code;
    gsize n_bytes;
    gint byte = -1;

    if (wly_unicode_get_checked (token->data + i, token->n_bytes - i, &code, &n_bytes))
      byte = byte_of_code (code);
    else
      n_bytes = 1;
    /* what is not of the alphabet was put there as it is */
    if (byte >= 0)
      g_string_append_c (text, (char)byte);
    else
      g_string_append_len (text, token->data + i, (gssize)n_bytes);
    i += n_bytes;
  }
}
