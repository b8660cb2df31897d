/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The vocabulary of a model file, checked: texts, types, scores, tokens with a meaning.
 *
 * Keys read (all tokenizer.ggml.*): model, tokens, scores, token_type, *_token_id, add_{bos,eos,sep}_token,
 * add_space_prefix, remove_extra_whitespaces, normalizer.*; and general.name, general.architecture and
 * tokenizer.ggml.pre, by which files are known whose tokens take white space along.  Source: the GGUF specification.
 */
#pragma once

#include "token/token-table.h"
#include "token/tokenizer.h"

G_BEGIN_DECLS

typedef enum {
  WLY_VOCAB_SPM,    /* SentencePiece: merges by score, bytes as fallback */
  WLY_VOCAB_BPE,    /* byte-level BPE: merges by rank in words that a pre-tokeniser cuts */
  WLY_VOCAB_WPM,    /* WordPiece: longest match first in words */
  WLY_VOCAB_UGM,    /* SentencePiece: the likeliest cut */
  WLY_VOCAB_RWKV,   /* longest match first over bytes */
  WLY_VOCAB_PLAMO2, /* the likeliest cut, bytes as fallback */
} WlyVocabKind;

/* Values of tokenizer.ggml.token_type. */
typedef enum {
  WLY_TOKEN_UNDEFINED,
  WLY_TOKEN_NORMAL,
  WLY_TOKEN_UNKNOWN,
  WLY_TOKEN_CONTROL,
  WLY_TOKEN_USER_DEFINED,
  WLY_TOKEN_UNUSED,
  WLY_TOKEN_BYTE,
} WlyTokenType;

typedef struct {
  WlyGguf *gguf;
  WlyVocabKind kind;
  guint32 n_tokens;
  WlyGgufString *texts; /* in the file's map */
  guint8 *types;        /* WlyTokenType */
  guint8 *ends;         /* bit set: a generation ends with this token */
  guint8 *trims_behind; /* bit set: white space behind this token is none of the text; NULL: no token does it */
  gint32 trims_before;  /* the token before which it is none, WLY_TOKEN_NONE: no token */
  float *scores;        /* NULL: all 0 */
  WlyTokenTable table;
  gint32 bytes[256]; /* token of a byte, WLY_TOKEN_NONE: none */
  gint32 bos, eos, unk, sep;
  gboolean add_bos, add_eos, add_sep;
  gboolean add_space_prefix;
  gboolean remove_extra_spaces;      /* UGM: of several spaces one, none at the ends */
  gboolean lowercase, strip_accents; /* WPM */
} WlyVocab;

/* Reads and checks; @vocab is zeroed memory of the caller.  Errors: as wly_tokenizer_new().  On failure, too,
 * wly_vocab_finish() is due. */
gboolean wly_vocab_init (WlyVocab *vocab, WlyGguf *gguf, GError **error);
void wly_vocab_finish (WlyVocab *vocab);

/* Whether tokenizer.ggml.model is this. */
gboolean wly_vocab_has_model (const WlyVocab *vocab, const char *name);

/* Whether no token has more than @max_bytes; @kind names the kind of vocabulary in the error, INVALID_MODEL. */
gboolean wly_vocab_check_longest (const WlyVocab *vocab, gsize max_bytes, const char *kind, GError **error);

/* The second step, when the kind's own defaults stand: tokens with a meaning, and the flags of the file. */
gboolean wly_vocab_read_specials (WlyVocab *vocab, GError **error);

static inline gboolean
wly_vocab_is_end (const WlyVocab *vocab, gint32 id)
{
  return id >= 0 && (guint32)id < vocab->n_tokens && (vocab->ends[id / 8] >> (id % 8) & 1) != 0;
}

/* Whether white space behind a token goes; @id may be WLY_TOKEN_NONE. */
static inline gboolean
wly_vocab_trims_behind (const WlyVocab *vocab, gint32 id)
{
  return vocab->trims_behind != NULL && id >= 0 && (guint32)id < vocab->n_tokens
         && (vocab->trims_behind[id / 8] >> (id % 8) & 1) != 0;
}

/* Whether plain text may become this token by merging or matching: tokens with a meaning are made by
 * the special scan alone, byte tokens by the fallback alone. */
static inline gboolean
wly_vocab_is_text (const WlyVocab *vocab, gint32 id)
{
  const guint8 type = vocab->types[id];

  return type != WLY_TOKEN_CONTROL && type != WLY_TOKEN_UNKNOWN && type != WLY_TOKEN_BYTE;
}

/* The token of a text that plain text may become; WLY_TOKEN_NONE: none. */
gint32 wly_vocab_find_text (const WlyVocab *vocab, guint64 hash, const char *text, gsize n_bytes);

G_END_DECLS
