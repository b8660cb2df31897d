/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "smallthinker-params.h"

/* The whole network, from the tokens to the logits. */
void smallthinker_graph_describe (struct wlp_builder *builder, const struct smallthinker_params *params);
