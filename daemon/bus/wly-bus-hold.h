/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A caller's hold on a model: of Model.Load until Model.Unload, or of HoldModel until its guard is closed; in any case
 * until the caller leaves.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyBusCaller *caller;
  WlyModelHold *hold;
  gboolean guarded;
  gulong gone_handler;
} WlyBusHold;

/* The hold of Model.Load; a second one of the same caller changes nothing.  WLY_ERROR_BUSY by quota. */
gboolean wly_bus_hold_add (WlyBus *bus, WlyBusCaller *caller, WlyModel *model, GError **error);

/* FALSE where the caller has none. */
gboolean wly_bus_hold_remove (WlyBus *bus, WlyBusCaller *caller, WlyModel *model);

/* The hold of a guard: its descriptor, the caller's of this function; -1 and @error set on failure. */
int wly_bus_hold_add_guard (WlyBus *bus, WlyBusCaller *caller, WlyModel *model, GError **error);

void wly_bus_hold_free (WlyBusHold *hold);

G_END_DECLS
