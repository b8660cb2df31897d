/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * SentencePiece's unigram model (T5, XLM-R): the text is normalised, then cut so that the scores of the tokens, which
 * are logarithms of probabilities, have the largest sum.  What no token covers is unknown, at a price.
 * Sources: Kudo, "Subword Regularization", 2018; the sentencepiece project for the normaliser.
 */
#include "token/tokenizer-private.h"
#include "token/unicode.h"
#include "wly-error.h"

#include <float.h>

/* Each byte of a text may be looked at once for each byte of the longest token. */
#define MAX_TOKEN_BYTES 512
/* What an unknown character costs more than the least likely token. */
#define UNKNOWN_PENALTY 10.0f
#define SPACE           "\xe2\x96\x81"
#define CHARSMAP_KEY    "tokenizer.ggml.precompiled_charsmap"

static gboolean
read_charsmap (WlyTokenizer *tokenizer, GError **error)
{
  const guint8 *data = NULL;
  gsize n_bytes      = 0;

  if (!wly_gguf_get_array_bytes (tokenizer->vocab.gguf, CHARSMAP_KEY, &data, &n_bytes)
      || wly_charsmap_init (&tokenizer->charsmap, data, n_bytes))
    return TRUE;
  g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                       CHARSMAP_KEY " is damaged: its parts do not fit into its bytes");
  return FALSE;
}

static void
init_trie (WlyTokenizer *tokenizer)
{
  const WlyVocab *vocab   = &tokenizer->vocab;
  g_autofree guint32 *ids = g_new (guint32, vocab->n_tokens);
  float least             = FLT_MAX;
  gsize n                 = 0;

  for (guint32 id = 0; id < vocab->n_tokens; id++) {
    const guint8 type = vocab->types[id];

    if (type == WLY_TOKEN_NORMAL && vocab->scores != NULL)
      least = MIN (least, vocab->scores[id]);
    if (type == WLY_TOKEN_NORMAL || type == WLY_TOKEN_USER_DEFINED || type == WLY_TOKEN_UNUSED)
      ids[n++] = id;
  }
  tokenizer->pairs         = wly_pair_set_new (vocab);
  tokenizer->unknown_score = (least == FLT_MAX ? 0 : least) - UNKNOWN_PENALTY;
  wly_trie_init (&tokenizer->trie, vocab->texts, ids, n);
}

gboolean
wly_tokenizer_ugm_init (WlyTokenizer *tokenizer, GError **error)
{
  WlyVocab *vocab = &tokenizer->vocab;

  vocab->add_eos = TRUE;
  if (!wly_vocab_check_longest (vocab, MAX_TOKEN_BYTES, "the unigram model", error)
      || !wly_vocab_read_specials (vocab, error) || !read_charsmap (tokenizer, error))
    return FALSE;
  init_trie (tokenizer);
  return TRUE;
}

/* ---- the normaliser ---- */

typedef struct {
  GString *text;
  gboolean add_prefix, merge_spaces;
  gboolean prefixed, in_word;
} Normaliser;

/* Bytes of a replaced beginning: spaces become their sign, and as few as the file wants. */
static void
put (Normaliser *normaliser, const char *bytes, gsize n_bytes)
{
  for (gsize i = 0; i < n_bytes; i++) {
    if (bytes[i] == ' ') {
      normaliser->in_word = FALSE;
      if (!normaliser->merge_spaces)
        g_string_append_len (normaliser->text, SPACE, 3);
      continue;
    }
    if (!normaliser->in_word) {
      normaliser->in_word = TRUE;
      if ((normaliser->add_prefix && !normaliser->prefixed) || normaliser->merge_spaces) {
        g_string_append_len (normaliser->text, SPACE, 3);
        normaliser->prefixed = TRUE;
      }
    }
    g_string_append_c (normaliser->text, bytes[i]);
  }
}

static void
normalise (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  Normaliser normaliser         = { .text         = encoder->text,
                                    .add_prefix   = tokenizer->vocab.add_space_prefix,
                                    .merge_spaces = tokenizer->vocab.remove_extra_spaces };
  gsize n;

  g_string_truncate (encoder->text, 0);
  for (gsize i = 0; i < n_bytes; i += n) {
    const char *replacement;
    gsize n_replacement;

    encoder->n_steps++;
    n = wly_charsmap_match (&tokenizer->charsmap, text + i, n_bytes - i, &replacement, &n_replacement,
                            &encoder->n_steps);
    if (n > 0) {
      put (&normaliser, replacement, n_replacement);
    } else {
      n = wly_unicode_n_bytes ((guint8)text[i]);
      put (&normaliser, text + i, MIN (n, n_bytes - i));
    }
  }
}

