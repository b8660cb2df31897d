/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Tiny vocabularies of every kind, with ids by plain loops: tests/generators/make-tokenizers.py.
 */
#include "tokenizer-fixture.h"
#include "wly-test-data.h"

#include <string.h>

/* So many of the vocabularies were made with the first file of texts, the others with the second. */
#define N_FIRST 18

static const struct {
  const char *texts;
  gsize n_texts;
} groups[] = { { "tokenizers/texts.txt", 96 }, { "tokenizers/texts-more.txt", 117 } };

static void
test_sample (gconstpointer data)
{
  const gsize number                 = GPOINTER_TO_SIZE (data);
  const char *name                   = wly_fixture_vocabularies[number];
  const gsize group                  = number < N_FIRST ? 0 : 1;
  g_autofree char *vocab             = g_strdup_printf ("tokenizers/%s.gguf", name);
  g_autofree char *ids               = g_strdup_printf ("tokenizers/%s.ids", name);
  g_autofree char *vocab_path        = wly_test_data_path (vocab);
  g_autofree char *ids_path          = wly_test_data_path (ids);
  g_autofree char *text_path         = wly_test_data_path (groups[group].texts);
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
    wly_fixture_check_round_trip (name, tokenizer, tokens, text, n);
    line = strchr (line, '\n');
    g_assert_nonnull (line++);
    text += n + 1;
  }
  g_assert_cmpuint (n_texts, ==, groups[group].n_texts);
  g_assert_cmpint (*line, ==, '\0');
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; wly_fixture_vocabularies[i] != NULL; i++) {
    g_autofree char *path = g_strdup_printf ("/engine/tokenizer-samples/%s", wly_fixture_vocabularies[i]);

    g_test_add_data_func (path, GSIZE_TO_POINTER (i), test_sample);
  }
  return g_test_run ();
}
