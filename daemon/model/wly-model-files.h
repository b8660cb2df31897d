/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The file, or the parts of a split file, that make one model; and what tells them from any other files.
 */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

G_BEGIN_DECLS

#define WLY_MODEL_MAX_FILES 1024

typedef struct WlyModelFiles WlyModelFiles; /* immutable, reference-counted */

/* By path, in order; @n_missing parts of the set were not found.  The files are looked at, not opened. */
WlyModelFiles *wly_model_files_new (const char *const *paths, guint n_missing);

/* By descriptor: they are duplicated.  WLY_ERROR_INVALID_ARGS unless all are regular files, open for reading.  Waits
 * for the file system. */
WlyModelFiles *wly_model_files_new_from_fds (const int *fds, gsize n_fds, GError **error);

/* The same for files of an app, without waiting: errors of wly_foreign_run_async(), too.  @fds are all of the list. */
void wly_model_files_new_async (GUnixFDList *fds, const char *app, guint limit_ms, GAsyncReadyCallback callback,
                                gpointer user_data);
WlyModelFiles *wly_model_files_new_finish (GAsyncResult *result, GError **error);

WlyModelFiles *wly_model_files_ref (WlyModelFiles *files);
void wly_model_files_unref (WlyModelFiles *files);

/* Empty where they were opened by descriptor. */
const char *const *wly_model_files_get_paths (WlyModelFiles *files);

/* Device, inode, size and time of change of each; what probes and quarantine are remembered by. */
const char *wly_model_files_get_identity (WlyModelFiles *files);
guint64 wly_model_files_get_size (WlyModelFiles *files);

/* NULL: sound as far as the file system knows.  Else what is wrong, as parts that are missing. */
const GError *wly_model_files_get_error (WlyModelFiles *files);

/* Opens them, close-on-exec.  The list's descriptors are in order.
 * Errors: WLY_ERROR_NOT_FOUND; WLY_ERROR_MODEL_CHANGED where they are not the same files any more. */
GUnixFDList *wly_model_files_open (WlyModelFiles *files, GError **error);

/* The same; files of an app are opened elsewhere, others before it returns. */
void wly_model_files_open_async (WlyModelFiles *files, guint limit_ms, GAsyncReadyCallback callback,
                                 gpointer user_data);
GUnixFDList *wly_model_files_open_finish (GAsyncResult *result, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyModelFiles, wly_model_files_unref)

G_END_DECLS
