/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-error-private.h"

#include "introspection/woolly-names.h"

static const GDBusErrorEntry entries[] = {
#define WOOLLY_ERROR_ROW(suffix, name, meaning) { WOOLLY_ERROR_##suffix, WOOLLY_ERROR_PREFIX name },
#include "introspection/woolly-errors.def"
#undef WOOLLY_ERROR_ROW
};

/**
 * woolly_error_quark:
 *
 * The domain [error@Woolly.Error]. Using it once makes GDBus know the service's errors, too.
 *
 * Returns: the quark
 */
GQuark
woolly_error_quark (void)
{
  static gsize quark = 0;

  g_dbus_error_register_error_domain ("woolly-error-quark", &quark, entries, G_N_ELEMENTS (entries));
  return (GQuark)quark;
}

/**
 * woolly_error_get_name: (skip)
 * @code: an error code
 *
 * The name that the error has on D-Bus.
 *
 * Returns: (transfer none): a name as `org.woolly.Error.NotFound`
 */
const char *
woolly_error_get_name (WoollyError code)
{
  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    if (entries[i].error_code == (int)code)
      return entries[i].dbus_error_name;
  return entries[0].dbus_error_name;
}

GError *
woolly_error_new_from_name (const char *dbus_name, const char *message)
{
  int code = WOOLLY_ERROR_FAILED;

  for (gsize i = 0; i < G_N_ELEMENTS (entries); i++)
    if (g_strcmp0 (entries[i].dbus_error_name, dbus_name) == 0)
      code = entries[i].error_code;
  return g_error_new_literal (WOOLLY_ERROR, code,
                              message != NULL && *message != '\0' ? message : "No reason was given");
}

gboolean
woolly_error_is_no_service (const GError *error)
{
  return g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN)
         || g_error_matches (error, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER);
}

static int
code_for_missing_object (const char *path)
{
  if (g_str_has_prefix (path, WOOLLY_PATH_MODELS))
    return WOOLLY_ERROR_NOT_FOUND;
  return g_str_equal (path, WOOLLY_OBJECT_PATH) ? WOOLLY_ERROR_NOT_SUPPORTED : WOOLLY_ERROR_CLOSED;
}

static int
code_for_dbus_error (const GError *error, const char *path)
{
  switch (error->code) {
  case G_DBUS_ERROR_SERVICE_UNKNOWN:
  case G_DBUS_ERROR_NAME_HAS_NO_OWNER:
  case G_DBUS_ERROR_NO_REPLY:
  case G_DBUS_ERROR_DISCONNECTED:
  case G_DBUS_ERROR_NO_SERVER:
  case G_DBUS_ERROR_SPAWN_EXEC_FAILED:
  case G_DBUS_ERROR_SPAWN_FORK_FAILED:
  case G_DBUS_ERROR_SPAWN_CHILD_EXITED:
  case G_DBUS_ERROR_SPAWN_CHILD_SIGNALED:
  case G_DBUS_ERROR_SPAWN_FAILED:
  case G_DBUS_ERROR_SPAWN_SETUP_FAILED:
  case G_DBUS_ERROR_SPAWN_CONFIG_INVALID:
  case G_DBUS_ERROR_SPAWN_SERVICE_INVALID:
  case G_DBUS_ERROR_SPAWN_SERVICE_NOT_FOUND:
  case G_DBUS_ERROR_SPAWN_FILE_INVALID:
    return WOOLLY_ERROR_DISCONNECTED;
  case G_DBUS_ERROR_UNKNOWN_OBJECT:
  case G_DBUS_ERROR_UNKNOWN_METHOD: /* what GDBus says of objects that are gone */
  case G_DBUS_ERROR_UNKNOWN_INTERFACE:
    return code_for_missing_object (path);
  case G_DBUS_ERROR_UNKNOWN_PROPERTY:
  case G_DBUS_ERROR_NOT_SUPPORTED:
    return WOOLLY_ERROR_NOT_SUPPORTED;
  case G_DBUS_ERROR_ACCESS_DENIED:
  case G_DBUS_ERROR_AUTH_FAILED:
    return WOOLLY_ERROR_ACCESS_DENIED;
  case G_DBUS_ERROR_INVALID_ARGS:
  case G_DBUS_ERROR_INVALID_SIGNATURE:
    return WOOLLY_ERROR_INVALID_ARGS;
  case G_DBUS_ERROR_NO_MEMORY:
    return WOOLLY_ERROR_NO_MEMORY;
  case G_DBUS_ERROR_LIMITS_EXCEEDED:
    return WOOLLY_ERROR_BUSY;
  case G_DBUS_ERROR_TIMEOUT:
  case G_DBUS_ERROR_TIMED_OUT:
    return WOOLLY_ERROR_TIMED_OUT;
  default:
    return WOOLLY_ERROR_FAILED;
  }
}

void
woolly_error_translate (GError **error, const char *path)
{
  int code = -1;

  if (error == NULL || *error == NULL || (*error)->domain == WOOLLY_ERROR) {
    if (error != NULL && *error != NULL)
      g_dbus_error_strip_remote_error (*error);
    return;
  }

  if ((*error)->domain == G_DBUS_ERROR)
    code = code_for_dbus_error (*error, path);
  else if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT))
    code = WOOLLY_ERROR_TIMED_OUT;
  else if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CLOSED)
           || g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
    code = WOOLLY_ERROR_DISCONNECTED;
  else if (g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_DBUS_ERROR))
    code = WOOLLY_ERROR_FAILED;

  g_dbus_error_strip_remote_error (*error);
  if (code == -1)
    return; /* Cancelled, above all: callers look for G_IO_ERROR_CANCELLED. */

  if (woolly_error_is_no_service (*error))
    g_prefix_error (error, "The Woolly service does not run and could not be started: ");
  else if (code == WOOLLY_ERROR_DISCONNECTED)
    g_prefix_error (error, "The Woolly service ended or could not be started: ");
  (*error)->domain = WOOLLY_ERROR;
  (*error)->code   = code;
}
