/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The vocabulary of the models that tests make.
 */
#pragma once

#include "gguf/gguf-writer.h"

G_BEGIN_DECLS

/* Pieces that have a meaning. */
guint wly_test_vocab_size (void);
/* Writes the tokenizer.* keys for @n_vocab pieces, made-up ones behind those that have a meaning. */
void wly_test_vocab_write (WlyGgufWriter *writer, guint n_vocab);

G_END_DECLS
