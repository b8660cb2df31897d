/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the exit status of a worker says.  A worker that is asked in time answers with a D-Bus error; these are for the
 * cases where it cannot answer any more.  A worker that was killed by a signal has no exit status: the kernel's OOM
 * killer and a crash are WLY_ERROR_WORKER_LOST.
 */
#pragma once

/* The socket to woollyd was closed: nothing is wrong.  Of a probe: the answer was written. */
#define WLY_WORKER_EXIT_OK 0
/* A probe that failed; error-name and error-message were written. */
#define WLY_WORKER_EXIT_PROBE_FAILED 1
/* The command line or the inherited descriptors are not what woollyd gives. */
#define WLY_WORKER_EXIT_USAGE 64
/* It could not seal itself, and so read nothing. */
#define WLY_WORKER_EXIT_SEAL 70
/* SIGBUS in a file's map: the model file was cut while it was in use.  WLY_ERROR_MODEL_CHANGED. */
#define WLY_WORKER_EXIT_MODEL_CHANGED 74
/* An allocation failed that could not be refused to anybody.  WLY_ERROR_NO_MEMORY. */
#define WLY_WORKER_EXIT_NO_MEMORY 75
