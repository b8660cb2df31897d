/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-call.h"

#include "woolly-error-private.h"
#include "woolly-launch.h"

#include "introspection/woolly-names.h"

#define CALL_TIMEOUT_MS (60 * 1000)

/* One call on its way; kept as the task's data, for it may be sent twice. */
typedef struct {
  WoollyBus *bus;
  char *path;
  char *interface;
  char *method;
  GVariant *params;
  GVariantType *reply_type;
  GUnixFDList *fds;
  GDBusCallFlags flags;
  int timeout_ms;
  gboolean launched;
} Call;

static void
call_free (Call *call)
{
  g_object_unref (call->bus);
  g_free (call->path);
  g_free (call->interface);
  g_free (call->method);
  g_variant_unref (call->params);
  g_clear_pointer (&call->reply_type, g_variant_type_free);
  g_clear_object (&call->fds);
  g_free (call);
}

static void call_send (GTask *task);

static void
launched_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task   = user_data;
  g_autoptr (GError) error = NULL;

  if (woolly_launch_finish (result, &error))
    call_send (g_steal_pointer (&task));
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

static void
call_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task        = user_data;
  g_autoptr (GError) error      = NULL;
  g_autoptr (WoollyReply) reply = g_new0 (WoollyReply, 1);
  Call *call                    = g_task_get_task_data (task);

  reply->value =
      g_dbus_connection_call_with_unix_fd_list_finish (G_DBUS_CONNECTION (source), &reply->fds, result, &error);
  if (reply->value != NULL) {
    g_task_return_pointer (task, g_steal_pointer (&reply), (GDestroyNotify)woolly_reply_free);
    return;
  }

  /* Nobody got the call, so that sending it again does nothing twice. */
  if (woolly_error_is_no_service (error) && !call->launched && !(call->flags & G_DBUS_CALL_FLAGS_NO_AUTO_START)
      && woolly_bus_can_launch (call->bus)) {
    call->launched = TRUE;
    woolly_launch_async (call->bus->connection, g_task_get_cancellable (task), launched_cb, g_object_ref (task));
    return;
  }
  woolly_error_translate (&error, call->path);
  g_task_return_error (task, g_steal_pointer (&error));
}

static void
call_send (GTask *task)
{
  Call *call = g_task_get_task_data (task);

  g_dbus_connection_call_with_unix_fd_list (call->bus->connection, WOOLLY_BUS_NAME, call->path, call->interface,
                                            call->method, call->params, call->reply_type, call->flags, call->timeout_ms,
                                            call->fds, g_task_get_cancellable (task), call_cb, task);
}

void
woolly_call_timed (WoollyBus *bus, const char *path, const char *interface, const char *method, GVariant *params,
                   const char *reply_type, GUnixFDList *fds, WoollyCallFlags flags, int timeout_ms, GTask *task)
{
  Call *call = g_new0 (Call, 1);

  call->bus        = g_object_ref (bus);
  call->path       = g_strdup (path);
  call->interface  = g_strdup (interface);
  call->method     = g_strdup (method);
  call->params     = g_variant_ref_sink (params != NULL ? params : g_variant_new ("()"));
  call->reply_type = g_variant_type_new (reply_type);
  call->fds        = fds != NULL ? g_object_ref (fds) : NULL;
  call->timeout_ms = timeout_ms;
  if ((flags & WOOLLY_CALL_NO_AUTO_START) || !woolly_bus_may_start (bus))
    call->flags = G_DBUS_CALL_FLAGS_NO_AUTO_START;
  g_task_set_task_data (task, call, (GDestroyNotify)call_free);
  call_send (task);
}

GVariant *
woolly_call_options (GVariant *options)
{
  return options != NULL ? options : g_variant_new ("a{sv}", NULL);
}

void
woolly_call (WoollyBus *bus, const char *path, const char *interface, const char *method, GVariant *params,
             const char *reply_type, GUnixFDList *fds, WoollyCallFlags flags, GTask *task)
{
  woolly_call_timed (bus, path, interface, method, params, reply_type, fds, flags,
                     flags & WOOLLY_CALL_SLOW ? G_MAXINT : CALL_TIMEOUT_MS, task);
}

void
woolly_call_forget (WoollyBus *bus, const char *path, const char *interface, const char *method)
{
  g_dbus_connection_call (bus->connection, WOOLLY_BUS_NAME, path, interface, method, NULL, NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}
