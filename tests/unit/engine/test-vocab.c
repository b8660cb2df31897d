/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Vocabularies that cannot be, and odd ones that can.
 */
#include "gguf/gguf-writer.h"
#include "token/vocab.h"
#include "tokenizer-fixture.h"
#include "wly-error.h"

#include <glib/gstdio.h>
#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A sound SentencePiece vocabulary: each case spoils it. */
static WlyGgufWriter *
make_spm (void)
{
  static const char *const texts[] = { "<unk>", "<s>", "</s>", "▁", "a", "b", "▁a", "ab", "<0x41>" };
  static const gint32 types[]      = { 2, 3, 3, 1, 1, 1, 1, 1, 6 };
  static const float scores[]      = { 0, 0, 0, -1, -2, -3, -4, -5, 0 };
  WlyGgufString strings[G_N_ELEMENTS (texts)];
  WlyGgufWriter *writer = wly_gguf_writer_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    strings[i] = (WlyGgufString){ texts[i], strlen (texts[i]) };
  wly_gguf_writer_set_string (writer, "general.architecture", "llama", -1);
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", "llama", -1);
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", strings, G_N_ELEMENTS (strings));
  wly_gguf_writer_set_array_i32 (writer, "tokenizer.ggml.token_type", types, G_N_ELEMENTS (types));
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, G_N_ELEMENTS (scores));
  return writer;
}

static WlyGgufWriter *
make_bpe (void)
{
  WlyGgufWriter *writer        = make_spm ();
  const WlyGgufString merges[] = { { "a b", 3 } };

  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", "gpt2", -1);
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.pre", "gpt-2", -1);
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.merges", merges, 1);
  return writer;
}

/* Takes the writer; NULL with the error. */
static WlyTokenizer *
open_written (WlyGgufWriter *writer, GError **error)
{
  g_autoptr (WlyGgufWriter) owned = writer;
  g_autoptr (WlyGguf) gguf        = NULL;
  g_autoptr (GError) own_error    = NULL;
  int fd                          = memfd_create ("vocab", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (wly_gguf_writer_begin (writer, fd, &own_error));
  g_assert_true (wly_gguf_writer_finish (writer, &own_error));
  gguf = wly_gguf_open (&fd, 1, &own_error);
  g_assert_no_error (own_error);
  close (fd);
  return wly_tokenizer_new (gguf, error);
}

static void
assert_refused (WlyGgufWriter *writer, gint code, const char *names)
{
  g_autoptr (GError) error           = NULL;
  g_autoptr (WlyTokenizer) tokenizer = open_written (writer, &error);

  g_assert_null (tokenizer);
  g_assert_error (error, WLY_ERROR, code);
  if (strstr (error->message, names) == NULL)
    g_test_message ("\"%s\" does not name \"%s\"", error->message, names);
  g_assert_nonnull (strstr (error->message, names));
}

static void
test_sound (void)
{
  g_autoptr (GError) error      = NULL;
  g_autoptr (WlyTokenizer) spm  = open_written (make_spm (), &error);
  g_autoptr (WlyTokenizer) bpe  = open_written (make_bpe (), &error);
  g_autoptr (GArray) spm_tokens = NULL;
  g_autoptr (GArray) bpe_tokens = NULL;

  g_assert_no_error (error);
  spm_tokens = wly_fixture_encode (spm, "abA", 3, FALSE);
  /* "▁", then the best score first: "▁a" (-4) before "ab" (-5); A by its byte */
  g_assert_cmpuint (spm_tokens->len, ==, 3);
  g_assert_cmpint (g_array_index (spm_tokens, gint32, 0), ==, 6);
  g_assert_cmpint (g_array_index (spm_tokens, gint32, 1), ==, 5);
  g_assert_cmpint (g_array_index (spm_tokens, gint32, 2), ==, 8);
  bpe_tokens = wly_fixture_encode (bpe, "ab", 2, FALSE);
  g_assert_cmpuint (bpe_tokens->len, ==, 1);
  g_assert_cmpint (g_array_index (bpe_tokens, gint32, 0), ==, 7);
}

/* ---- white space beside tokens ---- */

/* A vocabulary whose tokens of a meaning are <unk>, <s>, </s> and <mask>, by these keys. */
static WlyTokenizer *
open_known (const char *key, const char *value)
{
  static const char *const texts[] = { "<unk>",  "<s>",    "</s>",         "▁", "a", "b", "<mask>", "ab",
                                       "<0x0A>", "<0x0B>", "<|endoftext|>" };
  static const gint32 types[]      = { 2, 3, 3, 1, 1, 1, 4, 1, 6, 6, 3 };
  static const float scores[]      = { 0, 0, 0, -1, -2, -3, 0, -5, 0, 0, 0 };
  WlyGgufString strings[G_N_ELEMENTS (texts)];
  g_autoptr (GError) error = NULL;
  WlyGgufWriter *writer    = make_spm ();
  WlyTokenizer *tokenizer;

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    strings[i] = (WlyGgufString){ texts[i], strlen (texts[i]) };
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", strings, G_N_ELEMENTS (strings));
  wly_gguf_writer_set_array_i32 (writer, "tokenizer.ggml.token_type", types, G_N_ELEMENTS (types));
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, G_N_ELEMENTS (scores));
  wly_gguf_writer_set_string (writer, key, value, -1);
  tokenizer = open_written (writer, &error);
  g_assert_no_error (error);
  return tokenizer;
}

