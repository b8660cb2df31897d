/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a client and all objects it made share: the connection, and who wants to hear of which object's properties.
 * It knows none of them, so that there is no circle of references. Private.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _WoollyValues WoollyValues;

#define WOOLLY_TYPE_BUS (woolly_bus_get_type ())
G_DECLARE_FINAL_TYPE (WoollyBus, woolly_bus, WOOLLY, BUS, GObject)

struct _WoollyBus {
  GObject parent_instance;

  GDBusConnection *connection;
  gboolean may_start;
  guint changed_id;
  GHashTable *values; /* object path -> WoollyValues, not owned */
};

WoollyBus *woolly_bus_new (GDBusConnection *connection, gboolean may_start);

/* Whether calls may start the service. */
gboolean woolly_bus_may_start (WoollyBus *self);

/* Whether the program of WOOLLY_DAEMON may be started: it would come up on the session bus only. */
gboolean woolly_bus_can_launch (WoollyBus *self);

void woolly_bus_add_values (WoollyBus *self, const char *path, WoollyValues *values);
void woolly_bus_remove_values (WoollyBus *self, const char *path, WoollyValues *values);

G_END_DECLS
