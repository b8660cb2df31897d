/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "glm4-params.h"

/* The whole network, from the tokens to the logits. */
void glm4_graph_describe (struct wlp_builder *builder, const struct glm4_params *params);
