/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Byte-level BPE.  Token texts are written in an alphabet of 256 visible characters, one for each byte, that GPT-2
 * introduced: bytes that print stand for themselves, the others for U+0100 and on, in order.
 *
 * Some vocabularies (Gemma 4, Sarvam, jina's for Chinese) merge the characters themselves, with "▁" for a space where
 * they follow SentencePiece; what is no token becomes its bytes there, spelled <0x0A>.
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"
#include "wly-error.h"
#include "wly-utf8.h"

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
  g_autofree char *name = wly_gguf_dup_string (vocab->gguf, "tokenizer.ggml.pre");
  const WlyPreTokenizer *pre;

  if (wly_vocab_has_model (vocab, "gemma4")) {
    g_free (name);
    name = g_strdup ("gemma4");
  }
  pre = wly_pre_split_find (name == NULL || *name == '\0' ? "default" : name);

  if (pre == NULL)
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL,
                 "tokenizer.ggml.pre is \"%.*s\", a pre-tokeniser that is not known here", wly_utf8_shown (name), name);
  return pre;
}

static void
find_letters (WlyVocab *vocab)
{
  guint16 alphabet[256];
  char text[4];

  make_alphabet (alphabet);
  for (guint byte = 0; byte < 256; byte++) {
    const gsize n_bytes = wly_unicode_put (alphabet[byte], text);

    vocab->bytes[byte] = wly_vocab_find_text (vocab, wly_token_table_hash (text, n_bytes), text, n_bytes);
  }
}

gboolean
wly_tokenizer_bpe_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab = &tokenizer->vocab;
  guint flags;

  tokenizer->pre = find_pre (vocab, error);
  if (tokenizer->pre == NULL)
    return FALSE;
  flags                  = tokenizer->pre->flags;
  tokenizer->drop_spaces = wly_vocab_has_model (vocab, "whitespace");
  vocab->add_bos         = (flags & WLY_PRE_ADD_BOS) != 0;
  if (!wly_vocab_read_specials (vocab, error))
    return FALSE;
  /* files of Gemma 4 say no where the model wants it */
  vocab->add_bos |= (flags & WLY_PRE_FORCE_BOS) != 0;
  if ((flags & WLY_PRE_CHARACTERS) != 0)
    tokenizer->pairs = wly_pair_set_new (vocab);
  else
    find_letters (vocab);
  return wly_merge_table_init (&tokenizer->merges, vocab, (flags & WLY_PRE_NO_MERGES) != 0, error);
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

/* ---- merges of characters ---- */

static gint32
find_text (const WlyVocab *vocab, const char *text, gsize n_bytes)
{
  return n_bytes > vocab->table.longest
             ? WLY_TOKEN_NONE
             : wly_vocab_find_text (vocab, wly_token_table_hash (text, n_bytes), text, n_bytes);
}

/* A part of a word that no merge reaches out of. */
static void
merge_characters (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  const WlyVocab *vocab         = &tokenizer->vocab;
  WlyMerge *merge               = &encoder->merge;
  gsize n;

  wly_merge_start (merge);
  for (gsize i = 0; i < n_bytes; i += n) {
    n = wly_unicode_n_bytes ((guint8)text[i]);
    wly_merge_add (merge, i, n, find_text (vocab, text + i, n), 0);
  }
  encoder->n_steps += n_bytes;
  wly_merge_run (merge, text, find_merge, NULL, &tokenizer->merges);
  for (guint32 i = 0; i != WLY_MERGE_END; i = merge->symbols[i].next) {
    const WlyMergeSymbol *symbol = &merge->symbols[i];

    if (symbol->id >= 0)
      wly_tokenizer_push (encoder, symbol->id);
    for (guint32 j = symbol->start; symbol->id < 0 && j < symbol->start + symbol->n_bytes; j++)
      if (vocab->bytes[(guint8)text[j]] >= 0)
        wly_tokenizer_push (encoder, vocab->bytes[(guint8)text[j]]);
  }
}

static void
encode_characters (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  gsize end;

  /* lines between texts are one token, if there is one for so many */
  if ((tokenizer->pre->flags & WLY_PRE_WHOLE_NEWLINES) != 0 && text[0] == '\n') {
    const gint32 id = find_text (&tokenizer->vocab, text, n_bytes);

    if (id >= 0) {
      wly_tokenizer_push (encoder, id);
      return;
    }
  }
  for (gsize start = 0; start < n_bytes; start = end) {
    end = wly_pair_set_word_end (tokenizer->pairs, text, start, n_bytes, WLY_WORD_MAX_SYMBOLS);
    merge_characters (encoder, text + start, end - start);
  }
}

/* ---- a text ---- */

static void
encode_words (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyPreTokenizer *pre = encoder->tokenizer->pre;
  WlyPreSplit split;
  gsize start, end;

  wly_pre_split_init (&split, pre, text, n_bytes);
  while (wly_pre_split_next (&split, &start, &end)) {
    if ((pre->flags & WLY_PRE_CHARACTERS) != 0) {
      encode_characters (encoder, text + start, end - start);
      continue;
    }
    for (gsize n; start < end; start += n) {
      n = MIN (end - start, WLY_WORD_MAX_SYMBOLS);
      encode_word (encoder, text + start, n);
    }
  }
  encoder->n_steps += split.scan.n_steps;
}

/* The text with "▁" for spaces. */
static void
encode_marked (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  g_string_truncate (encoder->text, 0);
  for (gsize i = 0; i < n_bytes; i++) {
    if (text[i] == ' ')
      g_string_append_len (encoder->text, "\xe2\x96\x81", 3);
    else
      g_string_append_c (encoder->text, text[i]);
  }
  encode_words (encoder, encoder->text->str, encoder->text->len);
}

/* White space parts words and is dropped. */
static void
encode_without_spaces (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const gboolean lowercase = encoder->tokenizer->vocab.lowercase;
  GString *word            = encoder->text;
  gsize n;

  g_string_truncate (word, 0);
  for (gsize i = 0; i < n_bytes; i += n) {
    const guint32 code = wly_unicode_get (text + i, &n);
    char bytes[4];

    if ((wly_unicode_class (code) & WLY_UNICODE_SPACE) == 0) {
      g_string_append_len (word, bytes, (gssize)wly_unicode_put (lowercase ? wly_unicode_lower (code) : code, bytes));
      continue;
    }
    encode_words (encoder, word->str, word->len);
    g_string_truncate (word, 0);
  }
  encode_words (encoder, word->str, word->len);
}

void
wly_tokenizer_bpe_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;

  if (tokenizer->drop_spaces)
    encode_without_spaces (encoder, text, n_bytes);
  else if ((tokenizer->pre->flags & WLY_PRE_MARK_SPACES) != 0)
    encode_marked (encoder, text, n_bytes);
  else
    encode_words (encoder, text, n_bytes);
}

void
wly_tokenizer_bpe_decode (const WlyTokenizer *tokenizer, const WlyGgufString *token, GString *text)
{
  if ((tokenizer->pre->flags & WLY_PRE_MARK_SPACES) != 0) {
    wly_tokenizer_spm_decode (token, text);
    return;
  }
  if ((tokenizer->pre->flags & WLY_PRE_CHARACTERS) != 0) {
    g_string_append_len (text, token->data, (gssize)token->n_bytes);
    return;
  }
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
