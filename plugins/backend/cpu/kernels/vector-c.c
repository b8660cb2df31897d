/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The reference, and what any processor of the family can do.
 */
#define VECTOR_ISA      vector_isa_c
#define VECTOR_NAME     "c"
#define VECTOR_FEATURES 0
#ifdef __SSE2__
#define VECTOR_WIDTH 4
#endif
#include "vector-body.h"
