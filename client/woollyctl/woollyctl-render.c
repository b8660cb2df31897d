/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

/* What the model's template, or the one in the file, makes of the input; (transfer full). */
static char *
render (WoollyClient *client, const char *name, const char *path, WoollyInput *input, GError **error)
{
  g_autoptr (WoollyModel) model = NULL;
  g_autofree char *source       = NULL;
  gsize n_bytes;

  if (path == NULL) {
    model = woollyctl_service_find_model (client, name, error);
    return model == NULL ? NULL : woolly_model_render (model, input, NULL, woollyctl_signals_get_cancellable (), error);
  }
  if (!g_file_get_contents (path, &source, &n_bytes, error))
    return NULL;
  if (!g_utf8_validate_len (source, n_bytes, NULL)) {
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_TEXT, _ ("%s is not valid UTF-8 text"), path);
    return NULL;
  }
  return woolly_client_render_template (client, source, input, NULL, woollyctl_signals_get_cancellable (), error);
}

WoollyctlExit
woollyctl_render (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = NULL;
  g_autoptr (WoollyClient) client      = NULL;
  g_autoptr (WoollyInput) input        = NULL;
  g_autoptr (GError) error             = NULL;
  g_autofree char *model               = NULL;
  g_autofree char *path                = NULL;
  g_autofree char *input_path          = NULL;
  g_autofree char *text                = NULL;
  int status                           = WOOLLYCTL_OK;
  const GOptionEntry entries[]         = {
            { "template", 0, 0, G_OPTION_ARG_FILENAME, &path, N_ ("A chat template that belongs to no model"), N_ ("FILE") },
            { "input", 0, 0, G_OPTION_ARG_FILENAME, &input_path,
              N_ ("The conversation: a JSON object with messages and what else the template reads; - is standard input"),
              N_ ("FILE") },
            { 0 },
  };

  options = woollyctl_options_new (NULL, N_ ("Prints the prompt that a chat template makes of a conversation, as it "
                                             "is, without generating. It fails where the template does."));
  woollyctl_options_add_model (options, &model);
  woollyctl_options_add (options, entries);
  if (!woollyctl_options_parse (options, argc, argv, 0, 0))
    return WOOLLYCTL_USAGE;
  if (input_path == NULL || (model != NULL && path != NULL)) {
    woollyctl_output_error (input_path == NULL ? _ ("--input FILE is missing")
                                               : _ ("the template is the model's, or that of --template, not both"));
    return WOOLLYCTL_USAGE;
  }
  input = woollyctl_service_read_conversation (input_path, &error);
  if (input == NULL)
    return woollyctl_output_fail (error);
  client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, &status);
  if (client == NULL)
    return (WoollyctlExit)status;
  text = render (client, model, path, input, &error);
  if (text == NULL)
    return woollyctl_output_fail (error);
  woollyctl_output_model_text (text);
  return WOOLLYCTL_OK;
}
