/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which CPUs to compute on.  A core may be several CPUs, and cores may be of two kinds: fast ones, and slow ones that
 * save power.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct {
  GArray *cpus;       /* of guint32: the CPUs that this process may run on; fast ones first, and among those of a kind
                       * one for each core first */
  guint n_fast;       /* of them, at the front; all where cores are alike */
  guint n_cores;      /* physical cores; >= 1 */
  guint n_fast_cores; /* of them; >= 1 */
} WlyCpuTopology;

/* (any thread) The machine's.  What it is made of is read when it is first asked for: a worker that has sealed itself
 * cannot read it.  (transfer full) */
WlyCpuTopology *wly_cpu_topology_new (void);

/* For tests: of @n CPUs @allowed, with @sysfs in the place of /sys. */
WlyCpuTopology *wly_cpu_topology_read (const char *sysfs, const guint32 *allowed, guint n);

void wly_cpu_topology_free (WlyCpuTopology *self); /* NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyCpuTopology, wly_cpu_topology_free)

/* Its physical cores, slow ones included. */
guint wly_cpu_n_cores (void);

G_END_DECLS
