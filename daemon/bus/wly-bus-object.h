/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One interface of one object on the bus: the XML's description, a table of methods, and a function that knows the
 * properties.  Values are read when they are asked for; "changed" is told at most four times a second.
 */
#pragma once

#include "wly-bus-caller.h"
#include "wly-bus-owned.h"

G_BEGIN_DECLS

#define WLY_TYPE_BUS_OBJECT (wly_bus_object_get_type ())
G_DECLARE_FINAL_TYPE (WlyBusObject, wly_bus_object, WLY, BUS_OBJECT, GDBusInterfaceSkeleton)

/* Answers the invocation, now or later. @parameters: of the types that the XML says. */
typedef void (*WlyBusMethodCb) (gpointer self, WlyBusCaller *caller, GVariant *parameters,
                                GDBusMethodInvocation *invocation);

typedef struct {
  const char *name; /* NULL ends the table */
  WlyBusMethodCb method;
} WlyBusMethod;

/* The value, floating. @caller: who asks, NULL for what everybody is told. */
typedef GVariant *(*WlyBusPropertyCb) (gpointer self, WlyBusCaller *caller, const char *name);

/* Called for each call and each property that is read. */
typedef void (*WlyBusActivityCb) (gpointer user_data);

/* What all objects of a connection share; outlives them. */
typedef struct {
  GDBusConnection *connection;
  WlyBusCallers *callers;
  WlyBusOwned *owned;
  WlyBusActivityCb activity;
  gpointer activity_data;
} WlyBusShared;

/* @self: for the functions, which are called only while the object is exported. @property: NULL where there are none.
 */
WlyBusObject *wly_bus_object_new (const WlyBusShared *shared, const GDBusInterfaceInfo *info,
                                  const WlyBusMethod *methods, WlyBusPropertyCb property, gpointer self);

/* Refuses every call of who is not a host program. */
void wly_bus_object_set_host_only (WlyBusObject *object);

/* @owner: unique name of who alone sees it; NULL: everybody. */
gboolean wly_bus_object_export (WlyBusObject *object, const char *path, const char *owner, GError **error);
void wly_bus_object_unexport (WlyBusObject *object);

/* The same for one that a GDBusObjectManagerServer exports, before it is given to it. */
void wly_bus_object_set_listed (WlyBusObject *object, const char *path);

/* Some property may have changed; who listens is told of those that did. */
void wly_bus_object_changed (WlyBusObject *object);

/* Answers with an error: the D-Bus name of a WLY_ERROR, Failed for any other. */
void wly_bus_return_error (GDBusMethodInvocation *invocation, const GError *error);

G_END_DECLS
