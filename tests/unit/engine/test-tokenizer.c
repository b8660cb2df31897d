/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-writer.h"
#include "token/tokenizer-private.h"
#include "tokenizer-fixture.h"
#include "wly-error.h"
#include "wly-sanitizer.h"
#include "wly-test-data.h"
#include "wly-test-model.h"

#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static WlyTokenizer *
open_sample (const char *name)
{
  g_autofree char *file = g_strdup_printf ("tokenizers/%s.gguf", name);
  g_autofree char *path = wly_test_data_path (file);

  return wly_fixture_open_tokenizer (path);
}

/* That of the test models: control tokens <|user|> and others, bytes, words. */
static WlyTokenizer *
open_model (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = NULL;
  WlyTokenizer *tokenizer;
  WlyTestModel model;

  wly_test_model_init (&model);
  gguf      = wly_test_model_open (&model);
  tokenizer = wly_tokenizer_new (gguf, &error);
  g_assert_no_error (error);
  return tokenizer;
}

/* ---- trust ---- */

static guint
count_control (const WlyTokenizer *tokenizer, const GArray *tokens)
{
  guint n = 0;

  for (guint i = 0; i < tokens->len; i++) {
    const gint32 id = g_array_index (tokens, gint32, i);

    /* what WordPiece does not know becomes unk */
    n += tokenizer->vocab.types[id] == WLY_TOKEN_CONTROL && id != tokenizer->vocab.unk;
  }
  return n;
}

static void
test_user_text_is_no_control (void)
{
  static const char *const samples[] = { "spm", "spm-no-prefix", "bpe-gpt-2", "bpe-llama-bpe",     "bpe-bloom",  "wpm",
                                         "ugm", "ugm-plain",     "plamo2",    "characters-gemma4", "bpe-kimi-k2" };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i]);
    g_autoptr (GString) all            = g_string_new (NULL);
    g_autoptr (GArray) plain = NULL, special = NULL;
    guint n_control = 0;

    for (guint32 id = 0; id < wly_tokenizer_n_vocab (tokenizer); id++) {
      gsize n_bytes;
      const char *text = wly_tokenizer_token_text (tokenizer, (gint32)id, &n_bytes);

      if (tokenizer->vocab.types[id] != WLY_TOKEN_CONTROL || (gint32)id == tokenizer->vocab.unk)
        continue;
      n_control++;
      g_string_append_len (all, text, (gssize)n_bytes);
      g_string_append (all, n_control % 2 == 0 ? " x" : "");
    }
    g_assert_cmpuint (n_control, >=, 2);
    plain   = wly_fixture_encode (tokenizer, all->str, all->len, FALSE);
    special = wly_fixture_encode (tokenizer, all->str, all->len, TRUE);
    g_assert_cmpuint (count_control (tokenizer, plain), ==, 0);
    g_assert_cmpuint (count_control (tokenizer, special), >=, n_control);
  }
}

static GArray *
encode_spans (const WlyTokenizer *tokenizer, const WlyTextSpan *spans, gsize n_spans)
{
  g_autoptr (GError) error = NULL;
  GArray *tokens           = g_array_new (FALSE, FALSE, sizeof (gint32));

  wly_tokenizer_encode (tokenizer, spans, n_spans, FALSE, tokens, &error);
  g_assert_no_error (error);
  return tokens;
}

