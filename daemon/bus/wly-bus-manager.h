/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Manager.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

WlyBusObject *wly_bus_manager_new (WlyBus *bus);

G_END_DECLS
