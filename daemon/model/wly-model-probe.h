/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A look at the files of a model: they are opened, and a probe process reads their header.
 */
#pragma once

#include "wly-model-context.h"
#include "wly-model-files.h"

G_BEGIN_DECLS

/* Errors: those of wly_model_files_open_async() and of wly_prober_run_async(). */
void wly_model_probe_run_async (WlyModelContext *context, WlyModelFiles *files, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);

/* What wly_model_info_new() takes. (transfer full) */
GVariant *wly_model_probe_run_finish (GAsyncResult *result, GError **error);

G_END_DECLS
