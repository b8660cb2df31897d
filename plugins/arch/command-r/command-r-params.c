/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "command-r-params.h"

int
command_r_params_read (const struct wlp_metadata *metadata, struct command_r_params *ret_params,
                       struct wlp_error *error)
{
  struct wlp_keys keys       = { metadata, error, 0 };
  struct command_r_params *p = ret_params;

  *p             = (struct command_r_params){ 0 };
  p->dims        = wlp_keys_dims (&keys);
  p->rope        = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NORM);
  p->norm_eps    = wlp_keys_f32 (&keys, "attention.layer_norm_epsilon", WLP_KEY_REQUIRED_F32);
  p->logit_scale = wlp_keys_f32_or (&keys, "logit_scale", 1);
  p->is_2        = wlp_keys_architecture_is (&keys, "cohere2");
  if (p->is_2 && keys.code == 0)
    wlp_keys_windows (&keys, p->dims.n_layer, WLP_KEY_REQUIRED, 4, &p->windows);
  return keys.code;
}
