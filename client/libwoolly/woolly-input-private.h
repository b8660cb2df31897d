/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-input.h"

#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

/* The dictionary of scope INPUT, floating, and the descriptors that its handles index (NULL where it has none).
 * Errors: INVALID_TEXT, and INVALID_ARGS for what is too large for one call. */
GVariant *woolly_input_build (WoollyInput *self, GUnixFDList **ret_fds, GError **error);

G_END_DECLS
