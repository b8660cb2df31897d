/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench kld -m FILE --reference self|FILE --text FILE: how far rounding takes a model from what its weights say.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-json.h"
#include "bench-kld.h"
#include "bench-model.h"
#include "bench-options.h"
#include "token/tokenizer.h"
#include "wly-error.h"

#include <glib/gi18n.h>
#include <string.h>

#define MIN_CONTEXT 4
#define MAX_CONTEXT 1048576

typedef struct {
  BenchOptions options;
  char *reference;
  char *text;
  int context;
  gboolean json;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  bench_options_clear (&arguments->options);
  g_free (arguments->reference);
  g_free (arguments->text);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (int argc, char **argv, Arguments *ret)
{
  g_autofree GOptionEntry *shared =
      bench_options_entries (&ret->options, N_ ("Type of the key-value cache: f16 (the default), f32 or q8_0"),
                             N_ ("int8 (the default) or f32 (exact to rounding)"));
  const GOptionEntry entries[] = {
    { "reference", 0, 0, G_OPTION_ARG_FILENAME, &ret->reference,
      N_ ("The model to compare with, computed in floats; “self”: the same file (the default)"), N_ ("FILE") },
    { "text", 0, 0, G_OPTION_ARG_FILENAME, &ret->text, N_ ("What both read"), N_ ("FILE") },
    { "context", 'c', 0, G_OPTION_ARG_INT, &ret->context, N_ ("Tokens in a piece of the text (256)"), N_ ("N") },
    { "json", 0, 0, G_OPTION_ARG_NONE, &ret->json, N_ ("Print JSON"), NULL },
    { NULL },
  };

  ret->context = 256;
  if (!woolly_bench_parse (&argc, &argv, shared, entries, NULL,
                           _ ("Compares what a model expects of a text with what a reference expects.")))
    return FALSE;
  if (argc == 1 && ret->options.model != NULL && ret->text != NULL && ret->options.n_threads >= 0
      && ret->context >= MIN_CONTEXT && ret->context <= MAX_CONTEXT)
    return TRUE;
  g_printerr (_ ("woolly-bench kld: wanted are -m FILE --text FILE, and a context of at least %d; “--help” lists the "
                 "options\n"),
              MIN_CONTEXT);
  return FALSE;
}

static BenchEngine *
load (WlyGguf *gguf, const BenchChoice *choice, gboolean is_reference, guint context, GError **error)
{
  BenchEngineOptions options = choice->engine;

  options.max_positions    = context;
  options.max_batch_tokens = context;
  options.max_rows         = context;
  options.kv               = choice->kv;
  if (is_reference) {
    options.float_activations = TRUE;
    options.kv                = WLP_TYPE_F32;
  }
  return bench_engine_new (gguf, &options, error);
}

static GArray *
read_tokens (WlyGguf *gguf, const char *path, gint32 *ret_bos, GError **error)
{
  g_autoptr (WlyTokenizer) tokenizer = wly_tokenizer_new (gguf, error);
  g_autoptr (GArray) tokens          = g_array_new (FALSE, FALSE, sizeof (gint32));
  g_autofree char *text              = NULL;
  g_autoptr (GError) reason          = NULL;
  WlyTextSpan span                   = { 0 };

  if (tokenizer == NULL)
    return NULL;
  if (!g_file_get_contents (path, &text, &span.n_bytes, &reason)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, reason->message);
    return NULL;
  }
  span.text = text;
  if (!wly_tokenizer_encode (tokenizer, &span, 1, TRUE, tokens, error)) {
    g_prefix_error (error, "%s: ", path);
    return NULL;
  }
  *ret_bos = wly_tokenizer_add_bos (tokenizer) ? wly_tokenizer_bos (tokenizer) : WLY_TOKEN_NONE;
  return g_steal_pointer (&tokens);
}

