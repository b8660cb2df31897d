/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "woolly-call.h"
#include "woolly-generation.h"
#include "woolly-input.h"

G_BEGIN_DECLS

/* Calls a method Generate with @input and @options, of a session or, with @model, of the manager. */
void woolly_generation_start (WoollyBus *bus, const char *path, const char *interface, const char *model,
                              WoollyInput *input, GVariant *options, GTask *task);

/* Makes a generation of what such a task returned. */
WoollyGeneration *woolly_generation_start_finish (WoollyBus *bus, GTask *task, GError **error);

G_END_DECLS
