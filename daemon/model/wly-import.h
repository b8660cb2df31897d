/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Copies a file into the model folder: by a hidden name until it is whole, on disk, and read by a probe.
 */
#pragma once

#include "wly-model-context.h"

G_BEGIN_DECLS

#define WLY_TYPE_IMPORT (wly_import_get_type ())
G_DECLARE_FINAL_TYPE (WlyImport, wly_import, WLY, IMPORT, GObject)

/* @app: whose file it is.  @fd: is duplicated.  @name: of the new file, NULL: the descriptor's own.
 * Signal "progress" (), at most four times a second.
 * Errors: WLY_ERROR_INVALID_ARGS for a name that is no plain file name, or exists, and for what is no regular file;
 * those of wly_foreign_run_async(). */
void wly_import_new_async (WlyModelContext *context, const char *app, int fd, const char *name,
                           GAsyncReadyCallback callback, gpointer user_data);
WlyImport *wly_import_new_finish (GAsyncResult *result, GError **error);

void wly_import_run_async (WlyImport *import, GAsyncReadyCallback callback, gpointer user_data);
/* The path of the new file. (transfer full) */
char *wly_import_run_finish (WlyImport *import, GAsyncResult *result, GError **error);

void wly_import_cancel (WlyImport *import);
void wly_import_get_progress (WlyImport *import, guint64 *ret_done, guint64 *ret_total);

/* Removes what imports left in this folder when their process ended in the middle; what another process is still
 * importing stays. */
void wly_import_clean (const char *folder);

/* A name that a model file may have: no folders, not hidden, .gguf added where it lacks; NULL otherwise. (transfer
 * full) */
char *wly_import_check_name (const char *name);

G_END_DECLS
