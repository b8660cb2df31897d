/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The service through the session's bus, as an app meets it: how long until the first token of a file that it has not
 * opened yet.
 */
#pragma once

#include "bench-report.h"

G_BEGIN_DECLS

/* Has the service open the file at @path (its other parts, too) and generate one token behind about @n_tokens tokens.
 * The service itself is started before the clock.  ret_first->n_tokens is what the prompt had in the end.
 * Errors: those of the bus and the service. */
gboolean bench_bus_first_token (const char *path, guint n_tokens, BenchFirstToken *ret_first, GError **error);

G_END_DECLS
