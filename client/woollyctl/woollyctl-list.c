/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-describe.h"
#include "woollyctl-json.h"
#include "woollyctl-listing.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"

#include <glib/gi18n.h>

static void
print_table (GListModel *models)
{
  WoollyctlTable *table = woollyctl_output_table_new ();

  woollyctl_output_table_add (table, _ ("MODEL"), _ ("ARCHITECTURE"), _ ("PARAMETERS"), _ ("TYPE"), _ ("SIZE"),
                              _ ("CONTEXT"), _ ("STATE"), NULL);
  for (guint i = 0; i < g_list_model_get_n_items (models); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (models, i);
    g_autofree char *parameters   = woollyctl_describe_count (woolly_model_get_parameters (model));
    g_autofree char *size         = woollyctl_output_size (woolly_model_get_size (model));
    g_autofree char *context      = g_strdup_printf ("%u", woolly_model_get_context_length (model));

    woollyctl_output_table_add (table, woolly_model_get_id (model), woolly_model_get_architecture (model), parameters,
                                woolly_model_get_quantization (model), size, context, woolly_model_get_state (model),
                                NULL);
  }
  woollyctl_output_table_print (table);
}

WoollyctlExit
woollyctl_list (int argc, char **argv)
{
  g_autoptr (WoollyClient) client = NULL;
  gboolean json                   = FALSE;
  int status                      = WOOLLYCTL_OK;

  client = woollyctl_listing_begin (N_ ("Lists the models of the catalogue, those that cannot be used, too."),
                                    WOOLLY_CLIENT_NONE, argc, argv, &json, &status);
  if (client == NULL)
    return (WoollyctlExit)status;
  woollyctl_service_settle (client, NULL);
  if (json)
    woollyctl_json_print (woollyctl_describe_models (woolly_client_get_models (client)));
  else
    print_table (woolly_client_get_models (client));
  return WOOLLYCTL_OK;
}
