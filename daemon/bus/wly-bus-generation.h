/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Generation.
 */
#pragma once

#include "wly-bus-call.h"
#include "wly-request.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyBusCaller *caller;
  WlyRequest *request;
  char *path;
  WlyBusObject *object;
  gulong gone_handler;
} WlyBusGeneration;

/* Begins a generation for a call whose body and options are taken, and answers the call. @owns_session: it is one-shot.
 */
void wly_bus_generation_begin (WlyBusCall *call, WlySession *session, gboolean owns_session);

void wly_bus_generation_free (WlyBusGeneration *generation);

G_END_DECLS
