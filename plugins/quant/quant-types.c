/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "quant.h"

#include <errno.h>
#include <strings.h>

/* Numbers 4, 5, 31-33 and 36-38 were given to types that the format has dropped. */
static const struct wlq_traits type_traits[] = {
  [WLP_TYPE_F32]     = { "F32", 1, 4, WLQ_POLICY_FLOAT },
  [WLP_TYPE_F16]     = { "F16", 1, 2, WLQ_POLICY_FLOAT },
  [WLP_TYPE_Q4_0]    = { "Q4_0", 32, 18, WLQ_POLICY_SYM32, 32, 0, -8, 7 },
  [WLP_TYPE_Q4_1]    = { "Q4_1", 32, 20, WLQ_POLICY_ASYM32, 32, 1, 0, 15 },
  [WLP_TYPE_Q5_0]    = { "Q5_0", 32, 22, WLQ_POLICY_SYM32, 32, 0, -16, 15 },
  [WLP_TYPE_Q5_1]    = { "Q5_1", 32, 24, WLQ_POLICY_ASYM32, 32, 1, 0, 31 },
  [WLP_TYPE_Q8_0]    = { "Q8_0", 32, 34, WLQ_POLICY_SYM32, 32, 0, -128, 127 },
  [WLP_TYPE_Q8_1]    = { "Q8_1", 32, 36 },
  [WLP_TYPE_Q2_K]    = { "Q2_K", 256, 84, WLQ_POLICY_ASYM16, 16, 1, 0, 3 },
  [WLP_TYPE_Q3_K]    = { "Q3_K", 256, 110, WLQ_POLICY_SYM16, 16, 0, -4, 3 },
  [WLP_TYPE_Q4_K]    = { "Q4_K", 256, 144, WLQ_POLICY_ASYM32, 32, 1, 0, 15 },
  [WLP_TYPE_Q5_K]    = { "Q5_K", 256, 176, WLQ_POLICY_ASYM32, 32, 1, 0, 31 },
  [WLP_TYPE_Q6_K]    = { "Q6_K", 256, 210, WLQ_POLICY_SYM16, 16, 0, -32, 31 },
  [WLP_TYPE_Q8_K]    = { "Q8_K", 256, 292 },
  [WLP_TYPE_IQ2_XXS] = { "IQ2_XXS", 256, 66 },
  [WLP_TYPE_IQ2_XS]  = { "IQ2_XS", 256, 74 },
  [WLP_TYPE_IQ3_XXS] = { "IQ3_XXS", 256, 98 },
  [WLP_TYPE_IQ1_S]   = { "IQ1_S", 256, 50 },
  [WLP_TYPE_IQ4_NL]  = { "IQ4_NL", 32, 18, WLQ_POLICY_SYM32, 32, 0, -127, 113 },
  [WLP_TYPE_IQ3_S]   = { "IQ3_S", 256, 110 },
  [WLP_TYPE_IQ2_S]   = { "IQ2_S", 256, 82 },
  [WLP_TYPE_IQ4_XS]  = { "IQ4_XS", 256, 136, WLQ_POLICY_SYM32, 32, 0, -127, 113 },
  [WLP_TYPE_I8]      = { "I8", 1, 1 },
  [WLP_TYPE_I16]     = { "I16", 1, 2 },
  [WLP_TYPE_I32]     = { "I32", 1, 4 },
  [WLP_TYPE_I64]     = { "I64", 1, 8 },
  [WLP_TYPE_F64]     = { "F64", 1, 8 },
  [WLP_TYPE_IQ1_M]   = { "IQ1_M", 256, 56 },
  [WLP_TYPE_BF16]    = { "BF16", 1, 2, WLQ_POLICY_FLOAT },
  [WLP_TYPE_TQ1_0]   = { "TQ1_0", 256, 54 },
  [WLP_TYPE_TQ2_0]   = { "TQ2_0", 256, 66 },
  [WLP_TYPE_MXFP4]   = { "MXFP4", 32, 17, WLQ_POLICY_SYM32, 32, 0, -12, 12 },
  [WLP_TYPE_NVFP4]   = { "NVFP4", 64, 36 },
  [WLP_TYPE_Q1_0]    = { "Q1_0", 128, 18 },
  [WLP_TYPE_Q2_0]    = { "Q2_0", 64, 18 },
};

#define N_TYPES (sizeof type_traits / sizeof type_traits[0])

const struct wlq_traits *
wlq_traits (uint32_t type)
{
  if (type >= N_TYPES || type_traits[type].name == NULL)
    return NULL;
  return &type_traits[type];
}

const char *
wlq_type_name (uint32_t type)
{
  const struct wlq_traits *traits = wlq_traits (type);

  return traits != NULL ? traits->name : "unknown";
}

int32_t
wlq_type_from_name (const char *name)
{
  for (uint32_t type = 0; type < N_TYPES; type++)
    if (type_traits[type].name != NULL && strcasecmp (type_traits[type].name, name) == 0)
      return (int32_t)type;
  return -1;
}

int
wlq_is_supported (uint32_t type)
{
  const struct wlq_traits *traits = wlq_traits (type);

  return traits != NULL && traits->policy != WLQ_POLICY_NONE;
}

int
wlq_row_bytes (uint32_t type, uint64_t n, uint64_t *ret_bytes)
{
  const struct wlq_traits *traits = wlq_traits (type);

  if (traits == NULL)
    return -ENOTSUP;
  if (n % traits->block != 0)
    return -EINVAL;
  if (__builtin_mul_overflow (n / traits->block, (uint64_t)traits->block_bytes, ret_bytes))
    return -EOVERFLOW;
  return 0;
}
