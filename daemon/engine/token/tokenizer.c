/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "token/tokenizer-private.h"

#include "wly-error.h"

#include <string.h>

/* Places in a text are counted in 32 bits. */
#define MAX_TEXT_BYTES (1u << 30)

static gboolean
init_kind (WlyTokenizer *tokenizer, GError **error)
{
  switch (tokenizer->vocab.kind) {
  case WLY_VOCAB_SPM:
    return wly_tokenizer_spm_init (tokenizer, error);
  case WLY_VOCAB_BPE:
    return wly_tokenizer_bpe_init (tokenizer, error);
  case WLY_VOCAB_WPM:
    return wly_tokenizer_wpm_init (tokenizer, error);
  case WLY_VOCAB_UGM:
    return wly_tokenizer_ugm_init (tokenizer, error);
  case WLY_VOCAB_RWKV:
    return wly_tokenizer_rwkv_init (tokenizer, error);
  case WLY_VOCAB_PLAMO2:
    return wly_tokenizer_plamo2_init (tokenizer, error);
  }
  g_return_val_if_reached (FALSE);
}

WlyTokenizer *
wly_tokenizer_new (WlyGguf *gguf, GError **error)
{
  g_autoptr (WlyTokenizer) tokenizer = g_new0 (WlyTokenizer, 1);

  if (!wly_vocab_init (&tokenizer->vocab, gguf, error) || !init_kind (tokenizer, error))
    return NULL;
  wly_special_scan_init (&tokenizer->specials, &tokenizer->vocab);
  return g_steal_pointer (&tokenizer);
}

void
wly_tokenizer_free (WlyTokenizer *tokenizer)
{
  if (tokenizer == NULL)
    return;
  wly_special_scan_finish (&tokenizer->specials);
  wly_merge_table_finish (&tokenizer->merges);
  wly_trie_finish (&tokenizer->trie);
  g_free (tokenizer->pairs);
  g_free (tokenizer->unescaped);
  g_free (tokenizer->unescaped_bytes);
  wly_vocab_finish (&tokenizer->vocab);
  g_free (tokenizer);
}

/* ---- text to tokens ---- */

/* The spans as one text: words reach over the edges of spans as they do in one string. */
typedef struct {
  const char *text;
  gsize n_bytes;
  char *copy;    /* the text, where the spans did not lie side by side */
  GArray *spans; /* WlyTextSpan without empty ones, neighbours differ in trust; their texts are not used */
} JoinedText;

static void
joined_text_clear (JoinedText *joined)
{
  g_free (joined->copy);
  g_clear_pointer (&joined->spans, g_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (JoinedText, joined_text_clear)

static gboolean
join_spans (const WlyTextSpan *spans, gsize n_spans, JoinedText *joined, GError **error)
{
  gboolean side_by_side = TRUE;
  gsize place           = 0;

  joined->spans = g_array_new (FALSE, FALSE, sizeof (WlyTextSpan));
  joined->text  = "";
  for (gsize i = 0; i < n_spans; i++) {
    WlyTextSpan *last =
        joined->spans->len == 0 ? NULL : &g_array_index (joined->spans, WlyTextSpan, joined->spans->len - 1);

    if (spans[i].n_bytes == 0)
      continue;
    if (last == NULL)
      joined->text = spans[i].text;
    side_by_side = side_by_side && spans[i].text == joined->text + joined->n_bytes;
    if (spans[i].n_bytes > MAX_TEXT_BYTES - joined->n_bytes) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT, "a text has more than %u bytes", MAX_TEXT_BYTES);
      return FALSE;
    }
    joined->n_bytes += spans[i].n_bytes;
    if (last != NULL && !last->trusted == !spans[i].trusted)
      last->n_bytes += spans[i].n_bytes;
    else
      g_array_append_val (joined->spans, spans[i]);
  }
  if (side_by_side)
    return TRUE;
  joined->copy = g_malloc (joined->n_bytes);
  for (gsize i = 0; i < n_spans; place += spans[i++].n_bytes)
    if (spans[i].n_bytes > 0)
      memcpy (joined->copy + place, spans[i].text, spans[i].n_bytes);
  joined->text = joined->copy;
  return TRUE;
}

static gboolean
check_text (const JoinedText *joined, GError **error)
{
  const char *end;
  gsize place;

  if (g_utf8_validate_len (joined->text, joined->n_bytes, &end))
    return TRUE;
  place = (gsize)(end - joined->text);
  if (*end == '\0')
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT, "the text holds a NUL at byte %" G_GSIZE_FORMAT, place);
  else
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT, "the text is not valid UTF-8 at byte %" G_GSIZE_FORMAT,
                 place);
  return FALSE;
}

