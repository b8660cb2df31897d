/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-test-vocab.h"

#include "wly-test-model.h"

#include <string.h>

#define SPACE "\xe2\x96\x81" /* U+2581, what SentencePiece writes for a space */

/* tokenizer.ggml.token_type */
enum {
  KIND_NORMAL  = 1,
  KIND_UNKNOWN = 2,
  KIND_CONTROL = 3,
  KIND_BYTE    = 6,
};

static const char *const control_pieces[] = { "<|system|>", "<|user|>", "<|assistant|>", "<|tool|>", "<|end|>" };

/* Often used first: the order is that of the scores. */
static const char *const words[] = {
  "the",   "a",     "and",  "to",     "was",   "he",    "she",   "it",    "in",     "of",   "his",   "her",
  "they",  "said",  "day",  "very",   "with",  "for",   "happy", "play",  "had",    "big",  "is",    "you",
  "not",   "but",   "on",   "that",   "at",    "all",   "one",   "so",    "up",     "went", "saw",   "wanted",
  "time",  "red",   "ball", "little", "girl",  "boy",   "mom",   "dad",   "house",  "tree", "dog",   "cat",
  "bird",  "sun",   "rain", "water",  "story", "about", "tell",  "me",    "once",   "upon", "there", "were",
  "hello", "world", "what", "where",  "run",   "ran",   "jump",  "sleep", "friend", "from", "then",  "because",
};

typedef struct {
  GPtrArray *pieces; /* of char, owned */
  GHashTable *seen;
} Pieces;

static void
add_piece (Pieces *pieces, char *piece)
{
  if (g_hash_table_contains (pieces->seen, piece)) {
    g_free (piece);
    return;
  }
  g_hash_table_add (pieces->seen, piece);
  g_ptr_array_add (pieces->pieces, piece);
}

/* All beginnings of a word of at least two letters, so that merging letter by letter gets to the whole. */
static void
add_word (Pieces *pieces, const char *prefix, const char *word)
{
  for (gsize n = prefix[0] != '\0' ? 1 : 2; n <= strlen (word); n++)
    add_piece (pieces, g_strdup_printf ("%s%.*s", prefix, (int)n, word));
}

static void
add_characters (Pieces *pieces)
{
  static const char marks[] = ".,!?'\"-:;()\n0123456789";

  add_piece (pieces, g_strdup (SPACE));
  for (char c = 'a'; c <= 'z'; c++)
    add_piece (pieces, g_strdup_printf ("%c", c));
  for (char c = 'A'; c <= 'Z'; c++)
    add_piece (pieces, g_strdup_printf ("%c", c));
  for (const char *c = marks; *c != '\0'; c++)
    add_piece (pieces, g_strdup_printf ("%c", *c));
  for (guint i = 0; i < 4; i++) /* more than one byte each */
    add_piece (pieces, g_strdup (((const char *[]){ "ä", "é", "你", "😀" })[i]));
}

static void
add_made_up (Pieces *pieces, guint n_vocab)
{
  for (guint i = 0; pieces->pieces->len < n_vocab; i++) {
    char letters[16];
    guint n = 0;

    for (guint rest = i + 26; rest > 0; rest /= 26)
      letters[n++] = (char)('a' + rest % 26);
    add_piece (pieces, g_strdup_printf (SPACE "q%.*s", (int)n, letters));
  }
}

/* At least the pieces that have a meaning, more where @n_vocab is larger. */
static Pieces
make_pieces (guint n_vocab)
{
  Pieces pieces = { .pieces = g_ptr_array_new_with_free_func (g_free),
                    .seen   = g_hash_table_new (g_str_hash, g_str_equal) };

  add_piece (&pieces, g_strdup ("<unk>"));
  add_piece (&pieces, g_strdup ("<s>"));
  add_piece (&pieces, g_strdup ("</s>"));
  for (guint i = 0; i < 256; i++)
    add_piece (&pieces, g_strdup_printf ("<0x%02X>", i));
  for (guint i = 0; i < G_N_ELEMENTS (control_pieces); i++)
    add_piece (&pieces, g_strdup (control_pieces[i]));
  add_characters (&pieces);
  for (guint i = 0; i < G_N_ELEMENTS (words); i++) {
    add_word (&pieces, SPACE, words[i]);
    add_word (&pieces, "", words[i]);
  }
  add_made_up (&pieces, n_vocab);
  return pieces;
}

static void
clear_pieces (Pieces *pieces)
{
  g_hash_table_unref (pieces->seen);
  g_ptr_array_unref (pieces->pieces);
}

guint
wly_test_vocab_size (void)
{
  Pieces pieces = make_pieces (0);
  const guint n = pieces.pieces->len;

  clear_pieces (&pieces);
  return n;
}

static gint32
piece_kind (guint id)
{
  if (id == WLY_TEST_TOKEN_UNK)
    return KIND_UNKNOWN;
  if (id < WLY_TEST_TOKEN_BYTE)
    return KIND_CONTROL;
  if (id < WLY_TEST_TOKEN_SYSTEM)
    return KIND_BYTE;
  return id < WLY_TEST_TOKEN_FIRST ? KIND_CONTROL : KIND_NORMAL;
}

void
wly_test_vocab_write (WlyGgufWriter *writer, guint n_vocab)
{
  Pieces pieces                    = make_pieces (n_vocab);
  g_autofree WlyGgufString *tokens = g_new (WlyGgufString, n_vocab);
  g_autofree float *scores         = g_new (float, n_vocab);
  g_autofree gint32 *kinds         = g_new (gint32, n_vocab);

  for (guint i = 0; i < n_vocab; i++) {
    tokens[i].data    = pieces.pieces->pdata[i];
    tokens[i].n_bytes = strlen (tokens[i].data);
    scores[i]         = i < WLY_TEST_TOKEN_FIRST ? 0.0f : -(float)(i - WLY_TEST_TOKEN_FIRST);
    kinds[i]          = piece_kind (i);
  }
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", "llama", -1);
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", tokens, n_vocab);
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, n_vocab);
  wly_gguf_writer_set_array_i32 (writer, "tokenizer.ggml.token_type", kinds, n_vocab);
  wly_gguf_writer_set_u32 (writer, "tokenizer.ggml.unknown_token_id", WLY_TEST_TOKEN_UNK);
  wly_gguf_writer_set_u32 (writer, "tokenizer.ggml.bos_token_id", WLY_TEST_TOKEN_BOS);
  wly_gguf_writer_set_u32 (writer, "tokenizer.ggml.eos_token_id", WLY_TEST_TOKEN_EOS);
  wly_gguf_writer_set_u32 (writer, "tokenizer.ggml.eot_token_id", WLY_TEST_TOKEN_END);
  wly_gguf_writer_set_bool (writer, "tokenizer.ggml.add_bos_token", TRUE);
  clear_pieces (&pieces);
}
