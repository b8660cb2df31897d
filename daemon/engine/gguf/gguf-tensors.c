/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gguf/gguf-private.h"

#include "quant.h"
#include "wly-error.h"

/* What the shortest description takes: length, one byte of name, dimensions, one extent, type, offset. */
#define MIN_TENSOR_BYTES (8u + 1u + 4u + 8u + 4u + 8u)

/* Sets the error for a tensor, with its name; gives FALSE. */
static gboolean G_GNUC_PRINTF (4, 5)
    set_tensor_error (GError **error, WlyErrorCode code, const WlyGgufTensor *tensor, const char *format, ...)
{
  g_autofree char *name = wly_gguf_display_name (tensor->name, strlen (tensor->name));
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, WLY_ERROR, code, "tensor \"%s\": %s", name, what);
  return FALSE;
}

static gboolean
set_truncated (GError **error, guint64 number)
{
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "the file ends inside the description of tensor %" G_GUINT64_FORMAT, number);
  return FALSE;
}

static gboolean
take_name (WlyGguf *gguf, WlyGgufCursor *cursor, guint64 number, WlyGgufTensor *tensor, GError **error)
{
  const guint8 *bytes;
  guint64 n_bytes;

  if (!wly_gguf_cursor_take_u64 (cursor, &n_bytes))
    return set_truncated (error, number);
  if (n_bytes == 0 || n_bytes > WLY_GGUF_MAX_NAME_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "tensor %" G_GUINT64_FORMAT ": a name of %" G_GUINT64_FORMAT " bytes, expected 1 to %u", number,
                 n_bytes, WLY_GGUF_MAX_NAME_BYTES);
    return FALSE;
  }
  bytes = wly_gguf_cursor_take (cursor, n_bytes);
  if (bytes == NULL)
    return set_truncated (error, number);
  if (!g_utf8_validate_len ((const char *)bytes, (gsize)n_bytes, NULL)) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "tensor %" G_GUINT64_FORMAT ": the name is not valid UTF-8 or holds a NUL", number);
    return FALSE;
  }
  tensor->name = g_string_chunk_insert_len (gguf->tensor_names, (const char *)bytes, (gssize)n_bytes);
  return TRUE;
}

static gboolean
take_shape (WlyGgufCursor *cursor, guint64 number, WlyGgufTensor *tensor, GError **error)
{
  guint32 n_dims;

  if (!wly_gguf_cursor_take_u32 (cursor, &n_dims))
    return set_truncated (error, number);
  if (n_dims > WLP_MAX_DIMS)
    return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor, "%u dimensions, expected at most %u", n_dims,
                             WLP_MAX_DIMS);
  for (guint i = 0; i < WLP_MAX_DIMS; i++)
    tensor->shape.ne[i] = 1;
  for (guint i = 0; i < n_dims; i++)
    if (!wly_gguf_cursor_take_u64 (cursor, &tensor->shape.ne[i]))
      return set_truncated (error, number);
  tensor->shape.n_dims = MAX (n_dims, 1); /* a scalar is a vector of one */
  if (!wly_gguf_cursor_take_u32 (cursor, &tensor->shape.type) || !wly_gguf_cursor_take_u64 (cursor, &tensor->offset))
    return set_truncated (error, number);
  return TRUE;
}

/* The one place where sizes are computed from what a file says: elements and bytes of a tensor, and its offset made one
 * from the start of the file.  What passes lies inside the part. */
