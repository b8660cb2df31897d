/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woollyd: the process on the bus.
 */
#include "config.h"
#include "wly-service.h"
#include "woolly-names.h"

#include <glib-unix.h>
#include <locale.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* 256 requests and 1024 objects of callers, each with up to 64 descriptors that came with it. */
#define MIN_FDS 131072

static gboolean option_version;
static gboolean option_verbose;
static gboolean option_replace;
static char *option_config;

static const GOptionEntry entries[] = {
  { "config", 'c', 0, G_OPTION_ARG_FILENAME, &option_config, "Read this configuration file and no other", "FILE" },
  { "replace", 'r', 0, G_OPTION_ARG_NONE, &option_replace, "Take over from an instance that runs", NULL },
  { "verbose", 'v', 0, G_OPTION_ARG_NONE, &option_verbose, "Log more", NULL },
  { "version", 0, 0, G_OPTION_ARG_NONE, &option_version, "Print the version and exit", NULL },
  G_OPTION_ENTRY_NULL,
};

/* The journal with its fields where the log goes there, else lines on standard error. */
static GLogWriterOutput
log_writer (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  if ((level & (G_LOG_LEVEL_DEBUG | G_LOG_LEVEL_INFO)) != 0 && !option_verbose)
    return G_LOG_WRITER_HANDLED;
  if (g_log_writer_is_journald (fileno (stderr))
      && g_log_writer_journald (level, fields, n_fields, data) == G_LOG_WRITER_HANDLED)
    return G_LOG_WRITER_HANDLED;
  return g_log_writer_standard_streams (level, fields, n_fields, data);
}

static WlyService *service; /* while it runs */

static gboolean
terminate_cb (gpointer data)
{
  if (service != NULL)
    wly_service_stop (service);
  return G_SOURCE_CONTINUE;
}

static gboolean
reload_cb (gpointer data)
{
  if (service != NULL)
    wly_bus_reload (data);
  return G_SOURCE_CONTINUE;
}

static void
raise_fd_limit (void)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= MIN_FDS)
    return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? MIN_FDS : MIN ((rlim_t)MIN_FDS, limit.rlim_max);
  setrlimit (RLIMIT_NOFILE, &limit);
}

static int
run (WlyBus *bus, GDBusConnection *connection)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GError) error   = NULL;
  gboolean owned;

  /* From before it is seen on the bus, and never taken back: a signal outside of the loop would else kill it. */
  g_unix_signal_add (SIGTERM, terminate_cb, NULL);
  g_unix_signal_add (SIGINT, terminate_cb, NULL);
  g_unix_signal_add (SIGHUP, reload_cb, bus);
  service = wly_service_new (bus, connection, loop, option_replace, &owned, &error);
  if (service == NULL) {
    g_critical ("cannot own the name %s: %s", WOOLLY_BUS_NAME, error->message);
    return EXIT_FAILURE;
  }
  if (owned)
    g_main_loop_run (loop);
  else
    g_message ("an instance runs already; --replace takes over from it");
  g_clear_pointer (&service, wly_service_free);
  return EXIT_SUCCESS;
}

static void
prepare_process (void)
{
  /* no module of the desktop's file access is needed here, and each is memory and foreign code */
  g_setenv ("GIO_USE_VFS", "local", TRUE);
  g_setenv ("GIO_MODULE_DIR", "/nonexistent", FALSE);
  mallopt (M_ARENA_MAX, 2);
  raise_fd_limit ();
  /* requests pass through this memory; it stays open to /proc, though, by which it is measured and lowers its
   * children's place before the OOM killer */
  setrlimit (RLIMIT_CORE, &(struct rlimit){ 0, 0 });
}

int
main (int argc, char **argv)
{
  g_autoptr (GOptionContext) context     = g_option_context_new ("- the Woolly inference service");
  g_autoptr (GDBusConnection) connection = NULL;
  g_autoptr (WlySettings) settings       = NULL;
  g_autoptr (GError) error               = NULL;
  const char *file;
  WlyBus *bus;
  int status;

  setlocale (LC_ALL, "");
  prepare_process ();
  g_option_context_add_main_entries (context, entries, NULL);
  if (!g_option_context_parse (context, &argc, &argv, &error)) {
    fprintf (stderr, "woollyd: %s\n", error->message);
    return EXIT_FAILURE;
  }
  if (option_version) {
    printf ("woollyd %s\n", WOOLLY_VERSION);
    return EXIT_SUCCESS;
  }
  g_log_writer_default_set_use_stderr (TRUE);
  g_log_set_writer_func (log_writer, NULL, NULL);
  connection = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, &error);
  if (connection == NULL) {
    g_critical ("no session bus: %s", error->message);
    return EXIT_FAILURE;
  }
  g_dbus_connection_set_exit_on_close (connection, FALSE);
  settings = wly_settings_new ();
  file     = option_config != NULL ? option_config : g_getenv (WOOLLY_ENV_CONFIG);
  bus      = wly_bus_new (connection, settings, file, &error);
  if (bus == NULL) {
    g_critical ("cannot begin on the bus: %s", error->message);
    return EXIT_FAILURE;
  }
  status = run (bus, connection);
  wly_bus_free (bus);
  return status;
}
