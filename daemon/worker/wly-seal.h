/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The point of no return of a worker: what it can do to the system is taken away before it reads a byte of model data.
 *
 * What stays allowed is what computing and streaming need: memory, threads of its own, reading and writing descriptors
 * that are open already, waiting, clocks.  No path can be opened, no socket made, nothing executed.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
  WLY_SEAL_WORKER, /* nothing is opened any more */
  WLY_SEAL_LOADER, /* before an unknown plugin is opened: files may be opened for reading and mapped as code */
} WlySealProfile;

/* Sets no_new_privs, resource limits and the system-call filter, for all threads of the process (in a build without
 * libseccomp, no_new_privs for the calling thread and those that it makes).  FALSE with
 * WLY_ERROR_FAILED where a part of it that this build has could not be set: the caller exits. */
gboolean wly_seal_process (WlySealProfile profile, GError **error);

G_END_DECLS
