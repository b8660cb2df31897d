/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * GGUF files made byte by byte, so that they can be wrong in any way; independent of the writer.
 */
#pragma once

#include "gguf/gguf-reader.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static inline void
put_bytes (GByteArray *bytes, const void *data, gsize n)
{
  g_byte_array_append (bytes, data, (guint)n);
}

static inline void
put_u8 (GByteArray *bytes, guint8 value)
{
  put_bytes (bytes, &value, 1);
}

static inline void
put_u32 (GByteArray *bytes, guint32 value)
{
  for (int i = 0; i < 4; i++)
    put_u8 (bytes, (guint8)(value >> (8 * i)));
}

static inline void
put_u64 (GByteArray *bytes, guint64 value)
{
  put_u32 (bytes, (guint32)value);
  put_u32 (bytes, (guint32)(value >> 32));
}

static inline void
put_zeros (GByteArray *bytes, gsize n)
{
  const guint old = bytes->len;

  g_byte_array_set_size (bytes, old + (guint)n);
  memset (bytes->data + old, 0, n);
}

static inline void
put_string (GByteArray *bytes, const char *text)
{
  put_u64 (bytes, strlen (text));
  put_bytes (bytes, text, strlen (text));
}

static inline GByteArray *
new_file (guint64 n_tensors, guint64 n_keys)
{
  GByteArray *bytes = g_byte_array_new ();

  put_bytes (bytes, "GGUF", 4);
  put_u32 (bytes, 3);
  put_u64 (bytes, n_tensors);
  put_u64 (bytes, n_keys);
  return bytes;
}

/* What stands before a value. */
static inline void
put_key (GByteArray *bytes, const char *name, guint32 type)
{
  put_string (bytes, name);
  put_u32 (bytes, type);
}

static inline void
put_key_u32 (GByteArray *bytes, const char *name, guint32 value)
{
  put_key (bytes, name, WLY_GGUF_U32);
  put_u32 (bytes, value);
}

static inline void
put_key_string (GByteArray *bytes, const char *name, const char *value)
{
  put_key (bytes, name, WLY_GGUF_STRING);
  put_string (bytes, value);
}

/* The key that every model has. */
static inline void
put_architecture (GByteArray *bytes)
{
  put_key_string (bytes, "general.architecture", "test");
}

/* With @n_keys keys, the first of which is the architecture; the others are still to come. */
static inline GByteArray *
new_model (guint64 n_tensors, guint64 n_keys)
{
  GByteArray *bytes = new_file (n_tensors, n_keys);

  put_architecture (bytes);
  return bytes;
}

static inline void
put_tensor (GByteArray *bytes, const char *name, guint32 n_dims, const guint64 *ne, guint32 type, guint64 offset)
{
  put_string (bytes, name);
  put_u32 (bytes, n_dims);
  for (guint32 i = 0; i < n_dims; i++)
    put_u64 (bytes, ne[i]);
  put_u32 (bytes, type);
  put_u64 (bytes, offset);
}

/* A vector of @n float32 at @offset. */
static inline void
put_vector (GByteArray *bytes, const char *name, guint64 n, guint64 offset)
{
  put_tensor (bytes, name, 1, &n, WLP_TYPE_F32, offset);
}

static inline void
pad (GByteArray *bytes, gsize alignment)
{
  put_zeros (bytes, (alignment - bytes->len % alignment) % alignment);
}

/* A memory file with these bytes; close() it. */
static inline int
memory_file (const void *data, gsize n)
{
  const int fd = memfd_create ("gguf", MFD_CLOEXEC);
  gsize done   = 0;

  g_assert_cmpint (fd, >=, 0);
  while (done < n) {
    const gssize written = write (fd, (const char *)data + done, n - done);

    g_assert_cmpint (written, >, 0);
    done += (gsize)written;
  }
  return fd;
}

static inline WlyGguf *
open_data (const void *data, gsize n, GError **error)
{
  const int fd  = memory_file (data, n);
  WlyGguf *gguf = wly_gguf_open (&fd, 1, error);

  close (fd);
  return gguf;
}

/* Takes @bytes over; what opens must be sound. */
static inline WlyGguf *
open_good (GByteArray *bytes)
{
  g_autoptr (GError) error = NULL;
  WlyGguf *gguf            = open_data (bytes->data, bytes->len, &error);

  g_byte_array_unref (bytes);
  g_assert_no_error (error);
  g_assert_nonnull (gguf);
  return gguf;
}

/* Whatever was accepted lies inside the file, wherever one looks.  For files of one part. */
static inline void
assert_sound (WlyGguf *gguf)
{
  const guint64 n_file = wly_gguf_file_bytes (gguf);
  volatile guint8 sum  = 0;

  for (guint64 i = 0; i < wly_gguf_n_tensors (gguf); i++) {
    const WlyGgufTensor *tensor = wly_gguf_tensor (gguf, i);
    const guint8 *data          = wly_gguf_tensor_data (gguf, tensor);

    g_assert_cmpuint (tensor->offset, <=, n_file);
    g_assert_cmpuint (tensor->n_bytes, <=, n_file - tensor->offset);
    g_assert_cmpuint (tensor->n_bytes, >, 0);
    g_assert_cmpuint (tensor->offset % 8, ==, 0);
    g_assert_true (wly_gguf_find_tensor (gguf, tensor->name) == tensor);
    sum = (guint8)(sum + data[0] + data[tensor->n_bytes - 1]);
  }
  for (guint64 i = 0; i < wly_gguf_n_keys (gguf); i++) {
    const char *name                = wly_gguf_key (gguf, i, NULL);
    g_autofree WlyGgufString *texts = NULL;
    g_autofree gint32 *integers     = NULL;
    g_autofree float *floats        = NULL;
    g_autofree char *text           = wly_gguf_dup_string (gguf, name);
    gsize n;

    if (wly_gguf_get_array_string (gguf, name, &texts, &n))
      for (gsize k = 0; k < n; k++)
        if (texts[k].n_bytes > 0)
          sum = (guint8)(sum + texts[k].data[0] + texts[k].data[texts[k].n_bytes - 1]);
    g_assert_true (text == NULL || g_utf8_validate (text, -1, NULL));
    wly_gguf_get_array_i32 (gguf, name, &integers, &n);
    wly_gguf_get_array_f32 (gguf, name, &floats, &n);
  }
}
