/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "bert-params.h"

/* The whole network, from the tokens to its output. */
void bert_graph_describe (struct wlp_builder *builder, const struct bert_params *params);
