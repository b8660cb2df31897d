/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-remote.h"
#include "woolly-stream.h"

G_BEGIN_DECLS

/* A stream that belongs to a generation: cancelling a read cancels it, and it says why a stream ends early. */
WoollyStream *woolly_stream_new_for_generation (int fd, WoollyRemote *generation);

G_END_DECLS
