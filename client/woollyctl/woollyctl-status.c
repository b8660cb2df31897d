/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-json.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

typedef struct {
  gboolean running;
  guint64 in_use;
  guint64 budget;
  guint n_models;
  guint n_ready;
} Status;

static void
count_models (WoollyClient *client, Status *status)
{
  GListModel *models = woolly_client_get_models (client);

  status->n_models = g_list_model_get_n_items (models);
  for (guint i = 0; i < status->n_models; i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (models, i);

    status->n_ready += g_str_equal (woolly_model_get_state (model), "ready");
  }
}

static void
print_json (WoollyClient *client, const Status *status)
{
  g_auto (GVariantBuilder) row = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  g_variant_builder_add (&row, "{sv}", "running", g_variant_new_boolean (status->running));
  if (status->running) {
    g_variant_builder_add (&row, "{sv}", "version", g_variant_new_string (woolly_client_get_version (client)));
    g_variant_builder_add (&row, "{sv}", "interface-version",
                           g_variant_new_uint32 (woolly_client_get_interface_version (client)));
    g_variant_builder_add (&row, "{sv}", "models", g_variant_new_uint32 (status->n_models));
    g_variant_builder_add (&row, "{sv}", "models-in-memory", g_variant_new_uint32 (status->n_ready));
    g_variant_builder_add (&row, "{sv}", "memory-in-use", g_variant_new_uint64 (status->in_use));
    g_variant_builder_add (&row, "{sv}", "memory-budget", g_variant_new_uint64 (status->budget));
  }
  woollyctl_json_print (g_variant_builder_end (&row));
}

static void
print_status (WoollyClient *client, const Status *status)
{
  WoollyctlTable *table   = woollyctl_output_table_new ();
  g_autofree char *in_use = woollyctl_output_size (status->in_use);
  g_autofree char *budget = woollyctl_output_size (status->budget);
  g_autofree char *memory = g_strdup_printf (_ ("%s of %s"), in_use, budget);
  g_autofree char *models = g_strdup_printf (_ ("%u, %u of them in memory"), status->n_models, status->n_ready);

  woollyctl_output_table_add (table, _ ("Service:"), _ ("runs"), NULL);
  woollyctl_output_table_add (table, _ ("Version:"), woolly_client_get_version (client), NULL);
  woollyctl_output_table_add (table, _ ("Models:"), models, NULL);
  woollyctl_output_table_add (table, _ ("Memory:"), memory, NULL);
  woollyctl_output_table_print (table);
}

WoollyctlExit
woollyctl_status (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      NULL, N_ ("Shows whether the service runs, and what it holds in memory. Does not start it."));
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (GError) error        = NULL;
  gboolean json                   = FALSE;
  int exit_status                 = WOOLLYCTL_OK;
  Status status                   = { 0 };
  const GOptionEntry entries[]    = {
       { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print JSON"), NULL },
       { 0 },
  };

  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 0, 0))
    return WOOLLYCTL_USAGE;
  client = woollyctl_service_connect (WOOLLY_CLIENT_DO_NOT_START, &exit_status);
  if (client == NULL)
    return (WoollyctlExit)exit_status;

  status.running = woolly_client_get_running (client);
  count_models (client, &status);
  if (status.running
      && !woolly_client_fetch_memory (client, &status.in_use, &status.budget, woollyctl_signals_get_cancellable (),
                                      &error))
    return woollyctl_output_fail (error);
  if (json)
    print_json (client, &status);
  else if (status.running)
    print_status (client, &status);
  else
    woollyctl_output_text (_ ("The service does not run; the first request starts it.\n"));
  return WOOLLYCTL_OK;
}
