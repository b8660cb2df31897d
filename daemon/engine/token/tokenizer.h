/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Text to token ids and back, by the vocabulary of a GGUF file.
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

typedef struct WlyTokenizer WlyTokenizer;

#define WLY_TOKEN_NONE (-1)

/* A part of a text; special tokens are looked for in trusted ones only. */
typedef struct {
  const char *text; /* UTF-8 */
  gsize n_bytes;
  gboolean trusted;
} WlyTextSpan;

/* Errors: WLY_ERROR_INVALID_MODEL (a vocabulary that cannot be), WLY_ERROR_UNSUPPORTED_MODEL (a kind that is not known,
 * named).  A file without vocabulary (tokenizer.ggml.model "no_vocab" or absent) is UNSUPPORTED_MODEL. */
WlyTokenizer *wly_tokenizer_new (WlyGguf *gguf, GError **error);
void wly_tokenizer_free (WlyTokenizer *tokenizer); /* NULL is fine */

guint32 wly_tokenizer_n_vocab (const WlyTokenizer *tokenizer);
/* (any thread) Appends ids (gint32) to @tokens.  With @add_special the tokens that the model wants at the start and end
 * are added.  Linear in the length but for BPE merges (n log n in a word).  Errors: WLY_ERROR_INVALID_TEXT. */
gboolean wly_tokenizer_encode (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans,
                               gboolean add_special, GArray *tokens, GError **error);
/* (any thread) The same for a text that goes on behind @last_token: SPM puts no space before it, but behind a special
 * token.  Nothing is added at start and end. */
gboolean wly_tokenizer_encode_behind (const WlyTokenizer *tokenizer, gint32 last_token, const WlyTextSpan *spans,
                                      gsize n_spans, GArray *tokens, GError **error);
/* (any thread) Appends a query and a document as models that rank want them: [bos] query [eos] [sep] document, and eos
 * or sep at the end; each where the file wants it.  Nothing in them is trusted.  Errors: as above. */
gboolean wly_tokenizer_encode_pair (const WlyTokenizer *tokenizer, const char *query, const char *document,
                                    GArray *tokens, GError **error);
/* (any thread) Appends the bytes of one token in a running text to @text; @special writes special tokens out, else they
 * give nothing.  @first: nothing stands before it (SPM drops the space of its prefix there).  An id outside the
 * vocabulary gives nothing. */
void wly_tokenizer_decode (const WlyTokenizer *tokenizer, gint32 token, gboolean first, gboolean special,
                           GString *text);

/* The text of the vocabulary for an id, as it stands in the file; NULL outside. */
const char *wly_tokenizer_token_text (const WlyTokenizer *tokenizer, gint32 token, gsize *ret_n_bytes);
gint32 wly_tokenizer_find (const WlyTokenizer *tokenizer, const char *text); /* exact entry, WLY_TOKEN_NONE: none */

gint32 wly_tokenizer_bos (const WlyTokenizer *tokenizer); /* WLY_TOKEN_NONE: none, as for the next */
gint32 wly_tokenizer_eos (const WlyTokenizer *tokenizer);
gboolean wly_tokenizer_add_bos (const WlyTokenizer *tokenizer);
/* Whether wly_tokenizer_decode() leaves out a space that begins the first token. */
gboolean wly_tokenizer_drops_space (const WlyTokenizer *tokenizer);
/* Whether a generation ends with this token: eos, eot and what the file marks so. */
gboolean wly_tokenizer_is_end (const WlyTokenizer *tokenizer, gint32 token);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyTokenizer, wly_tokenizer_free)

G_END_DECLS
