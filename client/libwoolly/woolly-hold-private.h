/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-hold.h"

G_BEGIN_DECLS

WoollyHold *woolly_hold_new (int fd); /* takes @fd */

G_END_DECLS
