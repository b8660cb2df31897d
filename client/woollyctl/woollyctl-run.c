/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-answer.h"
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

/* The argument as it is; standard input without the newline that ends its last line. */
static GBytes *
read_prompt (const char *argument, GError **error)
{
  g_autoptr (GBytes) input = NULL;
  gsize n_bytes            = 0;
  const char *data;

  if (argument != NULL && !g_str_equal (argument, "-"))
    return g_bytes_new (argument, strlen (argument));
  if (isatty (STDIN_FILENO))
    woollyctl_output_error (_ ("reading the prompt; end it with Ctrl-D"));
  input = woollyctl_service_read_input (error);
  if (input == NULL)
    return NULL;
  data = g_bytes_get_data (input, &n_bytes);
  if (n_bytes > 0 && data[n_bytes - 1] == '\n')
    n_bytes--;
  return g_bytes_new_from_bytes (input, 0, n_bytes);
}

static WoollyctlExit
generate (WoollyClient *client, const char *name, WoollyInput *input, GVariant *options, gboolean json)
{
  g_autofree char *model                  = NULL;
  g_autoptr (WoollyGeneration) generation = NULL;
  g_autoptr (GError) error                = NULL;

  model = woollyctl_service_name_model (client, name, &error);
  if (model != NULL)
    generation = woolly_client_generate (client, model, input, options, woollyctl_signals_get_cancellable (), &error);
  return generation != NULL ? woollyctl_answer_print (generation, json) : woollyctl_output_fail (error);
}

WoollyctlExit
woollyctl_run (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = NULL;
  g_autoptr (WoollyClient) client      = NULL;
  g_autoptr (WoollyInput) input        = woolly_input_new ();
  g_autoptr (GVariant) generate_keys   = NULL;
  g_autoptr (GBytes) prompt            = NULL;
  g_autoptr (GError) error             = NULL;
  g_autofree char *model               = NULL;
  gboolean raw                         = FALSE;
  gboolean special                     = FALSE;
  gboolean json                        = FALSE;
  int status                           = WOOLLYCTL_OK;
  const GOptionEntry entries[]         = {
            { "raw", 0, 0, G_OPTION_ARG_NONE, &raw, N_ ("Continue the prompt as it is, without the chat template"), NULL },
            { "special", 0, 0, G_OPTION_ARG_NONE, &special,
              N_ ("With --raw: words that spell special tokens become those tokens"), NULL },
            { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("Print one object with the text and what it took"), NULL },
            { 0 },
  };

  options = woollyctl_options_new (N_ ("[PROMPT]"),
                                   N_ ("Generates once and prints the text alone, as it comes, with a newline at its "
                                       "end. Without PROMPT, or with -, the prompt is read from standard input."));
  woollyctl_options_add_model (options, &model);
  woollyctl_options_add (options, entries);
  woollyctl_options_add_scope (options, "GENERATE");
  if (!woollyctl_options_parse (options, argc, argv, 0, 1))
    return WOOLLYCTL_USAGE;
  if (special && !raw) {
    woollyctl_output_error (_ ("--special works with --raw only: in a message, words stay words"));
    return WOOLLYCTL_USAGE;
  }

  prompt = read_prompt (woollyctl_options_get_rest (options)[0], &error);
  if (prompt == NULL)
    return woollyctl_output_fail (error);
  if (raw)
    woolly_input_set_prompt_bytes (input, prompt);
  else
    woolly_input_add_message_bytes (input, "user", prompt);
  woolly_input_set_special (input, special);
  generate_keys = g_variant_ref_sink (woollyctl_options_get (options, "GENERATE"));

  client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, &status);
  return client != NULL ? generate (client, model, input, generate_keys, json) : (WoollyctlExit)status;
}
