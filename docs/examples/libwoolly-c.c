/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The same from C: cc libwoolly-c.c $(pkg-config --cflags --libs woolly-1)
 */
#include <stdio.h>
#include <woolly.h>

static void
list_models (WoollyClient *client)
{
  GListModel *models = woolly_client_get_models (client);

  for (guint i = 0; i < g_list_model_get_n_items (models); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (models, i);

    fprintf (stderr, "%s %s\n", woolly_model_get_id (model), woolly_model_get_state (model));
  }
}

static gboolean
print_answer (WoollyStream *stream, GError **error)
{
  g_autoptr (GError) local = NULL;

  while (TRUE) {
    g_autoptr (WoollyEvent) event = woolly_stream_read (stream, NULL, &local);

    if (event == NULL)
      break;
    if (woolly_event_get_kind (event) == WOOLLY_EVENT_TEXT) {
      fputs (woolly_event_get_text (event), stdout);
      fflush (stdout);
    }
  }
  putchar ('\n');
  if (local == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}

static gboolean
ask (const char *question, GError **error)
{
  g_autoptr (WoollyClient) client         = woolly_client_new (NULL, WOOLLY_CLIENT_NONE, NULL, error);
  g_autoptr (WoollyInput) input           = woolly_input_new_for_message ("user", question);
  g_autoptr (WoollySession) session       = NULL;
  g_autoptr (WoollyGeneration) generation = NULL;
  g_auto (GVariantDict) options           = G_VARIANT_DICT_INIT (NULL);

  if (client == NULL)
    return FALSE;
  list_models (client);
  session = woolly_client_open_session (client, "", NULL, NULL, error); /* the empty name is the default model */
  if (session == NULL)
    return FALSE;
  g_variant_dict_insert (&options, "temperature", "d", 0.0);
  g_variant_dict_insert (&options, "max-tokens", "u", 40u);
  generation = woolly_session_generate (session, input, g_variant_dict_end (&options), NULL, error);
  return generation != NULL && print_answer (woolly_generation_get_stream (generation), error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (argc == 2 && ask (argv[1], &error))
    return 0;
  fprintf (stderr, "%s\n", error != NULL ? error->message : "One argument is wanted: the question");
  return 1;
}
