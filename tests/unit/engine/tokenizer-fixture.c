/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tokenizer-fixture.h"

#include <fcntl.h>
#include <unistd.h>

const char *const wly_fixture_vocabularies[] = {
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

WlyTokenizer *
wly_fixture_open_tokenizer (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (WlyGguf) gguf = NULL;
  WlyTokenizer *tokenizer;
  int fd = open (path, O_RDONLY | O_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  gguf = wly_gguf_open (&fd, 1, &error);
  close (fd);
  g_assert_no_error (error);
  tokenizer = wly_tokenizer_new (gguf, &error);
  g_assert_no_error (error);
  return tokenizer;
}

GArray *
wly_fixture_encode (const WlyTokenizer *tokenizer, const char *text, gsize n_bytes, gboolean trusted)
{
  const WlyTextSpan span   = { .text = text, .n_bytes = n_bytes, .trusted = trusted };
  g_autoptr (GError) error = NULL;
  GArray *tokens           = g_array_new (FALSE, FALSE, sizeof (gint32));

  wly_tokenizer_encode (tokenizer, &span, 1, FALSE, tokens, &error);
  g_assert_no_error (error);
  return tokens;
}

GString *
wly_fixture_decode (const WlyTokenizer *tokenizer, const GArray *tokens, gboolean special)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < tokens->len; i++)
    wly_tokenizer_decode (tokenizer, g_array_index (tokens, gint32, i), i == 0, special, text);
  return text;
}

void
wly_fixture_check_round_trip (const char *name, const WlyTokenizer *tokenizer, const GArray *tokens, const char *text,
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

GArray *
wly_fixture_parse_ids (const char *line)
{
  GArray *ids = g_array_new (FALSE, FALSE, sizeof (gint32));
  char *end;

  for (;;) {
    gint32 id;

    while (*line == ' ')
      line++;
    if (!g_ascii_isdigit (*line))
      return ids;
    id = (gint32)g_ascii_strtoll (line, &end, 10);
    g_array_append_val (ids, id);
    line = end;
  }
}

static void
print_around (const WlyTokenizer *tokenizer, const char *label, const GArray *tokens, guint at)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (guint i = at < 4 ? 0 : at - 4; i < MIN (tokens->len, at + 5); i++) {
    const gint32 id = g_array_index (tokens, gint32, i);
    gsize n_bytes;
    const char *text         = wly_tokenizer_token_text (tokenizer, id, &n_bytes);
    g_autofree char *escaped = text == NULL ? NULL : g_strndup (text, n_bytes);

    g_string_append_printf (line, "%s%d \"%s\" ", i == at ? ">>> " : "", id, escaped == NULL ? "?" : escaped);
  }
  g_test_message ("%s (%u): %s", label, tokens->len, line->str);
}

void
wly_fixture_compare (const WlyTokenizer *tokenizer, const char *name, gsize index, const char *text, gsize n_bytes,
                     const GArray *tokens, const GArray *expected)
{
  g_autofree char *copy    = NULL;
  g_autofree char *escaped = NULL;
  guint at                 = 0;

  while (at < tokens->len && at < expected->len
         && g_array_index (tokens, gint32, at) == g_array_index (expected, gint32, at))
    at++;
  if (at == tokens->len && at == expected->len)
    return;
  copy    = g_strndup (text, n_bytes);
  escaped = g_strescape (copy, NULL);
  g_test_message ("%s, text %" G_GSIZE_FORMAT " differs at token %u: \"%s\"", name, index, at, escaped);
  print_around (tokenizer, "got", tokens, at);
  print_around (tokenizer, "expected", expected, at);
  g_test_fail ();
}
