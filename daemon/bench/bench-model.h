/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A model file by its path, with the other parts of a split one beside it.
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

/* Error: WLY_ERROR_NOT_FOUND, or what the reader says, with the path before it. */
WlyGguf *bench_model_open (const char *path, GError **error);

G_END_DECLS
