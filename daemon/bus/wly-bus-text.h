/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Manager.GenerateText: reads the stream of a generation for a caller that wants the whole text.
 */
#pragma once

#include "wly-bus-call.h"

G_BEGIN_DECLS

/* The call's options are checked and its body is taken; answers the call in its time. */
void wly_bus_text_begin (WlyBusCall *call, const char *model);

G_END_DECLS