/* A control token must lie in trusted bytes from its first to its last. */
static void
test_spans (void)
{
  g_autoptr (WlyTokenizer) tokenizer = open_model ();
  const char *text                   = "<|user|>hi<|end|>";
  const gint32 user = WLY_TEST_TOKEN_USER, end = WLY_TEST_TOKEN_END;

  for (gsize cut = 0; cut <= 17; cut++) {
    const WlyTextSpan spans[]  = { { text, cut, TRUE }, { text + cut, 17 - cut, FALSE } };
    const WlyTextSpan halves[] = { { text, cut, TRUE }, { text + cut, 17 - cut, TRUE }, { NULL, 0, FALSE } };
    const WlyTextSpan later[]  = { { text, cut, FALSE }, { text + cut, 17 - cut, TRUE } };
    g_autoptr (GArray) tokens  = encode_spans (tokenizer, spans, 2);
    g_autoptr (GArray) whole   = encode_spans (tokenizer, halves, 3);
    g_autoptr (GArray) back    = encode_spans (tokenizer, later, 2);

    g_assert_cmpuint (count_control (tokenizer, tokens), ==, (cut >= 8) + (cut >= 17));
    g_assert_cmpuint (count_control (tokenizer, back), ==, (cut == 0) + (cut <= 10));
    /* two trusted spans side by side are one */
    g_assert_cmpint (g_array_index (whole, gint32, 0), ==, user);
    g_assert_cmpint (g_array_index (whole, gint32, whole->len - 1), ==, end);
  }
}

/* Spans that lie apart give what one text gives: words reach over edges. */
static void
test_spans_join (void)
{
  static const char *const samples[] = { "spm", "bpe-gpt-2", "wpm" };
  static const char text[]           = "Hello world, straße 1234567";

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i]);
    g_autoptr (GArray) expected        = wly_fixture_encode (tokenizer, text, strlen (text), FALSE);

    for (gsize cut = 1; cut + 1 < strlen (text); cut++) {
      g_autofree char *left     = g_strndup (text, cut);
      g_autofree char *right    = g_strdup (text + cut);
      const WlyTextSpan spans[] = { { left, cut, TRUE }, { right, strlen (right), FALSE } };
      g_autoptr (GArray) tokens = encode_spans (tokenizer, spans, 2);

      wly_fixture_compare (tokenizer, samples[i], cut, text, strlen (text), tokens, expected);
    }
  }
}

static void
test_add_special (void)
{
  static const struct {
    const char *name;
    const char *first, *last;
  } samples[] = {
    { "spm", "<s>", NULL },
    { "bpe-llama-bpe", "<|begin|>", NULL },
    { "bpe-gpt-2", NULL, NULL },
    { "wpm", "[CLS]", "[SEP]" },
    { "ugm", NULL, "</s>" },
    { "characters-gemma4", "<bos>", NULL },
    { "characters-sarvam-moe", NULL, NULL },
    { "bpe-chameleon", "<|begin|>", NULL },
    { "plamo2", NULL, NULL },
    { "rwkv", NULL, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i].name);
    g_autoptr (GArray) tokens          = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) plain           = wly_fixture_encode (tokenizer, "the", 3, FALSE);
    const WlyTextSpan span             = { "the", 3, FALSE };

    g_assert_true (wly_tokenizer_encode (tokenizer, &span, 1, TRUE, tokens, NULL));
    g_assert_cmpuint (tokens->len, ==,
                      plain->len + (samples[i].first != NULL ? 1u : 0u) + (samples[i].last != NULL ? 1u : 0u));
    if (samples[i].first != NULL)
      g_assert_cmpint (g_array_index (tokens, gint32, 0), ==, wly_tokenizer_find (tokenizer, samples[i].first));
    if (samples[i].last != NULL)
      g_assert_cmpint (g_array_index (tokens, gint32, tokens->len - 1), ==,
                       wly_tokenizer_find (tokenizer, samples[i].last));
    g_assert_true (wly_tokenizer_add_bos (tokenizer) == (samples[i].first != NULL));
  }
}

