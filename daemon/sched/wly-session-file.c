/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "wly-session-file.h"

#include "wly-error.h"
#include "wly-foreign.h"
#include "wly-os.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC        "WLYSESS1"
#define HEADER_BYTES 48
#define DIGEST_BYTES 32
#define MAX_BYTES    (HEADER_BYTES + 4 * 1048576)

typedef struct {
  int fd;
  GBytes *bytes;
} Save;

static void
put_u32 (guint8 *at, guint32 value)
{
  for (int i = 0; i < 4; i++)
    at[i] = (guint8)(value >> (8 * i));
}

static guint32
get_u32 (const guint8 *at)
{
  return (guint32)at[0] | (guint32)at[1] << 8 | (guint32)at[2] << 16 | (guint32)at[3] << 24;
}

/* FALSE where the model's header is not known, and so nothing can have been said yet. */
static gboolean
make_header (WlySession *session, guint32 n_tokens, guint8 header[HEADER_BYTES], GError **error)
{
  WlyModel *model                = wly_session_get_model (session);
  const WlyModelInfo *info       = wly_model_get_info (model);
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree char *text          = NULL;
  gsize n_digest                 = DIGEST_BYTES;

  if (info == NULL) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL, "the model's header was not read yet");
    return FALSE;
  }
  text =
      g_strdup_printf ("%s\n%s\n%s\n%" G_GUINT64_FORMAT "\n%" G_GUINT64_FORMAT "\n", info->name, info->architecture,
                       info->quantization, info->n_parameters, wly_model_files_get_size (wly_model_get_files (model)));
  g_checksum_update (checksum, (const guchar *)text, -1);
  memcpy (header, MAGIC, 8);
  put_u32 (header + 8, n_tokens);
  put_u32 (header + 12, info->vocabulary_size);
  g_checksum_get_digest (checksum, header + 16, &n_digest);
  return TRUE;
}

static void
save_free (gpointer data)
{
  Save *save = data;

  wly_foreign_close (save->fd);
  g_bytes_unref (save->bytes);
  g_free (save);
}

static gpointer
save_thread (gpointer data, GError **error)
{
  Save *save = data;
  gsize n_bytes, at = 0;
  const guint8 *bytes = g_bytes_get_data (save->bytes, &n_bytes);
  struct stat status;

  if (fstat (save->fd, &status) != 0 || !S_ISREG (status.st_mode)) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: not a regular file");
    return NULL;
  }
  while (at < n_bytes) {
    gssize n = pwrite (save->fd, bytes + at, n_bytes - at, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot write the session: %s", g_strerror (errno));
      return NULL;
    }
    at += (gsize)n;
  }
  if (ftruncate (save->fd, (off_t)n_bytes) == 0)
    return GINT_TO_POINTER (TRUE);
  g_set_error (error, WLY_ERROR, WLY_ERROR_FAILED, "cannot cut the file: %s", g_strerror (errno));
  return NULL;
}

static GBytes *
make_file (WlySession *session, GError **error)
{
  g_autoptr (GBytes) tokens  = wly_session_get_tokens (session, error);
  g_autoptr (GByteArray) out = g_byte_array_new ();
  guint8 header[HEADER_BYTES];

  if (tokens == NULL || !make_header (session, (guint32)(g_bytes_get_size (tokens) / 4), header, error))
    return NULL;
  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, g_bytes_get_data (tokens, NULL), (guint)g_bytes_get_size (tokens));
  return g_byte_array_free_to_bytes (g_steal_pointer (&out));
}

void
wly_session_file_save_async (WlySession *session, int fd, guint limit_ms, GAsyncReadyCallback callback,
                             gpointer user_data)
{
  GError *error       = NULL;
  GBytes *bytes       = make_file (session, &error);
  Save *save          = bytes != NULL ? g_new (Save, 1) : NULL;
  WlyForeignWork work = { save_thread, save, save_free, NULL };

  if (bytes == NULL) {
    g_task_report_error (session, callback, user_data, NULL, error);
    return;
  }
  save->bytes = bytes;
  save->fd    = fcntl (fd, F_DUPFD_CLOEXEC, 3);
  wly_foreign_run_async (session, wly_account_get_app (wly_session_get_account (session)), limit_ms, &work, NULL,
                         callback, user_data);
}

gboolean
wly_session_file_save_finish (WlySession *session, GAsyncResult *result, GError **error)
{
  return wly_foreign_run_finish (result, error) != NULL;
}

static gpointer
read_thread (gpointer data, GError **error)
{
  return wly_os_read_fd (GPOINTER_TO_INT (data), MAX_BYTES, error);
}

static void
read_free (gpointer data)
{
  wly_foreign_close (GPOINTER_TO_INT (data));
}

void
wly_session_file_restore_async (WlySession *session, int fd, guint limit_ms, GAsyncReadyCallback callback,
                                gpointer user_data)
{
  gpointer copy       = GINT_TO_POINTER (fcntl (fd, F_DUPFD_CLOEXEC, 3));
  WlyForeignWork work = { read_thread, copy, read_free, (GDestroyNotify)g_bytes_unref };

  wly_foreign_run_async (session, wly_account_get_app (wly_session_get_account (session)), limit_ms, &work, NULL,
                         callback, user_data);
}

gboolean
wly_session_file_restore_finish (WlySession *session, GAsyncResult *result, GError **error)
{
  g_autoptr (GBytes) file   = wly_foreign_run_finish (result, error);
  g_autoptr (GBytes) tokens = NULL;
  guint8 header[HEADER_BYTES];
  const guint8 *data;
  guint32 n_tokens, vocabulary_size;
  gsize n_bytes;

  if (file == NULL)
    return FALSE;
  data = g_bytes_get_data (file, &n_bytes);
  if (n_bytes < HEADER_BYTES || memcmp (data, MAGIC, 8) != 0
      || (guint64)get_u32 (data + 8) * 4 + HEADER_BYTES != n_bytes) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: not a saved session, or a damaged one");
    return FALSE;
  }
  n_tokens        = get_u32 (data + 8);
  vocabulary_size = get_u32 (data + 12);
  if (!make_header (session, n_tokens, header, error))
    return FALSE;
  if (memcmp (data, header, HEADER_BYTES) != 0) {
    g_set_error_literal (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: the session was saved with another model");
    return FALSE;
  }
  for (guint32 i = 0; i < n_tokens; i++)
    if (get_u32 (data + HEADER_BYTES + 4 * (gsize)i) >= vocabulary_size) {
      g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_ARGS, "file: token %u is none of the model's", i);
      return FALSE;
    }
  tokens = g_bytes_new_from_bytes (file, HEADER_BYTES, n_bytes - HEADER_BYTES);
  return wly_session_set_tokens (session, tokens, error);
}
