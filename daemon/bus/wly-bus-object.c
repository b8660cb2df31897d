/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-bus-object.h"

#include "wly-error.h"

#define CHANGED_INTERVAL_MS 250

struct _WlyBusObject {
  GDBusInterfaceSkeleton parent_instance;
  WlyBusShared shared;
  const GDBusInterfaceInfo *info;
  const WlyBusMethod *methods;
  WlyBusPropertyCb property;
  gpointer self;
  gboolean host_only;
  char *path; /* while it is exported */
  char *owner;
  GHashTable *told; /* property -> GVariant */
  guint timer;
  gint64 last_told_us;
};

G_DEFINE_FINAL_TYPE (WlyBusObject, wly_bus_object, G_TYPE_DBUS_INTERFACE_SKELETON)

void
wly_bus_return_error (GDBusMethodInvocation *invocation, const GError *error)
{
  WlyErrorCode code = error->domain == WLY_ERROR ? (WlyErrorCode)error->code : WLY_ERROR_FAILED;

  g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (code), error->message);
}

static void
method_call_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                const char *method, GVariant *parameters, GDBusMethodInvocation *invocation, gpointer data)
{
  g_autoptr (WlyBusObject) self   = g_object_ref (data);
  g_autoptr (WlyBusCaller) caller = NULL;
  const WlyBusMethod *row         = self->methods;

  self->shared.activity (self->shared.activity_data);
  if (self->owner != NULL && g_strcmp0 (self->owner, sender) != 0) {
    g_dbus_method_invocation_return_dbus_error (invocation, "org.freedesktop.DBus.Error.UnknownObject",
                                                "there is no such object");
    return;
  }
  caller = wly_bus_callers_get (self->shared.callers, sender);
  if (caller == NULL) {
    g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (WLY_ERROR_DISCONNECTED),
                                                "the caller has left the bus");
    return;
  }
  g_object_ref (caller);
  if (self->host_only && wly_bus_caller_get_kind (caller) != WLY_CALLER_HOST) {
    g_dbus_method_invocation_return_dbus_error (invocation, wly_error_dbus_name (WLY_ERROR_ACCESS_DENIED),
                                                "only programs outside a sandbox may do that");
    return;
  }
  while (row->name != NULL && !g_str_equal (row->name, method))
    row++;
  if (row->name != NULL && self->path != NULL)
    row->method (self->self, caller, parameters, invocation);
  else
    g_dbus_method_invocation_return_dbus_error (invocation, "org.freedesktop.DBus.Error.UnknownMethod",
                                                "there is no such method");
}

static GVariant *
get_property_cb (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                 const char *name, GError **error, gpointer data)
{
  WlyBusObject *self   = data;
  WlyBusCaller *caller = sender != NULL ? wly_bus_callers_get (self->shared.callers, sender) : NULL;

  self->shared.activity (self->shared.activity_data);
  if (self->path != NULL)
    return self->property (self->self, caller, name);
  g_set_error_literal (error, G_DBUS_ERROR, G_DBUS_ERROR_UNKNOWN_OBJECT, "there is no such object");
  return NULL;
}

static GDBusInterfaceVTable vtable = { method_call_cb, get_property_cb, NULL, { NULL } };

static GDBusInterfaceInfo *
get_info (GDBusInterfaceSkeleton *skeleton)
{
  return (GDBusInterfaceInfo *)WLY_BUS_OBJECT (skeleton)->info;
}

static GDBusInterfaceVTable *
get_vtable (GDBusInterfaceSkeleton *skeleton)
{
  return &vtable;
}

