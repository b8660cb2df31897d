/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gptneox-params.h"

/* The whole network, from the tokens to the logits. */
void gptneox_graph_describe (struct wlp_builder *builder, const struct gptneox_params *params);
