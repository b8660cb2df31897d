/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tiny vocabularies of every kind, with ids by plain loops: tests/generators/make-tokenizers.py.
 */
#include "tokenizer-fixture.h"
#include "wly-test-data.h"

#include <string.h>

typedef struct {
  const char *texts;
  gsize n_texts;
  const char *const *names;
} Group;

static const char *const names[] = {
  "bpe-default",
  "bpe-gpt-2",
  "bpe-starcoder",
  "bpe-llama-bpe",
  "bpe-qwen2",
  "bpe-qwen35",
  "bpe-tekken",
  "bpe-gpt-4o",
  "bpe-deepseek-llm",
  "bpe-deepseek-coder",
  "bpe-deepseek-v3",
  "bpe-falcon",
  "bpe-bloom",
  "bpe-viking",
  "spm",
  "spm-no-prefix",
  "wpm",
  "wpm-cased",
  NULL,
};
static const char *const more_names[] = {
  "bpe-jais-2",
  "bpe-youtu",
  "bpe-chameleon",
  "bpe-tiny_aya",
  "bpe-kimi-k2",
  "bpe-granite-embed-multi-97m",
  "bpe-superbpe",
  "bpe-laguna",
  "bpe-bailingmoe",
  "bpe-seed-coder",
  "bpe-afmoe",
  "bpe-exaone-moe",
  "bpe-minicpm5",
  "rwkv",
  "characters-gemma4",
  "characters-sarvam-moe",
  "ugm",
  "characters-whitespace",
  "ugm-plain",
  "ugm-prefix",
  "plamo2",
  NULL,
};
static const Group groups[] = { { "tokenizers/texts.txt", 96, names },
                                { "tokenizers/texts-more.txt", 117, more_names } };

/* Byte-level BPE and SentencePiece give the bytes back; the sign that SentencePiece has for a space comes as a space.
 */
static void
check_round_trip (const char *name, const WlyTokenizer *tokenizer, const GArray *tokens, const char *text,
                  gsize n_bytes)
{
  g_autoptr (GString) decoded  = wly_fixture_decode (tokenizer, tokens, FALSE);
  g_autoptr (GString) expected = g_string_new_len (text, (gssize)n_bytes);

  /* what these normalise away is gone */
  if (g_str_has_prefix (name, "wpm") || g_str_has_prefix (name, "ugm") || g_str_has_suffix (name, "whitespace"))
    return;
  if (g_str_has_prefix (name, "spm") || g_str_has_prefix (name, "characters"))
    g_string_replace (expected, "▁", " ", 0);
  if (g_str_equal (name, "plamo2") && g_str_has_prefix (expected->str, "\ufeff"))
    g_string_erase (expected, 0, 3);
  g_assert_cmpstr (decoded->str, ==, expected->str);
}

typedef struct {
  const Group *group;
  const char *name;
} Sample;

static void
test_sample (gconstpointer data)
{
  const Group *group                 = ((const Sample *)data)->group;
  const char *name                   = ((const Sample *)data)->name;
  g_autofree char *vocab             = g_strdup_printf ("tokenizers/%s.gguf", name);
  g_autofree char *ids               = g_strdup_printf ("tokenizers/%s.ids", name);
  g_autofree char *vocab_path        = wly_test_data_path (vocab);
  g_autofree char *ids_path          = wly_test_data_path (ids);
  g_autofree char *text_path         = wly_test_data_path (group->texts);
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
  g_assert_cmpuint (n_texts, ==, group->n_texts);
  g_assert_cmpint (*line, ==, '\0');
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++) {
    for (gsize j = 0; groups[i].names[j] != NULL; j++) {
      g_autofree char *path = g_strdup_printf ("/engine/tokenizer-samples/%s", groups[i].names[j]);
      Sample *sample        = g_new (Sample, 1);

      *sample = (Sample){ &groups[i], groups[i].names[j] };
      g_test_add_data_func_full (path, sample, test_sample, g_free);
    }
  }
  return g_test_run ();
}