/* A query and a document, as models that rank want them. */
static void
test_pair (void)
{
  static const struct {
    const char *name;
    const char *before, *between[2], *behind;
  } samples[] = {
    { "wpm", "[CLS]", { "[SEP]", NULL }, "[SEP]" },
    { "ugm", NULL, { "</s>", NULL }, "</s>" },
    { "spm", "<s>", { NULL, NULL }, NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i].name);
    g_autoptr (GArray) query           = wly_fixture_encode (tokenizer, "the", 3, FALSE);
    g_autoptr (GArray) document        = wly_fixture_encode (tokenizer, "over <s>", 8, FALSE);
    g_autoptr (GArray) tokens          = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) expected        = g_array_new (FALSE, FALSE, sizeof (gint32));
    const char *const texts[]          = { samples[i].before, "", samples[i].between[0], " ", samples[i].behind };

    for (gsize j = 0; j < G_N_ELEMENTS (texts); j++) {
      const GArray *part = j == 1 ? query : j == 3 ? document : NULL;
      gint32 id          = part == NULL && texts[j] != NULL ? wly_tokenizer_find (tokenizer, texts[j]) : 0;

      if (part != NULL)
        g_array_append_vals (expected, part->data, part->len);
      else if (texts[j] != NULL)
        g_array_append_val (expected, id);
    }
    g_assert_true (wly_tokenizer_encode_pair (tokenizer, "the", "over <s>", tokens, NULL));
    g_assert_cmpmem (tokens->data, tokens->len * sizeof (gint32), expected->data, expected->len * sizeof (gint32));
  }
}

static void
test_ends (void)
{
  g_autoptr (WlyTokenizer) tokenizer = open_model ();

  g_assert_cmpint (wly_tokenizer_bos (tokenizer), ==, WLY_TEST_TOKEN_BOS);
  g_assert_cmpint (wly_tokenizer_eos (tokenizer), ==, WLY_TEST_TOKEN_EOS);
  g_assert_true (wly_tokenizer_is_end (tokenizer, WLY_TEST_TOKEN_EOS));
  g_assert_true (wly_tokenizer_is_end (tokenizer, WLY_TEST_TOKEN_END));
  g_assert_false (wly_tokenizer_is_end (tokenizer, WLY_TEST_TOKEN_USER));
  g_assert_false (wly_tokenizer_is_end (tokenizer, -1));
  g_assert_false (wly_tokenizer_is_end (tokenizer, G_MAXINT32));
}

/* ---- text that is none ---- */

static void
test_invalid_text (void)
{
  static const struct {
    const char *text;
    gsize n_bytes;
  } cases[] = {
    { "a\xff", 2 },    { "\xc3", 1 }, { "\xed\xa0\x80", 3 },
    { "\xc0\x80", 2 }, { "a\0b", 3 }, { "\xf4\x90\x80\x80", 4 },
    { "\xe2\x96", 2 }, { "\x80", 1 },
  };
  static const char *const samples[] = { "spm", "bpe-gpt-2", "wpm" };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i]);

    for (gsize j = 0; j < G_N_ELEMENTS (cases); j++) {
      const WlyTextSpan span    = { cases[j].text, cases[j].n_bytes, TRUE };
      g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
      g_autoptr (GError) error  = NULL;

      g_assert_false (wly_tokenizer_encode (tokenizer, &span, 1, TRUE, tokens, &error));
      g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT);
      g_assert_cmpuint (tokens->len, ==, 0);
    }
  }
}

static void
append_behind (const WlyTokenizer *tokenizer, const char *text, GArray *tokens)
{
  const WlyTextSpan span   = { text, strlen (text), FALSE };
  g_autoptr (GError) error = NULL;
  gint32 last              = tokens->len > 0 ? g_array_index (tokens, gint32, tokens->len - 1) : WLY_TOKEN_NONE;

  g_assert_true (wly_tokenizer_encode_behind (tokenizer, last, &span, 1, tokens, &error));
  g_assert_no_error (error);
}

/* A text that goes on reads as one that was never cut; behind a special token it begins anew. */
static void
test_behind (void)
{
  static const char *const samples[] = { "spm", "spm-no-prefix", "bpe-gpt-2" };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i]);
    g_autoptr (GArray) tokens          = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) anew            = g_array_new (FALSE, FALSE, sizeof (gint32));
    g_autoptr (GArray) by_itself       = wly_fixture_encode (tokenizer, "the", 3, FALSE);
    g_autoptr (GString) text           = NULL;
    gint32 special                     = 0;

    append_behind (tokenizer, "the", tokens);
    g_assert_cmpmem (tokens->data, tokens->len * sizeof (gint32), by_itself->data, by_itself->len * sizeof (gint32));
    append_behind (tokenizer, "re it is", tokens);
    append_behind (tokenizer, " again", tokens);
    text = wly_fixture_decode (tokenizer, tokens, FALSE);
    g_assert_cmpstr (text->str, ==, "there it is again");

    while (tokenizer->vocab.types[special] != WLY_TOKEN_CONTROL)
      special++;
    g_array_append_val (anew, special);
    append_behind (tokenizer, "the", anew);
    g_assert_cmpmem (&g_array_index (anew, gint32, 1), (anew->len - 1) * sizeof (gint32), by_itself->data,
                     by_itself->len * sizeof (gint32));
  }
}

