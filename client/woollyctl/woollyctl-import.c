/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-progress.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define LOOK_EVERY_MS 250

static gboolean
tick_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

static gboolean
wait_for_job (WoollyJob *job, GError **error)
{
  GCancellable *cancellable    = woollyctl_signals_get_cancellable ();
  guint tick                   = g_timeout_add (LOOK_EVERY_MS, tick_cb, NULL);
  gboolean going_on            = woolly_job_refresh (job, cancellable, error);
  g_autoptr (GError) job_error = NULL;

  while (going_on && g_str_equal (woolly_job_get_state (job), "running")) {
    guint64 done  = 0;
    guint64 total = 0;

    woolly_job_get_progress (job, &done, &total);
    woollyctl_progress_show (_ ("Copying"), done, total);
    g_main_context_iteration (NULL, TRUE);
    going_on = !g_cancellable_set_error_if_cancelled (cancellable, error);
  }
  woollyctl_progress_clear ();
  g_source_remove (tick);
  if (!going_on) {
    woolly_job_cancel (job, NULL, NULL);
    return FALSE;
  }
  job_error = woolly_job_dup_error (job);
  if (job_error != NULL)
    g_propagate_error (error, g_steal_pointer (&job_error));
  else if (!g_str_equal (woolly_job_get_state (job), "done"))
    g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_CANCELLED, _ ("the import was cancelled"));
  else
    return TRUE;
  return FALSE;
}

static WoollyctlExit
import_file (WoollyClient *client, int fd, const char *name)
{
  GCancellable *cancellable      = woollyctl_signals_get_cancellable ();
  g_autoptr (WoollyAdmin) admin  = woolly_admin_new (client);
  g_auto (GVariantDict) settings = G_VARIANT_DICT_INIT (NULL);
  g_autoptr (WoollyJob) job      = NULL;
  g_autoptr (WoollyModel) model  = NULL;
  g_autoptr (GError) error       = NULL;
  g_autofree char *line          = NULL;

  g_variant_dict_insert (&settings, "name", "s", name);
  job = woolly_admin_import (admin, fd, g_variant_dict_end (&settings), cancellable, &error);
  if (job == NULL || !wait_for_job (job, &error))
    return woollyctl_output_fail (error);
  model = woolly_client_resolve_model (client, woolly_job_get_model (job), cancellable, &error);
  woolly_job_release (job);
  if (model == NULL)
    return woollyctl_output_fail (error);
  line = g_strconcat (woolly_model_get_id (model), "\n", NULL);
  woollyctl_output_text (line);
  return WOOLLYCTL_OK;
}

WoollyctlExit
woollyctl_import (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      N_ ("FILE"), N_ ("Copies a model file into the model folder and prints the id that it has from now on."));
  g_autoptr (WoollyClient) client = NULL;
  g_autofree char *name           = NULL;
  g_autofree char *base           = NULL;
  int status                      = WOOLLYCTL_OK;
  const GOptionEntry entries[]    = {
       { "name", 0, 0, G_OPTION_ARG_STRING, &name, N_ ("Name of the copy, without a folder"), N_ ("NAME") },
       { 0 },
  };
  const char *path;
  int fd;

  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 1, 1))
    return WOOLLYCTL_USAGE;
  path = woollyctl_options_get_rest (options)[0];
  fd   = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) {
    woollyctl_output_error (_ ("the file “%s” cannot be opened: %s"), path, g_strerror (errno));
    return WOOLLYCTL_FAILED;
  }
  base   = g_path_get_basename (path);
  client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, &status);
  if (client != NULL && name == NULL && !g_utf8_validate (base, -1, NULL)) {
    woollyctl_output_error (_ ("the file's name is not valid UTF-8; give another one with --name"));
    status = WOOLLYCTL_FAILED;
  } else if (client != NULL) {
    status = (int)import_file (client, fd, name != NULL ? name : base);
  }
  close (fd);
  return (WoollyctlExit)status;
}
