/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * When did this connection come to the bus, at the latest?  Buses number their unique names in the order in which they
 * give them out: one with a smaller number than a name that was seen is older than the moment in which it was seen.  A
 * process that began later than its connection is not the one that connected: its number was another's then.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyBusNames WlyBusNames;

WlyBusNames *wly_bus_names_new (void);
void wly_bus_names_free (WlyBusNames *names); /* NULL is fine */

/* This unique name (":1.42") is there now.  @now_us: any clock that only goes forward. */
void wly_bus_names_saw (WlyBusNames *names, const char *name, gint64 now_us);

/* The first time at which a younger name was seen; G_MAXINT64 where none was. */
gint64 wly_bus_names_latest_us (WlyBusNames *names, const char *name);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyBusNames, wly_bus_names_free)

G_END_DECLS
