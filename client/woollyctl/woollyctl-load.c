/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-cmds.h"
#include "woollyctl-options.h"
#include "woollyctl-output.h"
#include "woollyctl-progress.h"
#include "woollyctl-service.h"
#include "woollyctl-signals.h"

#include <glib/gi18n.h>

#define LOOK_EVERY_MS 250

/* The states on the way; all others end the waiting. */
static const char *const on_the_way[] = { "available", "unknown", "opening", "opened", "loading", NULL };

static gboolean
tick_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

/* Signals of the model come while the main context runs; the tick lets Ctrl-C be seen. */
static gboolean
wait_until_loaded (WoollyModel *model, GError **error)
{
  GCancellable *cancellable     = woollyctl_signals_get_cancellable ();
  guint tick                    = g_timeout_add (LOOK_EVERY_MS, tick_cb, NULL);
  g_autoptr (GError) last_error = NULL;
  gboolean cancelled            = FALSE;

  while (!cancelled && g_strv_contains (on_the_way, woolly_model_get_state (model))) {
    woollyctl_progress_show (_ ("Loading the model"), (guint64)(woolly_model_get_load_progress (model) * 1000), 1000);
    g_main_context_iteration (NULL, TRUE);
    cancelled  = g_cancellable_set_error_if_cancelled (cancellable, error);
    last_error = woolly_model_dup_last_error (model);
    if (last_error != NULL && g_str_equal (woolly_model_get_state (model), "available"))
      break;
    g_clear_error (&last_error);
  }
  woollyctl_progress_clear ();
  g_source_remove (tick);
  if (cancelled || g_str_equal (woolly_model_get_state (model), "ready"))
    return !cancelled;
  if (last_error == NULL)
    last_error = woolly_model_dup_last_error (model);
  if (last_error != NULL)
    g_propagate_error (error, g_steal_pointer (&last_error));
  else
    g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_FAILED, _ ("the model is “%s” and cannot be loaded"),
                 woolly_model_get_state (model));
  return FALSE;
}

WoollyctlExit
woollyctl_load (int argc, char **argv)
{
  g_autoptr (WoollyctlOptions) options = woollyctl_options_new (
      N_ ("[MODEL]"), N_ ("Brings a model into memory and returns when it is there. It stays for as long as the "
                          "service keeps models warm; with --hold, until this program ends."));
  GCancellable *cancellable       = woollyctl_signals_get_cancellable ();
  g_autoptr (WoollyClient) client = NULL;
  g_autoptr (WoollyModel) model   = NULL;
  g_autoptr (GError) error        = NULL;
  gboolean hold                   = FALSE;
  int status                      = WOOLLYCTL_OK;
  const GOptionEntry entries[]    = {
       { "hold", 0, 0, G_OPTION_ARG_NONE, &hold, N_ ("Keep it there until Ctrl-C"), NULL },
       { 0 },
  };

  woollyctl_options_add (options, entries);
  woollyctl_options_add_scope (options, "LOAD");
  if (!woollyctl_options_parse (options, argc, argv, 0, 1))
    return WOOLLYCTL_USAGE;
  model = woollyctl_service_open_model (woollyctl_options_get_rest (options)[0], &client, &status);
  if (model == NULL)
    return (WoollyctlExit)status;
  if (!woolly_model_load (model, woollyctl_options_get (options, "LOAD"), cancellable, &error)
      || !woolly_model_refresh (model, cancellable, &error) || !wait_until_loaded (model, &error))
    return woollyctl_output_fail (error);
  if (hold) {
    woollyctl_output_error (_ ("%s is held; Ctrl-C lets go"), woolly_model_get_id (model));
    while (!g_cancellable_is_cancelled (cancellable))
      g_usleep (LOOK_EVERY_MS * 1000);
  }
  return WOOLLYCTL_OK;
}
