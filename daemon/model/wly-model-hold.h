/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Keeps a model in memory for as long as it exists.
 */
#pragma once

#include "wly-model.h"

G_BEGIN_DECLS

typedef enum {
  WLY_HOLD_BUSY, /* something is computed: it may not leave, and "busy" is what others are told */
  WLY_HOLD_WARM, /* somebody wants it to stay */
} WlyHoldKind;

typedef struct WlyModelHold WlyModelHold;

WlyModelHold *wly_model_hold_new (WlyModel *model, WlyHoldKind kind);
void wly_model_hold_free (WlyModelHold *hold);
WlyModel *wly_model_hold_get_model (WlyModelHold *hold);

/* The last copy of the guard was closed; the hold is the callback's to free. */
typedef void (*WlyModelHoldReleasedCb) (WlyModelHold *hold, gpointer user_data);

/* A descriptor whose closing ends the hold; it is the caller's. -1 and @error set on failure. */
int wly_model_hold_make_guard (WlyModelHold *hold, WlyModelHoldReleasedCb released, gpointer user_data, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyModelHold, wly_model_hold_free)

G_END_DECLS
