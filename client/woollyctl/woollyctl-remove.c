/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

WoollyctlExit
woollyctl_remove (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      N_ ("MODEL"), N_ ("Deletes a model's files from your model folder; files anywhere else are "
                        "never touched. Does not ask."));
  GCancellable *cancellable       = woollyctl_signals_get_cancellable ();
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (WoollyModel) model   = NULL;
  g_autoptr (WoollyAdmin) admin   = NULL;
  g_autoptr (GError) error        = NULL;
  int status                      = WOOLLYCTL_OK;

  if (!woollyctl_options_parse (options, argc, argv, 1, 1))
    return WOOLLYCTL_USAGE;
  client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, &status);
  if (client == NULL)
    return (WoollyctlExit)status;
  model = woolly_client_resolve_model (client, woollyctl_options_get_rest (options)[0], cancellable, &error);
  if (model == NULL)
    return woollyctl_output_fail (error);
  admin = woolly_admin_new (client);
  if (!woolly_admin_remove (admin, model, cancellable, &error))
    return woollyctl_output_fail (error);
  return WOOLLYCTL_OK;
}
