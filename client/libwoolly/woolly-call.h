/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Calls to the service.  Private.
 */
#pragma once

#include "woolly-bus.h"
#include "woolly-reply.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef enum {
  WOOLLY_CALL_NONE          = 0,
  WOOLLY_CALL_NO_AUTO_START = 1 << 0, /* for objects that a new process could not know */
  WOOLLY_CALL_SLOW          = 1 << 1, /* may take as long as it takes; the caller can cancel */
} WoollyCallFlags;

/* The options of a call, an empty dictionary where none are given. */
GVariant *woolly_call_options (GVariant *options);

/* Calls a method and completes @task (transfer full) with a WoollyReply, or an error of ours. @params is sunk. Starts
 * the program of WOOLLY_DAEMON where the bus knows no service. */
void woolly_call (WoollyBus *bus, const char *path, const char *interface, const char *method, GVariant *params,
                  const char *reply_type, GUnixFDList *fds, WoollyCallFlags flags, GTask *task);

/* As woolly_call(), waiting @timeout_ms instead. */
void woolly_call_timed (WoollyBus *bus, const char *path, const char *interface, const char *method, GVariant *params,
                        const char *reply_type, GUnixFDList *fds, WoollyCallFlags flags, int timeout_ms, GTask *task);

/* Sends and forgets; never starts the service. */
void woolly_call_forget (WoollyBus *bus, const char *path, const char *interface, const char *method);

G_END_DECLS
