/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gptneox-params.h"

int
gptneox_params_read (const struct wlp_metadata *metadata, struct gptneox_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys = { metadata, error, 0 }; /* keeps the first error, so nothing is checked in between */

  ret_params->dims     = wlp_keys_dims (&keys);
  ret_params->rope     = wlp_keys_rope (&keys, &ret_params->dims, WLP_ROPE_NEOX);
  ret_params->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_epsilon", WLP_KEY_REQUIRED_F32);
  /* The family's own default, for files that do not say. */
  ret_params->is_parallel = wlp_keys_bool (&keys, "use_parallel_residual", 1);
  return keys.code;
}
