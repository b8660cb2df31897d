/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-plugin/services.h"

#define VECTOR_ISA      vector_isa_neon
#define VECTOR_NAME     "neon"
#define VECTOR_FEATURES WLP_CPU_NEON
#define VECTOR_WIDTH    4
#define VECTOR_PIN(x)   __asm__ volatile("" : "+w"(x))
#include "../vector-body.h"
