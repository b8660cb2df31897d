/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "llama-params.h"

/* The whole network, from the tokens to the logits. */
void llama_graph_describe (struct wlp_builder *builder, const struct llama_params *params);