/* Nothing behind the text is looked at: it ends with the memory it lies in. */
static void
test_end_of_text (void)
{
  static const char *const samples[] = {
    "bpe-gpt-2", "bpe-llama-bpe", "bpe-gpt-4o", "bpe-kimi-k2", "bpe-jais-2", "ugm"
  };
  static const char *const texts[] = { "'é", "B'é", "a '", "x'l", "  \u00a0", "7\u0663", "\u0301" };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++) {
    g_autoptr (WlyTokenizer) tokenizer = open_sample (samples[i]);

    for (gsize j = 0; j < G_N_ELEMENTS (texts); j++) {
      const gsize n               = strlen (texts[j]);
      g_autofree char *text       = g_memdup2 (texts[j], n);
      g_autofree char *more       = g_strconcat (texts[j], "é", NULL);
      g_autoptr (GArray) tokens   = wly_fixture_encode (tokenizer, text, n, TRUE);
      g_autoptr (GArray) followed = wly_fixture_encode (tokenizer, more, n, TRUE);

      g_assert_cmpmem (tokens->data, tokens->len * sizeof (gint32), followed->data, followed->len * sizeof (gint32));
    }
  }
}

/* A character over three byte tokens comes byte by byte. */
static void
test_stream_of_bytes (void)
{
  g_autoptr (WlyTokenizer) tokenizer = open_model ();
  g_autoptr (GString) text           = g_string_new (NULL);
  static const guint8 bytes[]        = { 0xe4, 0xb8, 0x96 };

  for (gsize i = 0; i < sizeof bytes; i++) {
    wly_tokenizer_decode (tokenizer, WLY_TEST_TOKEN_BYTE + bytes[i], i == 0, FALSE, text);
    g_assert_cmpuint (text->len, ==, i + 1);
  }
  g_assert_cmpstr (text->str, ==, "世");
}

static void
test_decode (void)
{
  g_autoptr (WlyTokenizer) tokenizer = open_model ();
  g_autoptr (GString) text           = g_string_new (NULL);
  g_autoptr (GArray) tokens          = wly_fixture_encode (tokenizer, "a", 1, FALSE);
  gsize n_bytes;

  wly_tokenizer_decode (tokenizer, WLY_TEST_TOKEN_USER, FALSE, FALSE, text);
  wly_tokenizer_decode (tokenizer, -1, FALSE, TRUE, text);
  wly_tokenizer_decode (tokenizer, (gint32)wly_tokenizer_n_vocab (tokenizer), FALSE, TRUE, text);
  wly_tokenizer_decode (tokenizer, G_MAXINT32, FALSE, TRUE, text);
  wly_tokenizer_decode (tokenizer, G_MININT32, FALSE, TRUE, text);
  g_assert_cmpuint (text->len, ==, 0);
  wly_tokenizer_decode (tokenizer, WLY_TEST_TOKEN_USER, FALSE, TRUE, text);
  g_assert_cmpstr (text->str, ==, "<|user|>");
  /* the space of the prefix goes where nothing stands before */
  g_string_truncate (text, 0);
  for (guint i = 0; i < tokens->len; i++)
    wly_tokenizer_decode (tokenizer, g_array_index (tokens, gint32, i), FALSE, FALSE, text);
  g_assert_cmpstr (text->str, ==, " a");
  g_assert_null (wly_tokenizer_token_text (tokenizer, -1, &n_bytes));
  g_assert_cmpint (wly_tokenizer_find (tokenizer, "no such token"), ==, WLY_TOKEN_NONE);
  g_assert_cmpint (wly_tokenizer_find (tokenizer, "<|user|>"), ==, WLY_TEST_TOKEN_USER);
}

