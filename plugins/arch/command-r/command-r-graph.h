/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "command-r-params.h"

/* The whole network, from the tokens to its output. */
void command_r_graph_describe (struct wlp_builder *builder, const struct command_r_params *params);
