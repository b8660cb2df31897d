/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GGUF files, versions 2 and 3, one file or split: checked once, then read in place.
 *
 *   header  "GGUF", u32 version, u64 n_tensors, u64 n_kv
 *   n_kv    × (string key, u32 type, value);  string = u64 length, bytes;  array = u32 item type, u64 n, items
 *   tensors × (string name, u32 n_dims, u64 ne[n_dims], u32 type, u64 offset into the data)
 *   padding to general.alignment (32), then the data; all little-endian.
 *
 * Source: the GGUF specification (ggml docs/gguf.md).  What is accepted lies inside the file: every size is checked
 * without overflow against the file's real size before anything is allocated.
 *
 * An open file never changes: every function that takes a const WlyGguf may be called from any thread.
 */
#pragma once

#include "woolly-plugin/metadata.h"
#include "woolly-plugin/tensor.h"

#include <glib.h>

G_BEGIN_DECLS

typedef struct WlyGguf WlyGguf;

/* Value types of the format. */
typedef enum {
  WLY_GGUF_U8,
  WLY_GGUF_I8,
  WLY_GGUF_U16,
  WLY_GGUF_I16,
  WLY_GGUF_U32,
  WLY_GGUF_I32,
  WLY_GGUF_F32,
  WLY_GGUF_BOOL,
  WLY_GGUF_STRING,
  WLY_GGUF_ARRAY,
  WLY_GGUF_U64,
  WLY_GGUF_I64,
  WLY_GGUF_F64,
} WlyGgufType;

typedef struct {
  const char *name; /* terminated; the reader's */
  struct wlp_shape shape;
  guint part;     /* which file */
  guint64 offset; /* bytes from the start of that file */
  guint64 n_bytes;
} WlyGgufTensor;

/* A string inside the map: not terminated, any bytes. */
typedef struct {
  const char *data;
  gsize n_bytes;
} WlyGgufString;

/* Which file a part is, as of the opening. */
typedef struct {
  guint64 device;
  guint64 inode;
  guint64 n_bytes;
  gint64 modified_us; /* microseconds of the epoch */
  gint64 changed_us;
} WlyGgufIdentity;

/* Opens and checks; @fds (n of them: 1, or all parts of a split file in order) are duplicated.
 * Errors: WLY_ERROR_INVALID_MODEL, WLY_ERROR_UNSUPPORTED_MODEL (a newer version, big-endian), WLY_ERROR_MODEL_CHANGED.
 */
WlyGguf *wly_gguf_open (const int *fds, guint n_fds, GError **error);
WlyGguf *wly_gguf_ref (WlyGguf *gguf);
void wly_gguf_unref (WlyGguf *gguf); /* unmaps with the last one; NULL is fine */

/* Names of the other parts that a first part needs, by its file name ("x-00001-of-00003.gguf"); NULL-terminated
 * (transfer full), only itself where the name is not of a split file; NULL where it is a later part. */
char **wly_gguf_part_names (const char *file_name);

/* Whether size and modification time are still those of the opening.  Error: WLY_ERROR_MODEL_CHANGED. */
gboolean wly_gguf_check_unchanged (WlyGguf *gguf, GError **error);

guint wly_gguf_n_parts (const WlyGguf *gguf);
void wly_gguf_identity (const WlyGguf *gguf, guint part, WlyGgufIdentity *ret_identity);

guint64 wly_gguf_n_tensors (const WlyGguf *gguf);
const WlyGgufTensor *wly_gguf_tensor (const WlyGguf *gguf, guint64 index);
const WlyGgufTensor *wly_gguf_find_tensor (const WlyGguf *gguf, const char *name); /* NULL: none */
/* First byte of a tensor in the map, and its place for a backend. */
const void *wly_gguf_tensor_data (const WlyGguf *gguf, const WlyGgufTensor *tensor);
void wly_gguf_tensor_source (const WlyGguf *gguf, const WlyGgufTensor *tensor, struct wlp_weight_source *ret_source);

guint64 wly_gguf_n_keys (const WlyGguf *gguf);
const char *wly_gguf_key (const WlyGguf *gguf, guint64 index, WlyGgufType *ret_type);

/* The value of a key as it stands in the file behind its type; the reader's. */
const void *wly_gguf_key_value (const WlyGguf *gguf, guint64 index, gsize *ret_n_bytes);

/* Getters: FALSE where there is no such key of a fitting type; integers convert where they fit. */
gboolean wly_gguf_get_u32 (const WlyGguf *gguf, const char *key, guint32 *ret_value);
gboolean wly_gguf_get_u64 (const WlyGguf *gguf, const char *key, guint64 *ret_value);
gboolean wly_gguf_get_f32 (const WlyGguf *gguf, const char *key, float *ret_value);
gboolean wly_gguf_get_bool (const WlyGguf *gguf, const char *key, gboolean *ret_value);
gboolean wly_gguf_get_string (const WlyGguf *gguf, const char *key, WlyGgufString *ret_value);
/* As UTF-8 for people and keys: NULL where there is none or it is not valid UTF-8; (transfer full). */
char *wly_gguf_dup_string (const WlyGguf *gguf, const char *key);
/* Items of an array of this kind; @ret_n items.  Numbers are copied out (transfer full), strings and bytes point into
 * the map. */
gboolean wly_gguf_get_array_i32 (const WlyGguf *gguf, const char *key, gint32 **ret_items, gsize *ret_n);
gboolean wly_gguf_get_array_f32 (const WlyGguf *gguf, const char *key, float **ret_items, gsize *ret_n);
gboolean wly_gguf_get_array_bytes (const WlyGguf *gguf, const char *key, const guint8 **ret_bytes, gsize *ret_n);
gboolean wly_gguf_get_array_string (const WlyGguf *gguf, const char *key, WlyGgufString **ret_items, gsize *ret_n);

/* The view that architecture plugins get; the reader's. */
const struct wlp_metadata *wly_gguf_metadata (WlyGguf *gguf);

/* What people call it: "Q4_K_M" by general.file_type, else the type of most weights. */
const char *wly_gguf_quantization (const WlyGguf *gguf);
guint64 wly_gguf_n_parameters (const WlyGguf *gguf);
guint64 wly_gguf_data_bytes (const WlyGguf *gguf); /* of all tensors */
guint64 wly_gguf_file_bytes (const WlyGguf *gguf);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyGguf, wly_gguf_unref)

G_END_DECLS
