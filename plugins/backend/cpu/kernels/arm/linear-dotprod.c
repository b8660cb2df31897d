/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * NEON with the dot product of bytes: four vectors of 4 rows.
 */
#include "linear-vector-128.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#define V_ISA dotprod

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-128.h"

const struct linear_isa linear_isa_dotprod = {
  .name     = "dotprod",
  .features = WLP_CPU_NEON | WLP_CPU_DOTPROD,
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_128,
  .format   = format_of,
};
