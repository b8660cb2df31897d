/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values as JSON.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Prints a value and a newline: dictionaries as objects, tuples and arrays as arrays.  64-bit numbers are below 2^63 in
 * all that the service tells.  @value is sunk. */
void woollyctl_json_print (GVariant *value);

G_END_DECLS
