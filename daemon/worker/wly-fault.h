/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ends that a worker cannot answer any more, turned into exit codes (wly-worker-exit.h), and its log.
 */
#pragma once

/* SIGBUS of a file that was cut ends with WLY_WORKER_EXIT_MODEL_CHANGED, an allocation that GLib cannot make with
 * WLY_WORKER_EXIT_NO_MEMORY; a stream whose reader is gone raises no signal. */
void wly_fault_install (void);
