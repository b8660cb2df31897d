/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "woolly-plugin/services.h"

#define VECTOR_ISA      vector_isa_avx2
#define VECTOR_NAME     "avx2"
#define VECTOR_FEATURES WLP_CPU_AVX2
#define VECTOR_PIN(x)   __asm__ volatile("" : "+x"(x))
#include "../vector-body.h"
