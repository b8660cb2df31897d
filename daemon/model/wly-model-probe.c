/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-model-probe.h"

static void
probed_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  GError *error          = NULL;
  GVariant *reply        = wly_prober_run_finish (WLY_PROBER (source), result, &error);

  if (reply != NULL)
    g_task_return_pointer (task, reply, (GDestroyNotify)g_variant_unref);
  else
    g_task_return_error (task, error);
}

static void
opened_cb (GObject *source, GAsyncResult *result, gpointer data)
{
  static const char *const arguments[] = { "model", NULL };
  g_autoptr (GTask) task               = data;
  GError *error                        = NULL;
  g_autoptr (GUnixFDList) fds          = wly_model_files_open_finish (result, &error);
  int n_fds;
  const int *list;

  if (fds == NULL) {
    g_task_return_error (task, error);
    return;
  }
  list = g_unix_fd_list_peek_fds (fds, &n_fds);
  wly_prober_run_async (g_task_get_task_data (task), arguments, list, (gsize)n_fds, g_task_get_cancellable (task),
                        probed_cb, g_object_ref (task));
}

void
wly_model_probe_run_async (WlyModelContext *context, WlyModelFiles *files, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);

  g_task_set_task_data (task, g_object_ref (context->prober), g_object_unref);
  wly_model_files_open_async (files, wly_settings_get_uint32 (context->settings, "limits", "file-ms"), opened_cb, task);
}

GVariant *
wly_model_probe_run_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