/* Expected ids by llama-tokenize, for the same files. */
static void
test_trims (void)
{
  static const struct {
    const char *key, *value;
    const char *text, *ids;
  } cases[] = {
    { "general.name", "Phi-3 mini", "</s> a", "2 3 4" },
    { "general.name", "Phi-3 mini", "</s>\n \v a b", "2 3 4 3 5" },
    { "general.name", "Phi-3 mini", "<s> a", "1 3 3 4" },
    { "general.name", "Phi-3 mini", "<|endoftext|> a", "10 3 3 4" },
    { "general.name", "Phi-3 mini", "<unk> a", "0 3 3 4" },
    { "general.name", "Phi-3 mini", "a <mask> b", "3 4 3 6 3 5" },
    { "general.name", "Phi-3 mini", "a  \n\v<mask>\n<mask> </s>  ", "3 4 3 3 8 9 6 6 2" },
    { "general.name", "Phi-3 mini", " </s>", "3 3 2" },
    { "general.name", "my PHI3", "</s> a", "2 3 4" },
    { "general.name", "my PHI3", "</s>\n \v a b", "2 3 4 3 5" },
    { "general.name", "my PHI3", "<s> a", "1 3 3 4" },
    { "general.name", "my PHI3", "<|endoftext|> a", "10 3 3 4" },
    { "general.name", "my PHI3", "<unk> a", "0 3 3 4" },
    { "general.name", "my PHI3", "a <mask> b", "3 4 3 6 3 5" },
    { "general.name", "my PHI3", "a  \n\v<mask>\n<mask> </s>  ", "3 4 3 3 8 9 6 6 2" },
    { "general.name", "my PHI3", " </s>", "3 3 2" },
    { "general.name", "Phi 3.5", "</s> a", "2 3 3 4" },
    { "general.name", "Phi 3.5", "</s>\n \v a b", "2 3 8 3 9 3 4 3 5" },
    { "general.name", "Phi 3.5", "<s> a", "1 3 3 4" },
    { "general.name", "Phi 3.5", "<|endoftext|> a", "10 3 3 4" },
    { "general.name", "Phi 3.5", "<unk> a", "0 3 3 4" },
    { "general.name", "Phi 3.5", "a <mask> b", "3 4 3 6 3 3 5" },
    { "general.name", "Phi 3.5", "a  \n\v<mask>\n<mask> </s>  ", "3 4 3 3 8 9 6 3 8 6 3 3 2 3 3 3" },
    { "general.name", "Phi 3.5", " </s>", "3 3 2" },
    { "tokenizer.ggml.pre", "jina-v2-de", "</s> a", "2 3 3 4" },
    { "tokenizer.ggml.pre", "jina-v2-de", "</s>\n \v a b", "2 3 8 3 9 3 4 3 5" },
    { "tokenizer.ggml.pre", "jina-v2-de", "<s> a", "1 3 3 4" },
    { "tokenizer.ggml.pre", "jina-v2-de", "<|endoftext|> a", "10 3 3 4" },
    { "tokenizer.ggml.pre", "jina-v2-de", "<unk> a", "0 3 3 4" },
    { "tokenizer.ggml.pre", "jina-v2-de", "a <mask> b", "3 4 6 3 3 5" },
    { "tokenizer.ggml.pre", "jina-v2-de", "a  \n\v<mask>\n<mask> </s>  ", "3 4 6 6 3 3 2 3 3 3" },
    { "tokenizer.ggml.pre", "jina-v2-de", " </s>", "3 3 2" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_known (cases[i].key, cases[i].value);
    g_autoptr (GArray) tokens          = wly_fixture_encode (tokenizer, cases[i].text, strlen (cases[i].text), TRUE);
    g_autoptr (GArray) expected        = wly_fixture_parse_ids (cases[i].ids);

    wly_fixture_compare (tokenizer, cases[i].value, i, cases[i].text, strlen (cases[i].text), tokens, expected);
  }
}

/* A text that goes on behind a token reads as one that was never cut. */
static void
test_trims_behind (void)
{
  static const char text[]           = " \n a";
  const WlyTextSpan span             = { text, strlen (text), TRUE };
  g_autoptr (WlyTokenizer) tokenizer = open_known ("general.name", "Phi-3");
  const struct {
    gint32 last;
    const char *ids;
  } cases[] = { { 2, "3 4" }, { 6, "3 4" }, { 1, "3 3 8 3 4" }, { 4, "3 8 3 4" } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autoptr (GArray) tokens   = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) expected = wly_fixture_parse_ids (cases[i].ids);

    g_assert_true (wly_tokenizer_encode_behind (tokenizer, cases[i].last, &span, 1, tokens, NULL));
    wly_fixture_compare (tokenizer, "behind", i, text, strlen (text), tokens, expected);
  }
}

