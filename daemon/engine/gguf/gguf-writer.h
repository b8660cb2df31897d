/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Writes a GGUF file, version 3: keys, then descriptions of tensors, then their data as a stream.
 *
 *   writer = wly_gguf_writer_new ();
 *   wly_gguf_writer_set_…, wly_gguf_writer_add_tensor    in any order
 *   wly_gguf_writer_begin (writer, fd, &error)           writes all that stands before the data
 *   wly_gguf_writer_write (writer, rows, n, &error)      the tensors' bytes, in the order they were added; padding is
 *                                                        put between them
 *   wly_gguf_writer_finish (writer, &error)              checks that nothing is missing
 */
#pragma once

#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

typedef struct WlyGgufWriter WlyGgufWriter;

WlyGgufWriter *wly_gguf_writer_new (void);
void wly_gguf_writer_free (WlyGgufWriter *writer); /* does not close the file; NULL is fine */

/* A key that is there already gets the new value, in its old place. */
void wly_gguf_writer_set_u32 (WlyGgufWriter *writer, const char *key, guint32 value);
void wly_gguf_writer_set_f32 (WlyGgufWriter *writer, const char *key, float value);
void wly_gguf_writer_set_bool (WlyGgufWriter *writer, const char *key, gboolean value);
void wly_gguf_writer_set_string (WlyGgufWriter *writer, const char *key, const char *value, gssize n_bytes);
void wly_gguf_writer_set_array_i32 (WlyGgufWriter *writer, const char *key, const gint32 *items, gsize n);
void wly_gguf_writer_set_array_f32 (WlyGgufWriter *writer, const char *key, const float *items, gsize n);
void wly_gguf_writer_set_array_string (WlyGgufWriter *writer, const char *key, const WlyGgufString *items, gsize n);
/* The value as it stands in a file behind its type. */
void wly_gguf_writer_set_raw (WlyGgufWriter *writer, const char *key, WlyGgufType type, const void *value,
                              gsize n_bytes);
/* All keys of a file but those that say how it was split. */
void wly_gguf_writer_copy_keys (WlyGgufWriter *writer, const WlyGguf *from);

/* The name has at most 63 bytes; the first extent is a multiple of the type's block.  Error: WLY_ERROR_INVALID_MODEL.
 */
gboolean wly_gguf_writer_add_tensor (WlyGgufWriter *writer, const char *name, const struct wlp_shape *shape,
                                     GError **error);

/* Errors of these three: WLY_ERROR_FAILED, with what the system said. */
gboolean wly_gguf_writer_begin (WlyGgufWriter *writer, int fd, GError **error);
gboolean wly_gguf_writer_write (WlyGgufWriter *writer, const void *data, gsize n_bytes, GError **error);
gboolean wly_gguf_writer_finish (WlyGgufWriter *writer, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyGgufWriter, wly_gguf_writer_free)

G_END_DECLS
