/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "exaone-params.h"

/* The whole network, from the tokens to the logits. */
void exaone_graph_describe (struct wlp_builder *builder, const struct exaone_params *params);
