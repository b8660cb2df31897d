/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-bus.h"
#include "woolly-session.h"

G_BEGIN_DECLS

WoollySession *woolly_session_new (WoollyBus *bus, const char *path);

G_END_DECLS
