/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The worker of one model: serves org.woolly.Worker1 on a socket until it closes.
 */
#pragma once

#include "wly-devices.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* The message of the peer authenticates it as the same user; the process is sealed by now.  @plugins (of opened
 * WlyPluginFile*) and @devices stay the caller's.  Blocks until the peer hangs up.  FALSE: the socket was no good, or
 * nobody authenticated. */
gboolean wly_worker_serve (int socket_fd, GPtrArray *plugins, WlyDevices *devices, GError **error);

G_END_DECLS
