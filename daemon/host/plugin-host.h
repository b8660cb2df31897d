/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Finds, checks and opens plugins.
 *
 * A plugin's ELF note (kind, name, ABI) is read from the file before anything of it is run.  Plugins are never closed.
 */
#pragma once

#include "wly-cpu-topology.h"
#include "woolly-plugin/arch.h"
#include "woolly-plugin/backend.h"
#include "woolly-plugin/plugin.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  char *path;
  char *name; /* by the note; the file's stem where there is none */
  guint32 kind;
  gboolean usable;
  char *reason;                    /* why not */
  const struct wlp_plugin *plugin; /* NULL until wly_plugin_file_open() */
} WlyPluginFile;

/* Shared objects in the folders of WOOLLY_PLUGIN_PATH (colon-separated; a folder's arch/ and backend/ are looked at
 * too) or, where that is not set, in the installed ones; by name, the first folder wins.  Nothing is run. (transfer
 * full) array of WlyPluginFile*, freeing its items. */
GPtrArray *wly_plugin_host_list (void);

/* One file; never NULL.  Nothing is run. */
WlyPluginFile *wly_plugin_file_new (const char *path);
void wly_plugin_file_free (WlyPluginFile *file);

/* dlopen() and the checks that need it; FALSE: @file->reason says why not.  The object stays open for good. */
gboolean wly_plugin_file_open (WlyPluginFile *file);

/* Of opened ones; NULL: none. */
const struct wlp_arch_ops *wly_plugin_host_find_arch (GPtrArray *files, const char *architecture,
                                                      const char **ret_name);

/* Threads and CPUs of a plugin, for @n_threads (0: as many as are good for this machine) of @topology, which stays. */
void wly_host_choose_threads (const WlyCpuTopology *topology, guint n_threads, struct wlp_services *services);

/* The services that plugins get: log to the structured log, memory within @max_bytes (0: no limit), CPU list. */
typedef struct WlyHostServices WlyHostServices;
WlyHostServices *wly_host_services_new (guint n_threads, int nice, guint64 max_bytes);
void wly_host_services_free (WlyHostServices *services);
const struct wlp_services *wly_host_services_get (const WlyHostServices *services);
guint64 wly_host_services_allocated_bytes (const WlyHostServices *services);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyPluginFile, wly_plugin_file_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyHostServices, wly_host_services_free)

G_END_DECLS
