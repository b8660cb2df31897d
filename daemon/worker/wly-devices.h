/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The backends of a worker and their devices.
 *
 * All backends are opened before the worker seals itself, so that drivers and what they map are there.
 */
#pragma once

#include "plugin-host.h"

G_BEGIN_DECLS

typedef struct WlyDevices WlyDevices;

typedef struct {
  const struct wlp_backend_ops *ops;
  struct wlp_backend *backend; /* the list's */
  guint index;
  char id[32];
  char features[128];
} WlyDeviceChoice;

/* Opens the backends among @plugins (of opened WlyPluginFile*); one that does not open is left out, with a warning. */
WlyDevices *wly_devices_new (GPtrArray *plugins);
void wly_devices_free (WlyDevices *devices); /* models on them are gone by then; NULL is fine */

/* aa{sv} of scope DEVICE; floating. */
GVariant *wly_devices_list (WlyDevices *devices);

/* The device @id, or the one of the highest score where it is ""; its backend computes with @n_threads.
 * Errors: WLY_ERROR_NOT_FOUND, WLY_ERROR_NOT_SUPPORTED (its score is 0), WLY_ERROR_FAILED. */
gboolean wly_devices_choose (WlyDevices *devices, const char *id, guint n_threads, WlyDeviceChoice *ret_choice,
                             GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (WlyDevices, wly_devices_free)

G_END_DECLS
