/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gemma-params.h"

/* The whole network, from the tokens to its output. */
void gemma_graph_describe (struct wlp_builder *builder, const struct gemma_params *params);
