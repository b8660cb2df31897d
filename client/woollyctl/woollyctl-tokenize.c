/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>
#include <string.h>

static gboolean
print_tokens (WoollyModel *model, GBytes *text, gboolean special, GError **error)
{
  g_autoptr (WoollyInput) input = woolly_input_new ();
  g_autoptr (GString) line      = g_string_new (NULL);
  g_auto (GVariantDict) options = G_VARIANT_DICT_INIT (NULL);
  g_autofree guint32 *tokens    = NULL;
  gsize n_tokens                = 0;

  woolly_input_set_prompt_bytes (input, text);
  if (special)
    g_variant_dict_insert (&options, "special", "b", TRUE);
  tokens = woolly_model_tokenize (model, input, g_variant_dict_end (&options), &n_tokens,
                                  woollyctl_signals_get_cancellable (), error);
  if (tokens == NULL)
    return FALSE;
  for (gsize i = 0; i < n_tokens; i++)
    g_string_append_printf (line, "%s%u", i > 0 ? " " : "", tokens[i]);
  g_string_append_c (line, '\n');
  woollyctl_output_text (line->str);
  return TRUE;
}

static gboolean
tokenize_all (WoollyModel *model, GBytes *input, gboolean separated, gboolean special, GError **error)
{
  gsize n_bytes    = 0;
  const char *data = g_bytes_get_data (input, &n_bytes);
  gsize start      = 0;

  for (guint number = 1; start <= n_bytes; number++) {
    const char *nul         = separated && start < n_bytes ? memchr (data + start, '\0', n_bytes - start) : NULL;
    gsize end               = nul != NULL ? (gsize)(nul - data) : n_bytes;
    g_autoptr (GBytes) text = g_bytes_new_from_bytes (input, start, end - start);

    if (!print_tokens (model, text, special, error)) {
      if (separated)
        g_prefix_error (error, _ ("text %u: "), number);
      return FALSE;
    }
    start = end + 1;
  }
  return TRUE;
}

WoollyctlExit
woollyctl_tokenize (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = NULL;
  g_autoptr (WoollyClient) client      = NULL;
  g_autoptr (WoollyModel) model        = NULL;
  g_autoptr (GBytes) input             = NULL;
  g_autoptr (GError) error             = NULL;
  g_autofree char *name                = NULL;
  gboolean separated                   = FALSE;
  gboolean special                     = FALSE;
  int status                           = WOOLLYCTL_OK;
  const GOptionEntry entries[]         = {
            { "null", '0', 0, G_OPTION_ARG_NONE, &separated, N_ ("Texts are separated by NUL; each has a line"), NULL },
            { "special", 0, 0, G_OPTION_ARG_NONE, &special, N_ ("Words that spell special tokens become those tokens"), NULL },
            { 0 },
  };

  options = woollyctl_options_new (NULL, N_ ("Reads text from standard input, every byte of it, and prints its token "
                                             "ids on a line, without those that begin and end a text for the model."));
  woollyctl_options_add_model (options, &name);
  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 0, 0))
    return WOOLLYCTL_USAGE;

  input = woollyctl_service_read_input (&error);
  if (input == NULL)
    return woollyctl_output_fail (error);
  model = woollyctl_service_open_model (name, &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  if (!tokenize_all (model, input, separated, special, &error))
    return woollyctl_output_fail (error);
  return WOOLLYCTL_OK;
}
