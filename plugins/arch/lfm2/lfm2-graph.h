/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "lfm2-params.h"

/* The whole network, from the tokens to its output. */
void lfm2_graph_describe (struct wlp_builder *builder, const struct lfm2_params *params);