/* ---- large ones ---- */

#define N_LARGE 262144u

/* "aA", … "zZ", then four letters made of two of those, up to N_LARGE tokens behind 512 others. */
static void
large_text (guint id, char ret_text[5])
{
  const guint n = id - 512;

  for (guint i = 0; i < 4; i++)
    ret_text[i] = '\0';
  if (id < 52) {
    ret_text[0] = (char)(id < 26 ? 'a' + id : 'A' + id - 26);
  } else if (id < 512) {
    g_snprintf (ret_text, 5, "#%03u", id);
  } else if (n < 676) {
    ret_text[0] = (char)('a' + n / 26);
    ret_text[1] = (char)('A' + n % 26);
  } else {
    const guint m = n - 676;

    ret_text[0] = (char)('a' + m / 676 / 26);
    ret_text[1] = (char)('A' + m / 676 % 26);
    ret_text[2] = (char)('a' + m % 676 / 26);
    ret_text[3] = (char)('A' + m % 26);
  }
  ret_text[4] = '\0';
}

static WlyGgufWriter *
make_large (const char *model)
{
  WlyGgufWriter *writer            = wly_gguf_writer_new ();
  g_autofree WlyGgufString *tokens = g_new (WlyGgufString, N_LARGE);
  g_autofree WlyGgufString *merges = g_new (WlyGgufString, N_LARGE);
  g_autofree float *scores         = g_new (float, N_LARGE);
  g_autoptr (GStringChunk) chunk   = g_string_chunk_new (1 << 20);
  gsize n_merges                   = 0;

  for (guint id = 0; id < N_LARGE; id++) {
    char text[5];
    gsize n;

    large_text (id, text);
    n          = strlen (text);
    tokens[id] = (WlyGgufString){ g_string_chunk_insert (chunk, text), n };
    scores[id] = -(float)id / 1024;
    if (id >= 512) {
      g_autofree char *merge = g_strdup_printf ("%.*s %s", (int)n / 2, text, text + n / 2);

      merges[n_merges++] = (WlyGgufString){ g_string_chunk_insert (chunk, merge), n + 1 };
    }
  }
  wly_gguf_writer_set_string (writer, "general.architecture", "llama", -1);
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", model, -1);
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.pre", "gpt-2", -1);
  wly_gguf_writer_set_bool (writer, "tokenizer.ggml.add_space_prefix", FALSE);
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", tokens, N_LARGE);
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.merges", merges, n_merges);
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, N_LARGE);
  return writer;
}

