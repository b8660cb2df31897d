/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How every verb begins that shows a list and takes --json and nothing else.
 */
#pragma once

#include <woolly.h>

G_BEGIN_DECLS

/* Parses the command line and connects; (transfer full).  NULL: *@ret_status is the exit code, and why was said.  What
 * *@ret_status is otherwise means nothing. */
WoollyClient *woollyctl_listing_begin (const char *summary, WoollyClientFlags flags, int argc, char **argv,
                                       gboolean *ret_json, int *ret_status);

G_END_DECLS
