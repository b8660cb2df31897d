/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#include <woolly-error-codes.h>
#include <woolly-version.h>

G_BEGIN_DECLS

/**
 * WOOLLY_ERROR:
 *
 * The error domain of everything that the service refuses or that fails in it. The texts are English, are meant for
 * people, and say what to do; programs look at the code.
 */
#define WOOLLY_ERROR (woolly_error_quark ())
WOOLLY_AVAILABLE_IN_ALL
GQuark woolly_error_quark (void);

WOOLLY_AVAILABLE_IN_ALL
const char *woolly_error_get_name (WoollyError code);

G_END_DECLS
