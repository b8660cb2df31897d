/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "exaone-params.h"

/* The 32B model: only it has windows, whatever the files of the others say. */
#define N_LAYER_WITH_WINDOWS 64

int
exaone_params_read (const struct wlp_metadata *metadata, struct exaone_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys = { metadata, error, 0 }; /* keeps the first error, so nothing is checked in between */

  ret_params->dims     = wlp_keys_dims (&keys);
  ret_params->rope     = wlp_keys_rope (&keys, &ret_params->dims, WLP_ROPE_NEOX);
  ret_params->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  ret_params->is_4     = wlp_keys_architecture_is (&keys, "exaone4");
  memset (&ret_params->windows, 0, sizeof ret_params->windows);
  if (!ret_params->is_4)
    return keys.code;
  wlp_keys_leave_guessing (&keys, &ret_params->dims);
  if (keys.code == 0 && ret_params->dims.n_layer == N_LAYER_WITH_WINDOWS)
    wlp_keys_windows (&keys, ret_params->dims.n_layer, 4096, 4, &ret_params->windows);
  return keys.code;
}
