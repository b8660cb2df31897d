/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-writer.h"

#include "gguf/gguf-private.h"
#include "quant.h"
#include "wly-error.h"

#include <errno.h>
#include <unistd.h>

#define VERSION      3u
#define BUFFER_BYTES (1u << 20)

typedef struct {
  char *name;
  WlyGgufType type;
  GBytes *value; /* as it stands behind the type */
} Key;

typedef struct {
  char *name;
  struct wlp_shape shape;
  guint64 n_bytes;
} Tensor;

struct WlyGgufWriter {
  GPtrArray *keys;    /* of Key */
  GHashTable *by_key; /* name: Key; the names are ours, not a stranger's */
  GArray *tensors;    /* of Tensor */
  gsize alignment;
  int fd;
  GByteArray *buffer;
  guint current;      /* tensor that is being written */
  guint64 current_at; /* bytes of it so far */
};

static void
free_key_cb (gpointer data)
{
  Key *key = data;

  g_free (key->name);
  g_bytes_unref (key->value);
  g_free (key);
}

static void
clear_tensor_cb (gpointer data)
{
  g_free (((Tensor *)data)->name);
}

WlyGgufWriter *
wly_gguf_writer_new (void)
{
  WlyGgufWriter *writer = g_new0 (WlyGgufWriter, 1);

  writer->keys    = g_ptr_array_new_with_free_func (free_key_cb);
  writer->by_key  = g_hash_table_new (g_str_hash, g_str_equal);
  writer->tensors = g_array_new (FALSE, FALSE, sizeof (Tensor));
  writer->buffer  = g_byte_array_new ();
  writer->fd      = -1;
  g_array_set_clear_func (writer->tensors, clear_tensor_cb);
  return writer;
}

void
wly_gguf_writer_free (WlyGgufWriter *writer)
{
  if (writer == NULL)
    return;
  g_hash_table_unref (writer->by_key);
  g_ptr_array_unref (writer->keys);
  g_array_unref (writer->tensors);
  g_byte_array_unref (writer->buffer);
  g_free (writer);
}

/* ---- keys ---- */

static void
put_u32 (GByteArray *bytes, guint32 value)
{
  value = GUINT32_TO_LE (value);
  g_byte_array_append (bytes, (const guint8 *)&value, sizeof value);
}

static void
put_u64 (GByteArray *bytes, guint64 value)
{
  value = GUINT64_TO_LE (value);
  g_byte_array_append (bytes, (const guint8 *)&value, sizeof value);
}

static void
put_string (GByteArray *bytes, const char *text, gsize n_bytes)
{
  put_u64 (bytes, n_bytes);
  g_byte_array_append (bytes, (const guint8 *)text, (guint)n_bytes);
}

static void
put_zeros (GByteArray *bytes, gsize n_bytes)
{
  const guint old = bytes->len;

  g_byte_array_set_size (bytes, old + (guint)n_bytes);
  memset (bytes->data + old, 0, n_bytes);
}

static GByteArray *
new_array (WlyGgufType item_type, gsize n)
{
  GByteArray *bytes = g_byte_array_new ();

  put_u32 (bytes, item_type);
  put_u64 (bytes, n);
  return bytes;
}

/* Takes @value over. */
static void
set_key (WlyGgufWriter *writer, const char *name, WlyGgufType type, GByteArray *value)
{
  Key *key = g_hash_table_lookup (writer->by_key, name);

  if (key == NULL) {
    key       = g_new0 (Key, 1);
    key->name = g_strdup (name);
    g_ptr_array_add (writer->keys, key);
    g_hash_table_insert (writer->by_key, key->name, key);
  }
  key->type = type;
  g_clear_pointer (&key->value, g_bytes_unref);
  key->value = g_byte_array_free_to_bytes (value);
}

void
wly_gguf_writer_set_raw (WlyGgufWriter *writer, const char *key, WlyGgufType type, const void *value, gsize n_bytes)
{
  GByteArray *bytes = g_byte_array_new ();

  g_byte_array_append (bytes, value, (guint)n_bytes);
  set_key (writer, key, type, bytes);
}

