/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-open.h"

typedef struct {
  WlyModelFiles *files;
  guint limit_ms;
  char **plugins;
} Open;

static void
open_free (gpointer data)
{
  Open *open = data;

  wly_model_files_unref (open->files);
  g_strfreev (open->plugins);
  g_free (open);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error          = NULL;
  GUnixFDList *fds       = wly_model_files_open_finish (result, &error);

  if (fds != NULL)
    g_task_return_pointer (task, fds, g_object_unref);
  else
    g_task_return_error (task, error);
}

static void
listed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  GTask *task               = data;
  Open *open                = g_task_get_task_data (task);
  g_autoptr (GVariant) list = wly_plugins_list_finish (WLY_PLUGINS (source), result, NULL);

  open->plugins = wly_plugins_usable_files (list);
  wly_model_files_open_async (open->files, open->limit_ms, opened_cb, task);
}

void
wly_model_open_async (WlyModelContext *context, WlyModelFiles *files, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, NULL, callback, user_data);
  Open *open  = g_new0 (Open, 1);

  open->files    = wly_model_files_ref (files);
  open->limit_ms = wly_settings_get_uint32 (context->settings, "limits", "file-ms");
  g_task_set_task_data (task, open, open_free);
  wly_plugins_list_async (context->plugins, listed_cb, task);
}

GUnixFDList *
wly_model_open_finish (GAsyncResult *result, char ***ret_plugins, GError **error)
{
  Open *open = g_task_get_task_data (G_TASK (result));

  *ret_plugins = g_steal_pointer (&open->plugins);
  return g_task_propagate_pointer (G_TASK (result), error);
}

GVariant *
wly_model_open_parameters (GUnixFDList *fds)
{
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));

  for (int i = 0; i < g_unix_fd_list_get_length (fds); i++)
    g_variant_builder_add (&handles, "h", i);
  return g_variant_new ("(ah)", &handles);
}
