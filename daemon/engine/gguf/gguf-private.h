/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What the files of this folder share: the parts of an open file and how they are parsed.
 */
#pragma once

#include "gguf/gguf-cursor.h"
#include "gguf/gguf-index.h"
#include "gguf/gguf-reader.h"

G_BEGIN_DECLS

/* Limits beyond those that the file's size gives (a count is always checked against the bytes that are left, too). */
#define WLY_GGUF_MAX_KEYS         65536u
#define WLY_GGUF_MAX_TENSORS      65536u
#define WLY_GGUF_MAX_KEY_BYTES    65535u
#define WLY_GGUF_MAX_STRING_BYTES (16u << 20)
#define WLY_GGUF_MAX_ARRAY_ITEMS  (64u << 20)
#define WLY_GGUF_MAX_NAME_BYTES   63u
#define WLY_GGUF_MAX_PARTS        1024u
#define WLY_GGUF_MIN_ALIGNMENT    8u
#define WLY_GGUF_MAX_ALIGNMENT    65536u
#define WLY_GGUF_ALIGNMENT        32u /* where the file does not say */

/* One key; the value stays in the map. */
typedef struct {
  const char *name;
  WlyGgufType type;
  WlyGgufType item_type; /* of an array */
  guint64 n_items;       /* of an array */
  const guint8 *data;    /* the value; of a string its bytes, of an array its first item */
  gsize n_bytes;         /* of data */
  const guint8 *raw;     /* the value as it stands in the file, behind the type */
  gsize raw_bytes;
} WlyGgufKey;

typedef struct {
  GArray *items;       /* of WlyGgufKey */
  GStringChunk *names; /* terminated copies */
  WlyGgufIndex index;
} WlyGgufKeys;

typedef struct {
  int fd;
  const guint8 *map;
  gsize n_bytes;
  WlyGgufIdentity identity;
  guint64 n_tensors;
  guint first_tensor; /* in the tensors of the whole */
  gsize alignment;
  gsize data_offset; /* first byte of the data */
} WlyGgufPart;

struct WlyGguf {
  struct wlp_metadata metadata; /* first: the view's pointer is the reader's */
  gatomicrefcount refs;
  WlyGgufPart *parts;
  guint n_parts;
  WlyGgufKeys keys; /* of the first part */
  GArray *tensors;  /* of WlyGgufTensor */
  GStringChunk *tensor_names;
  WlyGgufIndex tensor_index;
  char *architecture;
  guint64 n_parameters;
  guint64 data_bytes;
};

/* gguf-keys.c */
gboolean wly_gguf_keys_parse (WlyGgufKeys *keys, WlyGgufCursor *cursor, guint64 n_keys, GError **error);
void wly_gguf_keys_finish (WlyGgufKeys *keys); /* a zeroed one is fine */
const WlyGgufKey *wly_gguf_keys_find (const WlyGgufKeys *keys, const char *name);
/* Bytes of one value of a type, 0 for strings, arrays and unknown types. */
gsize wly_gguf_type_bytes (WlyGgufType type);
const char *wly_gguf_type_name (WlyGgufType type);
/* A name as it may stand in a message: short and valid UTF-8; (transfer full). */
char *wly_gguf_display_name (const char *name, gsize n_bytes);

/* gguf-tensors.c: the descriptions of one part, then their place in its data.  A part's data_offset must stand. */
gboolean wly_gguf_tensors_parse (WlyGguf *gguf, guint part, WlyGgufCursor *cursor, GError **error);
gboolean wly_gguf_tensors_place (WlyGguf *gguf, guint part, GError **error);

/* gguf-split.c: whether part @part says that it is number @part of @n_parts. */
gboolean wly_gguf_split_check (const WlyGgufKeys *keys, guint part, guint n_parts, guint64 *ret_n_tensors,
                               GError **error);

/* gguf-value.c: one number of any type at @data.  0, -EINVAL (no number, or none of this kind) or -ERANGE (it does not
 * fit).  Bools load as 0 and 1; for a float whole numbers serve where it holds them exactly, but no bools. */
int wly_gguf_value_load_u32 (WlyGgufType type, const guint8 *data, guint32 *ret_value);
int wly_gguf_value_load_i32 (WlyGgufType type, const guint8 *data, gint32 *ret_value);
int wly_gguf_value_load_f32 (WlyGgufType type, const guint8 *data, float *ret_value);
/* A whole number of at least 0. */
gboolean wly_gguf_value_u64 (const WlyGgufKey *key, guint64 *ret_value);

/* gguf-metadata.c */
extern const struct wlp_metadata_ops wly_gguf_metadata_ops;

G_END_DECLS
