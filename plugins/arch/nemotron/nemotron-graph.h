/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "nemotron-params.h"

/* The whole network, from the tokens to the logits. */
void nemotron_graph_describe (struct wlp_builder *builder, const struct nemotron_params *params);
