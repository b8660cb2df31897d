/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Objects that only their owner sees.  Everything below sessions/, generations/, jobs/ and files/ passes here before
 * GDBus handles it: to anybody but the owner an object is as unknown as one that never was, for its methods, its
 * properties and introspection alike.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct WlyBusOwned WlyBusOwned;

WlyBusOwned *wly_bus_owned_new (GDBusConnection *connection);
void wly_bus_owned_free (WlyBusOwned *owned);

/* @owner: unique bus name. */
void wly_bus_owned_add (WlyBusOwned *owned, const char *path, const char *owner);
void wly_bus_owned_remove (WlyBusOwned *owned, const char *path);

G_END_DECLS
