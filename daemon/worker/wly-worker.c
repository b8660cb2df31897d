/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-worker-private.h"

#include "wly-error.h"
#include "woolly-names.h"

#include <gio/gunixconnection.h>
#include <unistd.h>

/* A clean end that takes longer than this is a hung one. */
#define EXIT_SECONDS 10

/* ---- replies ---- */

void
wly_worker_refuse (GDBusMethodInvocation *invocation, GError *error)
{
  g_autoptr (GError) owned = error;
  g_autofree char *message = g_utf8_make_valid (owned->message, -1);
  WlyErrorCode code        = owned->domain == WLY_ERROR ? (WlyErrorCode)owned->code : WLY_ERROR_FAILED;

  g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (code), message);
}

gboolean
wly_worker_require (WlyWorker *worker, WlyWorkerStage stage, GDBusMethodInvocation *invocation)
{
  if (worker->stage >= stage)
    return TRUE;
  wly_worker_refuse (invocation, g_error_new (WLY_ERROR, WLY_ERROR_FAILED, "The model is not %s yet",
                                              stage >= WLY_WORKER_LOADED ? "loaded" : "opened"));
  return FALSE;
}

/* ---- life ---- */

static void
closed_cb (GDBusConnection *connection, gboolean vanished, GError *error, gpointer data)
{
  WlyWorker *worker = data;

  alarm (EXIT_SECONDS);
  wly_stepper_stop (worker->stepper);
  g_main_loop_quit (worker->loop);
}

/* Only the credentials of the socket count. */
static gboolean
allow_mechanism_cb (GDBusAuthObserver *observer, const char *mechanism, gpointer data)
{
  return g_str_equal (mechanism, "EXTERNAL");
}

static GDBusConnection *
connect_peer (int socket_fd, GError **error)
{
  g_autoptr (GSocket) socket             = g_socket_new_from_fd (socket_fd, error);
  g_autoptr (GSocketConnection) stream   = NULL;
  g_autoptr (GDBusAuthObserver) observer = NULL;
  g_autofree char *guid                  = NULL;
  const GDBusConnectionFlags flags       = G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_SERVER
                                     | G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_REQUIRE_SAME_USER
                                     | G_DBUS_CONNECTION_FLAGS_DELAY_MESSAGE_PROCESSING;

  if (socket == NULL)
    return NULL;
  stream   = g_socket_connection_factory_create_connection (socket);
  observer = g_dbus_auth_observer_new ();
  guid     = g_dbus_generate_guid ();
  g_signal_connect (observer, "allow-mechanism", G_CALLBACK (allow_mechanism_cb), NULL);
  return g_dbus_connection_new_sync (G_IO_STREAM (stream), guid, flags, observer, NULL, error);
}

static void
worker_clear (WlyWorker *worker)
{
  wly_lane_free (worker->text);
  wly_stepper_free (worker->stepper);
  wly_worker_drop_generations (worker);
  g_clear_pointer (&worker->generations, g_hash_table_unref);
  g_clear_pointer (&worker->sessions, g_hash_table_unref);
  g_clear_pointer (&worker->opened, wly_opened_unref);
  if (worker->skeleton != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (worker->skeleton));
  g_clear_object (&worker->skeleton);
  g_clear_object (&worker->connection);
  g_clear_pointer (&worker->loop, g_main_loop_unref);
}

gboolean
wly_worker_serve (int socket_fd, GPtrArray *plugins, WlyDevices *devices, GError **error)
{
  WlyWorker worker = { .plugins = plugins, .devices = devices };
  gboolean served;

  worker.connection = connect_peer (socket_fd, error);
  if (worker.connection == NULL)
    return FALSE;
  worker.loop        = g_main_loop_new (NULL, FALSE);
  worker.skeleton    = wly_rpc_worker1_skeleton_new ();
  worker.text        = wly_lane_new ("text");
  worker.stepper     = wly_stepper_new (&wly_worker_stepper_events, &worker);
  worker.sessions    = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, (GDestroyNotify)wly_session_unref);
  worker.generations = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, NULL);
  wly_worker_connect_model (&worker);
  wly_worker_connect_text (&worker);
  wly_worker_connect_sessions (&worker);
  wly_worker_connect_generations (&worker);
  wly_worker_connect_embed (&worker);
  g_signal_connect (worker.connection, "closed", G_CALLBACK (closed_cb), &worker);
  served = g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (worker.skeleton), worker.connection,
                                             WOOLLY_WORKER_OBJECT_PATH, error);
  if (served) {
    g_dbus_connection_start_message_processing (worker.connection);
    g_main_loop_run (worker.loop);
  }
  g_signal_handlers_disconnect_by_data (worker.connection, &worker);
  worker_clear (&worker);
  return served;
}
