/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-owned.h"

#include "woolly-names.h"

#include <string.h>

typedef struct {
  gatomicrefcount ref_count;
  GMutex mutex;
  GHashTable *owners; /* path -> unique name */
} Table;

struct WlyBusOwned {
  GDBusConnection *connection;
  guint filter;
  Table *table; /* shared with the filter, which runs in GDBus's thread */
};

static const char *const parents[] = { WOOLLY_PATH_SESSIONS, WOOLLY_PATH_GENERATIONS, WOOLLY_PATH_JOBS,
                                       WOOLLY_PATH_FILES };

static void
table_unref (gpointer data)
{
  Table *table = data;

  if (!g_atomic_ref_count_dec (&table->ref_count))
    return;
  g_mutex_clear (&table->mutex);
  g_hash_table_unref (table->owners);
  g_free (table);
}

/* The parent that a path is, or lies below; NULL for paths that everybody may see. */
static const char *
find_parent (const char *path)
{
  for (gsize i = 0; i < G_N_ELEMENTS (parents); i++) {
    gsize n = strlen (parents[i]);
    if (strncmp (path, parents[i], n) == 0 && (path[n] == '\0' || path[n] == '/'))
      return parents[i];
  }
  return NULL;
}

static gboolean
is_owner (Table *table, const char *path, const char *name)
{
  gboolean is;

  g_mutex_lock (&table->mutex);
  is = name != NULL && g_strcmp0 (g_hash_table_lookup (table->owners, path), name) == 0;
  g_mutex_unlock (&table->mutex);
  return is;
}

/* The parent as its caller may see it: with the caller's own objects. */
static char *
introspect_parent (Table *table, const char *parent, const char *sender)
{
  GString *xml   = g_string_new ("<node>\n");
  gsize n_parent = strlen (parent);
  GHashTableIter iter;
  gpointer path, owner;

  g_mutex_lock (&table->mutex);
  g_hash_table_iter_init (&iter, table->owners);
  while (g_hash_table_iter_next (&iter, &path, &owner))
    if (strncmp (path, parent, n_parent) == 0 && ((char *)path)[n_parent] == '/' && g_strcmp0 (owner, sender) == 0)
      g_string_append_printf (xml, "  <node name=\"%s\"/>\n", (char *)path + n_parent + 1);
  g_mutex_unlock (&table->mutex);
  g_string_append (xml, "</node>\n");
  return g_string_free (xml, FALSE);
}

static void
send_and_unref (GDBusConnection *connection, GDBusMessage *message)
{
  g_dbus_connection_send_message (connection, message, G_DBUS_SEND_MESSAGE_FLAGS_NONE, NULL, NULL);
  g_object_unref (message);
}

static void
answer_introspect (GDBusConnection *connection, Table *table, GDBusMessage *call, const char *parent)
{
  GDBusMessage *reply  = g_dbus_message_new_method_reply (call);
  g_autofree char *xml = introspect_parent (table, parent, g_dbus_message_get_sender (call));

  g_dbus_message_set_body (reply, g_variant_new ("(s)", xml));
  send_and_unref (connection, reply);
}

static GDBusMessage *
filter_call (GDBusConnection *connection, Table *table, GDBusMessage *message, const char *path, const char *parent)
{
  const char *interface = g_dbus_message_get_interface (message);
  const char *member    = g_dbus_message_get_member (message);

  if (is_owner (table, path, g_dbus_message_get_sender (message)))
    return message;
  if (g_str_equal (path, parent) && g_strcmp0 (member, "Introspect") == 0
      && (interface == NULL || g_str_equal (interface, "org.freedesktop.DBus.Introspectable")))
    answer_introspect (connection, table, message, parent);
  else if ((g_dbus_message_get_flags (message) & G_DBUS_MESSAGE_FLAGS_NO_REPLY_EXPECTED) == 0)
    send_and_unref (connection, g_dbus_message_new_method_error (message, "org.freedesktop.DBus.Error.UnknownObject",
                                                                 "there is no object %s, or it is not yours", path));
  g_object_unref (message);
  return NULL;
}

static GDBusMessage *
filter_cb (GDBusConnection *connection, GDBusMessage *message, gboolean incoming, gpointer data)
{
  const char *path   = g_dbus_message_get_path (message);
  const char *parent = path != NULL ? find_parent (path) : NULL;

  if (parent == NULL)
    return message;
  if (incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_METHOD_CALL)
    return filter_call (connection, data, message, path, parent);
  /* a signal of such an object goes to its owner, or to nobody */
  if (!incoming && g_dbus_message_get_message_type (message) == G_DBUS_MESSAGE_TYPE_SIGNAL
      && g_dbus_message_get_destination (message) == NULL) {
    g_object_unref (message);
    return NULL;
  }
  return message;
}

WlyBusOwned *
wly_bus_owned_new (GDBusConnection *connection)
{
  WlyBusOwned *self = g_new0 (WlyBusOwned, 1);

  self->connection = g_object_ref (connection);
  self->table      = g_new0 (Table, 1);
  g_atomic_ref_count_init (&self->table->ref_count);
  g_mutex_init (&self->table->mutex);
  self->table->owners = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  g_atomic_ref_count_inc (&self->table->ref_count);
  self->filter = g_dbus_connection_add_filter (connection, filter_cb, self->table, table_unref);
  return self;
}

void
wly_bus_owned_free (WlyBusOwned *self)
{
  if (self == NULL)
    return;
  g_dbus_connection_remove_filter (self->connection, self->filter);
  table_unref (self->table);
  g_object_unref (self->connection);
  g_free (self);
}

void
wly_bus_owned_add (WlyBusOwned *self, const char *path, const char *owner)
{
  g_mutex_lock (&self->table->mutex);
  g_hash_table_replace (self->table->owners, g_strdup (path), g_strdup (owner));
  g_mutex_unlock (&self->table->mutex);
}

void
wly_bus_owned_remove (WlyBusOwned *self, const char *path)
{
  g_mutex_lock (&self->table->mutex);
  g_hash_table_remove (self->table->owners, path);
  g_mutex_unlock (&self->table->mutex);
}
