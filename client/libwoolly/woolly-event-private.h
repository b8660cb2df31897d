/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-event.h"

G_BEGIN_DECLS

/* Makes an event of one frame's payload, or fails with WOOLLY_ERROR: of an ERROR frame with the error that it tells, of
 * a payload that no writer makes with FAILED.  NULL without an error for a type that this version does not know. */
WoollyEvent *woolly_event_new_from_frame (guint type, const guint8 *payload, gsize n_bytes, GError **error);

G_END_DECLS
