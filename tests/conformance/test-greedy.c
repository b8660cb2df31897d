/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The likeliest continuation, token by token, from text to text: tokeniser, network, sampler.
 *
 *   file  the prompt in the first line, special tokens in it count; then what follows, and a line break of the file's
 * own
 */
#include "conformance.h"
#include "sample/sampler.h"
#include "token/tokenizer.h"

#include <string.h>

#define N_GENERATED 96

typedef struct {
  BenchEngine *engine;
  WlyTokenizer *tokenizer;
  WlySampler *sampler;
  GArray *tokens; /* the prompt */
} Run;

static void
run_clear (Run *run)
{
  wly_tokenizer_free (run->tokenizer);
  wly_sampler_free (run->sampler);
  bench_engine_free (run->engine);
  g_array_unref (run->tokens);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Run, run_clear)

static void
run_init (Run *run, const char *path, const char *prompt, gboolean float_activations)
{
  g_autoptr (GError) error         = NULL;
  g_autoptr (WlyGguf) gguf         = conformance_model (path);
  const WlyTextSpan span           = { prompt, strlen (prompt), TRUE };
  const WlySamplerOptions greedy   = { .temperature = 0, .top_p = 1 };
  const BenchEngineOptions options = {
    .device = conformance_device (), .n_threads = 2, .float_activations = float_activations, .max_batch_tokens = 64
  };

  run->engine    = conformance_engine (gguf, &options);
  run->tokenizer = wly_tokenizer_new (gguf, &error);
  g_assert_no_error (error);
  run->sampler = wly_sampler_new (&greedy, wly_network_n_vocab (run->engine->network));
  run->tokens  = g_array_new (FALSE, FALSE, sizeof (gint32));
  wly_tokenizer_encode (run->tokenizer, &span, 1, TRUE, run->tokens, &error);
  g_assert_no_error (error);
}

static gint32
run_next (Run *run, WlySequence *sequence, const gint32 *tokens, guint n)
{
  g_autoptr (GError) error = NULL;
  WlyStepItem item         = { .sequence = sequence, .n_tokens = n, .want_output = TRUE };
  gint32 token;

  wly_sequence_append (sequence, tokens, n, NULL, &error);
  g_assert_no_error (error);
  wly_network_step (run->engine->network, &item, 1, NULL, &error);
  g_assert_no_error (error);
  token = wly_sampler_draw (run->sampler, item.output, NULL, 0, &error);
  g_assert_no_error (error);
  return token;
}

static char *
run_generate (Run *run)
{
  WlyKvCache *cache                = wly_network_cache (run->engine->network);
  g_autoptr (GError) error         = NULL;
  g_autoptr (WlySequence) sequence = wly_sequence_new (cache, WLP_TYPE_F32, 0, 256, &error);
  GString *text                    = g_string_new (NULL);
  gint32 token;

  g_assert_no_error (error);
  token = run_next (run, sequence, (const gint32 *)(const void *)run->tokens->data, run->tokens->len);
  for (guint i = 0; i < N_GENERATED && !wly_tokenizer_is_end (run->tokenizer, token); i++) {
    wly_tokenizer_decode (run->tokenizer, token, FALSE, FALSE, text);
    token = run_next (run, sequence, &token, 1);
  }
  return g_string_free (text, FALSE);
}

/* Bytes that agree; the whole of @expected where all do. */
static gsize
common_bytes (const char *text, const char *expected)
{
  gsize n = 0;

  while (text[n] != '\0' && text[n] == expected[n])
    n++;
  return n;
}

/* A file's first space is the prefix of a word, which a text that begins there has not. */
static char *
generate (const char *model, const char *expected, gboolean float_activations, gsize *ret_n_common,
          char **ret_continuation)
{
  g_auto (Run) run         = { 0 };
  g_autoptr (GBytes) bytes = wly_test_data_read (expected);
  g_autofree char *all     = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  char *line_break         = strchr (all, '\n');
  char *text;

  g_assert_nonnull (line_break);
  *line_break       = '\0';
  *ret_continuation = g_strdup (line_break + 1);
  if (g_str_has_suffix (*ret_continuation, "\n"))
    (*ret_continuation)[strlen (*ret_continuation) - 1] = '\0';
  run_init (&run, model, all, float_activations);
  text          = run_generate (&run);
  *ret_n_common = common_bytes (g_str_has_prefix (*ret_continuation, " ") ? text : g_strchug (text), *ret_continuation);
  return text;
}

static void
test_exact (gconstpointer data)
{
  g_autofree char *model_name    = g_strconcat (data, ".gguf", NULL);
  g_autofree char *expected_name = g_strconcat (data, ".greedy.txt", NULL);
  g_autofree char *model         = wly_test_shared_path (model_name);
  g_autofree char *expected      = model != NULL ? wly_test_shared_path (expected_name) : NULL;
  g_autofree char *continuation  = NULL;
  g_autofree char *text          = NULL;
  gsize n_common;

  if (expected == NULL)
    return;
  for (guint i = 0; i < 2; i++) {
    g_clear_pointer (&text, g_free);
    g_clear_pointer (&continuation, g_free);
    text = generate (model, expected, i == 0, &n_common, &continuation);
    g_assert_cmpstr (text, ==, continuation);
  }
}

/* Other weights may go another way; where they do is told. */
static void
test_bundled (void)
{
  g_autofree char *model        = conformance_bundled_model ();
  g_autofree char *expected     = wly_test_data_path ("woolly-tiny-f16.greedy.txt");
  g_autofree char *continuation = NULL;
  g_autofree char *text         = NULL;
  gsize n_common;

  text = generate (model, expected, FALSE, &n_common, &continuation);
  g_test_message ("Q8_0 goes with F16 for %" G_GSIZE_FORMAT " of %" G_GSIZE_FORMAT " bytes", n_common,
                  strlen (continuation));
  g_assert_cmpuint (n_common, >=, 20);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/conformance/greedy/bundled", test_bundled);
  g_test_add_data_func ("/conformance/greedy/stories260K", "models/stories260K", test_exact);
  g_test_add_data_func ("/conformance/greedy/woolly-tiny-f16", "models/woolly-tiny-f16", test_exact);
  return g_test_run ();
}
