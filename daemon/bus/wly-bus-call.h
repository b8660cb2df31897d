/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A method call that is answered later.  Counts as one of its caller's requests, and may keep a model busy.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyBusCaller *caller;
  GDBusMethodInvocation *invocation;
  WlyModel *model;    /* once it is known */
  WlyModelHold *hold; /* BUSY; taken by wly_bus_call_use_model() */
  GVariant *input;    /* what the method keeps for later; freed with it */
  GVariant *options;
  int body_fd;
  GUnixFDList *fds;
  GObject *subject; /* session, … the method is about */
  gboolean uncounted;
} WlyBusCall;

/* NULL where the caller has too many; then it is answered. */
WlyBusCall *wly_bus_call_new (WlyBus *bus, WlyBusCaller *caller, GDBusMethodInvocation *invocation);

/* Each answers and frees the call. @reply is sunk, NULL for none. */
void wly_bus_call_return (WlyBusCall *call, GVariant *reply);
void wly_bus_call_return_fd (WlyBusCall *call, GVariant *reply, int fd); /* takes @fd, which is handle 0 */
void wly_bus_call_fail (WlyBusCall *call, const GError *error);

/* The options for the worker: whose text it is, too.  Floating. */
GVariant *wly_bus_call_worker_options (WlyBusCall *call);

/* Keeps a model busy until the call is answered. */
void wly_bus_call_use_model (WlyBusCall *call, WlyModel *model);

/* Takes the body of a request: @input is checked against the scope INPUT, and stored in a sealed memory file as it is;
 * the descriptors that came with the message are kept in their order.  FALSE and @error set where it is refused. */
gboolean wly_bus_call_take_body (WlyBusCall *call, GVariant *input, GError **error);

/* What a name of Manager's methods stands for: the caller's own model of OpenFiles, or one of the catalogue. */
typedef void (*WlyBusResolvedCb) (WlyBusCall *call, WlyModel *model, const GError *error, gpointer user_data);
void wly_bus_call_resolve (WlyBusCall *call, const char *name, WlyBusResolvedCb callback, gpointer user_data);

/* It does not count as one of its caller's requests any more: what it has begun does. */
void wly_bus_call_uncount (WlyBusCall *call);

G_END_DECLS