/* ---- the best cut ---- */

static void
offer (WlyEncoderCut *cut, double score, gint32 id, gsize from)
{
  if (score > cut->score)
    *cut = (WlyEncoderCut){ .score = score, .id = id, .place = (guint32)from };
}

/* Tries all tokens that stand at @start of the word. */
static void
try_tokens (WlyEncoder *encoder, const char *word, gsize n_bytes, gsize start)
{
  const WlyTokenizer *tokenizer = encoder->tokenizer;
  const WlyVocab *vocab         = &tokenizer->vocab;
  WlyEncoderCut *cuts           = encoder->cuts;
  const gsize n_character       = MIN (wly_unicode_n_bytes ((guint8)word[start]), n_bytes - start);
  guint32 node                  = WLY_TRIE_ROOT;
  gboolean covered              = FALSE;

  for (gsize end = start; end < n_bytes;) {
    double score = 0;
    gint32 id;

    encoder->n_steps++;
    node = wly_trie_step (&tokenizer->trie, node, (guint8)word[end++]);
    if (node == WLY_TRIE_ROOT)
      break;
    id = tokenizer->trie.ids[node];
    if (id < 0)
      continue;
    covered |= end - start == n_character;
    /* added words cost nothing */
    if (vocab->types[id] != WLY_TOKEN_USER_DEFINED && vocab->scores != NULL)
      score = vocab->scores[id];
    offer (&cuts[end], cuts[start].score + score, id, start);
  }
  if (!covered)
    offer (&cuts[start + n_character], cuts[start].score + tokenizer->unknown_score, vocab->unk, start);
}

/* The cuts lead from the end to the start; neighbours that are unknown become one.  @first: tokens of this text. */
static void
push_cuts (WlyEncoder *encoder, gsize end, guint first)
{
  const gint32 unk = encoder->tokenizer->vocab.unk;
  GArray *tokens   = encoder->tokens;
  guint low        = tokens->len, high;
  gint32 *ids;

  for (gsize place = end; place > 0; place = encoder->cuts[place].place)
    if (encoder->cuts[place].id != WLY_TOKEN_NONE)
      wly_tokenizer_push (encoder, encoder->cuts[place].id);
  ids  = (gint32 *)(void *)tokens->data;
  high = tokens->len;
  for (guint i = low, j = high; i + 1 < j; i++) {
    const gint32 id = ids[i];

    ids[i] = ids[--j];
    ids[j] = id;
  }
  for (guint i = low; i < high; i++)
    if (low == first || ids[i] != unk || ids[low - 1] != unk)
      ids[low++] = ids[i];
  g_array_set_size (tokens, low);
}

/* Sums go on from word to word: so that they are rounded as those of one long text are. */
static double
encode_word (WlyEncoder *encoder, const char *word, gsize n_bytes, double score, guint first)
{
  const gint32 unk    = encoder->tokenizer->vocab.unk;
  WlyEncoderCut *cuts = wly_tokenizer_cuts (encoder, n_bytes + 1);

  cuts[0] = (WlyEncoderCut){ .score = score, .id = unk };
  for (gsize i = 1; i <= n_bytes; i++)
    cuts[i] = (WlyEncoderCut){ .score = -DBL_MAX, .id = unk };
  for (gsize i = 0; i < n_bytes; i += wly_unicode_n_bytes ((guint8)word[i]))
    try_tokens (encoder, word, n_bytes, i);
  push_cuts (encoder, n_bytes, first);
  return cuts[n_bytes].score;
}

void
wly_tokenizer_ugm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes)
{
  const WlyPairSet *pairs = encoder->tokenizer->pairs;
  const GString *image    = encoder->text;
  const guint first       = encoder->tokens->len;
  double score            = 0;
  gsize end;

  normalise (encoder, text, n_bytes);
  for (gsize start = 0; start < image->len; start = end) {
    end   = wly_pair_set_word_end (pairs, image->str, start, image->len, WLY_WORD_MAX_SYMBOLS);
    score = encode_word (encoder, image->str + start, end - start, score, first);
    encoder->n_steps += end - start;
  }
}
