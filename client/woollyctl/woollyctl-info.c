/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-describe.h"
#include "woollyctl-json.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

/* A file may say anything of itself: it stays one line, and does nothing to a terminal. */
static void
add_line (WoollyctlTable *table, const char *name, const char *value)
{
  g_autoptr (GString) line = g_string_new (NULL);

  for (const char *at = value; *at != '\0'; at = g_utf8_next_char (at)) {
    gunichar c = g_utf8_get_char (at);
    g_string_append_unichar (line, g_unichar_iscntrl (c) ? ' ' : c);
  }
  if (line->len > 0)
    woollyctl_output_table_add (table, name, line->str, NULL);
}

/* Of what nobody knows nothing is said. */
static void
add_number (WoollyctlTable *table, const char *name, guint value)
{
  g_autofree char *text = g_strdup_printf ("%u", value);

  if (value > 0)
    add_line (table, name, text);
}

static void
print_info (WoollyModel *model, GVariant *estimate)
{
  WoollyctlTable *table         = woollyctl_output_table_new ();
  guint64 n_parameters          = woolly_model_get_parameters (model);
  g_autofree char *parameters   = n_parameters > 0 ? woollyctl_describe_count (n_parameters) : g_strdup ("");
  g_autofree char *size         = woollyctl_output_size (woolly_model_get_size (model));
  g_autofree char *memory       = woollyctl_output_size (woolly_model_get_memory_in_use (model));
  g_auto (GStrv) files          = woolly_model_dup_files (model);
  g_auto (GStrv) capabilities   = woolly_model_dup_capabilities (model);
  g_autofree char *capable      = g_strjoinv (", ", capabilities);
  g_autoptr (GError) last_error = woolly_model_dup_last_error (model);
  gboolean fits                 = TRUE;

  add_line (table, _ ("Model:"), woolly_model_get_id (model));
  add_line (table, _ ("Name:"), woolly_model_get_name (model));
  for (guint i = 0; files[i] != NULL; i++)
    add_line (table, i == 0 ? _ ("Files:") : "", files[i]);
  add_line (table, _ ("Architecture:"), woolly_model_get_architecture (model));
  add_line (table, _ ("Parameters:"), parameters);
  add_line (table, _ ("Type:"), woolly_model_get_quantization (model));
  add_line (table, _ ("Size:"), size);
  add_number (table, _ ("Context:"), woolly_model_get_context_length (model));
  add_number (table, _ ("Vocabulary:"), woolly_model_get_vocabulary_size (model));
  add_line (table, _ ("Pooling:"), woolly_model_get_pooling (model));
  add_line (table, _ ("Capabilities:"), capable);
  add_line (table, _ ("Organization:"), woolly_model_get_organization (model));
  add_line (table, _ ("Description:"), woolly_model_get_description (model));
  add_line (table, _ ("URL:"), woolly_model_get_url (model));
  add_line (table, _ ("License:"), woolly_model_get_license (model));
  add_line (table, _ ("State:"), woolly_model_get_state (model));
  add_line (table, _ ("Device:"), woolly_model_get_device (model));
  add_line (table, _ ("Memory:"), memory);
  if (estimate != NULL && g_variant_lookup (estimate, "fits", "b", &fits))
    add_line (table, _ ("Fits:"), fits ? _ ("yes") : _ ("no"));
  if (last_error != NULL)
    add_line (table, _ ("Last error:"), last_error->message);
  woollyctl_output_table_print (table);
}

/* A script must not take a file that cannot be read for a model: what is known is printed, and it fails. */
static WoollyctlExit
report_failure (WoollyModel *model)
{
  g_autoptr (GError) error = NULL;

  if (!g_str_equal (woolly_model_get_state (model), "failed"))
    return WOOLLYCTL_OK;
  error = woolly_model_dup_last_error (model);
  if (error == NULL)
    error = g_error_new_literal (WOOLLY_ERROR, WOOLLY_ERROR_FAILED, _ ("the model cannot be read"));
  return woollyctl_output_fail (error);
}

static void
print_json (WoollyModel *model, GVariant *estimate)
{
  g_auto (GVariantBuilder) row = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  woollyctl_describe_model (model, &row);
  if (estimate != NULL)
    g_variant_builder_add (&row, "{sv}", "estimate", estimate);
  woollyctl_json_print (g_variant_builder_end (&row));
}

WoollyctlExit
woollyctl_info (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options =
      woollyctl_options_new (N_ ("[MODEL]"), N_ ("Shows all that is known of a model: an id, a name, or a file, with a "
                                                 "slash in it. Without MODEL, of the default one."));
  GCancellable *cancellable       = woollyctl_signals_get_cancellable ();
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (WoollyModel) model   = NULL;
  g_autoptr (GVariant) estimate   = NULL;
  gboolean json                   = FALSE;
  int status                      = WOOLLYCTL_OK;
  const GOptionEntry entries[]    = {
       { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print JSON"), NULL },
       { 0 },
  };

  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 0, 1))
    return WOOLLYCTL_USAGE;
  model = woollyctl_service_open_model (woollyctl_options_get_rest (options)[0], &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  woollyctl_service_settle (client, model);
  /* Of a model that cannot be used there is no estimate; the rest is known all the same. */
  estimate = woolly_client_estimate_model (client, woolly_model_get_object_path (model), NULL, cancellable, NULL);
  if (json)
    print_json (model, estimate);
  else
    print_info (model, estimate);
  return report_failure (model);
}
