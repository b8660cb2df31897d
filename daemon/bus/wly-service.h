/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The life of the service: owns the bus name, tells systemd, ends when it is idle or told to.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

typedef struct WlyService WlyService;

/* @replace: take the name from an instance that has it.  FALSE in @ret_owned: another instance has the name, and there
 * is nothing to do.  NULL and @error set where the bus refuses. */
WlyService *wly_service_new (WlyBus *bus, GDBusConnection *connection, GMainLoop *loop, gboolean replace,
                             gboolean *ret_owned, GError **error);

/* Lets what runs finish, at most ten seconds, and ends the loop; a second call ends it at once. */
void wly_service_stop (WlyService *service);

void wly_service_free (WlyService *service);

G_END_DECLS