/* 262,144 tokens: each is found, in every kind. */
static void
test_large (gconstpointer data)
{
  g_autoptr (GError) error           = NULL;
  g_autoptr (WlyTokenizer) tokenizer = open_written (make_large (data), &error);

  g_assert_no_error (error);
  g_assert_cmpuint (wly_tokenizer_n_vocab (tokenizer), ==, N_LARGE);
  for (guint id = 512; id < N_LARGE; id += 97) {
    g_autoptr (GArray) tokens  = NULL;
    g_autoptr (GString) string = g_string_new (NULL);
    char text[5];

    large_text (id, text);
    tokens = wly_fixture_encode (tokenizer, text, strlen (text), FALSE);
    g_assert_cmpuint (tokens->len, ==, 1);
    g_assert_cmpint (g_array_index (tokens, gint32, 0), ==, (gint32)id);
    wly_tokenizer_decode (tokenizer, (gint32)id, FALSE, FALSE, string);
    g_assert_cmpstr (string->str, ==, text);
  }
}

static void
test_kinds (void)
{
  WlyGgufWriter *writer = make_spm ();

  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", "mystery", -1);
  assert_refused (writer, WLY_ERROR_UNSUPPORTED_MODEL, "mystery");
  writer = make_spm ();
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.model", "no_vocab", -1);
  assert_refused (writer, WLY_ERROR_UNSUPPORTED_MODEL, "no vocabulary");
  writer = make_bpe ();
  wly_gguf_writer_set_string (writer, "tokenizer.ggml.pre", "mystery-bpe", -1);
  assert_refused (writer, WLY_ERROR_UNSUPPORTED_MODEL, "mystery-bpe");
}

static void
test_lengths (void)
{
  const gint32 types[]  = { 1, 1, 1 };
  const float scores[]  = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 };
  WlyGgufWriter *writer = make_spm ();

  wly_gguf_writer_set_array_i32 (writer, "tokenizer.ggml.token_type", types, 3);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "token_type");
  writer = make_spm ();
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, 10);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "scores");
  writer = make_spm ();
  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", NULL, 0);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "tokens");
  writer = make_spm ();
  wly_gguf_writer_set_u32 (writer, "tokenizer.ggml.tokens", 5);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "tokens");
}

static void
test_scores (void)
{
  float scores[9]       = { 0 };
  WlyGgufWriter *writer = make_spm ();

  scores[4] = NAN;
  wly_gguf_writer_set_array_f32 (writer, "tokenizer.ggml.scores", scores, 9);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "token 4");
}

static void
test_ids (void)
{
  static const char *const keys[] = { "bos", "eos", "unknown", "seperator", "eot", "fim_pad" };

  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++) {
    g_autofree char *key               = g_strdup_printf ("tokenizer.ggml.%s_token_id", keys[i]);
    g_autoptr (GError) error           = NULL;
    g_autoptr (WlyTokenizer) tokenizer = NULL;
    WlyGgufWriter *writer              = make_spm ();

    wly_gguf_writer_set_u32 (writer, key, 9);
    assert_refused (writer, WLY_ERROR_INVALID_MODEL, key);
    writer = make_spm ();
    wly_gguf_writer_set_u32 (writer, key, G_MAXUINT32);
    tokenizer = open_written (writer, &error);
    g_assert_no_error (error);
    g_assert_cmpint (wly_tokenizer_bos (tokenizer), ==, i == 0 ? WLY_TOKEN_NONE : 1);
  }
}

static void
test_merges (void)
{
  static const char *const bad[] = { "a c", "ab", "a", "", " a", "a ", "aa b", "c a" };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++) {
    const WlyGgufString merges[] = { { "a b", 3 }, { bad[i], strlen (bad[i]) } };
    WlyGgufWriter *writer        = make_bpe ();

    wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.merges", merges, 2);
    assert_refused (writer, WLY_ERROR_INVALID_MODEL, "merge 1");
  }
}

