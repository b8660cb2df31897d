/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Real vocabularies, with ids that the field's tokeniser gives; skipped where they are not there.
 */
#include "tokenizer-fixture.h"
#include "wly-test-data.h"

#include <string.h>

#define SEPARATOR "__ggml_vocab_test__"

static const char *const names[] = { "llama-spm", "gpt-2", "falcon", "deepseek-llm", "qwen2", "bert-bge" };

static gboolean
is_bert (const char *name)
{
  return g_str_has_prefix (name, "bert");
}

/* What of a text a vocabulary can give back: (transfer full). */
static char *
make_expected_text (const char *name, const char *text, gsize n_bytes)
{
  /* these have no token there, and are left out, as in the field */
  static const char falcon_lacks[] = "\x03\x04\x05\x0b\x11\x13\x14\x15\x16\x17\x19\x1c\x1d\x1e\xf2";
  GString *expected                = g_string_new_len (text, (gssize)n_bytes);

  /* SentencePiece writes a space so: the sign itself comes back as a space */
  if (g_str_equal (name, "llama-spm"))
    g_string_replace (expected, "▁", " ", 0);
  for (gsize i = 0; g_str_equal (name, "falcon") && i < expected->len;) {
    if (strchr (falcon_lacks, expected->str[i]) != NULL)
      g_string_erase (expected, (gssize)i, 1);
    else
      i++;
  }
  return g_string_free (expected, FALSE);
}

/* Text @index of a file gives the ids of its line, and these the text again. */
static void
check_text (const WlyTokenizer *tokenizer, const char *name, gsize index, const char *text, gsize n_bytes,
            const char *line)
{
  g_autoptr (GArray) expected    = wly_fixture_parse_ids (line);
  g_autoptr (GArray) tokens      = wly_fixture_encode (tokenizer, text, n_bytes, FALSE);
  g_autoptr (GString) decoded    = wly_fixture_decode (tokenizer, tokens, TRUE);
  g_autofree char *expected_text = make_expected_text (name, text, n_bytes);

  wly_fixture_compare (tokenizer, name, index, text, n_bytes, tokens, expected);
  if (!is_bert (name))
    g_assert_cmpstr (decoded->str, ==, expected_text);
}

static void
test_torture (gconstpointer data)
{
  const char *name                   = data;
  g_autofree char *vocab             = g_strdup_printf ("vocabs/%s.gguf", name);
  g_autofree char *lines             = g_strdup_printf ("vocabs/%s.torture", name);
  g_autofree char *vocab_path        = wly_test_shared_path (vocab);
  g_autofree char *lines_path        = wly_test_shared_path (lines);
  g_autofree char *text_path         = wly_test_shared_path ("vocabs/torture.txt");
  g_autoptr (WlyTokenizer) tokenizer = NULL;
  g_autoptr (GBytes) text_bytes      = NULL;
  g_autoptr (GBytes) line_bytes      = NULL;
  const char *text, *line;
  gsize n_text, n_texts = 0;

  if (vocab_path == NULL || lines_path == NULL || text_path == NULL)
    return;
  tokenizer  = wly_fixture_open_tokenizer (vocab_path);
  text_bytes = wly_test_data_read (text_path);
  line_bytes = wly_test_data_read (lines_path);
  text       = g_bytes_get_data (text_bytes, &n_text);
  line       = g_bytes_get_data (line_bytes, NULL);
  for (const char *end = text + n_text; text < end; n_texts++) {
    const char *stop = memchr (text, '\0', (gsize)(end - text));

    if (stop == NULL)
      stop = end;
    check_text (tokenizer, name, n_texts, text, (gsize)(stop - text), line);
    line = strchr (line, '\n');
    line = line == NULL ? "" : line + 1;
    text = stop + 1;
  }
  g_assert_cmpuint (n_texts, ==, 400);
}

static void
test_samples (gconstpointer data)
{
  const char *name                   = data;
  g_autofree char *vocab             = g_strdup_printf ("vocabs/%s.gguf", name);
  g_autofree char *input             = g_strdup_printf ("vocabs/%s.gguf.inp", name);
  g_autofree char *output            = g_strdup_printf ("vocabs/%s.gguf.out", name);
  g_autofree char *vocab_path        = wly_test_shared_path (vocab);
  g_autofree char *input_path        = wly_test_shared_path (input);
  g_autofree char *output_path       = wly_test_shared_path (output);
  g_autoptr (WlyTokenizer) tokenizer = NULL;
  g_autofree char *input_text = NULL, *output_text = NULL;
  g_auto (GStrv) texts = NULL, lines = NULL;
  gsize n_texts;

  if (vocab_path == NULL || input_path == NULL || output_path == NULL)
    return;
  tokenizer = wly_fixture_open_tokenizer (vocab_path);
  g_assert_true (g_file_get_contents (input_path, &input_text, NULL, NULL));
  g_assert_true (g_file_get_contents (output_path, &output_text, NULL, NULL));
  /* a separator stands in a line of its own: that line's ends are not of the texts */
  texts   = g_strsplit (input_text, "\n" SEPARATOR "\n", -1);
  lines   = g_strsplit (output_text, "\n", -1);
  n_texts = g_strv_length (texts);
  g_assert_cmpuint (n_texts, >=, 40);
  g_assert_cmpuint (g_strv_length (lines), >=, n_texts - 1);
  for (gsize i = 0; i + 1 < n_texts; i++)
    check_text (tokenizer, name, i, texts[i], strlen (texts[i]), lines[i]);
}

/* With -m perf: how fast the text of the file WOOLLY_PERF_TEXT becomes ids. */
static void
test_speed (gconstpointer data)
{
  const char *name                   = data;
  g_autofree char *vocab             = g_strdup_printf ("vocabs/%s.gguf", name);
  g_autofree char *vocab_path        = wly_test_shared_path (vocab);
  g_autoptr (WlyTokenizer) tokenizer = NULL;
  g_autoptr (GBytes) text            = NULL;
  const char *bytes;
  gsize n_bytes;
  double least = 1e9;

  if (vocab_path == NULL)
    return;
  if (g_getenv ("WOOLLY_PERF_TEXT") == NULL) {
    g_test_skip ("WOOLLY_PERF_TEXT names no file");
    return;
  }
  tokenizer = wly_fixture_open_tokenizer (vocab_path);
  text      = wly_test_data_read (g_getenv ("WOOLLY_PERF_TEXT"));
  bytes     = g_bytes_get_data (text, &n_bytes);
  for (guint i = 0; i < 5; i++) {
    g_autoptr (GArray) ids = NULL;

    g_test_timer_start ();
    ids   = wly_fixture_encode (tokenizer, bytes, n_bytes, FALSE);
    least = MIN (least, g_test_timer_elapsed ());
  }
  g_test_maximized_result ((double)n_bytes / least, "%s: %.1f MB/s", name, (double)n_bytes / least / 1e6);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++) {
    g_autofree char *samples = g_strdup_printf ("/engine/tokenizer-vocabs/samples/%s", names[i]);
    g_autofree char *torture = g_strdup_printf ("/engine/tokenizer-vocabs/torture/%s", names[i]);
    g_autofree char *speed   = g_strdup_printf ("/engine/tokenizer-vocabs/speed/%s", names[i]);

    g_test_add_data_func (samples, names[i], test_samples);
    g_test_add_data_func (torture, names[i], test_torture);
    if (g_test_perf ())
      g_test_add_data_func (speed, names[i], test_speed);
  }
  return g_test_run ();
}
