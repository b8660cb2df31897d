/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The plugin files that there are, and what a probe process found in each.
 *
 * Folders: those of WOOLLY_PLUGIN_PATH (colon-separated, each with its arch/ and backend/), else the installed ones; of
 * two files of one name the first folder's counts.  woollyd opens none of them: a probe does, once for each state of
 * the file, and again where it took too long.
 */
#pragma once

#include "wly-prober.h"

G_BEGIN_DECLS

#define WLY_TYPE_PLUGINS (wly_plugins_get_type ())
G_DECLARE_FINAL_TYPE (WlyPlugins, wly_plugins, WLY, PLUGINS, GObject)

WlyPlugins *wly_plugins_new (WlyProber *prober);

/* Lists the folders and has what is new or changed probed. */
void wly_plugins_list_async (WlyPlugins *plugins, GAsyncReadyCallback callback, gpointer user_data);

/* aa{sv}: scope PLUGIN, a row for each file, refused ones too. (transfer full) */
GVariant *wly_plugins_list_finish (WlyPlugins *plugins, GAsyncResult *result, GError **error);

/* Of such a list: the files of the usable ones, NULL-terminated. (transfer full) */
char **wly_plugins_usable_files (GVariant *list);

/* Of such a list: aa{sv}, scope DEVICE, the best first. (transfer full) */
GVariant *wly_plugins_devices (GVariant *list);

G_END_DECLS
