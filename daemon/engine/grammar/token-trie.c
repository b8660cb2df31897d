/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "grammar/token-trie.h"

#include "grammar/charset.h"
#include "token/unicode.h"

#include <string.h>

#define TEXT_BYTES_MAX 1024 /* longer tokens are never allowed */

const guint32 wly_token_trie_class_min[WLY_TOKEN_LONG_PLAIN + 1] = {
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 25, WLY_TOKEN_TRIE_SHORT / 4 + 1
};
const guint32 wly_token_trie_class_max[WLY_TOKEN_LONG_PLAIN + 1] = {
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 24, WLY_TOKEN_TRIE_SHORT, TEXT_BYTES_MAX
};

typedef struct {
  const char *text;
  guint32 n_bytes;
  gint32 token;
  guint8 class;
} Entry;

typedef struct {
  WlyTokenTrie *trie;
  GString *texts;
  Entry *entries;
  guint32 n_entries;
  GArray *nodes;  /* WlyTokenTrieNode of the walk that is built */
  GArray *tokens; /* gint32 */
} Builder;

/* Whether these bytes, not a whole character, are the first of one. */
static gboolean
begins_character (const char *text, gsize n_bytes)
{
  static const guint8 least[] = { [0xe0 - 0xc0] = 0xa0, [0xf0 - 0xc0] = 0x90 };
  static const guint8 most[]  = { [0xed - 0xc0] = 0x9f, [0xf4 - 0xc0] = 0x8f };
  const guint8 lead           = (guint8)text[0];

  if (lead < 0xc2 || lead > 0xf4 || n_bytes >= wly_unicode_n_bytes (lead))
    return FALSE;
  for (gsize i = 1; i < n_bytes; i++)
    if (((guint8)text[i] & 0xc0) != 0x80)
      return FALSE;
  if (n_bytes == 1)
    return TRUE;
  return (lead - 0xc0u >= G_N_ELEMENTS (least) || (guint8)text[1] >= least[lead - 0xc0])
         && (lead - 0xc0u >= G_N_ELEMENTS (most) || most[lead - 0xc0] == 0 || (guint8)text[1] <= most[lead - 0xc0]);
}

/* What a short text that is not plain is to a string of JSON: as schema.c reads its characters. */
static guint8
class_within (const char *text, gsize n_bytes)
{
  for (gsize at = 0, n; at < n_bytes; at += n) {
    guint32 code;

    if (!wly_unicode_get_checked (text + at, n_bytes - at, &code, &n))
      return begins_character (text + at, n_bytes - at) ? WLY_TOKEN_WITHIN : WLY_TOKEN_AGAINST;
    if (code == '"')
      return WLY_TOKEN_OTHER;
    if (code < 0x20)
      return WLY_TOKEN_AGAINST;
    if (code != '\\' || at + 1 == n_bytes)
      continue;
    if (text[at + 1] == 'u')
      return WLY_TOKEN_OTHER; /* there are few */
    if (text[at + 1] == '\0' || strchr ("\"\\/bfnrt", text[at + 1]) == NULL)
      return WLY_TOKEN_AGAINST;
    n = 2;
  }
  return WLY_TOKEN_WITHIN;
}

static guint8
class_of (const char *text, gsize n_bytes)
{
  const gboolean is_long = n_bytes > WLY_TOKEN_TRIE_SHORT;
  guint n_chars          = 0;
  guint8 c               = WLY_TOKEN_PLAIN_1;

  for (gsize at = 0, n; at < n_bytes; at += n, n_chars++) {
    guint32 code;

    if (!wly_unicode_get_checked (text + at, n_bytes - at, &code, &n) || !wly_charset_is_plain (code))
      return is_long ? WLY_TOKEN_LONG : class_within (text, n_bytes);
  }
  while (wly_token_trie_class_max[c] < n_chars)
    c++;
  return is_long ? WLY_TOKEN_LONG_PLAIN : c;
}

static int
compare_entries (const void *a, const void *b)
{
  const Entry *x = a;
  const Entry *y = b;
  int order      = memcmp (x->text, y->text, MIN (x->n_bytes, y->n_bytes));

  if (order != 0)
    return order;
  return x->n_bytes != y->n_bytes ? (x->n_bytes < y->n_bytes ? -1 : 1) : x->token - y->token;
}

