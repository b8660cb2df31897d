/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the tests of tokenisers share.
 */
#pragma once

#include "token/tokenizer.h"

G_BEGIN_DECLS

/* Names of small vocabularies of every kind, tests/data/tokenizers/NAME.gguf; NULL-terminated, a new one goes to the
 * end. */
extern const char *const wly_fixture_vocabularies[];

/* The tokeniser of a file; fails the test where there is none. */
WlyTokenizer *wly_fixture_open_tokenizer (const char *path);

/* The ids of one text, without those at start and end; fails the test on an error.  (transfer full) */
GArray *wly_fixture_encode (const WlyTokenizer *tokenizer, const char *text, gsize n_bytes, gboolean trusted);

/* The text of ids, as a running text.  (transfer full) */
GString *wly_fixture_decode (const WlyTokenizer *tokenizer, const GArray *tokens, gboolean special);

/* Byte-level BPE and SentencePiece give the bytes of a text back, which must be UTF-8 that was not trusted; the sign
 * that SentencePiece has for a space comes as a space.  @name: of the vocabulary. */
void wly_fixture_check_round_trip (const char *name, const WlyTokenizer *tokenizer, const GArray *tokens,
                                   const char *text, gsize n_bytes);

/* Ids separated by spaces, up to the end of the line.  (transfer full) */
GArray *wly_fixture_parse_ids (const char *line);

/* Compares, and on the first difference prints text @index and both around it, then fails the test. */
void wly_fixture_compare (const WlyTokenizer *tokenizer, const char *name, gsize index, const char *text, gsize n_bytes,
                          const GArray *tokens, const GArray *expected);

G_END_DECLS
