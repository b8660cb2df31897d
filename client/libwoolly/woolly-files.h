/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Model files of this program's own, and the other parts of split ones.  Private.
 */
#pragma once

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* Opens a file, or all parts of the split file that it is one of, in order. */
GUnixFDList *woolly_files_open (const char *path, GError **error);

G_END_DECLS
