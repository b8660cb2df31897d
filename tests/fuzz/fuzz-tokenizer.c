/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Any text by each of the small vocabularies: the first byte is the vocabulary, the second one how many bytes of the
 * rest are in a first span, which is trusted.  What was not trusted comes back as it was.
 */
#include "fuzz.h"

#include "../unit/engine/tokenizer-fixture.h"
#include "wly-error.h"
#include "wly-test-data.h"

static WlyTokenizer *tokenizers[256];
static guint n_tokenizers;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  for (; wly_fixture_vocabularies[n_tokenizers] != NULL; n_tokenizers++) {
    g_autofree char *name = g_strdup_printf ("tokenizers/%s.gguf", wly_fixture_vocabularies[n_tokenizers]);
    g_autofree char *path = wly_test_data_path (name);

    tokenizers[n_tokenizers] = wly_fixture_open_tokenizer (path);
  }
  return 0;
}

static void
check_tokens (const WlyTokenizer *tokenizer, const GArray *tokens)
{
  g_autoptr (GString) text = wly_fixture_decode (tokenizer, tokens, TRUE);

  for (guint i = 0; i < tokens->len; i++) {
    g_assert_cmpint (g_array_index (tokens, gint32, i), >=, 0);
    g_assert_cmpint (g_array_index (tokens, gint32, i), <, wly_tokenizer_n_vocab (tokenizer));
  }
}

/* In two spans; then as a query and a document, and behind another token. */
static void
check_spans (const WlyTokenizer *tokenizer, const char *text, gsize n_bytes, gsize n_first)
{
  const WlyTextSpan spans[] = { { text, n_first, TRUE }, { text + n_first, n_bytes - n_first, FALSE } };
  g_autofree char *query    = g_strndup (text, n_first);
  g_autofree char *document = g_strndup (text + n_first, n_bytes - n_first);
  g_autoptr (GArray) whole  = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) pair   = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GArray) behind = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error  = NULL;

  wly_tokenizer_encode (tokenizer, spans, 2, TRUE, whole, &error);
  g_assert_no_error (error);
  check_tokens (tokenizer, whole);
  if (wly_tokenizer_encode_pair (tokenizer, query, document, pair, NULL))
    check_tokens (tokenizer, pair);
  if (whole->len == 0)
    return;
  wly_tokenizer_encode_behind (tokenizer, g_array_index (whole, gint32, 0), spans, 2, behind, &error);
  g_assert_no_error (error);
  check_tokens (tokenizer, behind);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize n_bytes)
{
  g_autoptr (GArray) tokens = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autoptr (GError) error  = NULL;
  const WlyTokenizer *tokenizer;
  WlyTextSpan span;
  gsize n_first;

  if (n_bytes < 2)
    return 0;
  tokenizer = tokenizers[data[0] % n_tokenizers];
  span      = (WlyTextSpan){ (const char *)data + 2, n_bytes - 2, FALSE };
  if (!wly_tokenizer_encode (tokenizer, &span, 1, FALSE, tokens, &error)) {
    g_assert_error (error, WLY_ERROR, WLY_ERROR_INVALID_TEXT);
    g_assert_false (g_utf8_validate_len (span.text, span.n_bytes, NULL));
    return 0;
  }
  check_tokens (tokenizer, tokens);
  wly_fixture_check_round_trip (wly_fixture_vocabularies[data[0] % n_tokenizers], tokenizer, tokens, span.text,
                                span.n_bytes);
  for (n_first = MIN (data[1], span.n_bytes); n_first > 0 && n_first < span.n_bytes; n_first--)
    if (((guint8)span.text[n_first] & 0xc0) != 0x80)
      break;
  check_spans (tokenizer, span.text, span.n_bytes, n_first);
  return 0;
}
