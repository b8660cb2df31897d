/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woollyctl-service.h"

#include "woollyctl-output.h"
#include "woollyctl-signals.h"

#include "introspection/woolly-names.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

WoollyClient *
woollyctl_service_connect (WoollyClientFlags flags, int *ret_exit)
{
  GCancellable *cancellable              = woollyctl_signals_get_cancellable ();
  g_autoptr (GError) error               = NULL;
  g_autoptr (GDBusConnection) connection = g_bus_get_sync (G_BUS_TYPE_SESSION, cancellable, &error);
  WoollyClient *client;

  if (connection == NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)) {
    g_dbus_error_strip_remote_error (error);
    woollyctl_output_error (
        _ ("there is no session bus (%s). Log in to a desktop session, or put “dbus-run-session --” "
           "before the command."),
        error->message);
    *ret_exit = WOOLLYCTL_FAILED;
    return NULL;
  }
  if (connection != NULL) {
    g_dbus_connection_set_exit_on_close (connection, FALSE);
    client = woolly_client_new (connection, flags, cancellable, &error);
    if (client != NULL)
      return client;
  }
  *ret_exit = (int)woollyctl_output_fail (error);
  return NULL;
}

static gboolean
is_file (const char *name)
{
  return strchr (name, '/') != NULL && !g_str_has_prefix (name, WOOLLY_PATH_MODELS "/");
}

static gboolean
check_name (const char *name, GError **error)
{
  if (g_utf8_validate (name, -1, NULL))
    return TRUE;
  g_set_error_literal (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_TEXT,
                       _ ("the model's name is not valid UTF-8; a file is named with a slash, as ./file"));
  return FALSE;
}

WoollyModel *
woollyctl_service_find_model (WoollyClient *client, const char *name, GError **error)
{
  GCancellable *cancellable = woollyctl_signals_get_cancellable ();

  if (name == NULL)
    name = "";
  if (is_file (name))
    return woolly_client_open_path (client, name, cancellable, error);
  return check_name (name, error) ? woolly_client_resolve_model (client, name, cancellable, error) : NULL;
}

WoollyModel *
woollyctl_service_open_model (const char *name, WoollyClient **ret_client, int *ret_exit)
{
  g_autoptr (GError) error = NULL;
  WoollyModel *model;

  *ret_client = woollyctl_service_connect (WOOLLY_CLIENT_NONE, ret_exit);
  if (*ret_client == NULL)
    return NULL;
  model = woollyctl_service_find_model (*ret_client, name, &error);
  if (model == NULL)
    *ret_exit = (int)woollyctl_output_fail (error);
  return model;
}

char *
woollyctl_service_name_model (WoollyClient *client, const char *name, GError **error)
{
  g_autoptr (WoollyModel) model = NULL;

  if (name == NULL)
    name = "";
  if (!is_file (name))
    return check_name (name, error) ? g_strdup (name) : NULL;
  model = woolly_client_open_path (client, name, woollyctl_signals_get_cancellable (), error);
  return model != NULL ? g_strdup (woolly_model_get_object_path (model)) : NULL;
}

/* How long the service looks into one file at most, and a little more. */
#define SETTLE_TIMEOUT_MS 6000
#define SETTLE_TICK_MS    100

static gboolean
is_unknown (WoollyModel *model)
{
  return g_str_equal (woolly_model_get_state (model), "unknown");
}

static gboolean
any_unknown (WoollyClient *client)
{
  GListModel *models = woolly_client_get_models (client);

  for (guint i = 0; i < g_list_model_get_n_items (models); i++) {
    g_autoptr (WoollyModel) model = g_list_model_get_item (models, i);

    if (is_unknown (model))
      return TRUE;
  }
  return FALSE;
}

static gboolean
tick_cb (gpointer data)
{
  return G_SOURCE_CONTINUE;
}

void
woollyctl_service_settle (WoollyClient *client, WoollyModel *model)
{
  guint tick     = g_timeout_add (SETTLE_TICK_MS, tick_cb, NULL);
  gint64 give_up = g_get_monotonic_time () + SETTLE_TIMEOUT_MS * G_GINT64_CONSTANT (1000);

  while ((model != NULL ? is_unknown (model) : any_unknown (client)) && g_get_monotonic_time () < give_up
         && !g_cancellable_is_cancelled (woollyctl_signals_get_cancellable ()))
    g_main_context_iteration (NULL, TRUE);
  g_source_remove (tick);
}

/* Ctrl-C must end this, though signals come to another thread. */
static gboolean
wait_for_input (GError **error)
{
  GCancellable *cancellable = woollyctl_signals_get_cancellable ();
  struct pollfd fds[2]      = { { .fd = STDIN_FILENO, .events = POLLIN },
                                { .fd = g_cancellable_get_fd (cancellable), .events = POLLIN } };
  int n;

  do
    n = poll (fds, 2, -1);
  while (n < 0 && errno == EINTR);
  g_cancellable_release_fd (cancellable);
  return !g_cancellable_set_error_if_cancelled (cancellable, error);
}

GBytes *
woollyctl_service_read_input (GError **error)
{
  g_autoptr (GByteArray) input = g_byte_array_new ();

  while (wait_for_input (error)) {
    guint8 buffer[65536];
    gssize n = read (STDIN_FILENO, buffer, sizeof buffer);

    if (n < 0 && (errno == EINTR || errno == EAGAIN))
      continue;
    if (n < 0) {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), _ ("standard input cannot be read: %s"),
                   g_strerror (errno));
      return NULL;
    }
    if (n == 0)
      return g_byte_array_free_to_bytes (g_steal_pointer (&input));
    if (input->len + (gsize)n > WOOLLY_BODY_BYTES) {
      g_set_error (error, WOOLLY_ERROR, WOOLLY_ERROR_INVALID_ARGS, _ ("standard input is larger than %d MiB"),
                   WOOLLY_BODY_BYTES >> 20);
      return NULL;
    }
    g_byte_array_append (input, buffer, (guint)n);
  }
  return NULL;
}

WoollyInput *
woollyctl_service_read_conversation (const char *path, GError **error)
{
  g_autoptr (WoollyInput) input = woolly_input_new ();
  g_autoptr (GBytes) bytes      = NULL;
  char *contents;
  gsize n_bytes;

  if (g_str_equal (path, "-"))
    bytes = woollyctl_service_read_input (error);
  else if (g_file_get_contents (path, &contents, &n_bytes, error))
    bytes = g_bytes_new_take (contents, n_bytes);
  if (bytes == NULL)
    return NULL;
  woolly_input_set_conversation (input, bytes);
  return g_steal_pointer (&input);
}
