/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "stablelm-params.h"

/* The whole network, from the tokens to its output. */
void stablelm_graph_describe (struct wlp_builder *builder, const struct stablelm_params *params);
