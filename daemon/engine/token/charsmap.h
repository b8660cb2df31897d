/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The normaliser that SentencePiece compiles into tokenizer.ggml.precompiled_charsmap: beginnings of text, and what
 * stands for them.
 *
 * Form: u32 n, then n bytes of a double array (u32 units), then the replacements, each up to a NUL; little-endian.  A
 * unit holds: bits 0-7 the byte that leads to it (bit 31 set: a value, the place of a replacement), bit 8 whether a
 * value hangs on it, bits 10-30 the offset to its children, shifted by 8 more where bit 9 is set.  Child of node i by
 * byte c: i ^ offset ^ c.  Source: the darts-clone library, and S. Kanda, "Space- and Time-Efficient String
 * Dictionaries", 2018.
 */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Nothing that a map replaces, or puts in its place, is longer: bounds the work of each byte and the growth of a text,
 * whatever a file says.  The longest that Unicode's own forms have are 12 and 33. */
#define WLY_CHARSMAP_MAX_BYTES 256

typedef struct {
  const guint8 *units; /* not aligned */
  gsize n_units;
  const char *replacements;
  gsize n_replacement_bytes;
} WlyCharsmap;

/* @data stays the caller's and must outlive the map; no bytes are a map that changes nothing.  FALSE: it is none. */
gboolean wly_charsmap_init (WlyCharsmap *map, const guint8 *data, gsize n_bytes);

/* Bytes at the beginning of @text that the map replaces, the longest such; 0: none.  @ret_replacement: UTF-8. */
gsize wly_charsmap_match (const WlyCharsmap *map, const char *text, gsize n_bytes, const char **ret_replacement,
                          gsize *ret_n_replacement, guint64 *n_steps);

G_END_DECLS
