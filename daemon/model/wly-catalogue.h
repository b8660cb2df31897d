/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The models that there are: GGUF files in the user's model folder, the system's, the settings' and those of
 * WOOLLY_MODEL_PATH (colon-separated folders or files).  Watched for change; each header is read by a probe process.
 *
 * Signals "added" (WlyModel*), "removed" (WlyModel*).
 */
#pragma once

#include "wly-model.h"

G_BEGIN_DECLS

#define WLY_TYPE_CATALOGUE (wly_catalogue_get_type ())
G_DECLARE_FINAL_TYPE (WlyCatalogue, wly_catalogue, WLY, CATALOGUE, GObject)

WlyCatalogue *wly_catalogue_new (WlyModelContext *context);

/* Looks at the folders again, and at which folders to look; at once. */
void wly_catalogue_rescan (WlyCatalogue *catalogue);

/* Array of WlyModel*, by id; the catalogue's. */
GPtrArray *wly_catalogue_get_models (WlyCatalogue *catalogue);

/* By id; NULL where there is none. */
WlyModel *wly_catalogue_find (WlyCatalogue *catalogue, const char *id);

/* What a name stands for: an id, a use-case of the settings, the name that a file gives itself, "" (the use-case chat,
 * else the first model that can be used).  Waits for probes where the answer hangs on them. Errors:
 * WLY_ERROR_NOT_FOUND, with names that come near. */
void wly_catalogue_resolve_async (WlyCatalogue *catalogue, const char *name, GAsyncReadyCallback callback,
                                  gpointer user_data);
WlyModel *wly_catalogue_resolve_finish (WlyCatalogue *catalogue, GAsyncResult *result, GError **error);

/* Deletes a model's files, all of which must lie in the user's model folder (else WLY_ERROR_ACCESS_DENIED). */
gboolean wly_catalogue_remove_files (WlyCatalogue *catalogue, WlyModel *model, GError **error);

G_END_DECLS