/* A normaliser with any damage is refused, or text goes through it to tokens of the vocabulary. */
static void
test_damaged_charsmap (void)
{
  static const char key[]  = "tokenizer.ggml.precompiled_charsmap";
  static const char text[] = "ABc \xc2\xbd カタ e\xcc\x81 \xef\xac\x81n \xe2\x85\xa7\tİ…! ABABAB";
  g_autofree char *path    = wly_test_data_path ("tokenizers/ugm.gguf");
  g_autoptr (GBytes) sound = wly_test_data_read (path);
  g_autoptr (GRand) random = g_rand_new_with_seed (20261125);
  gsize n_bytes, n_used = 0;
  const char *bytes = g_bytes_get_data (sound, &n_bytes);
  const char *found = memmem (bytes, n_bytes, key, strlen (key));
  const gsize begin = (gsize)(found - bytes) + strlen (key) + 16;

  g_assert_nonnull (found);
  for (guint round = 0; round < 400; round++) {
    g_autofree char *damaged           = g_memdup2 (bytes, n_bytes);
    g_autoptr (GError) error           = NULL;
    g_autoptr (WlyGguf) gguf           = NULL;
    g_autoptr (WlyTokenizer) tokenizer = NULL;
    g_autoptr (GArray) tokens          = NULL;
    int fd                             = memfd_create ("charsmap", MFD_CLOEXEC);
    guint n_places                     = round % 40 + 1;

    for (guint i = 0; i < n_places; i++)
      damaged[begin + (gsize)g_rand_int_range (random, i % 4 == 0 ? 0 : 4, (gint32)(n_bytes - begin))] =
          (char)g_rand_int (random);
    g_assert_cmpint (write (fd, damaged, n_bytes), ==, (gssize)n_bytes);
    gguf = wly_gguf_open (&fd, 1, &error);
    close (fd);
    g_assert_no_error (error);
    tokenizer = wly_tokenizer_new (gguf, &error);
    if (tokenizer == NULL) {
      g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL);
      continue;
    }
    n_used++;
    tokens = wly_fixture_encode (tokenizer, text, strlen (text), FALSE);
    for (guint i = 0; i < tokens->len; i++)
      g_assert_cmpuint ((guint)g_array_index (tokens, gint32, i), <, wly_tokenizer_n_vocab (tokenizer));
  }
  g_assert_cmpuint (n_used, >, 40);
}

/* ---- work ---- */

static const char *const classes[] = {
  "a",       "A",        "é",   "7",    "٣",         " ",       "\n", "\t",   "\xc2\xa0", ".",       "$",
  "'",       "\xcc\x81", "世",  "🙂", "\x01",      "▁",       "aA", "1a",   " \n",      "<|user|", "<sentinel:1",
  "IMGIMGA", "IMG",      "12٣", " a",   "a\xcc\x81", "\u0301A", "１", "   1", "ㄅ",       "가",      "ｶ",
};

static guint64
count_steps (const WlyTokenizer *tokenizer, const char *piece, gsize n_bytes)
{
  g_autoptr (GString) text  = g_string_new (NULL);
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error  = NULL;
  guint64 n_steps           = 0;
  WlyTextSpan span          = { .trusted = TRUE };

  while (text->len + strlen (piece) <= n_bytes)
    g_string_append (text, piece);
  span.text    = text->str;
  span.n_bytes = text->len;
  wly_tokenizer_encode_counted (tokenizer, &span, 1, TRUE, tokens, &n_steps, &error);
  g_assert_no_error (error);
  return n_steps;
}

typedef struct {
  const char *name;
  gsize n_bytes;
  const WlyTokenizer *tokenizer;
} Linear;

