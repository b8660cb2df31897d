/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-bus.h"
#include "woolly-model.h"

G_BEGIN_DECLS

/* @properties: a{sv} as the ObjectManager tells it, or NULL. */
WoollyModel *woolly_model_new (WoollyBus *bus, const char *path, GVariant *properties);
WoollyBus *woolly_model_get_bus (WoollyModel *self); /* (transfer none) */
void woolly_model_update (WoollyModel *self, GVariant *properties);

/* The service is gone, and with it what it had in memory. */
void woolly_model_set_offline (WoollyModel *self);

G_END_DECLS
