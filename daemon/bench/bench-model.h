/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model file by its path, with the other parts of a split one beside it.
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

/* Error: WLY_ERROR_NOT_FOUND, or what the reader says, with the path before it. */
WlyGguf *bench_model_open (const char *path, GError **error);
/* Descriptors of all parts: array of int that closes them when it goes.  Errors: WLY_ERROR_NOT_FOUND,
 * WLY_ERROR_INVALID_ARGS (a later part). */
GArray *bench_model_open_parts (const char *path, GError **error);

G_END_DECLS
