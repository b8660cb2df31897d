/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-worker: started by woollyd, of no use to people.
 *
 *   woolly-worker --plugin PATH [--plugin PATH …]               serves org.woolly.Worker1 on descriptor 3
 *   woolly-worker --probe model --files N [--plugin PATH …]     looks at the files on descriptors 4 …
 *   woolly-worker --probe template --files N                    renders: descriptor 4 the template, 5 the body
 *   woolly-worker --probe plugin PATH
 */
#include "config.h"
#include "wly-fault.h"
#include "wly-os.h"
#include "wly-probe.h"
#include "wly-sanitizer.h"
#include "wly-seal.h"
#include "wly-worker-exit.h"
#include "wly-worker.h"
#include "woolly-names.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_FILES 64

static char **option_plugins;
static char *option_probe;
static int option_files = 1;
static char **option_rest;

static const GOptionEntry entries[] = {
  { "plugin", 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_plugins, "Open this plugin", "PATH" },
  { "probe", 0, 0, G_OPTION_ARG_STRING, &option_probe, "Look at a model, a template or a plugin",
    "model|template|plugin" },
  { "files", 0, 0, G_OPTION_ARG_INT, &option_files, "How many files the model has", "N" },
  { G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &option_rest, NULL, NULL },
  G_OPTION_ENTRY_NULL,
};

static int
fail_usage (const char *message)
{
  fprintf (stderr, "woolly-worker: %s\nThis program is started by woollyd.\n", message);
  return WLY_WORKER_EXIT_USAGE;
}

static GPtrArray *
open_plugins (void)
{
  GPtrArray *plugins = g_ptr_array_new_with_free_func ((GDestroyNotify)wly_plugin_file_free);

  for (gsize i = 0; option_plugins != NULL && option_plugins[i] != NULL; i++) {
    WlyPluginFile *file = wly_plugin_file_new (option_plugins[i]);

    if (!file->usable || !wly_plugin_file_open (file))
      g_warning ("plugin %s: %s", option_plugins[i], file->reason);
    g_ptr_array_add (plugins, file);
  }
  return plugins;
}

static int
seal_failed (GError *error)
{
  g_warning ("%s", error->message);
  g_error_free (error);
  return WLY_WORKER_EXIT_SEAL;
}

static int
probe (void)
{
  g_autoptr (GPtrArray) plugins = NULL;
  GError *error                 = NULL;

  if (g_str_equal (option_probe, "plugin"))
    return option_rest != NULL && option_rest[0] != NULL ? wly_probe_plugin (option_rest[0])
                                                         : fail_usage ("--probe plugin needs a path");
  if (g_str_equal (option_probe, "template") && option_files >= 2 && option_files <= MAX_FILES) {
    if (!wly_seal_process (WLY_SEAL_WORKER, &error))
      return seal_failed (error);
    return wly_probe_template ((guint)option_files);
  }
  if (!g_str_equal (option_probe, "model") || option_files < 1 || option_files > MAX_FILES)
    return fail_usage ("--probe is for a model of 1 to 64 files, a template, or a plugin");
  plugins = open_plugins ();
  if (!wly_seal_process (WLY_SEAL_WORKER, &error))
    return seal_failed (error);
  return wly_probe_model ((guint)option_files, plugins);
}

static int
serve (void)
{
  g_autoptr (GPtrArray) plugins  = open_plugins ();
  g_autoptr (WlyDevices) devices = wly_devices_new (plugins);
  GError *error                  = NULL;

  if (!wly_seal_process (WLY_SEAL_WORKER, &error))
    return seal_failed (error);
  if (wly_worker_serve (WOOLLY_WORKER_FD, plugins, devices, &error))
    return WLY_WORKER_EXIT_OK;
  g_warning ("descriptor %d: %s", WOOLLY_WORKER_FD, error->message);
  g_error_free (error);
  return WLY_WORKER_EXIT_USAGE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context = g_option_context_new ("- runs one model for woollyd");
  g_autoptr (GError) error           = NULL;
  int status;

  wly_os_die_with_parent (0);
#if !WLY_SANITIZED
  wly_os_keep_memory_private ();
#endif
  wly_fault_install ();
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error))
    return fail_usage (error->message);
  if (fcntl (WOOLLY_WORKER_FD, F_GETFD) < 0)
    return fail_usage ("descriptor 3 is not open");
  status = option_probe != NULL ? probe () : serve ();
  g_strfreev (option_plugins);
  g_strfreev (option_rest);
  g_free (option_probe);
  return status;
}
