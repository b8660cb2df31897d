/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The types of vectors of V_BYTES, for the files that define what linear-body.h does with them.
 */
#pragma once

#include "linear-panel.h"

#include <stdint.h>

#define ALWAYS inline __attribute__ ((always_inline))

#define V_LANES (V_BYTES / 4)
#define V_PARTS (LINEAR_PANEL_ROWS / V_LANES) /* vectors of a lane for each row */

typedef uint8_t v_u8 __attribute__ ((vector_size (V_BYTES)));
typedef uint16_t v_u16 __attribute__ ((vector_size (V_BYTES)));
typedef uint32_t v_u32 __attribute__ ((vector_size (V_BYTES)));
typedef int32_t v_s32 __attribute__ ((vector_size (V_BYTES)));
typedef float v_f32 __attribute__ ((vector_size (V_BYTES)));
typedef uint8_t v_bytes __attribute__ ((vector_size (V_LANES)));
typedef uint16_t v_words __attribute__ ((vector_size (2 * V_LANES)));
