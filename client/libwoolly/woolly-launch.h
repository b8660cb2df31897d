/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Starts the program that the environment variable WOOLLY_DAEMON names and waits until it owns the service's name: how
 * an uninstalled tree works on any session bus. Private.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* NULL where it is not set, or in a set-uid program. */
const char *woolly_launch_program (void);

void woolly_launch_async (GDBusConnection *connection, GCancellable *cancellable, GAsyncReadyCallback callback,
                          gpointer user_data);
gboolean woolly_launch_finish (GAsyncResult *result, GError **error);

G_END_DECLS
