/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Random weights in any type, drawn directly in their quantised form.
 */
#pragma once

#include "wly-test-random.h"
#include "woolly-plugin/tensor.h"

G_BEGIN_DECLS

/* @n weights (a multiple of the type's block) of about deviation @deviation and mean 0, as they stand in a file. */
void wly_test_weights_fill (WlyTestRandom *random, enum wlp_type type, float deviation, gsize n, void *ret_row);

G_END_DECLS
