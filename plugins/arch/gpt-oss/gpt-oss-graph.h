/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "gpt-oss-params.h"

/* The whole network, from the tokens to its output. */
void gpt_oss_graph_describe (struct wlp_builder *builder, const struct gpt_oss_params *params);