/* By the first two bytes first, which most of the time is most of the work. */
static void
sort_entries (Builder *builder)
{
  g_autofree guint32 *at   = g_new0 (guint32, 65537);
  g_autofree Entry *sorted = g_new (Entry, builder->n_entries + 1);

  for (guint32 i = 0; i < builder->n_entries; i++) {
    const guint8 *text = (const guint8 *)builder->entries[i].text;

    at[(text[0] << 8 | text[1]) + 1]++; /* a NUL stands behind each text */
  }
  for (guint i = 0; i < 65536; i++)
    at[i + 1] += at[i];
  for (guint32 i = 0; i < builder->n_entries; i++) {
    const guint8 *text = (const guint8 *)builder->entries[i].text;

    sorted[at[text[0] << 8 | text[1]]++] = builder->entries[i];
  }
  for (guint i = 0, first = 0; i < 65536; first = at[i++])
    if (at[i] - first > 1)
      qsort (sorted + first, at[i] - first, sizeof *sorted, compare_entries);
  memcpy (builder->entries, sorted, builder->n_entries * sizeof *sorted);
}

static void
read_texts (Builder *builder, const WlyTokenizer *tokenizer)
{
  guint32 n_vocab          = builder->trie->n_vocab;
  g_autofree gsize *starts = g_new (gsize, n_vocab + 1);

  for (guint32 i = 0; i < n_vocab; i++) {
    starts[i] = builder->texts->len;
    wly_tokenizer_decode (tokenizer, (gint32)i, FALSE, FALSE, builder->texts);
    g_string_append_c (builder->texts, '\0');
  }
  starts[n_vocab] = builder->texts->len;
  for (guint32 i = 0; i < n_vocab; i++) {
    gsize n_bytes = starts[i + 1] - starts[i] - 1;

    if (n_bytes == 0 || n_bytes > TEXT_BYTES_MAX || wly_tokenizer_is_end (tokenizer, (gint32)i))
      continue;
    builder->entries[builder->n_entries++] = (Entry){
      builder->texts->str + starts[i],
      (guint32)n_bytes,
      (gint32)i,
      class_of (builder->texts->str + starts[i], n_bytes),
    };
  }
}

/* Adds the node of @depth bytes of a text. */
static void
add_node (Builder *builder, const Entry *entry, guint32 depth)
{
  WlyTokenTrieNode node = { .depth = (guint16)depth, .byte = (guint8)entry->text[depth - 1] };

  g_array_append_val (builder->nodes, node);
  builder->trie->depth_max = MAX (builder->trie->depth_max, (guint16)depth);
}

static void
add_token (Builder *builder, const Entry *entry)
{
  WlyTokenTrieNode *node = &g_array_index (builder->nodes, WlyTokenTrieNode, builder->nodes->len - 1);

  if (node->n_tokens++ == 0) {
    node->tokens    = builder->tokens->len;
    node->own_class = entry->class;
    node->classes   = 1u << entry->class;
  }
  g_array_append_val (builder->tokens, entry->token);
}

/* What is looked up without a walk. */
static void
note_token (WlyTokenTrie *trie, const Entry *entry)
{
  guint32 *bits = entry->class == WLY_TOKEN_WITHIN ? trie->within
                  : entry->class >= WLY_TOKEN_PLAIN_1 && entry->class <= WLY_TOKEN_LONG_PLAIN
                      ? trie->below[entry->class]
                      : NULL;

  if (bits != NULL)
    bits[entry->token / 32] |= 1u << (entry->token % 32);
  if (entry->n_bytes == 1)
    trie->usable[(guint8)entry->text[0]] = TRUE;
}

/* The nodes of tokens of these classes. */
static void
build_nodes (Builder *builder, guint classes)
{
  const Entry *last = NULL;

  for (guint32 i = 0; i < builder->n_entries; i++) {
    const Entry *entry = &builder->entries[i];
    guint32 common     = 0;

    if ((classes >> entry->class & 1) == 0)
      continue;
    while (last != NULL && common < MIN (last->n_bytes, entry->n_bytes) && last->text[common] == entry->text[common])
      common++;
    for (guint32 depth = common + 1; depth <= entry->n_bytes; depth++)
      add_node (builder, entry, depth);
    add_token (builder, entry);
    last = entry;
  }
}

/* Where each node's descendants end, and their classes. */
static void
join_nodes (Builder *builder)
{
  WlyTokenTrieNode *nodes  = (WlyTokenTrieNode *)(void *)builder->nodes->data;
  guint32 n_nodes          = builder->nodes->len;
  g_autofree guint32 *open = g_new (guint32, builder->trie->depth_max + 1u); /* by depth */
  guint depth              = 0;

  for (guint32 i = 0; i <= n_nodes; i++) {
    guint at = i < n_nodes ? nodes[i].depth : 1u;

    for (; depth >= at && depth > 0; depth--) {
      nodes[open[depth]].skip = i;
      if (depth > 1)
        nodes[open[depth - 1]].classes |= nodes[open[depth]].classes;
    }
    if (i < n_nodes)
      open[++depth] = i;
  }
}

