/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Model.Embed and Model.Rerank: of the table of methods of wly-bus-model.c, @data being the WlyBusModel.
 */
#pragma once

#include "wly-bus-model.h"

G_BEGIN_DECLS

void wly_bus_embed_cb (gpointer data, WlyBusCaller *caller, GVariant *parameters, GDBusMethodInvocation *invocation);

G_END_DECLS
