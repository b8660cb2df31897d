/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "olmo-params.h"

/* The whole network, from the tokens to its output. */
void olmo_graph_describe (struct wlp_builder *builder, const struct olmo_params *params);
