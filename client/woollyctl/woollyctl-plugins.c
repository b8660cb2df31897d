/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-json.h"
#include "woollyctl-listing.h"
#include "woollyctl-output.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

static void
print_table (GVariant *plugins)
{
  WoollyctlTable *table = woollyctl_output_table_new ();
  GVariantIter iter;
  GVariant *row;

  woollyctl_output_table_add (table, _ ("PLUGIN"), _ ("VERSION"), _ ("KIND"), _ ("STATE"), _ ("FILE"),
                              _ ("WHAT IT IS, OR WHY NOT"), NULL);
  g_variant_iter_init (&iter, plugins);
  while (g_variant_iter_loop (&iter, "@a{sv}", &row)) {
    const char *name    = "";
    const char *release = "";
    const char *kind    = "";
    const char *state   = "";
    const char *file    = "";
    const char *summary = "";

    g_variant_lookup (row, "name", "&s", &name);
    g_variant_lookup (row, "release", "&s", &release);
    g_variant_lookup (row, "kind", "&s", &kind);
    g_variant_lookup (row, "state", "&s", &state);
    g_variant_lookup (row, "file", "&s", &file);
    if (!g_variant_lookup (row, "reason", "&s", &summary) || *summary == '\0')
      g_variant_lookup (row, "summary", "&s", &summary);
    woollyctl_output_table_add (table, *name != '\0' ? name : "?", release, kind, state, file, summary, NULL);
  }
  woollyctl_output_table_print (table);
}

WoollyctlExit
woollyctl_plugins (int argc, char **argv)
{
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (GVariant) plugins    = NULL;
  g_autoptr (GError) error        = NULL;
  gboolean json                   = FALSE;
  int status                      = WOOLLYCTL_OK;

  client = woollyctl_listing_begin (N_ ("Shows the plugins that the service found, and why one was refused."),
                                    WOOLLY_CLIENT_NONE, argc, argv, &json, &status);
  if (client == NULL)
    return (WoollyctlExit)status;
  plugins = woolly_client_list_plugins (client, woollyctl_signals_get_cancellable (), &error);
  if (plugins == NULL)
    return woollyctl_output_fail (error);
  if (json)
    woollyctl_json_print (plugins);
  else
    print_table (plugins);
  return WOOLLYCTL_OK;
}