void
wly_gguf_writer_set_u32 (WlyGgufWriter *writer, const char *key, guint32 value)
{
  GByteArray *bytes = g_byte_array_new ();

  put_u32 (bytes, value);
  set_key (writer, key, WLY_GGUF_U32, bytes);
}

void
wly_gguf_writer_set_f32 (WlyGgufWriter *writer, const char *key, float value)
{
  GByteArray *bytes = g_byte_array_new ();

  put_u32 (bytes, wlq_f32_bits (value));
  set_key (writer, key, WLY_GGUF_F32, bytes);
}

void
wly_gguf_writer_set_bool (WlyGgufWriter *writer, const char *key, gboolean value)
{
  const guint8 byte = value ? 1 : 0;

  wly_gguf_writer_set_raw (writer, key, WLY_GGUF_BOOL, &byte, 1);
}

void
wly_gguf_writer_set_string (WlyGgufWriter *writer, const char *key, const char *value, gssize n_bytes)
{
  GByteArray *bytes = g_byte_array_new ();

  put_string (bytes, value, n_bytes < 0 ? strlen (value) : (gsize)n_bytes);
  set_key (writer, key, WLY_GGUF_STRING, bytes);
}

void
wly_gguf_writer_set_array_i32 (WlyGgufWriter *writer, const char *key, const gint32 *items, gsize n)
{
  GByteArray *bytes = new_array (WLY_GGUF_I32, n);

  for (gsize i = 0; i < n; i++)
    put_u32 (bytes, (guint32)items[i]);
  set_key (writer, key, WLY_GGUF_ARRAY, bytes);
}

void
wly_gguf_writer_set_array_f32 (WlyGgufWriter *writer, const char *key, const float *items, gsize n)
{
  GByteArray *bytes = new_array (WLY_GGUF_F32, n);

  for (gsize i = 0; i < n; i++)
    put_u32 (bytes, wlq_f32_bits (items[i]));
  set_key (writer, key, WLY_GGUF_ARRAY, bytes);
}

void
wly_gguf_writer_set_array_string (WlyGgufWriter *writer, const char *key, const WlyGgufString *items, gsize n)
{
  GByteArray *bytes = new_array (WLY_GGUF_STRING, n);

  for (gsize i = 0; i < n; i++)
    put_string (bytes, items[i].data, items[i].n_bytes);
  set_key (writer, key, WLY_GGUF_ARRAY, bytes);
}

void
wly_gguf_writer_copy_keys (WlyGgufWriter *writer, const WlyGguf *from)
{
  for (guint64 i = 0; i < wly_gguf_n_keys (from); i++) {
    WlyGgufType type;
    const char *name = wly_gguf_key (from, i, &type);
    gsize n_bytes;
    const void *value = wly_gguf_key_value (from, i, &n_bytes);

    if (!g_str_has_prefix (name, "split."))
      wly_gguf_writer_set_raw (writer, name, type, value, n_bytes);
  }
}

/* ---- tensors ---- */

gboolean
wly_gguf_writer_add_tensor (WlyGgufWriter *writer, const char *name, const struct wlp_shape *shape, GError **error)
{
  Tensor tensor = { .shape = *shape };
  guint64 n     = 1;

  if (strlen (name) == 0 || strlen (name) > WLY_GGUF_MAX_NAME_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "tensor \"%s\": a name of 1 to %u bytes was expected", name,
                 WLY_GGUF_MAX_NAME_BYTES);
    return FALSE;
  }
  for (guint i = 0; i < shape->n_dims; i++)
    if (!g_uint64_checked_mul (&n, n, shape->ne[i]))
      n = 0;
  if (shape->n_dims < 1 || shape->n_dims > WLP_MAX_DIMS || n == 0
      || wlq_row_bytes (shape->type, shape->ne[0], &tensor.n_bytes) != 0
      || !g_uint64_checked_mul (&tensor.n_bytes, tensor.n_bytes, n / shape->ne[0])) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "tensor \"%s\": a shape that type %s cannot have", name,
                 wlq_type_name (shape->type));
    return FALSE;
  }
  tensor.name = g_strdup (name);
  g_array_append_val (writer->tensors, tensor);
  return TRUE;
}

/* ---- the file ---- */

