/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-json.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>
#include <string.h>

/* One line for each vector. */
static void
print_lines (const float *values, gsize n, guint dimensions)
{
  g_autoptr (GString) text = g_string_new (NULL);
  char number[G_ASCII_DTOSTR_BUF_SIZE];

  for (gsize i = 0; i < n; i++) {
    g_string_append (text, g_ascii_formatd (number, sizeof number, "%.9g", (double)values[i]));
    g_string_append_c (text, (i + 1) % dimensions == 0 ? '\n' : ' ');
  }
  woollyctl_output_text (text->str);
}

static void
print_json (const float *values, gsize n, guint dimensions)
{
  g_auto (GVariantBuilder) vectors = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aad"));
  g_auto (GVariantDict) dict       = G_VARIANT_DICT_INIT (NULL);

  for (gsize i = 0; i < n; i += dimensions) {
    g_variant_builder_open (&vectors, G_VARIANT_TYPE ("ad"));
    for (guint j = 0; j < dimensions; j++)
      g_variant_builder_add (&vectors, "d", (double)values[i + j]);
    g_variant_builder_close (&vectors);
  }
  g_variant_dict_insert (&dict, "dimensions", "u", dimensions);
  g_variant_dict_insert_value (&dict, "vectors", g_variant_builder_end (&vectors));
  woollyctl_json_print (g_variant_dict_end (&dict));
}

static gboolean
embed (WoollyModel *model, char **texts, GVariant *options, gboolean json, GError **error)
{
  guint dimensions         = 0;
  gsize n_bytes            = 0;
  g_autoptr (GBytes) bytes = woolly_model_embed (model, (const char *const *)texts, options, &dimensions,
                                                 woollyctl_signals_get_cancellable (), error);
  const float *values      = bytes != NULL ? g_bytes_get_data (bytes, &n_bytes) : NULL;

  if (bytes == NULL)
    return FALSE;
  if (json)
    print_json (values, n_bytes / sizeof *values, dimensions);
  else
    print_lines (values, n_bytes / sizeof *values, dimensions);
  return TRUE;
}

WoollyctlExit
woollyctl_embed (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = NULL;
  g_autoptr (WoollyClient) client      = NULL;
  g_autoptr (WoollyModel) model        = NULL;
  g_autoptr (GVariant) keys            = NULL;
  g_autoptr (GError) error             = NULL;
  g_autofree char *name                = NULL;
  gboolean json                        = FALSE;
  int status                           = WOOLLYCTL_OK;
  const GOptionEntry entries[]         = {
            { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print one object with all vectors"), NULL },
            { 0 },
  };

  options = woollyctl_options_new (N_ ("TEXT…"), N_ ("Turns each text into a vector, by a model that makes embeddings, "
                                                     "and prints it on a line of numbers."));
  woollyctl_options_add_model (options, &name);
  woollyctl_options_add (options, entries);
  woollyctl_options_add_scope (options, "EMBED");
  if (!woollyctl_options_parse (options, argc, argv, 1, 4096) || !woollyctl_options_check_rest (options))
    return WOOLLYCTL_USAGE;

  keys  = g_variant_ref_sink (woollyctl_options_get (options, "EMBED"));
  model = woollyctl_service_open_model (name, &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  if (!embed (model, woollyctl_options_get_rest (options), keys, json, &error))
    return woollyctl_output_fail (error);
  return WOOLLYCTL_OK;
}