static void
encode_plain (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  if (n_bytes == 0)
    return;
  switch (encoder->tokenizer->vocab.kind) {
  case WLY_VOCAB_SPM:
    wly_tokenizer_spm_encode (encoder, text, n_bytes);
    break;
  case WLY_VOCAB_BPE:
    wly_tokenizer_bpe_encode (encoder, text, n_bytes);
    break;
  case WLY_VOCAB_WPM:
    wly_tokenizer_wpm_encode (encoder, text, n_bytes);
    break;
  case WLY_VOCAB_UGM:
    wly_tokenizer_ugm_encode (encoder, text, n_bytes);
    break;
  case WLY_VOCAB_RWKV:
    wly_tokenizer_rwkv_encode (encoder, text, n_bytes);
    break;
  case WLY_VOCAB_PLAMO2:
    wly_tokenizer_plamo2_encode (encoder, text, n_bytes);
    break;
  }
  encoder->at_start = FALSE;
}

static gboolean
is_space (char c)
{
  return g_ascii_isspace (c) || c == '\v';
}

/* @last_token: what the text stands behind. */
static void
encode_text (WlyEncoder *encoder, const JoinedText *joined, gint32 last_token)
{
  const WlyVocab *vocab   = &encoder->tokenizer->vocab;
  WlySpecialCursor cursor = {
    .text    = joined->text,
    .n_bytes = joined->n_bytes,
    .spans   = (const WlyTextSpan *)joined->spans->data,
    .n_spans = joined->spans->len,
  };
  WlySpecialMatch match;
  gsize place = 0, end;

  for (;; last_token = match.id) {
    while (wly_vocab_trims_behind (vocab, last_token) && place < joined->n_bytes && is_space (joined->text[place]))
      place++;
    if (!wly_special_scan_next (&encoder->tokenizer->specials, &cursor, place, &match))
      break;
    end = match.start;
    while (match.id == vocab->trims_before && end > place && is_space (joined->text[end - 1]))
      end--;
    encode_plain (encoder, joined->text + place, end - place);
    wly_tokenizer_push (encoder, match.id);
    encoder->at_start = TRUE;
    place             = match.start + match.n_bytes;
  }
  encode_plain (encoder, joined->text + place, joined->n_bytes - place);
  encoder->n_steps += cursor.n_steps;
}

/* A text begins anew behind special tokens, as it does in the middle of a text. */
static gboolean
is_special (const WlyVocab *vocab, gint32 token)
{
  return token < 0 || (guint32)token >= vocab->n_tokens || vocab->types[token] == WLY_TOKEN_CONTROL
         || vocab->types[token] == WLY_TOKEN_USER_DEFINED;
}

static gboolean
encode (const WlyTokenizer *tokenizer, gint32 last_token, const WlyTextSpan *spans, gsize n_spans, gboolean add_special,
        GArray *tokens, guint64 *ret_n_steps, GError **error)
{
  const WlyVocab *vocab      = &tokenizer->vocab;
  WlyEncoder encoder         = { .tokenizer = tokenizer, .tokens = tokens };
  g_auto (JoinedText) joined = { 0 };

  if (!join_spans (spans, n_spans, &joined, error) || !check_text (&joined, error))
    return FALSE;
  encoder.word = g_string_new (NULL);
  encoder.text = g_string_new (NULL);
  if (add_special && vocab->add_bos && vocab->bos >= 0)
    wly_tokenizer_push (&encoder, vocab->bos);
  encoder.at_start = is_special (vocab, last_token);
  encode_text (&encoder, &joined, last_token);
  if (add_special && vocab->kind == WLY_VOCAB_WPM && vocab->add_sep && vocab->sep >= 0)
    wly_tokenizer_push (&encoder, vocab->sep);
  if (add_special && vocab->add_eos && vocab->eos >= 0)
    wly_tokenizer_push (&encoder, vocab->eos);
  if (ret_n_steps != NULL)
    *ret_n_steps = encoder.n_steps + encoder.merge.n_steps;
  g_string_free (encoder.word, TRUE);
  g_string_free (encoder.text, TRUE);
  g_free (encoder.cuts);
  wly_merge_finish (&encoder.merge);
  return TRUE;
}

gboolean
wly_tokenizer_encode (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans, gboolean add_special,
                      GArray *tokens, GError **error)
{
  return encode (tokenizer, WLY_TOKEN_NONE, spans, n_spans, add_special, tokens, NULL, error);
}

gboolean
wly_tokenizer_encode_counted (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans,
                              gboolean add_special, GArray *tokens, guint64 *ret_n_steps, GError **error)
{
  return encode (tokenizer, WLY_TOKEN_NONE, spans, n_spans, add_special, tokens, ret_n_steps, error);
}

gboolean
wly_tokenizer_encode_behind (const WlyTokenizer *tokenizer, gint32 last_token, const WlyTextSpan *spans, gsize n_spans,
                             GArray *tokens, GError **error)
{
  return encode (tokenizer, last_token, spans, n_spans, FALSE, tokens, NULL, error);
}

static void
append_if (GArray *tokens, gboolean wanted, gint32 id)
{
  if (wanted && id >= 0)
    g_array_append_val (tokens, id);
}

