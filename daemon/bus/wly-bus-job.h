/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * org.woolly.Woolly1.Job: the progress of an import.
 */
#pragma once

#include "wly-bus.h"
#include "wly-import.h"

G_BEGIN_DECLS

typedef struct {
  WlyBus *bus;
  WlyBusCaller *caller;
  WlyImport *import;
  const char *state;
  char *model_path;
  GError *error;
  char *path;
  WlyBusObject *object;
  gulong gone_handler;
} WlyBusJob;

/* Starts it, and puts it on the list of the bus. NULL and @error set where it cannot be. */
WlyBusJob *wly_bus_job_new (WlyBus *bus, WlyBusCaller *caller, WlyImport *import, GError **error);
gboolean wly_bus_job_is_running (WlyBusJob *job);
void wly_bus_job_free (WlyBusJob *job);

G_END_DECLS