static void
set_one_token (WlyGgufWriter *writer, const char *text, gsize n_bytes)
{
  const WlyGgufString strings[] = { { "<unk>", 5 }, { "<s>", 3 }, { "</s>", 4 },     { "▁", 3 },     { "a", 1 },
                                    { "b", 1 },     { "▁a", 4 },  { text, n_bytes }, { "<0x41>", 6 } };

  wly_gguf_writer_set_array_string (writer, "tokenizer.ggml.tokens", strings, G_N_ELEMENTS (strings));
}

static void
test_odd_texts (void)
{
  g_autofree char *huge          = g_strnfill (WLY_TOKEN_MAX_BYTES + 1, 'x');
  static const char *const odd[] = { "", "\xff\xfe", "\xe2\x96", "<0xZZ>", "a\nb" };
  WlyGgufWriter *writer          = make_spm ();

  set_one_token (writer, "a", 1);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "same text");
  writer = make_spm ();
  set_one_token (writer, huge, WLY_TOKEN_MAX_BYTES + 1);
  assert_refused (writer, WLY_ERROR_INVALID_MODEL, "bytes");
  for (gsize i = 0; i < G_N_ELEMENTS (odd); i++) {
    g_autoptr (GError) error           = NULL;
    g_autoptr (WlyTokenizer) tokenizer = NULL;
    g_autoptr (GArray) tokens          = NULL;
    g_autoptr (GString) text           = g_string_new (NULL);
    gsize n_bytes                      = 1;

    writer = make_spm ();
    set_one_token (writer, odd[i], strlen (odd[i]));
    tokenizer = open_written (writer, &error);
    g_assert_no_error (error);
    tokens = wly_fixture_encode (tokenizer, "a b ab", 6, TRUE);
    g_assert_cmpuint (tokens->len, >, 0);
    g_assert_nonnull (wly_tokenizer_token_text (tokenizer, 7, &n_bytes));
    g_assert_cmpuint (n_bytes, ==, strlen (odd[i]));
    wly_tokenizer_decode (tokenizer, 7, FALSE, TRUE, text);
    g_assert_cmpuint (text->len, ==, strlen (odd[i]));
  }
}

/* One long token, all its beginnings, and text that is nearly it: the work stays linear. */
static void
test_evil_special (void)
{
  g_autoptr (GString) text           = g_string_new (NULL);
  g_autofree char *token             = g_strnfill (400, 'x');
  const gint32 types[]               = { 2, 3, 3, 1, 1, 1, 1, 4, 6 };
  g_autoptr (GError) error           = NULL;
  g_autoptr (WlyTokenizer) tokenizer = NULL;
  g_autoptr (GArray) tokens          = NULL;
  WlyGgufWriter *writer              = make_spm ();

  token[399] = 'y';
  set_one_token (writer, token, 400);
  wly_gguf_writer_set_array_i32 (writer, "tokenizer.ggml.token_type", types, 9);
  tokenizer = open_written (writer, &error);
  g_assert_no_error (error);
  for (guint i = 0; i < 65536; i++)
    g_string_append_c (text, 'x');
  g_string_append (text, token);
  tokens = wly_fixture_encode (tokenizer, text->str, text->len, FALSE);
  g_assert_cmpint (g_array_index (tokens, gint32, tokens->len - 1), ==, 7);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/vocab/sound", test_sound);
  g_test_add_func ("/engine/vocab/trims", test_trims);
  g_test_add_func ("/engine/vocab/trims-behind", test_trims_behind);
  g_test_add_func ("/engine/vocab/kinds", test_kinds);
  g_test_add_func ("/engine/vocab/lengths", test_lengths);
  g_test_add_func ("/engine/vocab/scores", test_scores);
  g_test_add_func ("/engine/vocab/ids", test_ids);
  g_test_add_func ("/engine/vocab/merges", test_merges);
  g_test_add_func ("/engine/vocab/odd-texts", test_odd_texts);
  g_test_add_func ("/engine/vocab/evil-special", test_evil_special);
  g_test_add_data_func ("/engine/vocab/large/bpe", "gpt2", test_large);
  g_test_add_data_func ("/engine/vocab/large/spm", "llama", test_large);
  g_test_add_data_func ("/engine/vocab/large/rwkv", "rwkv", test_large);
  return g_test_run ();
}