gboolean
wly_tokenizer_encode_pair (const WlyTokenizer *tokenizer, const char *query, const char *document, GArray *tokens,
                           GError **error)
{
  const WlyVocab *vocab    = &tokenizer->vocab;
  const WlyTextSpan asked  = { query, strlen (query), FALSE };
  const WlyTextSpan answer = { document, strlen (document), FALSE };

  append_if (tokens, vocab->add_bos, vocab->bos);
  if (!wly_tokenizer_encode (tokenizer, &asked, 1, FALSE, tokens, error))
    return FALSE;
  append_if (tokens, vocab->add_eos, vocab->eos);
  append_if (tokens, vocab->add_sep, vocab->sep);
  if (!wly_tokenizer_encode (tokenizer, &answer, 1, FALSE, tokens, error))
    return FALSE;
  append_if (tokens, vocab->add_eos, vocab->eos);
  append_if (tokens, vocab->add_sep && !vocab->add_eos, vocab->sep);
  return TRUE;
}

/* ---- tokens to text ---- */

/* The byte of a token of type byte: its spelling says. */
static void
decode_byte (const WlyGgufString *token, GString *text)
{
  if (token->n_bytes == 6 && g_ascii_isxdigit (token->data[3]) && g_ascii_isxdigit (token->data[4]))
    g_string_append_c (text,
                       (char)(g_ascii_xdigit_value (token->data[3]) * 16 + g_ascii_xdigit_value (token->data[4])));
  else if (token->n_bytes == 1)
    g_string_append_c (text, token->data[0]);
}

static void
decode_normal (const WlyTokenizer *tokenizer, const WlyGgufString *token, GString *text)
{
  switch (tokenizer->vocab.kind) {
  case WLY_VOCAB_BPE:
    wly_tokenizer_bpe_decode (tokenizer, token, text);
    break;
  case WLY_VOCAB_SPM:
  case WLY_VOCAB_WPM:
  case WLY_VOCAB_UGM:
    wly_tokenizer_spm_decode (token, text);
    break;
  case WLY_VOCAB_RWKV:
  case WLY_VOCAB_PLAMO2:
    g_string_append_len (text, token->data, (gssize)token->n_bytes);
    break;
  }
}

void
wly_tokenizer_decode (const WlyTokenizer *tokenizer, gint32 token, gboolean first, gboolean special, GString *text)
{
  const WlyVocab *vocab = &tokenizer->vocab;
  const gsize before    = text->len;
  const WlyGgufString *piece;

  if (token < 0 || (guint32)token >= vocab->n_tokens)
    return;
  piece = tokenizer->unescaped != NULL ? &tokenizer->unescaped[token] : &vocab->texts[token];
  switch ((WlyTokenType)vocab->types[token]) {
  case WLY_TOKEN_UNKNOWN:
  case WLY_TOKEN_CONTROL:
    if (special)
      g_string_append_len (text, piece->data, (gssize)piece->n_bytes);
    break;
  case WLY_TOKEN_USER_DEFINED:
    g_string_append_len (text, piece->data, (gssize)piece->n_bytes);
    break;
  case WLY_TOKEN_BYTE:
    decode_byte (piece, text);
    break;
  case WLY_TOKEN_NORMAL:
    decode_normal (tokenizer, piece, text);
    break;
  case WLY_TOKEN_UNDEFINED:
  case WLY_TOKEN_UNUSED:
    break;
  }
  if (first && vocab->add_space_prefix && text->len > before && text->str[before] == ' ')
    g_string_erase (text, (gssize)before, 1);
}

/* ---- the vocabulary ---- */

guint32
wly_tokenizer_n_vocab (const WlyTokenizer *tokenizer)
{
  return tokenizer->vocab.n_tokens;
}

const char *
wly_tokenizer_token_text (const WlyTokenizer *tokenizer, gint32 token, gsize *ret_n_bytes)
{
  if (token < 0 || (guint32)token >= tokenizer->vocab.n_tokens) {
    *ret_n_bytes = 0;
    return NULL;
  }
  *ret_n_bytes = tokenizer->vocab.texts[token].n_bytes;
  return tokenizer->vocab.texts[token].data;
}

gint32
wly_tokenizer_find (const WlyTokenizer *tokenizer, const char *text)
{
  const gsize n_bytes = strlen (text);

  return wly_token_table_find (&tokenizer->vocab.table, wly_token_table_hash (text, n_bytes), text, n_bytes, NULL, 0);
}

gint32
wly_tokenizer_bos (const WlyTokenizer *tokenizer)
{
  return tokenizer->vocab.bos;
}

gint32
wly_tokenizer_eos (const WlyTokenizer *tokenizer)
{
  return tokenizer->vocab.eos;
}

gboolean
wly_tokenizer_add_bos (const WlyTokenizer *tokenizer)
{
  return tokenizer->vocab.add_bos;
}

gboolean
wly_tokenizer_drops_space (const WlyTokenizer *tokenizer)
{
  return tokenizer->vocab.add_space_prefix;
}

gboolean
wly_tokenizer_is_end (const WlyTokenizer *tokenizer, gint32 token)
{
  return wly_vocab_is_end (&tokenizer->vocab, token);
}