/* For the ObjectManager, which tells everybody the same. */
static GVariant *
get_properties (GDBusInterfaceSkeleton *skeleton)
{
  WlyBusObject *self               = WLY_BUS_OBJECT (skeleton);
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  for (gsize i = 0; self->info->properties != NULL && self->info->properties[i] != NULL; i++) {
    const char *name           = self->info->properties[i]->name;
    g_autoptr (GVariant) value = g_variant_take_ref (self->property (self->self, NULL, name));

    g_variant_builder_add (&builder, "{sv}", name, value);
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
flush (GDBusInterfaceSkeleton *skeleton)
{
}

static gboolean
is_told (const GDBusPropertyInfo *property)
{
  const char *emits =
      g_dbus_annotation_info_lookup (property->annotations, "org.freedesktop.DBus.Property.EmitsChangedSignal");

  return emits == NULL || g_str_equal (emits, "true");
}

/* The properties that differ from what was told last, which they replace there. */
static GVariant *
collect_changes (WlyBusObject *self, gboolean *ret_any)
{
  g_auto (GVariantBuilder) builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE_VARDICT);

  *ret_any = FALSE;
  for (gsize i = 0; self->info->properties != NULL && self->info->properties[i] != NULL; i++) {
    const GDBusPropertyInfo *property = self->info->properties[i];
    g_autoptr (GVariant) value        = NULL;
    GVariant *told                    = g_hash_table_lookup (self->told, property->name);
    if (!is_told (property))
      continue;
    value = g_variant_take_ref (self->property (self->self, NULL, property->name));
    if (told != NULL && g_variant_equal (told, value))
      continue;
    g_variant_builder_add (&builder, "{sv}", property->name, value);
    g_hash_table_replace (self->told, property->name, g_steal_pointer (&value));
    *ret_any = TRUE;
  }
  return g_variant_ref_sink (g_variant_builder_end (&builder));
}

static void
tell (WlyBusObject *self)
{
  gboolean any;
  g_autoptr (GVariant) changes = collect_changes (self, &any);

  if (!any)
    return;
  self->last_told_us = g_get_monotonic_time ();
  g_dbus_connection_emit_signal (self->shared.connection, self->owner, self->path, "org.freedesktop.DBus.Properties",
                                 "PropertiesChanged", g_variant_new ("(s@a{sv}as)", self->info->name, changes, NULL),
                                 NULL);
}

static gboolean
timer_cb (gpointer data)
{
  WlyBusObject *self = data;

  self->timer = 0;
  tell (self);
  return G_SOURCE_REMOVE;
}

void
wly_bus_object_changed (WlyBusObject *self)
{
  gint64 wait_ms;

  if (self->path == NULL || self->timer != 0)
    return;
  wait_ms = CHANGED_INTERVAL_MS - (g_get_monotonic_time () - self->last_told_us) / 1000;
  if (wait_ms <= 0)
    tell (self);
  else
    self->timer = g_timeout_add ((guint)MIN (wait_ms, CHANGED_INTERVAL_MS), timer_cb, self);
}

gboolean
wly_bus_object_export (WlyBusObject *self, const char *path, const char *owner, GError **error)
{
  gboolean any;

  if (owner != NULL)
    wly_bus_owned_add (self->shared.owned, path, owner);
  self->path  = g_strdup (path);
  self->owner = g_strdup (owner);
  g_variant_unref (collect_changes (self, &any));
  if (g_dbus_interface_skeleton_export (G_DBUS_INTERFACE_SKELETON (self), self->shared.connection, path, error))
    return TRUE;
  wly_bus_object_unexport (self);
  return FALSE;
}

void
wly_bus_object_set_listed (WlyBusObject *self, const char *path)
{
  gboolean any;

  self->path = g_strdup (path);
  g_variant_unref (collect_changes (self, &any));
}

void
wly_bus_object_unexport (WlyBusObject *self)
{
  if (self->path == NULL)
    return;
  g_clear_handle_id (&self->timer, g_source_remove);
  if (g_dbus_interface_skeleton_get_connection (G_DBUS_INTERFACE_SKELETON (self)) != NULL)
    g_dbus_interface_skeleton_unexport (G_DBUS_INTERFACE_SKELETON (self));
  if (self->owner != NULL)
    wly_bus_owned_remove (self->shared.owned, self->path);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->owner, g_free);
}

void
wly_bus_object_set_host_only (WlyBusObject *self)
{
  self->host_only = TRUE;
}

static void
wly_bus_object_finalize (GObject *object)
{
  WlyBusObject *self = WLY_BUS_OBJECT (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_pointer (&self->path, g_free);
  g_clear_pointer (&self->owner, g_free);
  g_hash_table_unref (self->told);
  G_OBJECT_CLASS (wly_bus_object_parent_class)->finalize (object);
}

static void
wly_bus_object_class_init (WlyBusObjectClass *klass)
{
  GDBusInterfaceSkeletonClass *skeleton_class = G_DBUS_INTERFACE_SKELETON_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = wly_bus_object_finalize;
  skeleton_class->get_info         = get_info;
  skeleton_class->get_vtable       = get_vtable;
  skeleton_class->get_properties   = get_properties;
  skeleton_class->flush            = flush;
}

static void
wly_bus_object_init (WlyBusObject *self)
{
  self->told = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify)g_variant_unref);
}

WlyBusObject *
wly_bus_object_new (const WlyBusShared *shared, const GDBusInterfaceInfo *info, const WlyBusMethod *methods,
                    WlyBusPropertyCb property, gpointer self)
{
  WlyBusObject *object = g_object_new (WLY_TYPE_BUS_OBJECT, NULL);

  object->shared   = *shared;
  object->info     = info;
  object->methods  = methods;
  object->property = property;
  object->self     = self;
  return object;
}
