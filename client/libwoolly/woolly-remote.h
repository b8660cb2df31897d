/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * An object of the service that only this caller sees.  Several objects here may share it; when the last one lets go,
 * the service is told to forget it.  Private.
 */
#pragma once

#include "woolly-bus.h"

G_BEGIN_DECLS

typedef struct {
  WoollyBus *bus;
  char *path;
  const char *interface;
  const char *last_method; /* Close, Release; NULL to leave it */
  gboolean closed;
} WoollyRemote;

WoollyRemote *woolly_remote_new (WoollyBus *bus, const char *path, const char *interface, const char *last_method);
WoollyRemote *woolly_remote_ref (WoollyRemote *remote);
void woolly_remote_unref (WoollyRemote *remote);

/* Sends the last method now, if it was not sent yet. */
void woolly_remote_close (WoollyRemote *remote);

G_END_DECLS
