/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Session.
 */
#pragma once

#include "wly-bus-call.h"
#include "wly-session.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyBusCaller *caller;
  WlySession *session;
  char *path;
  char *model_path;
  WlyBusObject *object;
  gulong gone_handler;
} WlyBusSession;

/* Puts a session on the bus, and on the list of the bus.  WLY_ERROR_BUSY by quota; NULL where it fails. */
WlyBusSession *wly_bus_session_new (WlyBus *bus, WlyBusCaller *caller, WlySession *session, GError **error);
void wly_bus_session_free (WlyBusSession *session);

G_END_DECLS
