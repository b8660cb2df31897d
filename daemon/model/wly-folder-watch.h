/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Watches a folder that may not be there yet: then the nearest one above it is watched, without polling.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyFolderWatch WlyFolderWatch;
typedef void (*WlyFolderWatchCb) (gpointer user_data);

/* @path: absolute.  The callback comes for what is created, finished, renamed or removed in it. */
WlyFolderWatch *wly_folder_watch_new (const char *path, WlyFolderWatchCb callback, gpointer user_data);
void wly_folder_watch_free (WlyFolderWatch *watch);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyFolderWatch, wly_folder_watch_free)

G_END_DECLS
