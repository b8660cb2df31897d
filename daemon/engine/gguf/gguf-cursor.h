/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A place in the bytes of a file; every step forward is checked against what is left.
 */
#pragma once

#include <glib.h>
#include <string.h>

typedef struct {
  const guint8 *data;
  gsize at;
  gsize n_bytes; /* at <= n_bytes always */
} WlyGgufCursor;

static inline gsize
wly_gguf_cursor_left (const WlyGgufCursor *cursor)
{
  return cursor->n_bytes - cursor->at;
}

/* The next @n_bytes bytes, or NULL (and no step) where fewer are left. */
static inline const guint8 *
wly_gguf_cursor_take (WlyGgufCursor *cursor, guint64 n_bytes)
{
  const guint8 *at = cursor->data + cursor->at;

  if (n_bytes > wly_gguf_cursor_left (cursor))
    return NULL;
  cursor->at += (gsize)n_bytes;
  return at;
}

static inline gboolean
wly_gguf_cursor_take_u32 (WlyGgufCursor *cursor, guint32 *ret_value)
{
  const guint8 *at = wly_gguf_cursor_take (cursor, 4);

  if (at == NULL)
    return FALSE;
  memcpy (ret_value, at, 4);
  *ret_value = GUINT32_FROM_LE (*ret_value);
  return TRUE;
}

static inline gboolean
wly_gguf_cursor_take_u64 (WlyGgufCursor *cursor, guint64 *ret_value)
{
  const guint8 *at = wly_gguf_cursor_take (cursor, 8);

  if (at == NULL)
    return FALSE;
  memcpy (ret_value, at, 8);
  *ret_value = GUINT64_FROM_LE (*ret_value);
  return TRUE;
}
