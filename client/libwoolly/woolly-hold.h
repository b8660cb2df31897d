/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>

#include <woolly-version.h>

G_BEGIN_DECLS

#define WOOLLY_TYPE_HOLD (woolly_hold_get_type ())
WOOLLY_AVAILABLE_IN_ALL
G_DECLARE_FINAL_TYPE (WoollyHold, woolly_hold, WOOLLY, HOLD, GObject)

WOOLLY_AVAILABLE_IN_ALL
int woolly_hold_get_fd (WoollyHold *self);
WOOLLY_AVAILABLE_IN_ALL
void woolly_hold_release (WoollyHold *self);

G_END_DECLS
