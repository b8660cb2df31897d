/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gpt2-params.h"

/* The whole network, from the tokens to its output. */
void gpt2_graph_describe (struct wlp_builder *builder, const struct gpt2_params *params);
