/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kinds of tokenisers behind tokenizer.h, and the state of one call.
 */
#pragma once

#include "token/charsmap.h"
#include "token/merge-table.h"
#include "token/merge.h"
#include "token/pair-set.h"
#include "token/pre-split.h"
#include "token/special-scan.h"
#include "token/trie.h"

G_BEGIN_DECLS

/* A word with no place to cut it is cut after so many symbols: bounds memory.  Nothing that a person writes is longer.
 */
#define WLY_WORD_MAX_SYMBOLS (4u << 20)

struct WlyTokenizer {
  WlyVocab vocab;
  WlySpecialScan specials;
  /* BPE */
  const WlyPreTokenizer *pre;
  WlyMergeTable merges;
  gboolean drop_spaces; /* white space parts words and is no token */
  /* SPM, BPE over characters, UGM, PLaMo-2 */
  WlyPairSet *pairs;
  /* UGM, RWKV, PLaMo-2: all tokens that text may become */
  WlyTrie trie;
  /* UGM */
  WlyCharsmap charsmap;
  float unknown_score;
  /* RWKV: what the texts of the file mean */
  WlyGgufString *unescaped;
  char *unescaped_bytes;
};

/* The best way to a place of a word, or from there on: the token on it, and where that has its other end. */
typedef struct {
  double score;
  gint32 id;
  guint32 place;
} WlyEncoderCut;

/* One call: used by one thread. */
typedef struct {
  const WlyTokenizer *tokenizer;
  GArray *tokens; /* gint32, out */
  WlyMerge merge;
  GString *word;       /* text of a word, where it differs from the input */
  GString *text;       /* the same for a whole piece */
  WlyEncoderCut *cuts; /* [n_cuts] */
  gsize n_cuts;
  gboolean at_start; /* nothing, or a special token, stands before */
  guint64 n_steps;   /* of all but merge, which counts its own */
} WlyEncoder;

static inline void
wly_tokenizer_push (WlyEncoder *encoder, gint32 id)
{
  g_array_append_val (encoder->tokens, id);
}

/* Memory for @n cuts, not initialised; the encoder's. */
static inline WlyEncoderCut *
wly_tokenizer_cuts (WlyEncoder *encoder, gsize n)
{
  if (n > encoder->n_cuts) {
    encoder->n_cuts = MAX (n, 2 * encoder->n_cuts);
    encoder->cuts   = g_renew (WlyEncoderCut, encoder->cuts, encoder->n_cuts);
  }
  return encoder->cuts;
}

/* Each kind: what it needs beside the vocabulary; a piece of text without special tokens; the text of a token of type
 * normal. */
gboolean wly_tokenizer_bpe_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_bpe_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);
void wly_tokenizer_bpe_decode (const WlyTokenizer *tokenizer, const WlyGgufString *token, GString *text);

gboolean wly_tokenizer_spm_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_spm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);
void wly_tokenizer_spm_decode (const WlyGgufString *token, GString *text);

gboolean wly_tokenizer_wpm_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_wpm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);

gboolean wly_tokenizer_ugm_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_ugm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);

gboolean wly_tokenizer_rwkv_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_rwkv_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);

gboolean wly_tokenizer_plamo2_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_plamo2_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);

/* wly_tokenizer_encode() that tells how many steps it took: characters looked at, look-ups, moves in heaps.
 * @ret_n_steps may be NULL. */
gboolean wly_tokenizer_encode_counted (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans,
                                       gboolean add_special, GArray *tokens, guint64 *ret_n_steps, GError **error);

G_END_DECLS
