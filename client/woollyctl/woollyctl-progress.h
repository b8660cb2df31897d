/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A line on standard error that shows how far a load or a prompt is.  Only on a terminal.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* @total 0: only the words. */
void woollyctl_progress_show (const char *words, guint64 done, guint64 total);

/* Takes the line away. */
void woollyctl_progress_clear (void);

G_END_DECLS