static gboolean
place_tensor (const WlyGgufPart *part, WlyGgufTensor *tensor, guint64 *ret_n_elements, GError **error)
{
  const struct wlq_traits *traits = wlq_traits (tensor->shape.type);
  const guint64 data_bytes        = part->n_bytes - part->data_offset;
  const guint64 *ne               = tensor->shape.ne;
  guint64 n_elements              = 1;
  guint64 end;

  if (traits == NULL)
    return set_tensor_error (error, WLY_ERROR_UNSUPPORTED_MODEL, tensor, "type %u is not known", tensor->shape.type);
  for (guint i = 0; i < WLP_MAX_DIMS; i++) {
    if (ne[i] == 0)
      return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor, "extent %u is 0, expected at least 1", i);
    if (!g_uint64_checked_mul (&n_elements, n_elements, ne[i]) || n_elements > G_MAXINT64)
      return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor,
                               "extents whose product does not fit 63 bits (%" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT
                               ", %" G_GUINT64_FORMAT ", %" G_GUINT64_FORMAT ")",
                               ne[0], ne[1], ne[2], ne[3]);
  }
  if (ne[0] % traits->block != 0)
    return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor,
                             "rows of %" G_GUINT64_FORMAT " weights, expected a multiple of %u for type %s", ne[0],
                             traits->block, traits->name);
  if (!g_uint64_checked_mul (&tensor->n_bytes, n_elements / traits->block, traits->block_bytes))
    return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor, "more bytes than 64 bits can count");
  if (tensor->offset % part->alignment != 0)
    return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor,
                             "offset %" G_GUINT64_FORMAT ", expected a multiple of %" G_GSIZE_FORMAT, tensor->offset,
                             part->alignment);
  if (!g_uint64_checked_add (&end, tensor->offset, tensor->n_bytes) || end > data_bytes)
    return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor,
                             "%" G_GUINT64_FORMAT " bytes at offset %" G_GUINT64_FORMAT
                             " lie outside the %" G_GUINT64_FORMAT " bytes of data; is the file complete?",
                             tensor->n_bytes, tensor->offset, data_bytes);
  tensor->offset += part->data_offset;
  *ret_n_elements = n_elements;
  return TRUE;
}

gboolean
wly_gguf_tensors_parse (WlyGguf *gguf, guint part, WlyGgufCursor *cursor, GError **error)
{
  const guint64 n_tensors = gguf->parts[part].n_tensors;

  if (n_tensors > WLY_GGUF_MAX_TENSORS - gguf->tensors->len
      || n_tensors > wly_gguf_cursor_left (cursor) / MIN_TENSOR_BYTES) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
                 "the header says %" G_GUINT64_FORMAT
                 " tensors, expected at most %u and no more than the file's %" G_GSIZE_FORMAT " bytes can hold",
                 n_tensors, WLY_GGUF_MAX_TENSORS, cursor->n_bytes);
    return FALSE;
  }
  for (guint64 i = 0; i < n_tensors; i++) {
    WlyGgufTensor tensor = { .part = part };

    if (!take_name (gguf, cursor, i, &tensor, error) || !take_shape (cursor, i, &tensor, error))
      return FALSE;
    wly_gguf_index_add (&gguf->tensor_index, tensor.name, gguf->tensors->len);
    g_array_append_val (gguf->tensors, tensor);
  }
  return TRUE;
}

static int
compare_offsets_cb (const void *a, const void *b)
{
  const WlyGgufTensor *x = *(const WlyGgufTensor *const *)a, *y = *(const WlyGgufTensor *const *)b;

  return x->offset < y->offset ? -1 : x->offset > y->offset;
}

static gboolean
check_overlaps (WlyGguf *gguf, guint first, guint n, GError **error)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (n);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (sorted, &g_array_index (gguf->tensors, WlyGgufTensor, first + i));
  g_ptr_array_sort (sorted, compare_offsets_cb);
  for (guint i = 1; i < n; i++) {
    const WlyGgufTensor *before = sorted->pdata[i - 1], *tensor = sorted->pdata[i];

    if (tensor->offset < before->offset + before->n_bytes)
      return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor, "its bytes overlap those of tensor \"%s\"",
                               before->name);
  }
  return TRUE;
}

gboolean
wly_gguf_tensors_place (WlyGguf *gguf, guint part, GError **error)
{
  const WlyGgufPart *file = &gguf->parts[part];
  guint64 n_elements      = 0;

  for (guint i = 0; i < file->n_tensors; i++) {
    WlyGgufTensor *tensor = &g_array_index (gguf->tensors, WlyGgufTensor, file->first_tensor + i);

    if (!place_tensor (file, tensor, &n_elements, error))
      return FALSE;
    if (!g_uint64_checked_add (&gguf->n_parameters, gguf->n_parameters, n_elements)
        || !g_uint64_checked_add (&gguf->data_bytes, gguf->data_bytes, tensor->n_bytes))
      return set_tensor_error (error, WLY_ERROR_INVALID_MODEL, tensor, "more weights than 64 bits can count");
  }
  return check_overlaps (gguf, file->first_tensor, (guint)file->n_tensors, error);
}
