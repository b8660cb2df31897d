/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/vocab.h"

#include "wly-error.h"
#include "wly-utf8.h"

#include <math.h>
#include <string.h>

static gboolean
fail (GError **error, WlyErrorCode code, const char *text)
{
  g_set_error_literal (error, WLY_ERROR, code, text);
  return FALSE;
}

static gboolean
read_kind (WlyVocab *vocab, GError **error)
{
  static const struct {
    const char *name;
    WlyVocabKind kind;
  } kinds[] = {
    { "llama", WLY_VOCAB_SPM },  { "gpt2", WLY_VOCAB_BPE },       { "bert", WLY_VOCAB_WPM },
    { "t5", WLY_VOCAB_UGM },     { "rwkv", WLY_VOCAB_RWKV },      { "plamo2", WLY_VOCAB_PLAMO2 },
    { "gemma4", WLY_VOCAB_BPE }, { "whitespace", WLY_VOCAB_BPE },
  };
  g_autofree char *name = wly_gguf_dup_string (vocab->gguf, "tokenizer.ggml.model");

  if (name == NULL || g_str_equal (name, "no_vocab") || g_str_equal (name, "none"))
    return fail (error, WLY_ERROR_UNSUPPORTED_MODEL, "the model file has no vocabulary; text cannot become tokens");
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++) {
    if (g_str_equal (name, kinds[i].name)) {
      vocab->kind = kinds[i].kind;
      return TRUE;
    }
  }
  g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL,
               "tokenizer.ggml.model is \"%.*s\"; known are llama, gpt2, bert, t5, rwkv, plamo2, gemma4 and whitespace",
               wly_utf8_shown (name), name);
  return FALSE;
}

static gboolean
read_types (WlyVocab *vocab, GError **error)
{
  g_autofree gint32 *types = NULL;
  gsize n_types            = 0;

  vocab->types = g_malloc (vocab->n_tokens);
  memset (vocab->types, WLY_TOKEN_NORMAL, vocab->n_tokens);
  if (!wly_gguf_get_array_i32 (vocab->gguf, "tokenizer.ggml.token_type", &types, &n_types))
    return TRUE;
  if (n_types != vocab->n_tokens) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "tokenizer.ggml.token_type has %" G_GSIZE_FORMAT " entries for %u tokens", n_types, vocab->n_tokens);
    return FALSE;
  }
  for (gsize id = 0; id < n_types; id++)
    vocab->types[id] = types[id] >= 0 && types[id] <= WLY_TOKEN_BYTE ? (guint8)types[id] : WLY_TOKEN_UNDEFINED;
  return TRUE;
}

static gboolean
read_scores (WlyVocab *vocab, GError **error)
{
  gsize n_scores = 0;

  if (!wly_gguf_get_array_f32 (vocab->gguf, "tokenizer.ggml.scores", &vocab->scores, &n_scores))
    return TRUE;
  if (n_scores != vocab->n_tokens) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "tokenizer.ggml.scores has %" G_GSIZE_FORMAT " entries for %u tokens", n_scores, vocab->n_tokens);
    return FALSE;
  }
  for (gsize id = 0; id < n_scores; id++) {
    if (isnan (vocab->scores[id])) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the score of token %" G_GSIZE_FORMAT " is not a number",
                   id);
      return FALSE;
    }
  }
  return TRUE;
}

/* "<0x0A>" and the like; -1: no byte. */
static gint
byte_of_text (const WlyGgufString *text)
{
  gint high, low;

  if (text->n_bytes != 6 || memcmp (text->data, "<0x", 3) != 0 || text->data[5] != '>')
    return -1;
  high = g_ascii_xdigit_value (text->data[3]);
  low  = g_ascii_xdigit_value (text->data[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Byte tokens by their spelling; a byte that is a token by itself serves where there is none. */
static void
find_byte_tokens (WlyVocab *vocab)
{
  memset (vocab->bytes, 0xff, sizeof vocab->bytes);
  for (guint32 id = 0; id < vocab->n_tokens; id++) {
    const gint byte = byte_of_text (&vocab->texts[id]);

    if (byte >= 0 && vocab->bytes[byte] == WLY_TOKEN_NONE
        && (vocab->types[id] == WLY_TOKEN_BYTE || vocab->types[id] == WLY_TOKEN_NORMAL))
      vocab->bytes[byte] = (gint32)id;
    /* a file without types */
    if (byte >= 0 && vocab->kind == WLY_VOCAB_SPM && vocab->types[id] == WLY_TOKEN_NORMAL)
      vocab->types[id] = WLY_TOKEN_BYTE;
  }
  for (guint32 id = 0; id < vocab->n_tokens; id++) {
    const guint8 byte = vocab->texts[id].n_bytes == 1 ? (guint8)vocab->texts[id].data[0] : 0;

    if (vocab->texts[id].n_bytes == 1 && vocab->bytes[byte] == WLY_TOKEN_NONE)
      vocab->bytes[byte] = (gint32)id;
  }
}

gboolean
wly_vocab_init (WlyVocab *vocab, WlyGguf *gguf, GError **error)
{
  gsize n_tokens = 0;

  vocab->gguf         = wly_gguf_ref (gguf);
  vocab->trims_before = WLY_TOKEN_NONE;
  if (!read_kind (vocab, error))
    return FALSE;
  if (!wly_gguf_get_array_string (gguf, "tokenizer.ggml.tokens", &vocab->texts, &n_tokens) || n_tokens == 0)
    return fail (error, WLY_ERROR_INVALID_MODEL, "tokenizer.ggml.tokens is missing, empty or no list of strings");
  if (n_tokens > G_MAXINT32 / 2)
    return fail (error, WLY_ERROR_INVALID_MODEL, "tokenizer.ggml.tokens has more entries than ids can name");
  vocab->n_tokens = (guint32)n_tokens;
  vocab->ends     = g_malloc0 (n_tokens / 8 + 1);
  if (!read_types (vocab, error) || !read_scores (vocab, error)
      || !wly_token_table_init (&vocab->table, vocab->texts, n_tokens, error))
    return FALSE;
  find_byte_tokens (vocab);
  return TRUE;
}

void
wly_vocab_finish (WlyVocab *vocab)
{
  wly_token_table_finish (&vocab->table);
  g_clear_pointer (&vocab->texts, g_free);
  g_clear_pointer (&vocab->types, g_free);
  g_clear_pointer (&vocab->ends, g_free);
  g_clear_pointer (&vocab->trims_behind, g_free);
  g_clear_pointer (&vocab->scores, g_free);
  g_clear_pointer (&vocab->gguf, wly_gguf_unref);
}

gboolean
wly_vocab_has_model (const WlyVocab *vocab, const char *name)
{
  g_autofree char *model = wly_gguf_dup_string (vocab->gguf, "tokenizer.ggml.model");

  return g_strcmp0 (model, name) == 0;
}

gboolean
wly_vocab_check_longest (const WlyVocab *vocab, gsize max_bytes, const char *kind, GError **error)
{
  if (vocab->table.longest <= max_bytes)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "a token of the vocabulary has %" G_GSIZE_FORMAT " bytes; %s allows %" G_GSIZE_FORMAT,
               vocab->table.longest, kind, max_bytes);
  return FALSE;
}

gint32
wly_vocab_find_text (const WlyVocab *vocab, guint64 hash, const char *text, gsize n_bytes)
{
  const gint32 id = wly_token_table_find (&vocab->table, hash, text, n_bytes, NULL, 0);

  return id >= 0 && wly_vocab_is_text (vocab, id) ? id : WLY_TOKEN_NONE;
}
