/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-bus.h"
#include "woolly-client.h"

G_BEGIN_DECLS

WoollyBus *woolly_client_get_bus (WoollyClient *self); /* (transfer none) */

/* The listed model of this path, or a new one that is not in the list; (transfer full). */
WoollyModel *woolly_client_adopt_model (WoollyClient *self, const char *path);

G_END_DECLS
