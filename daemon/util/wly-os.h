/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What only this operating system has: sealed memory files, death with the parent, leases.  wly-os-linux.c is the one
 * place that knows how; another system gets a file of its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A memory file; -1 and @error set on failure.  Close-on-exec. */
int wly_os_memfd_new (const char *name, GError **error);

/* The same with this content, sealed against every change. */
int wly_os_memfd_new_sealed (const char *name, const void *data, gsize n_bytes, GError **error);
/* Seals a memory file against every change, and sets its place to the beginning. */
gboolean wly_os_memfd_seal (int fd, GError **error);

/* write() until all of it is written; FALSE and errno where that fails. */
gboolean wly_os_write_all (int fd, const void *data, gsize n_bytes);

/* All of a regular file or memfd, at most @max_bytes (else WLY_ERROR_INVALID_ARGS).  A sealed memfd is mapped, anything
 * else is read into memory, so that its owner cannot change it any more. */
GBytes *wly_os_read_fd (int fd, gsize max_bytes, GError **error);

/* The calling process gets SIGKILL when the thread that forked it ends; FALSE where its parent is gone already. */
gboolean wly_os_die_with_parent (int parent_pid);

/* No core dumps, no ptrace by the same user: there are prompts in this memory. */
void wly_os_keep_memory_private (void);

/* A read lease on a file of one's own: a writer that cuts it must wait.  FALSE where it cannot be had; no error. */
gboolean wly_os_lease_file (int fd);

/* Resident bytes of a process, 0 where it is gone. */
guint64 wly_os_resident_bytes (int pid);

/* How long a process has waited for a processor since it began; 0 where that is not known. */
gint64 wly_os_run_delay_us (int pid);

/* Physical memory and what of it is available, bytes. */
gboolean wly_os_memory (guint64 *ret_total, guint64 *ret_available);

G_END_DECLS
