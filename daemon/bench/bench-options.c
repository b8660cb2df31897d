/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-options.h"
#include "wly-cpu-topology.h"

#include <glib/gi18n.h>
#include <string.h>

GOptionEntry *
bench_options_entries (BenchOptions *options, const char *kv, const char *activations)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &options->model, N_ ("The model"), N_ ("FILE") },
    { "threads", 't', 0, G_OPTION_ARG_INT, &options->n_threads, N_ ("Threads; 0: one for each core"), N_ ("N") },
    { "kv", 0, 0, G_OPTION_ARG_STRING, &options->kv, kv, N_ ("TYPE") },
    { "activations", 0, 0, G_OPTION_ARG_STRING, &options->activations, activations, N_ ("TYPE") },
    { "device", 0, 0, G_OPTION_ARG_STRING, &options->device, N_ ("Where to compute; the best device is the default"),
      N_ ("ID") },
    { "isa", 0, 0, G_OPTION_ARG_STRING, &options->isa, N_ ("Instruction set to compute with"), N_ ("NAME") },
    { "pack", 0, 0, G_OPTION_ARG_STRING, &options->pack, N_ ("Whether weights are packed: auto (the default), 1 or 0"),
      N_ ("MODE") },
    { "no-fusion", 0, 0, G_OPTION_ARG_NONE, &options->no_fusion, N_ ("Run every operator by itself"), NULL },
    { NULL },
  };

  return g_memdup2 (entries, sizeof entries);
}

void
bench_options_clear (BenchOptions *options)
{
  g_free (options->model);
  g_free (options->kv);
  g_free (options->activations);
  g_free (options->device);
  g_free (options->isa);
  g_free (options->pack);
}

/* Index of @word; -1: it is none of them. */
static int
choose_word (const char *verb, const char *option, const char *word, const char *const *words)
{
  for (int i = 0; words[i] != NULL; i++)
    if (strcmp (word, words[i]) == 0)
      return i;
  g_printerr (_ ("woolly-bench %s: %s cannot be “%s”\n"), verb, option, word);
  return -1;
}

gboolean
bench_options_choose (const BenchOptions *options, const char *verb, const char *kv, const char *activations,
                      BenchChoice *ret_choice)
{
  static const char *const kv_words[]         = { "f32", "f16", "q8_0", NULL };
  static const char *const activation_words[] = { "f32", "int8", NULL };
  const enum wlp_type kv_types[]              = { WLP_TYPE_F32, WLP_TYPE_F16, WLP_TYPE_Q8_0 };
  const int the_kv          = choose_word (verb, "--kv", options->kv != NULL ? options->kv : kv, kv_words);
  const int the_activations = choose_word (
      verb, "--activations", options->activations != NULL ? options->activations : activations, activation_words);

  if (the_kv < 0 || the_activations < 0)
    return FALSE;
  *ret_choice =
      (BenchChoice){ .engine  = { .device    = options->device,
                                  .n_threads = options->n_threads != 0 ? (guint)options->n_threads : wly_cpu_n_cores (),
                                  .float_activations = the_activations == 0,
                                  .no_fusion         = options->no_fusion,
                                  .isa               = options->isa,
                                  .pack              = options->pack },
                     .kv      = kv_types[the_kv],
                     .kv_name = kv_words[the_kv] };
  return TRUE;
}

GArray *
bench_options_numbers (const char *verb, const char *option, const char *text, guint min, guint max)
{
  g_auto (GStrv) words      = g_strsplit (text, ",", -1);
  g_autoptr (GArray) result = g_array_new (FALSE, FALSE, sizeof (guint));

  for (guint i = 0; words[i] != NULL; i++) {
    guint64 number;
    guint value;

    if (!g_ascii_string_to_unsigned (words[i], 10, min, max, &number, NULL)) {
      g_printerr (_ ("woolly-bench %s: %s is a list of numbers from %u to %u, as in 8,32,512; “%s” is none\n"), verb,
                  option, min, max, words[i]);
      return NULL;
    }
    value = (guint)number;
    g_array_append_val (result, value);
  }
  if (result->len == 0) {
    g_printerr (_ ("woolly-bench %s: %s needs at least one number\n"), verb, option);
    return NULL;
  }
  return g_steal_pointer (&result);
}
