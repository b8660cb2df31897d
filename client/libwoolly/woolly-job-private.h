/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-bus.h"
#include "woolly-job.h"

G_BEGIN_DECLS

WoollyJob *woolly_job_new (WoollyBus *bus, const char *path);

G_END_DECLS
