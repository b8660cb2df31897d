/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Numbers as they stand in a file, to numbers of C.
 */
#include "gguf/gguf-private.h"

#include <errno.h>
#include <math.h>

/* A whole number of any type of the format: two's complement, and whether it is below 0. */
typedef struct {
  guint64 bits;
  gboolean negative;
} Integer;

static guint64
load_bits (const guint8 *data, gsize n_bytes)
{
  guint64 bits = 0;

  for (gsize i = 0; i < n_bytes; i++)
    bits |= (guint64)data[i] << (8 * i);
  return bits;
}

static Integer
make_signed (gint64 value)
{
  return (Integer){ .bits = (guint64)value, .negative = value < 0 };
}

/* 0 or -EINVAL. */
static int
load_integer (WlyGgufType type, const guint8 *data, Integer *ret_value)
{
  const guint64 bits = load_bits (data, wly_gguf_type_bytes (type));

  switch (type) {
  case WLY_GGUF_U8:
  case WLY_GGUF_U16:
  case WLY_GGUF_U32:
  case WLY_GGUF_U64:
  case WLY_GGUF_BOOL:
    *ret_value = (Integer){ .bits = bits };
    return 0;
  case WLY_GGUF_I8:
    *ret_value = make_signed ((gint8)bits);
    return 0;
  case WLY_GGUF_I16:
    *ret_value = make_signed ((gint16)bits);
    return 0;
  case WLY_GGUF_I32:
    *ret_value = make_signed ((gint32)bits);
    return 0;
  case WLY_GGUF_I64:
    *ret_value = make_signed ((gint64)bits);
    return 0;
  case WLY_GGUF_F32:
  case WLY_GGUF_F64:
  case WLY_GGUF_STRING:
  case WLY_GGUF_ARRAY:
    break;
  }
  return -EINVAL;
}

int
wly_gguf_value_load_f32 (WlyGgufType type, const guint8 *data, float *ret_value)
{
  Integer integer;
  guint32 bits32;
  guint64 bits64;
  double value;

  if (type == WLY_GGUF_F32) {
    bits32 = (guint32)load_bits (data, 4);
    memcpy (ret_value, &bits32, 4);
    return 0;
  }
  if (type == WLY_GGUF_F64) {
    bits64 = load_bits (data, 8);
    memcpy (&value, &bits64, 8);
    if (isfinite (value) && fabs (value) > (double)G_MAXFLOAT)
      return -ERANGE;
    *ret_value = (float)value;
    return 0;
  }
  if (type == WLY_GGUF_BOOL || load_integer (type, data, &integer) != 0)
    return -EINVAL;
  if ((integer.negative ? -integer.bits : integer.bits) > (1u << 24))
    return -ERANGE;
  *ret_value = integer.negative ? -(float)-integer.bits : (float)integer.bits;
  return 0;
}

int
wly_gguf_value_load_u32 (WlyGgufType type, const guint8 *data, guint32 *ret_value)
{
  Integer integer;
  const int result = load_integer (type, data, &integer);

  if (result != 0)
    return result;
  if (integer.negative || integer.bits > G_MAXUINT32)
    return -ERANGE;
  *ret_value = (guint32)integer.bits;
  return 0;
}

int
wly_gguf_value_load_i32 (WlyGgufType type, const guint8 *data, gint32 *ret_value)
{
  Integer integer;
  const int result = load_integer (type, data, &integer);

  if (result != 0)
    return result;
  if (integer.negative ? (gint64)integer.bits < G_MININT32 : integer.bits > G_MAXINT32)
    return -ERANGE;
  *ret_value = (gint32)(gint64)integer.bits;
  return 0;
}

gboolean
wly_gguf_value_u64 (const WlyGgufKey *key, guint64 *ret_value)
{
  Integer integer;

  if (key->type == WLY_GGUF_BOOL || load_integer (key->type, key->data, &integer) != 0 || integer.negative)
    return FALSE;
  *ret_value = integer.bits;
  return TRUE;
}
