/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-launch.h"

#include "woolly-error-private.h"

#include "introspection/woolly-names.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#define LAUNCH_TIMEOUT_S 20

const char *
woolly_launch_program (void)
{
  const char *program = secure_getenv (WOOLLY_ENV_DAEMON);

  return program != NULL && *program != '\0' ? program : NULL;
}

typedef struct {
  guint watch_id;
  GSource *timeout;
  GSource *cancelled;
} Launch;

static void
launch_stop (Launch *launch)
{
  g_clear_handle_id (&launch->watch_id, g_bus_unwatch_name);
  if (launch->timeout != NULL)
    g_source_destroy (launch->timeout);
  if (launch->cancelled != NULL)
    g_source_destroy (launch->cancelled);
  g_clear_pointer (&launch->timeout, g_source_unref);
  g_clear_pointer (&launch->cancelled, g_source_unref);
}

static void
launch_free (Launch *launch)
{
  launch_stop (launch);
  g_free (launch);
}

/* The name watch holds a reference on the task, which holds the watch: each end of the wait cuts that circle. */
static void
appeared_cb (GDBusConnection *connection, const char *name, const char *owner, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);

  launch_stop (g_task_get_task_data (task));
  if (!g_task_get_completed (task))
    g_task_return_boolean (task, TRUE);
}

static gboolean
timeout_cb (gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);

  launch_stop (g_task_get_task_data (task));
  g_task_return_new_error (task, WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED,
                           "The program of %s, “%s”, did not take the name %s within %d s", WOOLLY_ENV_DAEMON,
                           woolly_launch_program (), WOOLLY_BUS_NAME, LAUNCH_TIMEOUT_S);
  return G_SOURCE_REMOVE;
}

static gboolean
cancelled_cb (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = g_object_ref (user_data);

  launch_stop (g_task_get_task_data (task));
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

/* The service must outlive this program, must not get its Ctrl-C, and must not start with its blocked signals. */
static void
child_setup_cb (gpointer user_data)
{
  sigset_t none;

  sigemptyset (&none);
  sigprocmask (SIG_SETMASK, &none, NULL);
  signal (SIGPIPE, SIG_DFL);
  setsid ();
}

static GSource *
attach (GTask *task, GSource *source, GSourceFunc callback)
{
  g_source_set_callback (source, callback, g_object_ref (task), g_object_unref);
  g_source_attach (source, g_task_get_context (task));
  return source;
}

void
woolly_launch_async (GDBusConnection *connection, GCancellable *cancellable, GAsyncReadyCallback callback,
                     gpointer user_data)
{
  g_autoptr (GTask) task   = g_task_new (connection, cancellable, callback, user_data);
  g_autoptr (GError) error = NULL;
  const char *argv[]       = { woolly_launch_program (), NULL };
  Launch *launch           = g_new0 (Launch, 1);

  g_task_set_source_tag (task, woolly_launch_async);
  g_task_set_task_data (task, launch, (GDestroyNotify)launch_free);

  /* Output goes nowhere: an inherited pipe would stay open for as long as the service runs. */
  if (!g_spawn_async (NULL, (char **)argv, NULL,
                      G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL, child_setup_cb,
                      NULL, NULL, &error)) {
    g_task_return_new_error (task, WOOLLY_ERROR, WOOLLY_ERROR_DISCONNECTED,
                             "The program of %s could not be started: %s", WOOLLY_ENV_DAEMON, error->message);
    return;
  }
  launch->timeout = attach (task, g_timeout_source_new_seconds (LAUNCH_TIMEOUT_S), timeout_cb);
  if (cancellable != NULL)
    launch->cancelled = attach (task, g_cancellable_source_new (cancellable), G_SOURCE_FUNC (cancelled_cb));
  launch->watch_id = g_bus_watch_name_on_connection (connection, WOOLLY_BUS_NAME, G_BUS_NAME_WATCHER_FLAGS_NONE,
                                                     appeared_cb, NULL, g_object_ref (task), g_object_unref);
}

gboolean
woolly_launch_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}
