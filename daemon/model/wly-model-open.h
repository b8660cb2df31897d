/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a model is opened with: the plugins that there are, and its files.
 */
#pragma once

#include "wly-model-context.h"
#include "wly-model-files.h"

G_BEGIN_DECLS

/* Collects both.  Errors: those of wly_model_files_open_async(). */
void wly_model_open_async (WlyModelContext *context, WlyModelFiles *files, GAsyncReadyCallback callback,
                           gpointer user_data);

/* The files (transfer full), and the plugins that a worker is started with, NULL-terminated (transfer full). */
GUnixFDList *wly_model_open_finish (GAsyncResult *result, char ***ret_plugins, GError **error);

/* The arguments of Worker1.Open for these files. (transfer floating) */
GVariant *wly_model_open_parameters (GUnixFDList *fds);

G_END_DECLS
