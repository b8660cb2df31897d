/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who calls: one object for each connection that ever asked for something, until it leaves the bus.
 *
 * A caller is identified when it is first seen, by one question to the bus driver that is waited for: the driver never
 * waits for us, and an answer that came later would let calls overtake each other.
 *
 * Signal "gone" (): it has left the bus; what it had is to be freed.
 */
#pragma once

#include "wly-account.h"
#include "wly-bus-identity.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define WLY_TYPE_BUS_CALLER (wly_bus_caller_get_type ())
G_DECLARE_FINAL_TYPE (WlyBusCaller, wly_bus_caller, WLY, BUS_CALLER, GObject)

const char *wly_bus_caller_get_name (WlyBusCaller *caller); /* unique bus name */
const char *wly_bus_caller_get_app (WlyBusCaller *caller);
WlyCallerKind wly_bus_caller_get_kind (WlyBusCaller *caller);
WlyAccount *wly_bus_caller_get_account (WlyBusCaller *caller);
gboolean wly_bus_caller_is_gone (WlyBusCaller *caller);

/* All of them. */
typedef struct WlyBusCallers WlyBusCallers;

/* The environment variable WOOLLY_TEST_CALLER_KIND (sandboxed or unknown) makes every caller one of those: it can take
 * trust away, never give it. */
WlyBusCallers *wly_bus_callers_new (GDBusConnection *connection, WlyAccounts *accounts);
void wly_bus_callers_free (WlyBusCallers *callers);

/* By unique name; NULL where it has left. */
WlyBusCaller *wly_bus_callers_get (WlyBusCallers *callers, const char *name);

G_END_DECLS
