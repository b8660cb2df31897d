/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench: the engine in process, without a bus, to measure it and to check it.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

static const struct {
  const char *name;
  WoollyBenchVerb run;
  const char *summary;
} verbs[] = {
  { "dequantise", woolly_bench_dequantise, N_ ("write a model with all its weights as 32-bit floats") },
  { "kld", woolly_bench_kld, N_ ("compare what a model expects of a text with a reference") },
  { "limits", woolly_bench_limits, N_ ("measure what the machine can do at most") },
  { "logits", woolly_bench_logits, N_ ("compare the logits of a model with those of a reference") },
  { "speed", woolly_bench_speed, N_ ("measure prefill, decode, load and memory of a model") },
};

static void
print_help (void)
{
  g_print (_ ("Usage: woolly-bench VERB [OPTION…] [ARGUMENT…]\n\nVerbs:\n"));
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_print ("  %-12s  %s\n", verbs[i].name, _ (verbs[i].summary));
  g_print (_ ("\n“woolly-bench VERB --help” explains a verb; “woolly-bench --version” prints the version.\n"));
}

gboolean
woolly_bench_parse (int *argc, char ***argv, const GOptionEntry *entries, const GOptionEntry *more,
                    const char *arguments, const char *summary)
{
  g_autoptr (GOptionContext) context = g_option_context_new (arguments);
  g_autoptr (GError) error           = NULL;
  g_autofree char *name              = g_strconcat ("woolly-bench ", (*argv)[0], NULL);

  g_set_prgname (name); /* what --help shows */
  g_option_context_set_summary (context, summary);
  if (entries != NULL)
    g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  if (more != NULL)
    g_option_context_add_main_entries (context, more, GETTEXT_PACKAGE);
  if (g_option_context_parse (context, argc, argv, &error))
    return TRUE;
  g_printerr ("%s: %s\n", name, error->message);
  return FALSE;
}

int
woolly_bench_fail (const GError *error)
{
  g_printerr ("woolly-bench: %s\n", error->message);
  return WOOLLY_BENCH_FAILED;
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);

  if (argc < 2) {
    g_printerr (_ ("woolly-bench: no verb given; “woolly-bench --help” lists them\n"));
    return WOOLLY_BENCH_USAGE;
  }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0 || strcmp (argv[1], "help") == 0) {
    print_help ();
    return WOOLLY_BENCH_OK;
  }
  if (strcmp (argv[1], "--version") == 0) {
    g_print ("woolly-bench %s\n", WOOLLY_VERSION);
    return WOOLLY_BENCH_OK;
  }
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (strcmp (argv[1], verbs[i].name) == 0)
      return verbs[i].run (argc - 1, argv + 1);
  g_printerr (_ ("woolly-bench: there is no verb “%s”; “woolly-bench --help” lists them\n"), argv[1]);
  return WOOLLY_BENCH_USAGE;
}
