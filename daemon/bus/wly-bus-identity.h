/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Who is this process?  Reads what the kernel and the sandbox say of it, and trusts nothing that an app could write.
 *
 * Host is only who is in our user namespace, sees our root folder and is in no sandbox that we know.  A Flatpak app is
 * known by the file .flatpak-info in its root folder, which only Flatpak can put there; a snap by its control group.
 * Any doubt makes it unknown, which gets no more than a sandboxed app does.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_CALLER_HOST,
  WLY_CALLER_SANDBOXED,
  WLY_CALLER_UNKNOWN,
} WlyCallerKind;

const char *wly_bus_identity_kind_to_string (WlyCallerKind kind);

/* @proc_fd: the folder /proc/PID of the caller; @own_proc_fd: /proc/self.  @ret_app (transfer full): the id of a
 * sandboxed app, the name of a host program; never NULL. */
WlyCallerKind wly_bus_identity_read (int proc_fd, int own_proc_fd, char **ret_app);

/* The same by process id; unknown where the process ends meanwhile, or began after @latest_start_us (of
 * wly_bus_identity_now_us()): then the number was another's.  @ret_process (transfer full): the same for all
 * connections of this process and for no other one ever; NULL where it cannot be told. */
WlyCallerKind wly_bus_identity_of_pid (guint32 pid, gint64 latest_start_us, char **ret_app, char **ret_process);

/* Microseconds since the machine began, as the start of a process is counted. */
gint64 wly_bus_identity_now_us (void);

G_END_DECLS
