/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * NEON with the matrix product of bytes: four vectors of 4 rows, two tokens at a time.
 */
#include "linear-vector-128.h"

#include "../linear.h"
#include "woolly-plugin/services.h"

#define V_ISA     i8mm
#define V_OWN_DOT "arm/linear-i8mm-dot.h"

#include "../linear-body-float.h"
#include "../linear-body.h"
#include "linear-quantise-128.h"

const struct linear_isa linear_isa_i8mm = {
  .name     = "i8mm",
  .features = WLP_CPU_NEON | WLP_CPU_DOTPROD | WLP_CPU_I8MM,
  .rows     = LINEAR_PANEL_ROWS,
  .quantise = linear_quantise_128,
  .format   = format_of,
};
