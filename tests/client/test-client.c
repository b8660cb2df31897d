/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * libwoolly from C, against a service that answers in known ways (fake_woollyd.py); test_libwoolly.py has the breadth.
 * Run through with_private_bus.py.
 */
#include <gio/gio.h>
#include <string.h>
#include <woolly.h>

static WoollyClient *
connect_client (void)
{
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyClient) self = woolly_client_new (NULL, WOOLLY_CLIENT_NONE, NULL, &error);

  g_assert_no_error (error);
  return g_steal_pointer (&self);
}

static char *
read_text (WoollyStream *stream, GCancellable *cancellable, GError **error)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (GError) local = NULL;

  while (TRUE) {
    g_autoptr (WoollyEvent) event = woolly_stream_read (stream, cancellable, &local);

    if (event == NULL)
      break;
    if (woolly_event_get_kind (event) == WOOLLY_EVENT_TEXT)
      g_string_append (text, woolly_event_get_text (event));
  }
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static void
test_models (void)
{
  g_autoptr (WoollyClient) client = connect_client ();
  g_autoptr (WoollyModel) model   = g_list_model_get_item (woolly_client_get_models (client), 0);
  g_autoptr (GError) error        = NULL;
  g_autoptr (WoollyInput) input   = woolly_input_new_for_prompt ("hi");
  g_autofree guint32 *tokens      = NULL;
  g_autoptr (GBytes) text         = NULL;
  gsize n_tokens                  = 0;

  g_assert_true (g_list_model_get_item_type (woolly_client_get_models (client)) == WOOLLY_TYPE_MODEL);
  g_assert_cmpstr (woolly_model_get_id (model), ==, "alpha");
  tokens = woolly_model_tokenize (model, input, NULL, &n_tokens, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (n_tokens, ==, 2);
  text = woolly_model_detokenize (model, tokens, n_tokens, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (text, NULL), g_bytes_get_size (text), "hi", 2);
}

static void
test_generate (void)
{
  g_autoptr (WoollyClient) client         = connect_client ();
  g_autoptr (WoollySession) session       = NULL;
  g_autoptr (WoollyInput) input           = woolly_input_new_for_message ("user", "one two");
  g_autoptr (WoollyGeneration) generation = NULL;
  g_autoptr (GVariant) result             = NULL;
  g_autoptr (GError) error                = NULL;
  g_autofree char *text                   = NULL;
  const char *reason                      = NULL;

  session = woolly_client_open_session (client, "alpha", NULL, NULL, &error);
  g_assert_no_error (error);
  generation = woolly_session_generate (session, input, NULL, NULL, &error);
  g_assert_no_error (error);
  text = read_text (woolly_generation_get_stream (generation), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "<user>one two");
  result = woolly_generation_fetch_result (generation, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_variant_lookup (result, "reason", "&s", &reason));
  g_assert_cmpstr (reason, ==, "stop");
}

static gpointer
generate_thread (gpointer data)
{
  WoollyClient *client                    = data;
  g_autoptr (WoollyInput) input           = woolly_input_new_for_prompt ("from a thread");
  g_autoptr (WoollyGeneration) generation = NULL;
  g_autoptr (GError) error                = NULL;

  generation = woolly_client_generate (client, "alpha", input, NULL, NULL, &error);
  g_assert_no_error (error);
  return read_text (woolly_generation_get_stream (generation), NULL, &error);
}

/* A blocking call does not touch the main context of the caller, so that it may block in any thread. */
static void
test_thread (void)
{
  g_autoptr (WoollyClient) client = connect_client ();
  g_autofree char *text           = g_thread_join (g_thread_new ("generate", generate_thread, client));

  g_assert_cmpstr (text, ==, "from a thread");
}

static gpointer
cancel_thread (gpointer data)
{
  g_usleep (100 * 1000);
  g_cancellable_cancel (data);
  return NULL;
}

static void
test_cancel (void)
{
  g_autoptr (WoollyClient) client         = connect_client ();
  g_autoptr (WoollyInput) input           = woolly_input_new_for_prompt ("!slow");
  g_autoptr (WoollyGeneration) generation = NULL;
  g_autoptr (GCancellable) cancellable    = g_cancellable_new ();
  g_autoptr (GThread) thread              = NULL;
  g_autoptr (GError) error                = NULL;
  g_autofree char *first                  = NULL;
  g_autofree char *rest                   = NULL;

  generation = woolly_client_generate (client, "alpha", input, NULL, NULL, &error);
  g_assert_no_error (error);
  thread = g_thread_new ("cancel", cancel_thread, cancellable);
  first  = read_text (woolly_generation_get_stream (generation), cancellable, &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_error (&error);
  g_thread_join (g_steal_pointer (&thread));

  rest = read_text (woolly_generation_get_stream (generation), NULL, &error);
  g_assert_error (error, WOOLLY_ERROR, WOOLLY_ERROR_CANCELLED);
}

static void
test_errors (void)
{
  g_autoptr (WoollyClient) client = connect_client ();
  g_autoptr (WoollyModel) model   = NULL;
  g_autoptr (GError) error        = NULL;

  model = woolly_client_resolve_model (client, "gamma", NULL, &error);
  g_assert_null (model);
  g_assert_error (error, WOOLLY_ERROR, WOOLLY_ERROR_NOT_FOUND);
  g_assert_false (g_dbus_error_is_remote_error (error));
  g_assert_cmpstr (woolly_error_get_name (error->code), ==, "org.woolly.Error.NotFound");
  g_assert_cmpstr (woolly_error_get_name (12345), ==, "org.woolly.Error.Failed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);

  g_test_add_func ("/client/client/models", test_models);
  g_test_add_func ("/client/client/generate", test_generate);
  g_test_add_func ("/client/client/thread", test_thread);
  g_test_add_func ("/client/client/cancel", test_cancel);
  g_test_add_func ("/client/client/errors", test_errors);
  return g_test_run ();
}
