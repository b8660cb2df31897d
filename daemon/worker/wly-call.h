/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A D-Bus call that another thread works on, and the descriptors that came with it.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

typedef struct WlyWorker WlyWorker;

typedef struct {
  WlyWorker *worker;
  GDBusMethodInvocation *invocation; /* replied to exactly once */
  GUnixFDList *fd_list;              /* NULL: none came */
  GError *error;                     /* set by the work: what to reply */
} WlyCall;

void wly_call_init (WlyCall *call, WlyWorker *worker, GDBusMethodInvocation *invocation, GUnixFDList *fd_list);
void wly_call_clear (WlyCall *call);
/* The descriptor of a handle, which stays the list's; -1: there is none. */
int wly_call_fd (const WlyCall *call, GVariant *handle);
/* (transfer full) The descriptors of an ah.  NULL with WLY_ERROR_INVALID_ARGS where one is missing. */
int *wly_call_fds (const WlyCall *call, GVariant *handles, gsize *ret_n, GError **error);

/* How much text a request brings, for wly_lane_push(): G_MAXSIZE where some of it is in descriptors of the caller,
 * which may lie on a file system that does not answer: they are not asked here. */
gsize wly_call_n_text_bytes (int body_fd, gsize n_fds);

G_END_DECLS
