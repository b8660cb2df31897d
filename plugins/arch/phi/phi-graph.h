/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "phi-params.h"

/* The whole network, from the tokens to its output. */
void phi_graph_describe (struct wlp_builder *builder, const struct phi_params *params);
