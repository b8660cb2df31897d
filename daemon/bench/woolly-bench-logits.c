/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench logits -m FILE --against FILE.logits: how far the engine is from a reference.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-engine.h"
#include "bench-logits.h"
#include "bench-model.h"
#include "wly-error.h"

#include <glib/gi18n.h>
#include <string.h>

typedef struct {
  char *model;
  char *against;
  char *kv;
  char *activations;
  char *device;
  char *isa;
  int chunk;
  int n_threads;
  gboolean no_fusion;
} Arguments;

static void
arguments_clear (Arguments *arguments)
{
  g_free (arguments->model);
  g_free (arguments->against);
  g_free (arguments->kv);
  g_free (arguments->activations);
  g_free (arguments->device);
  g_free (arguments->isa);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (int argc, char **argv, Arguments *ret)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &ret->model, N_ ("The model"), N_ ("FILE") },
    { "against", 0, 0, G_OPTION_ARG_FILENAME, &ret->against, N_ ("Tokens and logits of the reference"),
      N_ ("FILE.logits") },
    { "kv", 0, 0, G_OPTION_ARG_STRING, &ret->kv, N_ ("Type of the key-value cache: f32 (the default), f16 or q8_0"),
      N_ ("TYPE") },
    { "activations", 0, 0, G_OPTION_ARG_STRING, &ret->activations,
      N_ ("f32 (the default, exact to rounding) or int8 (as in normal use)"), N_ ("TYPE") },
    { "chunk", 0, 0, G_OPTION_ARG_INT, &ret->chunk, N_ ("Tokens in one batch; 0: all of them"), N_ ("N") },
    { "threads", 't', 0, G_OPTION_ARG_INT, &ret->n_threads, N_ ("Threads; 0: one for each core"), N_ ("N") },
    { "device", 0, 0, G_OPTION_ARG_STRING, &ret->device, N_ ("Where to compute; the best device is the default"),
      N_ ("ID") },
    { "isa", 0, 0, G_OPTION_ARG_STRING, &ret->isa, N_ ("Instruction set to compute with"), N_ ("NAME") },
    { "no-fusion", 0, 0, G_OPTION_ARG_NONE, &ret->no_fusion, N_ ("Run every operator by itself"), NULL },
    { NULL },
  };

  if (!woolly_bench_parse (&argc, &argv, entries, NULL,
                           _ ("Compares the logits of a model with those of a reference.")))
    return FALSE;
  if (argc == 1 && ret->model != NULL && ret->against != NULL && ret->chunk >= 0 && ret->n_threads >= 0)
    return TRUE;
  g_printerr (_ ("woolly-bench logits: wanted are -m FILE --against FILE.logits; “--help” lists the options\n"));
  return FALSE;
}

/* Index of @word; -1: it is none of them. */
static int
choose (const char *option, const char *word, const char *const *words)
{
  for (int i = 0; words[i] != NULL; i++)
    if (strcmp (word != NULL ? word : words[0], words[i]) == 0)
      return i;
  g_printerr (_ ("woolly-bench logits: %s cannot be “%s”\n"), option, word);
  return -1;
}

static gboolean
run (const Arguments *arguments, enum wlp_type type, gboolean float_activations, BenchAgreement *ret_agreement,
     GError **error)
{
  BenchEngineOptions options        = { .device            = arguments->device,
                                        .n_threads         = (guint)arguments->n_threads,
                                        .float_activations = float_activations,
                                        .no_fusion         = arguments->no_fusion,
                                        .isa               = arguments->isa };
  g_autoptr (BenchLogits) reference = bench_logits_read (arguments->against, error);
  g_autoptr (WlyGguf) gguf          = reference != NULL ? bench_model_open (arguments->model, error) : NULL;
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
  ours = bench_logits_compute (engine->network, reference->tokens, reference->n_tokens, type, (guint)arguments->chunk,
                               error);
  if (ours != NULL)
    *ret_agreement = bench_logits_compare (ours, reference);
  return ours != NULL;
}

int
woolly_bench_logits (int argc, char **argv)
{
  const char *const kv_words[]         = { "f32", "f16", "q8_0", NULL };
  const enum wlp_type kv_types[]       = { WLP_TYPE_F32, WLP_TYPE_F16, WLP_TYPE_Q8_0 };
  const char *const activation_words[] = { "f32", "int8", NULL };
  g_auto (Arguments) arguments         = { 0 };
  g_autoptr (GError) error             = NULL;
  BenchAgreement agreement             = { 0 };
  int kv;
  int activations;

  if (!parse (argc, argv, &arguments))
    return WOOLLY_BENCH_USAGE;
  kv          = choose ("--kv", arguments.kv, kv_words);
  activations = choose ("--activations", arguments.activations, activation_words);
  if (kv < 0 || activations < 0)
    return WOOLLY_BENCH_USAGE;
  if (!run (&arguments, kv_types[kv], activations == 0, &agreement, &error))
    return woolly_bench_fail (error);
  g_print ("nmse %.6g\nmax %.6g\ntop1 %.6g\n", agreement.nmse, agreement.max, agreement.top1);
  return WOOLLY_BENCH_OK;
}
