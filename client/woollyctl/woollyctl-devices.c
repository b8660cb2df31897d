/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-json.h"
#include "woollyctl-listing.h"
#include "woollyctl-output.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

static void
print_table (GVariant *devices)
{
  WoollyctlTable *table = woollyctl_output_table_new ();
  GVariantIter iter;
  GVariant *row;

  woollyctl_output_table_add (table, _ ("DEVICE"), _ ("BACKEND"), _ ("SCORE"), _ ("FREE"), _ ("MEMORY"),
                              _ ("DESCRIPTION"), _ ("FEATURES"), NULL);
  g_variant_iter_init (&iter, devices);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row)) {
    g_autofree char *score_text = NULL;
    g_autofree char *free_text  = NULL;
    g_autofree char *total_text = NULL;
    const char *id              = "";
    const char *backend         = "";
    const char *description     = "";
    const char *features        = "";
    guint32 score               = 0;
    guint64 free_bytes          = 0;
    guint64 total_bytes         = 0;

    g_variant_lookup (row, "id", "&s", &id);
    g_variant_lookup (row, "backend", "&s", &backend);
    g_variant_lookup (row, "description", "&s", &description);
    g_variant_lookup (row, "features", "&s", &features);
    g_variant_lookup (row, "score", "u", &score);
    g_variant_lookup (row, "memory-free", "t", &free_bytes);
    g_variant_lookup (row, "memory-total", "t", &total_bytes);
    score_text = g_strdup_printf ("%u", score);
    free_text  = woollyctl_output_size (free_bytes);
    total_text = woollyctl_output_size (total_bytes);
    woollyctl_output_table_add (table, id, backend, score_text, free_text, total_text, description, features, NULL);
  }
  woollyctl_output_table_print (table);
}

WoollyctlExit
woollyctl_devices (int argc, char **argv)
{
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (GVariant) devices    = NULL;
  g_autoptr (GError) error        = NULL;
  gboolean json                   = FALSE;
  int status                      = WOOLLYCTL_OK;

  client = woollyctl_listing_begin (N_ ("Shows what models can run on, the best first."), WOOLLY_CLIENT_NONE, argc,
                                    argv, &json, &status);
  if (client == NULL)
    return (WoollyctlExit)status;
  devices = woolly_client_list_devices (client, woollyctl_signals_get_cancellable (), &error);
  if (devices == NULL)
    return woollyctl_output_fail (error);
  if (json)
    woollyctl_json_print (devices);
  else
    print_table (devices);
  return WOOLLYCTL_OK;
}
