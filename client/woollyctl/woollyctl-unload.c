/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

WoollyctlExit
woollyctl_unload (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      N_ ("MODEL"),
      N_ ("Takes a model out of memory whoever uses it. Open conversations go on when it is loaded again."));
  GCancellable *cancellable       = woollyctl_signals_get_cancellable ();
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (WoollyModel) model   = NULL;
  g_autoptr (WoollyAdmin) admin   = NULL;
  g_autoptr (GError) error        = NULL;
  gboolean force                  = FALSE;
  int status                      = WOOLLYCTL_OK;
  const GOptionEntry entries[]    = {
       { "force", 0, 0, G_OPTION_ARG_NONE, &force, N_ ("End what it generates, too"), NULL },
       { 0 },
  };

  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 1, 1))
    return WOOLLYCTL_USAGE;
  model = woollyctl_service_open_model (woollyctl_options_get_rest (options)[0], &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  admin = woolly_admin_new (client);
  if (!woolly_admin_unload (admin, model, force, cancellable, &error))
    return woollyctl_output_fail (error);
  return WOOLLYCTL_OK;
}
