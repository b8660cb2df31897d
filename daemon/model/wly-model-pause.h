/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * How long a model is left alone after its workers died: a moment after each death, longer in quarantine.
 */
#pragma once

#include "wly-quarantine.h"

G_BEGIN_DECLS

typedef struct WlyModelPause WlyModelPause;

typedef void (*WlyModelPauseOverCb) (gpointer user_data);

/* @over: called when a pause has ended by itself.  @quarantine outlives it. */
WlyModelPause *wly_model_pause_new (WlyQuarantine *quarantine, WlyModelPauseOverCb over, gpointer user_data);
void wly_model_pause_free (WlyModelPause *pause);

/* Whether a worker may be started for the files of this identity now.  FALSE: @over is called when it may.
 * Error: WLY_ERROR_MODEL_QUARANTINED; none is set where it is a matter of seconds, and worth waiting for. */
gboolean wly_model_pause_check (WlyModelPause *pause, const char *identity, GError **error);

/* Nothing has to be waited for any more; @over is not called. */
void wly_model_pause_end (WlyModelPause *pause);

G_END_DECLS
