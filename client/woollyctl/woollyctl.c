/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woollyctl: the service for people and scripts. Only libwoolly is behind it.
 */
#include "woollyctl-cmds.h"
#include "woollyctl-near.h"
#include "woollyctl-output.h"
#include "woollyctl-signals.h"

#include "config.h"

#include <gio/gio.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <string.h>

static const struct {
  const char *name;
  WoollyctlVerb run;
  const char *summary;
} verbs[] = {
  { "run", woollyctl_run, N_ ("generate once") },
  { "chat", woollyctl_chat, N_ ("talk to a model") },
  { "list", woollyctl_list, N_ ("models that there are") },
  { "ps", woollyctl_ps, N_ ("models in memory, and who uses them") },
  { "info", woollyctl_info, N_ ("all that is known of a model") },
  { "load", woollyctl_load, N_ ("bring a model into memory") },
  { "unload", woollyctl_unload, N_ ("take a model out of memory") },
  { "tokenize", woollyctl_tokenize, N_ ("turn texts into token ids") },
  { "render", woollyctl_render, N_ ("write a conversation as a chat template does") },
  { "embed", woollyctl_embed, N_ ("turn texts into vectors") },
  { "rerank", woollyctl_rerank, N_ ("order documents by how well they answer a query") },
  { "plugins", woollyctl_plugins, N_ ("plugins that were found, and why one was refused") },
  { "devices", woollyctl_devices, N_ ("what models can run on") },
  { "import", woollyctl_import, N_ ("copy a model file into the model folder") },
  { "remove", woollyctl_remove, N_ ("delete a model from the model folder") },
  { "status", woollyctl_status, N_ ("whether the service runs, and what it holds") },
};

static void
print_help (void)
{
  g_autoptr (GString) help = g_string_new (_ ("Usage: woollyctl VERB [OPTION…] [ARGUMENT…]\n\nVerbs:\n"));

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    g_string_append_printf (help, "  %-10s %s\n", verbs[i].name, _ (verbs[i].summary));
  g_string_append (help, _ ("\n“woollyctl VERB --help” explains a verb; “woollyctl --version” prints the version.\n"));
  woollyctl_output_text (help->str);
}

static WoollyctlExit
unknown_verb (const char *name)
{
  const char *names[G_N_ELEMENTS (verbs) + 1] = { NULL };
  const char *near;

  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    names[i] = verbs[i].name;
  near = woollyctl_near (name, names);
  if (near != NULL)
    woollyctl_output_error (_ ("there is no verb “%s”; did you mean “%s”?"), name, near);
  else
    woollyctl_output_error (_ ("there is no verb “%s”; “woollyctl --help” lists them"), name);
  return WOOLLYCTL_USAGE;
}

static WoollyctlExit
run_verb (int argc, char **argv)
{
  for (gsize i = 0; i < G_N_ELEMENTS (verbs); i++)
    if (g_str_equal (argv[0], verbs[i].name))
      return verbs[i].run (argc, argv);
  return unknown_verb (argv[0]);
}

int
main (int argc, char **argv)
{
  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_prgname ("woollyctl");

  if (argc < 2) {
    woollyctl_output_error (_ ("no verb given; “woollyctl --help” lists them"));
    return WOOLLYCTL_USAGE;
  }
  if (g_str_equal (argv[1], "--help") || g_str_equal (argv[1], "-h") || g_str_equal (argv[1], "help")) {
    if (g_str_equal (argv[1], "help") && argc > 2) {
      char *help[] = { argv[2], (char *)"--help", NULL };

      return run_verb (2, help);
    }
    print_help ();
    return WOOLLYCTL_OK;
  }
  if (g_str_equal (argv[1], "--version")) {
    woollyctl_output_text ("woollyctl " WOOLLY_VERSION "\n");
    return WOOLLYCTL_OK;
  }
  woollyctl_signals_init ();
  return run_verb (argc - 1, argv + 1);
}
