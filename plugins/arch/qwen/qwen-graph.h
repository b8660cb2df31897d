/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "qwen-params.h"

/* The whole network, from the tokens to its output. */
void qwen_graph_describe (struct wlp_builder *builder, const struct qwen_params *params);
