/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-bus.h"

#include "woolly-launch.h"
#include "woolly-values.h"
#include "woolly-weak.h"

#include "introspection/woolly-names.h"

G_DEFINE_FINAL_TYPE (WoollyBus, woolly_bus, G_TYPE_OBJECT)

static void
woolly_bus_dispose (GObject *object)
{
  WoollyBus *self = WOOLLY_BUS (object);

  if (self->changed_id != 0) {
    g_dbus_connection_signal_unsubscribe (self->connection, self->changed_id);
    self->changed_id = 0;
  }
  G_OBJECT_CLASS (woolly_bus_parent_class)->dispose (object);
}

static void
woolly_bus_finalize (GObject *object)
{
  WoollyBus *self = WOOLLY_BUS (object);

  g_clear_object (&self->connection);
  g_clear_pointer (&self->values, g_hash_table_unref);
  G_OBJECT_CLASS (woolly_bus_parent_class)->finalize (object);
}

static void
woolly_bus_class_init (WoollyBusClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose  = woolly_bus_dispose;
  G_OBJECT_CLASS (klass)->finalize = woolly_bus_finalize;
}

static void
woolly_bus_init (WoollyBus *self)
{
  self->values = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
}

static void
properties_changed_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                       const char *signal, GVariant *params, gpointer user_data)
{
  g_autoptr (WoollyBus) self    = g_weak_ref_get (user_data);
  g_autoptr (GVariant) changed  = NULL;
  const char *changed_interface = NULL;
  WoollyValues *values;

  if (self == NULL || !g_variant_is_of_type (params, G_VARIANT_TYPE ("(sa{sv}as)")))
    return;
  values = g_hash_table_lookup (self->values, path);
  g_variant_get (params, "(&s@a{sv}@as)", &changed_interface, &changed, NULL);
  if (values != NULL && g_str_equal (changed_interface, woolly_values_get_interface (values)))
    woolly_values_update (values, changed);
}

WoollyBus *
woolly_bus_new (GDBusConnection *connection, gboolean may_start)
{
  WoollyBus *self = g_object_new (WOOLLY_TYPE_BUS, NULL);

  self->connection = g_object_ref (connection);
  self->may_start  = may_start;
  self->changed_id = g_dbus_connection_signal_subscribe (
      connection, WOOLLY_BUS_NAME, "org.freedesktop.DBus.Properties", "PropertiesChanged", NULL, NULL,
      G_DBUS_SIGNAL_FLAGS_NONE, properties_changed_cb, woolly_weak_new (self), woolly_weak_free);
  return self;
}

gboolean
woolly_bus_may_start (WoollyBus *self)
{
  return self->may_start;
}

gboolean
woolly_bus_can_launch (WoollyBus *self)
{
  g_autoptr (GDBusConnection) session = NULL;

  if (!self->may_start || woolly_launch_program () == NULL)
    return FALSE;
  session = g_bus_get_sync (G_BUS_TYPE_SESSION, NULL, NULL);
  return session == self->connection;
}

void
woolly_bus_add_values (WoollyBus *self, const char *path, WoollyValues *values)
{
  g_hash_table_insert (self->values, g_strdup (path), values);
}

void
woolly_bus_remove_values (WoollyBus *self, const char *path, WoollyValues *values)
{
  if (g_hash_table_lookup (self->values, path) == values)
    g_hash_table_remove (self->values, path);
}
