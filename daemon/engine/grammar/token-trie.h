/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The texts of a vocabulary's tokens as a tree over bytes, laid out in the order of a walk.
 *
 * Made once for a model, then only read, by any thread.  Tokens that consist of plain characters alone (no control
 * character, no " or \, whole UTF-8) are kept in classes by their number of characters, and others by what they are
 * within a string of JSON, so that within a string most of the vocabulary needs no walk.
 */
#pragma once

#include "token/tokenizer.h"

G_BEGIN_DECLS

/* Classes of tokens: plain ones by their number of characters, up to WLY_TOKEN_TRIE_SHORT bytes; longer ones; and short
 * ones that are not plain, by what they are at the beginning of a character within a string of JSON. */
typedef enum {
  WLY_TOKEN_OTHER,         /* it may end the string */
  WLY_TOKEN_PLAIN_1,       /* 1 to 16: of so many characters */
  WLY_TOKEN_PLAIN_24 = 17, /* of 17 to 24 */
  WLY_TOKEN_PLAIN_32,      /* of 25 to 32 */
  WLY_TOKEN_LONG_PLAIN,    /* of more bytes: any number */
  WLY_TOKEN_LONG,          /* the same, not plain */
  WLY_TOKEN_WITHIN,        /* all of it stays in the string */
  WLY_TOKEN_AGAINST,       /* it cannot stand there */
  WLY_TOKEN_CLASSES,
} WlyTokenClass;

#define WLY_TOKEN_TRIE_SHORT 32
/* Classes that the two short walks are of. */
#define WLY_TOKEN_TRIE_ODD  (1u << WLY_TOKEN_OTHER | 1u << WLY_TOKEN_LONG | 1u << WLY_TOKEN_WITHIN)
#define WLY_TOKEN_TRIE_MANY (1u << WLY_TOKEN_PLAIN_24 | 1u << WLY_TOKEN_PLAIN_32 | 1u << WLY_TOKEN_LONG_PLAIN)

typedef struct {
  guint32 skip;   /* the node behind all below this one */
  guint32 tokens; /* first of those that end here, in `tokens` of the tree */
  guint32 n_tokens;
  guint32 classes; /* bit set: of the tokens that end here or below */
  guint16 depth;   /* bytes, this one included */
  guint8 byte;
  guint8 own_class; /* of those that end here */
} WlyTokenTrieNode;

/* Nodes in the order of a walk. */
typedef struct {
  WlyTokenTrieNode *nodes;
  guint32 n_nodes;
} WlyTokenTrieWalk;

typedef struct {
  gint references; /* atomic */
  const WlyTokenizer *tokenizer;
  guint32 n_vocab, n_words;
  WlyTokenTrieWalk all;
  WlyTokenTrieWalk odd;  /* the same without plain tokens and those against strings: little to walk */
  WlyTokenTrieWalk many; /* of plain tokens of many characters */
  gint32 *tokens;
  guint32 *below[WLY_TOKEN_LONG_PLAIN + 1]; /* bits of all tokens of class 1 .. c; [0] is NULL */
  guint32 *within;                          /* bits of those of class WITHIN */
  guint32 *ends;                            /* bits of the tokens that end a generation */
  gboolean has_ends;
  gboolean drops_space; /* a space that begins a text is not written */
  guint16 depth_max;
  guint8 usable[256];  /* bytes that are a token by themselves */
  gboolean writes_all; /* all bytes of text are */
} WlyTokenTrie;

/* The least and largest number of characters of a plain class. */
extern const guint32 wly_token_trie_class_min[WLY_TOKEN_LONG_PLAIN + 1];
extern const guint32 wly_token_trie_class_max[WLY_TOKEN_LONG_PLAIN + 1];

/* The tokenizer must stay. */
WlyTokenTrie *wly_token_trie_new (const WlyTokenizer *tokenizer);
WlyTokenTrie *wly_token_trie_ref (WlyTokenTrie *trie);
void wly_token_trie_unref (WlyTokenTrie *trie); /* NULL is fine */

/* The longest token that @text begins with; -1: none. */
gint32 wly_token_trie_longest (const WlyTokenTrie *trie, const char *text, gsize n_bytes, gsize *ret_n_bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyTokenTrie, wly_token_trie_unref)

G_END_DECLS