static gboolean
flush (WlyGgufWriter *writer, GError **error)
{
  const guint8 *at = writer->buffer->data;
  gsize left       = writer->buffer->len;

  while (left > 0) {
    const gssize written = write (writer->fd, at, left);

    if (written < 0 && errno == EINTR)
      continue;
    if (written <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot write the file: %s", g_strerror (errno));
      return FALSE;
    }
    at += written;
    left -= (gsize)written;
  }
  g_byte_array_set_size (writer->buffer, 0);
  return TRUE;
}

static guint64
padding (guint64 n_bytes, gsize alignment)
{
  return (alignment - n_bytes % alignment) % alignment;
}

static gsize
find_alignment (const WlyGgufWriter *writer)
{
  const Key *key = g_hash_table_lookup (writer->by_key, "general.alignment");
  guint32 value;

  if (key == NULL || key->type != WLY_GGUF_U32 || g_bytes_get_size (key->value) != sizeof value)
    return WLY_GGUF_ALIGNMENT;
  memcpy (&value, g_bytes_get_data (key->value, NULL), sizeof value);
  return GUINT32_FROM_LE (value);
}

gboolean
wly_gguf_writer_begin (WlyGgufWriter *writer, int fd, GError **error)
{
  GByteArray *bytes = writer->buffer;
  guint64 offset    = 0;

  writer->fd        = fd;
  writer->alignment = find_alignment (writer);
  if (writer->alignment < WLY_GGUF_MIN_ALIGNMENT || (writer->alignment & (writer->alignment - 1)) != 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "key \"general.alignment\": %" G_GSIZE_FORMAT " is no alignment",
                 writer->alignment);
    return FALSE;
  }
  g_byte_array_append (bytes, (const guint8 *)"GGUF", 4);
  put_u32 (bytes, VERSION);
  put_u64 (bytes, writer->tensors->len);
  put_u64 (bytes, writer->keys->len);
  for (guint i = 0; i < writer->keys->len; i++) {
    const Key *key = writer->keys->pdata[i];

    put_string (bytes, key->name, strlen (key->name));
    put_u32 (bytes, key->type);
    g_byte_array_append (bytes, g_bytes_get_data (key->value, NULL), (guint)g_bytes_get_size (key->value));
  }
  for (guint i = 0; i < writer->tensors->len; i++) {
    const Tensor *tensor = &g_array_index (writer->tensors, Tensor, i);

    put_string (bytes, tensor->name, strlen (tensor->name));
    put_u32 (bytes, tensor->shape.n_dims);
    for (guint d = 0; d < tensor->shape.n_dims; d++)
      put_u64 (bytes, tensor->shape.ne[d]);
    put_u32 (bytes, tensor->shape.type);
    put_u64 (bytes, offset);
    offset += tensor->n_bytes + padding (tensor->n_bytes, writer->alignment);
  }
  put_zeros (bytes, padding (bytes->len, writer->alignment));
  return flush (writer, error);
}

gboolean
wly_gguf_writer_write (WlyGgufWriter *writer, const void *data, gsize n_bytes, GError **error)
{
  const guint8 *at = data;

  while (n_bytes > 0) {
    const Tensor *tensor;
    gsize part;

    if (writer->current >= writer->tensors->len) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "%" G_GSIZE_FORMAT " bytes beyond the last tensor", n_bytes);
      return FALSE;
    }
    tensor = &g_array_index (writer->tensors, Tensor, writer->current);
    part   = (gsize)MIN (MIN (n_bytes, tensor->n_bytes - writer->current_at), BUFFER_BYTES);
    g_byte_array_append (writer->buffer, at, (guint)part);
    writer->current_at += part;
    at += part;
    n_bytes -= part;
    if (writer->current_at == tensor->n_bytes) {
      put_zeros (writer->buffer, padding (tensor->n_bytes, writer->alignment));
      writer->current++;
      writer->current_at = 0;
    }
    if (writer->buffer->len >= BUFFER_BYTES && !flush (writer, error))
      return FALSE;
  }
  return TRUE;
}

gboolean
wly_gguf_writer_finish (WlyGgufWriter *writer, GError **error)
{
  if (writer->current < writer->tensors->len) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "tensor \"%s\" was not written to its end",
                 g_array_index (writer->tensors, Tensor, writer->current).name);
    return FALSE;
  }
  return flush (writer, error);
}
