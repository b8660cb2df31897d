/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Ctrl-C and its like: the first one cancels what is done, so that the service stops computing and what was written
 * stays; the second one ends the program at once.
 */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Call it before there is any other thread. */
void woollyctl_signals_init (void);

/* What the signal cancels; (transfer none). */
GCancellable *woollyctl_signals_get_cancellable (void);

/* Gets ready for the next signal after one was dealt with. */
void woollyctl_signals_reset (void);

/* 128 + the signal that came, 130 for Ctrl-C. */
int woollyctl_signals_get_status (void);

G_END_DECLS
