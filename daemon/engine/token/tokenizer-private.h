/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The kinds of tokenisers behind tokenizer.h, and the state of one call.
 */
#pragma once

#include "token/merge-table.h"
#include "token/merge.h"
#include "token/pre-split.h"
#include "token/special-scan.h"

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
  /* SPM: a bit for each pair of characters that stands inside of some token, by hash; between others, merges cannot
   * reach over */
  guint32 *pairs;
};

/* One call: used by one thread. */
typedef struct {
  const WlyTokenizer *tokenizer;
  GArray *tokens; /* gint32, out */
  WlyMerge merge;
  GString *word;     /* text of a word, where it differs from the input */
  gboolean at_start; /* nothing, or a special token, stands before */
  guint64 n_steps;   /* of all but merge, which counts its own */
} WlyEncoder;

static inline void
wly_tokenizer_push (WlyEncoder *encoder, gint32 id)
{
  g_array_append_val (encoder->tokens, id);
}

/* Each kind: what it needs beside the vocabulary; a piece of text without special tokens; the text of a token of type
 * normal. */
gboolean wly_tokenizer_bpe_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_bpe_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);
void wly_tokenizer_bpe_decode (const WlyGgufString *token, GString *text);

gboolean wly_tokenizer_spm_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_spm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);
void wly_tokenizer_spm_decode (const WlyGgufString *token, GString *text);

gboolean wly_tokenizer_wpm_init (WlyTokenizer *tokenizer, GError **error);
void wly_tokenizer_wpm_encode (WlyEncoder *encoder, const char *text, gsize n_bytes);

/* wly_tokenizer_encode() that tells how many steps it took: characters looked at, look-ups, moves in heaps.
 * @ret_n_steps may be NULL. */
gboolean wly_tokenizer_encode_counted (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans,
                                       gboolean add_special, GArray *tokens, guint64 *ret_n_steps, GError **error);

G_END_DECLS
