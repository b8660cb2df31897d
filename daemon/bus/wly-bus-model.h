/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Model.
 */
#pragma once

#include "wly-bus.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyModel *model;
  char *path;
  WlyBusObject *object;
  WlyBusCaller *owner; /* of a model of OpenFiles; NULL: it is listed */
  gulong changed_handler;
  gulong gone_handler;
} WlyBusModel;

/* @owner: NULL for one that the ObjectManager lists.  NULL and @error set where it cannot be exported. */
WlyBusModel *wly_bus_model_new (WlyBus *bus, WlyModel *model, WlyBusCaller *owner, GError **error);
void wly_bus_model_free (WlyBusModel *model);

G_END_DECLS
