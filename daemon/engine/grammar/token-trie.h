/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The texts of a vocabulary's tokens as a tree over bytes, laid out in the order of a walk.
 *
 * Made once for a model, then only read, by any thread.  Tokens that consist of plain characters alone (no control
 * character, no " or \, whole UTF-8) are kept in classes by their number of characters, so that within a string most of
 * the vocabulary needs no walk.
 */
#pragma once

#include "token/tokenizer.h"

G_BEGIN_DECLS

/* Class 0: not plain; 1 to 9: plain, by the number of characters; then those of more than WLY_TOKEN_TRIE_SHORT bytes,
 * 10: plain, 11: not plain. */
#define WLY_TOKEN_TRIE_CLASSES    12
#define WLY_TOKEN_TRIE_SHORT      32
#define WLY_TOKEN_TRIE_LONG_PLAIN 10
#define WLY_TOKEN_TRIE_LONG       11

typedef struct {
  guint32 skip;    /* the node behind all below this one */
  guint32 tokens;  /* first of those that end here, in `tokens` of the tree */
  guint16 depth;   /* bytes, this one included */
  guint16 classes; /* bit set: of the tokens that end here or below */
  guint8 byte;
  guint8 n_tokens;
  guint16 own_class; /* of those that end here */
} WlyTokenTrieNode;

typedef struct {
  gint references; /* atomic */
  const WlyTokenizer *tokenizer;
  guint32 n_vocab, n_words;
  WlyTokenTrieNode *nodes;
  guint32 n_nodes;
  gint32 *tokens;
  guint32 *below[WLY_TOKEN_TRIE_CLASSES]; /* bits of all tokens of class 1 .. c; [0] and [LONG] are NULL */
  guint32 *ends;                          /* bits of the tokens that end a generation */
  gboolean has_ends;
  gboolean drops_space; /* a space that begins a text is not written */
  guint16 depth_max;
  guint8 usable[256];  /* bytes that are a token by themselves */
  gboolean writes_all; /* all bytes of text are */
} WlyTokenTrie;

/* The largest number of characters of a plain class. */
extern const guint32 wly_token_trie_class_max[WLY_TOKEN_TRIE_CLASSES];

/* The tokenizer must stay. */
WlyTokenTrie *wly_token_trie_new (const WlyTokenizer *tokenizer);
WlyTokenTrie *wly_token_trie_ref (WlyTokenTrie *trie);
void wly_token_trie_unref (WlyTokenTrie *trie); /* NULL is fine */

/* The longest token that @text begins with; -1: none. */
gint32 wly_token_trie_longest (const WlyTokenTrie *trie, const char *text, gsize n_bytes, gsize *ret_n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyTokenTrie, wly_token_trie_unref)

G_END_DECLS