static WlyTokenTrieWalk
build_walk (Builder *builder, guint classes)
{
  WlyTokenTrieWalk walk = { 0 };

  builder->nodes = g_array_new (FALSE, FALSE, sizeof (WlyTokenTrieNode));
  build_nodes (builder, classes);
  join_nodes (builder);
  walk.n_nodes = builder->nodes->len;
  walk.nodes   = (WlyTokenTrieNode *)(void *)g_array_free (builder->nodes, FALSE);
  return walk;
}

static void
make_bits (WlyTokenTrie *trie, const WlyTokenizer *tokenizer)
{
  trie->ends   = g_new0 (guint32, trie->n_words);
  trie->within = g_new0 (guint32, trie->n_words);
  for (guint c = WLY_TOKEN_PLAIN_1; c <= WLY_TOKEN_LONG_PLAIN; c++)
    trie->below[c] = g_new0 (guint32, trie->n_words);
  for (guint32 i = 0; i < trie->n_vocab; i++) {
    if (!wly_tokenizer_is_end (tokenizer, (gint32)i))
      continue;
    trie->ends[i / 32] |= 1u << (i % 32);
    trie->has_ends = TRUE;
  }
}

/* Whether each byte that a text may hold is a token by itself. */
static gboolean
writes_all (const WlyTokenTrie *trie)
{
  for (guint byte = 0x20; byte <= 0xf4; byte++)
    if (!trie->usable[byte] && byte != 0x7f && byte != 0xc0 && byte != 0xc1)
      return FALSE;
  return trie->usable['\n'] && trie->usable['\t'];
}

WlyTokenTrie *
wly_token_trie_new (const WlyTokenizer *tokenizer)
{
  WlyTokenTrie *trie = g_new0 (WlyTokenTrie, 1);
  Builder builder    = { .trie = trie };

  trie->references  = 1;
  trie->n_vocab     = wly_tokenizer_n_vocab (tokenizer);
  trie->n_words     = (trie->n_vocab + 31) / 32;
  trie->tokenizer   = tokenizer;
  trie->drops_space = wly_tokenizer_drops_space (tokenizer);
  make_bits (trie, tokenizer);
  builder.texts   = g_string_sized_new (trie->n_vocab * 8);
  builder.entries = g_new (Entry, trie->n_vocab + 1);
  builder.tokens  = g_array_new (FALSE, FALSE, sizeof (gint32));
  read_texts (&builder, tokenizer);
  sort_entries (&builder);
  trie->all  = build_walk (&builder, G_MAXUINT);
  trie->odd  = build_walk (&builder, WLY_TOKEN_TRIE_ODD);
  trie->many = build_walk (&builder, WLY_TOKEN_TRIE_MANY);
  for (guint32 i = 0; i < builder.n_entries; i++)
    note_token (trie, &builder.entries[i]);
  for (guint c = WLY_TOKEN_PLAIN_1 + 1; c <= WLY_TOKEN_LONG_PLAIN; c++)
    for (guint32 w = 0; w < trie->n_words; w++)
      trie->below[c][w] |= trie->below[c - 1][w];
  trie->writes_all = writes_all (trie);
  trie->tokens     = (gint32 *)(void *)g_array_free (builder.tokens, FALSE);
  g_string_free (builder.texts, TRUE);
  g_free (builder.entries);
  return trie;
}

WlyTokenTrie *
wly_token_trie_ref (WlyTokenTrie *trie)
{
  g_atomic_int_inc (&trie->references);
  return trie;
}

void
wly_token_trie_unref (WlyTokenTrie *trie)
{
  if (trie == NULL || !g_atomic_int_dec_and_test (&trie->references))
    return;
  for (guint c = WLY_TOKEN_PLAIN_1; c <= WLY_TOKEN_LONG_PLAIN; c++)
    g_free (trie->below[c]);
  g_free (trie->within);
  g_free (trie->ends);
  g_free (trie->all.nodes);
  g_free (trie->odd.nodes);
  g_free (trie->many.nodes);
  g_free (trie->tokens);
  g_free (trie);
}

gint32
wly_token_trie_longest (const WlyTokenTrie *trie, const char *text, gsize n_bytes, gsize *ret_n_bytes)
{
  gint32 longest = -1;
  guint32 at = 0, end = trie->all.n_nodes;
  gsize depth = 0;

  while (at < end && depth < n_bytes) {
    const WlyTokenTrieNode *node = &trie->all.nodes[at];

    if (node->byte != (guint8)text[depth]) {
      at = node->skip;
      continue;
    }
    depth++;
    if (node->n_tokens > 0) {
      longest      = trie->tokens[node->tokens];
      *ret_n_bytes = depth;
    }
    end = node->skip;
    at++;
  }
  return longest;
}
