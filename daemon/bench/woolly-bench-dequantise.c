/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * woolly-bench dequantise IN.gguf OUT.gguf: the same model with float32 weights, the reference that quantised runs are
 * compared with.
 */
#include "config.h"

#include "woolly-bench-cmds.h"

#include "bench-model.h"
#include "gguf/gguf-writer.h"
#include "quant.h"
#include "wly-error.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <unistd.h>

#define FILE_TYPE_F32 0u
#define FILE_MODE     0644

/* Refuses before the first byte is written. */
static gboolean
add_tensors (WlyGgufWriter *writer, const WlyGguf *gguf, GError **error)
{
  for (guint64 i = 0; i < wly_gguf_n_tensors (gguf); i++) {
    const WlyGgufTensor *tensor = wly_gguf_tensor (gguf, i);
    struct wlp_shape shape      = tensor->shape;

    if (!wlq_is_supported (shape.type)) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL, _ ("tensor “%s” has type %s, which is not supported"),
                   tensor->name, wlq_type_name (shape.type));
      return FALSE;
    }
    shape.type = WLP_TYPE_F32;
    if (!wly_gguf_writer_add_tensor (writer, tensor->name, &shape, error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_tensor (WlyGgufWriter *writer, const WlyGguf *gguf, const WlyGgufTensor *tensor, GError **error)
{
  const guint64 n_in        = tensor->shape.ne[0];
  const guint64 n_rows      = tensor->shape.ne[1] * tensor->shape.ne[2] * tensor->shape.ne[3];
  const guint64 row_bytes   = tensor->n_bytes / n_rows;
  const guint8 *row         = wly_gguf_tensor_data (gguf, tensor);
  g_autofree float *weights = g_new (float, n_in);

  for (guint64 i = 0; i < n_rows; i++, row += row_bytes) {
    wlq_dequantize_row (tensor->shape.type, row, n_in, weights);
    for (guint64 k = 0; G_BYTE_ORDER != G_LITTLE_ENDIAN && k < n_in; k++)
      weights[k] = wlq_f32_from_bits (GUINT32_SWAP_LE_BE (wlq_f32_bits (weights[k])));
    if (!wly_gguf_writer_write (writer, weights, n_in * sizeof (float), error))
      return FALSE;
  }
  return TRUE;
}

static gboolean
write_model (const WlyGguf *gguf, int fd, GError **error)
{
  g_autoptr (WlyGgufWriter) writer = wly_gguf_writer_new ();

  wly_gguf_writer_copy_keys (writer, gguf);
  wly_gguf_writer_set_u32 (writer, "general.file_type", FILE_TYPE_F32);
  if (!add_tensors (writer, gguf, error) || !wly_gguf_writer_begin (writer, fd, error))
    return FALSE;
  for (guint64 i = 0; i < wly_gguf_n_tensors (gguf); i++)
    if (!write_tensor (writer, gguf, wly_gguf_tensor (gguf, i), error))
      return FALSE;
  return wly_gguf_writer_finish (writer, error);
}

static gboolean
set_system_error (GError **error, const char *path)
{
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, _ ("cannot write %s: %s"), path, g_strerror (errno));
  return FALSE;
}

/* The file gets its name when it is whole; a failure leaves what was there before. */
static gboolean
write_file (const WlyGguf *gguf, const char *path, GError **error)
{
  g_autofree char *temporary = g_strconcat (path, ".XXXXXX", NULL);
  const int fd               = g_mkstemp_full (temporary, O_RDWR | O_CLOEXEC, FILE_MODE);
  gboolean ok;

  if (fd < 0)
    return set_system_error (error, path);
  ok = write_model (gguf, fd, error);
  if (ok && fsync (fd) != 0)
    ok = set_system_error (error, path);
  if (close (fd) != 0 && ok)
    ok = set_system_error (error, path);
  if (ok && g_rename (temporary, path) != 0)
    ok = set_system_error (error, path);
  if (!ok)
    g_unlink (temporary);
  return ok;
}

int
woolly_bench_dequantise (int argc, char **argv)
{
  g_autoptr (WlyGguf) gguf = NULL;
  g_autoptr (GError) error = NULL;

  if (!woolly_bench_parse (&argc, &argv, NULL, NULL, _ ("IN.gguf OUT.gguf"),
                           _ ("Writes OUT.gguf: the model of IN.gguf with all its weights as 32-bit floats.\n"
                              "Of a split model, name the first file.")))
    return WOOLLY_BENCH_USAGE;
  if (argc != 3) {
    g_printerr (_ ("woolly-bench dequantise: two file names are needed, IN.gguf and OUT.gguf\n"));
    return WOOLLY_BENCH_USAGE;
  }
  if (g_file_test (argv[2], G_FILE_TEST_EXISTS) && !g_file_test (argv[2], G_FILE_TEST_IS_REGULAR)) {
    g_printerr (_ ("woolly-bench dequantise: %s is there and is no regular file\n"), argv[2]);
    return WOOLLY_BENCH_USAGE;
  }
  gguf = bench_model_open (argv[1], &error);
  if (gguf == NULL || !write_file (gguf, argv[2], &error))
    return woolly_bench_fail (error);
  return WOOLLY_BENCH_OK;
}
