/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tiny vocabularies of every kind, with ids by plain loops: tests/generators/make-tokenizers.py.
 */
#include "tokenizer-fixture.h"
#include "wly-test-data.h"

#include <string.h>

static const char *const names[] = {
  "bpe-default",     "bpe-gpt-2",  "bpe-starcoder", "bpe-llama-bpe",    "bpe-qwen2",
  "bpe-qwen35",      "bpe-tekken", "bpe-gpt-4o",    "bpe-deepseek-llm", "bpe-deepseek-coder",
  "bpe-deepseek-v3", "bpe-falcon", "bpe-bloom",     "bpe-viking",       "spm",
  "spm-no-prefix",   "wpm",        "wpm-cased",
};

/* Byte-level BPE and SentencePiece give the bytes back; the sign that SentencePiece has for a space comes as a space.
 */
static void
check_round_trip (const char *name, const WlyTokenizer *tokenizer, const GArray *tokens, const char *text,
                  gsize n_bytes)
{
  g_autoptr (GString) decoded  = wly_fixture_decode (tokenizer, tokens, FALSE);
  g_autoptr (GString) expected = g_string_new_len (text, (gssize)n_bytes);

  if (g_str_has_prefix (name, "wpm"))
    return;
  if (g_str_has_prefix (name, "spm"))
    g_string_replace (expected, "▁", " ", 0);
  g_assert_cmpstr (decoded->str, ==, expected->str);
}

static void
test_sample (gconstpointer data)
{
  const char *name                   = data;
  g_autofree char *vocab             = g_strdup_printf ("tokenizers/%s.gguf", name);
  g_autofree char *ids               = g_strdup_printf ("tokenizers/%s.ids", name);
  g_autofree char *vocab_path        = wly_test_data_path (vocab);
  g_autofree char *ids_path          = wly_test_data_path (ids);
  g_autofree char *text_path         = wly_test_data_path ("tokenizers/texts.txt");
  g_autoptr (WlyTokenizer) tokenizer = wly_fixture_open_tokenizer (vocab_path);
  g_autoptr (GBytes) text_bytes      = wly_test_data_read (text_path);
  g_autofree char *lines             = NULL;
  gsize n_text, n_texts = 0;
  const char *text = g_bytes_get_data (text_bytes, &n_text), *end = text + n_text, *line;

  g_assert_true (g_file_get_contents (ids_path, &lines, NULL, NULL));
  for (line = lines; text <= end; n_texts++) {
    const char *found           = text == end ? NULL : memchr (text, '\0', (gsize)(end - text));
    const gsize n               = (gsize)((found == NULL ? end : found) - text);
    g_autoptr (GArray) expected = wly_fixture_parse_ids (line);
    g_autoptr (GArray) tokens   = wly_fixture_encode (tokenizer, text, n, FALSE);

    wly_fixture_compare (tokenizer, name, n_texts, text, n, tokens, expected);
    check_round_trip (name, tokenizer, tokens, text, n);
    line = strchr (line, '\n');
    g_assert_nonnull (line++);
    text += n + 1;
  }
  g_assert_cmpuint (n_texts, ==, 96);
  g_assert_cmpint (*line, ==, '\0');
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *path = g_strdup_printf ("/engine/tokenizer-samples/%s", names[i]);

    g_test_add_data_func (path, names[i], test_sample);
  }
  return g_test_run ();
}
