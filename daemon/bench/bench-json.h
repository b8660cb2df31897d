/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Members of a JSON object that is being built.
 */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

void bench_json_string (JsonBuilder *builder, const char *key, const char *value);
void bench_json_count (JsonBuilder *builder, const char *key, guint64 value);
void bench_json_number (JsonBuilder *builder, const char *key, double value); /* null where it is not finite */
void bench_json_object (JsonBuilder *builder, const char *key);               /* begins one */
void bench_json_array (JsonBuilder *builder, const char *key);                /* begins one */

/* The whole tree on stdout, when its root is closed. */
void bench_json_print (JsonBuilder *builder);

G_END_DECLS