static gpointer
linear_thread (gpointer data)
{
  const Linear *linear = data;

  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++) {
    const guint64 quarter = count_steps (linear->tokenizer, classes[i], linear->n_bytes / 4);
    const guint64 whole   = count_steps (linear->tokenizer, classes[i], linear->n_bytes);

    /* four times the text: four times the work, and a little for the depth of the heap */
    if (whole > quarter * 5 || whole > 80 * linear->n_bytes)
      g_test_message ("class \"%s\": %" G_GUINT64_FORMAT " steps, then %" G_GUINT64_FORMAT, classes[i], quarter, whole);
    g_assert_cmpuint (whole, <=, quarter * 5);
    g_assert_cmpuint (whole, <=, 80 * linear->n_bytes);
  }
  return NULL;
}

/* Steps, not seconds; on a stack of 256 KiB. */
static void
test_linear (gconstpointer data)
{
  Linear linear                      = *(const Linear *)data;
  g_autoptr (WlyTokenizer) tokenizer = open_sample (linear.name);
  pthread_attr_t attributes;
  pthread_t thread;

  linear.tokenizer = tokenizer;
  linear.n_bytes   = MIN (linear.n_bytes, WLY_SANITIZED ? 1 << 16 : G_MAXSIZE);
  g_assert_cmpint (pthread_attr_init (&attributes), ==, 0);
  g_assert_cmpint (pthread_attr_setstacksize (&attributes, 256 * 1024), ==, 0);
  g_assert_cmpint (pthread_create (&thread, &attributes, linear_thread, &linear), ==, 0);
  g_assert_cmpint (pthread_join (thread, NULL), ==, 0);
  pthread_attr_destroy (&attributes);
}

int
main (int argc, char **argv)
{
  static const Linear linear[] = {
    { "bpe-llama-bpe", 1 << 20 },
    { "bpe-deepseek-llm", 1 << 20 },
    { "spm", 1 << 20 },
    { "bpe-default", 1 << 16 },
    { "bpe-gpt-4o", 1 << 16 },
    { "bpe-deepseek-v3", 1 << 16 },
    { "bpe-falcon", 1 << 16 },
    { "bpe-viking", 1 << 16 },
    { "wpm", 1 << 16 },
    { "bpe-jais-2", 1 << 16 },
    { "bpe-kimi-k2", 1 << 16 },
    { "bpe-afmoe", 1 << 16 },
    { "bpe-superbpe", 1 << 16 },
    { "bpe-chameleon", 1 << 16 },
    { "bpe-exaone-moe", 1 << 16 },
    { "bpe-youtu", 1 << 16 },
    { "characters-gemma4", 1 << 16 },
    { "characters-whitespace", 1 << 16 },
    { "ugm", 1 << 16 },
    { "ugm-plain", 1 << 20 },
    { "rwkv", 1 << 16 },
    { "plamo2", 1 << 16 },
    { "bpe-granite-embed-multi-97m", 1 << 16 },
  };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/engine/tokenizer/user-text-is-no-control", test_user_text_is_no_control);
  g_test_add_func ("/engine/tokenizer/spans", test_spans);
  g_test_add_func ("/engine/tokenizer/spans-join", test_spans_join);
  g_test_add_func ("/engine/tokenizer/add-special", test_add_special);
  g_test_add_func ("/engine/tokenizer/pair", test_pair);
  g_test_add_func ("/engine/tokenizer/ends", test_ends);
  g_test_add_func ("/engine/tokenizer/invalid-text", test_invalid_text);
  g_test_add_func ("/engine/tokenizer/behind", test_behind);
  g_test_add_func ("/engine/tokenizer/stream-of-bytes", test_stream_of_bytes);
  g_test_add_func ("/engine/tokenizer/decode", test_decode);
  g_test_add_func ("/engine/tokenizer/end-of-text", test_end_of_text);
  g_test_add_func ("/engine/tokenizer/damaged-charsmap", test_damaged_charsmap);
  for (gsize i = 0; i < G_N_ELEMENTS (linear); i++) {
    g_autofree char *path = g_strdup_printf ("/engine/tokenizer/linear/%s", linear[i].name);

    g_test_add_data_func (path, &linear[i], test_linear);
  }
  return g_test_run ();
}
