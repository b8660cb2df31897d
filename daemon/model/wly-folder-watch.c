/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-folder-watch.h"

#include <gio/gio.h>

struct WlyFolderWatch {
  char *path;
  char *watched; /* the folder itself or the nearest one above it */
  GFileMonitor *monitor;
  WlyFolderWatchCb callback;
  gpointer user_data;
};

static gboolean aim (WlyFolderWatch *self);

static char *
nearest_folder (const char *path)
{
  char *folder = g_strdup (path);

  while (!g_file_test (folder, G_FILE_TEST_IS_DIR) && !g_str_equal (folder, "/") && !g_str_equal (folder, ".")) {
    char *above = g_path_get_dirname (folder);
    g_free (folder);
    folder = above;
  }
  return folder;
}

static gboolean
is_of_interest (GFileMonitorEvent event)
{
  switch (event) {
  case G_FILE_MONITOR_EVENT_CHANGES_DONE_HINT:
  case G_FILE_MONITOR_EVENT_CREATED:
  case G_FILE_MONITOR_EVENT_DELETED:
  case G_FILE_MONITOR_EVENT_RENAMED:
  case G_FILE_MONITOR_EVENT_MOVED_IN:
  case G_FILE_MONITOR_EVENT_MOVED_OUT:
  case G_FILE_MONITOR_EVENT_UNMOUNTED:
    return TRUE;
  default:
    return FALSE;
  }
}

static void
event_cb (GFileMonitor *monitor, GFile *file, GFile *other, GFileMonitorEvent event, gpointer data)
{
  WlyFolderWatch *self = data;
  gboolean was_there   = g_str_equal (self->watched, self->path);
  g_autofree char *of  = g_file_get_path (file);

  if (!is_of_interest (event))
    return;
  /* another folder of the same name may be there already: it is watched anew */
  if (event == G_FILE_MONITOR_EVENT_DELETED && g_strcmp0 (of, self->watched) == 0)
    g_clear_pointer (&self->watched, g_free);
  if (aim (self) || was_there)
    self->callback (self->user_data);
}

/* Watches what is the nearest folder now; TRUE where that is another one than before. */
static gboolean
aim (WlyFolderWatch *self)
{
  for (gboolean again = FALSE;; again = TRUE) {
    g_autofree char *folder = nearest_folder (self->path);
    g_autoptr (GFile) file  = NULL;

    /* once more after each move: it may have appeared before it was watched for */
    if (g_strcmp0 (folder, self->watched) == 0)
      return again;
    if (self->monitor != NULL) {
      g_signal_handlers_disconnect_by_data (self->monitor, self);
      g_file_monitor_cancel (self->monitor);
      g_clear_object (&self->monitor);
    }
    file          = g_file_new_for_path (folder);
    self->monitor = g_file_monitor_directory (file, G_FILE_MONITOR_WATCH_MOVES, NULL, NULL);
    if (self->monitor != NULL)
      g_signal_connect (self->monitor, "changed", G_CALLBACK (event_cb), self);
    g_free (self->watched);
    self->watched = g_steal_pointer (&folder);
  }
}

WlyFolderWatch *
wly_folder_watch_new (const char *path, WlyFolderWatchCb callback, gpointer user_data)
{
  WlyFolderWatch *self = g_new0 (WlyFolderWatch, 1);

  self->path      = g_strdup (path);
  self->callback  = callback;
  self->user_data = user_data;
  aim (self);
  return self;
}

void
wly_folder_watch_free (WlyFolderWatch *self)
{
  if (self == NULL)
    return;
  if (self->monitor != NULL) {
    g_signal_handlers_disconnect_by_data (self->monitor, self);
    g_file_monitor_cancel (self->monitor);
    g_clear_object (&self->monitor);
  }
  g_free (self->path);
  g_free (self->watched);
  g_free (self);
}
