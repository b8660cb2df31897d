/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where tests find their data.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A file under tests/data; (transfer full). */
char *wly_test_data_path (const char *name);

/* A file of the data that lies beside the source tree (../shared/data, or WOOLLY_SHARED/data); (transfer full).  Where
 * it is not there the test case is marked as skipped, with the reason, and NULL is given: return then. */
char *wly_test_shared_path (const char *name);

/* The whole file; fails the test where it cannot be read.  (transfer full) */
GBytes *wly_test_data_read (const char *path);

G_END_DECLS
