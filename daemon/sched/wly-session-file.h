/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A session's past in a file.  All numbers little-endian:
 *
 *     offset  0  "WLYSESS1"
 *             8  u32 number of tokens
 *            12  u32 size of the model's vocabulary
 *            16  SHA-256 of what the model's header says: name, architecture, quantisation, weights, size of the files
 *            48  int32 tokens
 */
#pragma once

#include "wly-session.h"

G_BEGIN_DECLS

/* Writes it to a regular file that is open for writing, in a thread; @fd is duplicated.  @limit_ms: how long the file
 * system may take.
 * Errors: WLY_ERROR_INVALID_ARGS for another kind of file; WLY_ERROR_FAILED; those of wly_foreign_run_async(). */
void wly_session_file_save_async (WlySession *session, int fd, guint limit_ms, GAsyncReadyCallback callback,
                                  gpointer user_data);
gboolean wly_session_file_save_finish (WlySession *session, GAsyncResult *result, GError **error);

/* Reads it in a thread: the file system may be slow, or hang; @fd is duplicated.
 * Errors: WLY_ERROR_INVALID_ARGS for what Save did not write, or wrote for another model; those of
 * wly_foreign_run_async(). */
void wly_session_file_restore_async (WlySession *session, int fd, guint limit_ms, GAsyncReadyCallback callback,
                                     gpointer user_data);
gboolean wly_session_file_restore_finish (WlySession *session, GAsyncResult *result, GError **error);

G_END_DECLS
