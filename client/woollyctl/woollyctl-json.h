/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Values as JSON.  json-glib knows no number above 2^63 and a seed may be one, so that this writes its own.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Prints a value and a newline: dictionaries as objects, tuples and arrays as arrays, 64-bit numbers exact. @value is
 * sunk. */
void woollyctl_json_print (GVariant *value);

/* The same as text, without the newline; (transfer full). */
char *woollyctl_json_write (GVariant *value);

G_END_DECLS
