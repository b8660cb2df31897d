/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-error.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/* An error for what a frame, a property or a result dictionary says; an unknown name becomes FAILED. */
GError *woolly_error_new_from_name (const char *dbus_name, const char *message);

/* Turns what GDBus reports of a call into this library's terms, in place: takes the D-Bus name off the text, and maps a
 * missing or dying service, an object that is gone and a timeout to codes of ours. @path is the object called. */
void woolly_error_translate (GError **error, const char *path);

/* Whether a call failed because nobody owns the service's name. */
gboolean woolly_error_is_no_service (const GError *error);

G_END_DECLS
