/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What somebody may have meant.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Up to three of @names that come near @name, as “a”, “b”; NULL where none does. (transfer full) */
char *wly_near_names (const char *name, const char *const *names);

G_END_DECLS