static gboolean
compare (BenchKld *kld, BenchEngine *ours, const BenchChoice *choice, BenchEngine *reference, GArray *tokens,
         gint32 bos, guint context, GError **error)
{
  for (guint at = 0; at + context <= tokens->len; at += context) {
    gint32 *piece      = &g_array_index (tokens, gint32, at);
    const gint32 first = piece[0];
    gboolean is_done;

    if (bos != WLY_TOKEN_NONE)
      piece[0] = bos;
    is_done = bench_kld_piece (kld, ours->network, choice->kv, reference->network, WLP_TYPE_F32, piece, context, error);
    piece[0] = first;
    if (!is_done)
      return FALSE;
  }
  return TRUE;
}

static gboolean
run (const Arguments *arguments, const BenchChoice *choice, BenchKld *kld, GError **error)
{
  const guint context               = (guint)arguments->context;
  const gboolean is_self            = arguments->reference == NULL || strcmp (arguments->reference, "self") == 0;
  g_autoptr (WlyGguf) gguf          = bench_model_open (arguments->options.model, error);
  g_autoptr (WlyGguf) other         = NULL;
  g_autoptr (BenchEngine) ours      = NULL;
  g_autoptr (BenchEngine) reference = NULL;
  g_autoptr (GArray) tokens         = NULL;
  gint32 bos                        = WLY_TOKEN_NONE;

  if (gguf == NULL)
    return FALSE;
  other = is_self ? wly_gguf_ref (gguf) : bench_model_open (arguments->reference, error);
  if (other == NULL)
    return FALSE;
  tokens = read_tokens (gguf, arguments->text, &bos, error);
  if (tokens == NULL)
    return FALSE;
  if (tokens->len < context) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS,
                 _ ("%s has %u tokens, less than one piece of %u; -c makes pieces shorter"), arguments->text,
                 tokens->len, context);
    return FALSE;
  }
  ours = load (gguf, choice, FALSE, context, error);
  if (ours != NULL)
    reference = load (other, choice, TRUE, context, error);
  if (reference == NULL)
    return FALSE;
  if (wly_network_n_vocab (ours->network) != wly_network_n_vocab (reference->network)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, _ ("the model has %u tokens, but the reference has %u"),
                 wly_network_n_vocab (ours->network), wly_network_n_vocab (reference->network));
    return FALSE;
  }
  return compare (kld, ours, choice, reference, tokens, bos, context, error);
}

static void
print (const Arguments *arguments, const BenchKld *kld)
{
  const BenchKldSummary s = bench_kld_summary (kld);
  const struct {
    const char *key;
    double value;
  } rows[] = {
    { "mean_kld", s.mean },     { "mean_kld_error", s.mean_error },
    { "median_kld", s.median }, { "p99_kld", s.p99 },
    { "max_kld", s.max },       { "top1", s.top1 },
    { "ppl", s.ppl },           { "ppl_reference", s.ppl_reference },
  };
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (!arguments->json) {
    g_print ("positions %" G_GUINT64_FORMAT "\n", s.n);
    for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
      g_print ("%s %.6g\n", rows[i].key, rows[i].value);
    return;
  }
  json_builder_begin_object (builder);
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    bench_json_number (builder, rows[i].key, rows[i].value);
  bench_json_count (builder, "positions", s.n);
  bench_json_count (builder, "context", (guint64)arguments->context);
  json_builder_end_object (builder);
  bench_json_print (builder);
}

int
woolly_bench_kld (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_auto (BenchKld) kld        = { 0 };
  g_autoptr (GError) error     = NULL;
  BenchChoice choice;

  if (!parse (argc, argv, &arguments) || !bench_options_choose (&arguments.options, "kld", "f16", "int8", &choice))
    return WOOLLY_BENCH_USAGE;
  bench_kld_init (&kld);
  if (!run (&arguments, &choice, &kld, &error))
    return woolly_bench_fail (error);
  print (&arguments, &kld);
  return WOOLLY_BENCH_OK;
}
