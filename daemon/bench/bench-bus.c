/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-bus.h"

#include "bench-model.h"
#include "wly-error.h"
#include "woolly-names.h"
#include "woolly-stream.h"

#include <errno.h>
#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <glib/gi18n.h>
#include <unistd.h>

#define LONG_MS 600000
#define WORD    " and"

static GVariant *
call (GDBusConnection *bus, const char *path, const char *interface, const char *method, GVariant *parameters,
      const char *reply, GUnixFDList *in, GUnixFDList **ret_out, GError **error)
{
  return g_dbus_connection_call_with_unix_fd_list_sync (bus, WOOLLY_BUS_NAME, path, interface, method, parameters,
                                                        G_VARIANT_TYPE (reply), G_DBUS_CALL_FLAGS_NONE, LONG_MS, in,
                                                        ret_out, NULL, error);
}

/* Starts the service where it does not run. */
static gboolean
wake (GDBusConnection *bus, GError **error)
{
  g_autoptr (GVariant) reply =
      call (bus, WOOLLY_OBJECT_PATH, "org.freedesktop.DBus.Peer", "Ping", NULL, "()", NULL, NULL, error);

  return reply != NULL;
}

/* (transfer full) object path of the model */
static char *
open_files (GDBusConnection *bus, const char *path, GError **error)
{
  g_autoptr (GArray) fds           = bench_model_open_parts (path, error);
  g_autoptr (GUnixFDList) list     = g_unix_fd_list_new ();
  g_auto (GVariantBuilder) handles = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("ah"));
  g_autoptr (GVariant) reply       = NULL;
  char *model                      = NULL;

  for (guint i = 0; fds != NULL && i < fds->len; i++) {
    const int handle = g_unix_fd_list_append (list, g_array_index (fds, int, i), error);

    if (handle < 0)
      return NULL;
    g_variant_builder_add (&handles, "h", handle);
  }
  if (fds == NULL)
    return NULL;
  reply = call (bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "OpenFiles",
                g_variant_new ("(aha{sv})", &handles, NULL), "(o)", list, NULL, error);
  if (reply != NULL)
    g_variant_get (reply, "(o)", &model);
  return model;
}

static GVariant *
prompt_of (const char *model, guint n_tokens)
{
  g_autoptr (GString) text         = g_string_new ("And");
  g_auto (GVariantBuilder) input   = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);
  g_auto (GVariantBuilder) options = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (guint i = 1; i < n_tokens; i++)
    g_string_append (text, WORD);
  g_variant_builder_add (&input, "{sv}", "prompt", g_variant_new_string (text->str));
  g_variant_builder_add (&options, "{sv}", "max-tokens", g_variant_new_uint32 (1));
  g_variant_builder_add (&options, "{sv}", "temperature", g_variant_new_double (0));
  g_variant_builder_add (&options, "{sv}", "ignore-end", g_variant_new_boolean (TRUE));
  return g_variant_new ("(sa{sv}a{sv})", model, &input, &options);
}

static gboolean
read_all (int fd, void *data, gsize n_bytes, GError **error)
{
  for (gsize at = 0; at < n_bytes;) {
    const gssize n = read (fd, (char *)data + at, n_bytes - at);

    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("the stream of the service broke off"));
      return FALSE;
    }
    at += (gsize)n;
  }
  return TRUE;
}

/* Until the stream ends: a token whose bytes are no whole character gives no text. */
static gboolean
follow (int fd, gint64 *ret_first, GError **error)
{
  for (;;) {
    guint8 header[WOOLLY_FRAME_HEADER];
    g_autofree guint8 *payload = NULL;
    guint32 length             = 0;
    unsigned type              = 0;

    if (!read_all (fd, header, sizeof header, error))
      return FALSE;
    if (woolly_frame_parse (header, &length, &type) != 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("the stream of the service is not understood"));
      return FALSE;
    }
    payload = g_malloc (length + 1);
    if (!read_all (fd, payload, length, error))
      return FALSE;
    if (type == WOOLLY_FRAME_ERROR) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("the service could not generate; woollyctl run says why"));
      return FALSE;
    }
    if (*ret_first == 0 && (type == WOOLLY_FRAME_TEXT || type == WOOLLY_FRAME_END))
      *ret_first = g_get_monotonic_time ();
    if (type == WOOLLY_FRAME_END)
      return TRUE;
  }
}

static guint64
result_number (GVariant *result, const char *key)
{
  g_autoptr (GVariant) value = g_variant_lookup_value (result, key, NULL);

  if (value == NULL)
    return 0;
  return g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32)   ? g_variant_get_uint32 (value)
         : g_variant_is_of_type (value, G_VARIANT_TYPE_UINT64) ? g_variant_get_uint64 (value)
                                                               : 0;
}

/* What the generation says of itself; it says so a moment behind the end of its stream. */
static gboolean
read_result (GDBusConnection *bus, const char *generation, BenchFirstToken *first, GError **error)
{
  for (guint i = 0; i < 1000; i++) {
    g_autoptr (GVariant) reply =
        call (bus, generation, "org.freedesktop.DBus.Properties", "Get",
              g_variant_new ("(ss)", WOOLLY_INTERFACE_GENERATION, "Result"), "(v)", NULL, NULL, error);
    g_autoptr (GVariant) result = NULL;

    if (reply == NULL)
      return FALSE;
    g_variant_get (reply, "(v)", &result);
    first->n_tokens = (guint)result_number (result, "tokens-in");
    first->load_s   = (double)result_number (result, "load-us") / G_USEC_PER_SEC;
    if (first->n_tokens > 0)
      return TRUE;
    g_usleep (2000);
  }
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("the service gave no result"));
  return FALSE;
}

gboolean
bench_bus_first_token (const char *path, guint n_tokens, BenchFirstToken *ret_first, GError **error)
{
  g_autoptr (GDBusConnection) bus = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, error);
  g_autoptr (GVariant) reply      = NULL;
  g_autoptr (GUnixFDList) fds     = NULL;
  g_autofree char *model          = NULL;
  const char *generation          = NULL;
  gint64 first                    = 0;
  gint64 start;
  gint32 handle;
  gboolean ok;
  int fd;

  if (bus == NULL || !wake (bus, error))
    return FALSE;
  start = g_get_monotonic_time ();
  model = open_files (bus, path, error);
  if (model == NULL)
    return FALSE;
  reply = call (bus, WOOLLY_OBJECT_PATH, WOOLLY_INTERFACE_MANAGER, "Generate", prompt_of (model, n_tokens), "(oh)",
                NULL, &fds, error);
  if (reply == NULL)
    return FALSE;
  g_variant_get (reply, "(&oh)", &generation, &handle);
  fd = g_unix_fd_list_get (fds, handle, error);
  if (fd < 0)
    return FALSE;
  ok = follow (fd, &first, error);
  close (fd);
  ret_first->total_s = (double)(first - start) / G_USEC_PER_SEC;
  return ok && read_result (bus, generation, ret_first, error);
}
