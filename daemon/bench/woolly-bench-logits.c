/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench logits -m FILE --against FILE.logits: how far the engine is from a reference.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-logits.h"
#include "bench-model.h"
#include "bench-options.h"
#include "wly-error.h"

#include <glib/gi18n.h>

typedef struct {
  BenchOptions options;
  char *against;
  int chunk;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  bench_options_clear (&arguments->options);
  g_free (arguments->against);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (int argc, char **argv, Arguments *ret)
{
  g_autofree GOptionEntry *shared =
      bench_options_entries (&ret->options, N_ ("Type of the key-value cache: f32 (the default), f16 or q8_0"),
                             N_ ("f32 (the default, exact to rounding) or int8 (as in normal use)"));
  const GOptionEntry entries[] = {
    { "against", 0, 0, G_OPTION_ARG_FILENAME, &ret->against, N_ ("Tokens and logits of the reference"),
      N_ ("FILE.logits") },
    { "chunk", 0, 0, G_OPTION_ARG_INT, &ret->chunk, N_ ("Tokens in one batch; 0: all of them"), N_ ("N") },
    { NULL },
  };

  if (!woolly_bench_parse (&argc, &argv, shared, entries, NULL,
                           _ ("Compares the logits of a model with those of a reference.")))
    return FALSE;
  if (argc == 1 && ret->options.model != NULL && ret->against != NULL && ret->chunk >= 0 && ret->options.n_threads >= 0)
    return TRUE;
  g_printerr (_ ("woolly-bench logits: wanted are -m FILE --against FILE.logits; “--help” lists the options\n"));
  return FALSE;
}

static gboolean
run (const Arguments *arguments, const BenchChoice *choice, BenchAgreement *ret_agreement, GError **error)
{
  BenchEngineOptions options        = choice->engine;
  g_autoptr (BenchLogits) reference = bench_logits_read (arguments->against, error);
  g_autoptr (WlyGguf) gguf          = reference != NULL ? bench_model_open (arguments->options.model, error) : NULL;
  g_autoptr (BenchEngine) engine    = NULL;
  g_autoptr (BenchLogits) ours      = NULL;

  if (gguf == NULL)
    return FALSE;
  options.max_positions    = reference->n_tokens;
  options.max_batch_tokens = arguments->chunk != 0 ? (guint)arguments->chunk : reference->n_tokens;
  options.max_rows         = options.max_batch_tokens;
  engine                   = bench_engine_new (gguf, &options, error);
  if (engine == NULL)
    return FALSE;
  if (wly_network_n_vocab (engine->network) != reference->n_vocab) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, _ ("the model has %u tokens, but the reference has %u"),
                 wly_network_n_vocab (engine->network), reference->n_vocab);
    return FALSE;
  }
  ours = bench_logits_compute (engine->network, reference->tokens, reference->n_tokens, choice->kv,
                               (guint)arguments->chunk, error);
  if (ours != NULL)
    *ret_agreement = bench_logits_compare (ours, reference);
  return ours != NULL;
}

int
woolly_bench_logits (int argc, char **argv)
{
  g_auto (Arguments) arguments = { 0 };
  g_autoptr (GError) error     = NULL;
  BenchAgreement agreement     = { 0 };
  BenchChoice choice;

  if (!parse (argc, argv, &arguments) || !bench_options_choose (&arguments.options, "logits", "f32", "f32", &choice))
    return WOOLLY_BENCH_USAGE;
  if (!run (&arguments, &choice, &agreement, &error))
    return woolly_bench_fail (error);
  g_print ("nmse %.6g\nmax %.6g\ntop1 %.6g\n", agreement.nmse, agreement.max, agreement.top1);
  return WOOLLY_BENCH_OK;
}
