/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Errors of the daemon and the engine: one enum, made from introspection/woolly-errors.def.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef enum {
#define WOOLLY_ERROR_ROW(suffix, name, meaning) WLY_ERROR_##suffix,
#include "woolly-errors.def"
#undef WOOLLY_ERROR_ROW
  WLY_ERROR_LAST
} WlyErrorCode;

#define WLY_ERROR (wly_error_quark ())
GQuark wly_error_quark (void);

/* "org.woolly.Error.Busy"; never NULL, an unknown code gives Failed. */
const char *wly_error_dbus_name (WlyErrorCode code);

/* The code of a D-Bus name of ours, else WLY_ERROR_FAILED. */
WlyErrorCode wly_error_from_dbus_name (const char *name);

/* The code for a negative errno that came over the plugin ABI. */
WlyErrorCode wly_error_from_errno (int negative_errno);

G_END_DECLS
