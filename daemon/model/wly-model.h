/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * One model: what its files say, and its worker process through all states.
 *
 *   unknown ──probe──> available ──> opening ──> opened ──> loading ──> ready
 *                          ^                                              │
 *                          └──────────────── unloading <──────────────────┘
 *   failed: its files cannot be used.   quarantined: its workers kept dying.
 *
 * Opening and loading happen once, however many ask for them.  A worker that dies takes the model back to available;
 * who waited for its opening or loading gets the error at once, who came later waits for the next one.
 *
 * Signals:
 *   "changed" ()                       a property
 *   "worker-gone" (GError *error)      the process has ended; what was in it is lost
 *   "unloaded" (GError *error)         by force: nobody shall load it again who waits
 *   "generation-changed" (guint64 generation, const char *state, GVariant *result)   of its worker
 */
#pragma once

#include "wly-model-context.h"
#include "wly-model-files.h"
#include "wly-model-info.h"
#include "wly-worker-process.h"

G_BEGIN_DECLS

typedef enum {
  WLY_MODEL_UNKNOWN,
  WLY_MODEL_AVAILABLE,
  WLY_MODEL_OPENING,
  WLY_MODEL_OPENED,
  WLY_MODEL_LOADING,
  WLY_MODEL_READY,
  WLY_MODEL_UNLOADING,
  WLY_MODEL_QUARANTINED,
  WLY_MODEL_FAILED,
} WlyModelState;

#define WLY_TYPE_MODEL (wly_model_get_type ())
G_DECLARE_FINAL_TYPE (WlyModel, wly_model, WLY, MODEL, GObject)

WlyModel *wly_model_new (WlyModelContext *context, const char *id, WlyModelFiles *files);

const char *wly_model_get_id (WlyModel *model);
WlyModelFiles *wly_model_get_files (WlyModel *model);
const WlyModelInfo *wly_model_get_info (WlyModel *model); /* NULL until its header was read */
WlyModelState wly_model_get_state (WlyModel *model);
const char *wly_model_state_to_string (WlyModelState state);
const GError *wly_model_get_error (WlyModel *model); /* what failed last, or NULL */
double wly_model_get_progress (WlyModel *model);
void wly_model_get_progress_bytes (WlyModel *model, guint64 *ret_done, guint64 *ret_total);
const char *wly_model_get_device (WlyModel *model); /* "" unless loaded */
guint64 wly_model_get_memory (WlyModel *model);     /* resident bytes of its worker */

/* Has the header read by a probe process, unless it is known. */
void wly_model_probe (WlyModel *model);
gboolean wly_model_is_probing (WlyModel *model);
/* Nobody wants to know any more; it is not probed again. */
void wly_model_cancel_probe (WlyModel *model);

/* Brings it to opened, or to ready.  @options: scope LOAD, NULL where any will do.
 * Errors: those of the worker; WLY_ERROR_MODEL_QUARANTINED; WLY_ERROR_NO_MEMORY; WLY_ERROR_BUSY where it is loaded with
 * other options and in use. */
void wly_model_ensure_async (WlyModel *model, gboolean loaded, GVariant *options, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
gboolean wly_model_ensure_finish (WlyModel *model, GAsyncResult *result, GError **error);

/* Whether it can be loaded with these options: it is not loaded yet, or has them, or nobody uses it.  In the last case
 * it is unloaded now.  Errors: WLY_ERROR_BUSY.  To be asked before one's own hold is taken. */
gboolean wly_model_accept_options (WlyModel *model, GVariant *options, GError **error);

/* Its worker, NULL unless opened, loading or ready. */
WlyWorkerProcess *wly_model_get_worker (WlyModel *model);

/* Ends its worker; sessions continue when it is loaded again.  WLY_ERROR_BUSY where it computes and @force is not set;
 * with it, who waits for the model gets WLY_ERROR_CANCELLED. */
gboolean wly_model_unload (WlyModel *model, gboolean force, GError **error);

/* The files changed on disk.  A worker that runs keeps the old ones until it is unloaded. */
void wly_model_set_files (WlyModel *model, WlyModelFiles *files);

void wly_model_clear_quarantine (WlyModel *model);

/* Kept by WlyModelHold: computing for somebody, and kept in memory by somebody. */
void wly_model_add_use (WlyModel *model, int n_busy, int n_held);
gboolean wly_model_is_busy (WlyModel *model);
gboolean wly_model_is_held (WlyModel *model);

G_END_DECLS
