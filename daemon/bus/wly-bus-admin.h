/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Admin.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

WlyBusObject *wly_bus_admin_new (WlyBus *bus);

G_END_DECLS
