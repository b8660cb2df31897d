/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-describe.h"
#include "woollyctl-json.h"
#include "woollyctl-listing.h"
#include "woollyctl-output.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

static const char *const in_memory[] = { "opening", "opened", "loading", "ready", "unloading", NULL };

/* "editor: 2 sessions, 1 generation; …" */
static char *
describe_users (GVariant *users)
{
  g_autoptr (GString) out = g_string_new (NULL);
  GVariantIter iter;
  GVariant *user;

  g_variant_iter_init (&iter, users);
  while (g_variant_iter_loop (&iter, "@a{sv}", &user)) {
    guint32 sessions    = 0;
    guint32 generations = 0;
    guint32 holds       = 0;
    const char *app     = "?";

    g_variant_lookup (user, "app", "&s", &app);
    g_variant_lookup (user, "sessions", "u", &sessions);
    g_variant_lookup (user, "generations", "u", &generations);
    g_variant_lookup (user, "holds", "u", &holds);
    g_string_append_printf (out, _ ("%s%s (sessions %u, generations %u, holds %u)"), out->len > 0 ? ", " : "", app,
                            sessions, generations, holds);
  }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

static GVariant *
fetch_users (WoollyModel *model)
{
  g_autoptr (GError) error = NULL;
  GVariant *users          = woolly_model_list_users (model, woollyctl_signals_get_cancellable (), &error);

  if (users == NULL)
    g_debug ("The users of %s are not told: %s", woolly_model_get_id (model), error->message);
  return users != NULL ? users : g_variant_ref_sink (g_variant_new_array (G_VARIANT_TYPE_VARDICT, NULL, 0));
}

static void
print_json (GPtrArray *models)
{
  g_auto (GVariantBuilder) rows = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; i < models->len; i++) {
    g_autoptr (GVariant) users = fetch_users (models->pdata[i]);

    g_variant_builder_open (&rows, G_VARIANT_TYPE_VARDICT);
    woollyctl_describe_model (models->pdata[i], &rows);
    g_variant_builder_add (&rows, "{sv}", "users", users);
    g_variant_builder_close (&rows);
  }
  woollyctl_json_print (g_variant_builder_end (&rows));
}

static void
print_table (GPtrArray *models)
{
  WoollyctlTable *table = woollyctl_output_table_new ();

  woollyctl_output_table_add (table, _ ("MODEL"), _ ("STATE"), _ ("MEMORY"), _ ("DEVICE"), _ ("REQUESTS"), _ ("USERS"),
                              NULL);
  for (guint i = 0; i < models->len; i++) {
    WoollyModel *model         = models->pdata[i];
    g_autofree char *memory    = woollyctl_output_size (woolly_model_get_memory_in_use (model));
    g_autofree char *requests  = g_strdup_printf ("%u", woolly_model_get_queue_length (model));
    g_autoptr (GVariant) users = fetch_users (model);
    g_autofree char *who       = describe_users (users);

    woollyctl_output_table_add (table, woolly_model_get_id (model), woolly_model_get_state (model), memory,
                                woolly_model_get_device (model), requests, who, NULL);
  }
  woollyctl_output_table_print (table);
}

WoollyctlExit
woollyctl_ps (int argc, char **argv)
{
  g_autoptr (GPtrArray) loaded    = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (WoollyClient) client = NULL;
  gboolean json                   = FALSE;
  int status                      = WOOLLYCTL_OK;

  client = woollyctl_listing_begin (
      N_ ("Shows the models in memory, and which programs use them. Does not start the service."),
      WOOLLY_CLIENT_DO_NOT_START, argc, argv, &json, &status);
  if (client == NULL)
    return (WoollyctlExit)status;

  for (guint i = 0; i < g_list_model_get_n_items (woolly_client_get_models (client)); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (woolly_client_get_models (client), i);

    if (g_strv_contains (in_memory, woolly_model_get_state (model)))
      g_ptr_array_add (loaded, g_steal_pointer (&model));
  }
  if (json)
    print_json (loaded);
  else
    print_table (loaded);
  return WOOLLYCTL_OK;
}
