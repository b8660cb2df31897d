/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stablelm-params.h"

int
stablelm_params_read (const struct wlp_metadata *metadata, struct stablelm_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys      = { metadata, error, 0 };
  struct stablelm_params *p = ret_params;

  *p          = (struct stablelm_params){ 0 };
  p->dims     = wlp_keys_dims (&keys);
  p->rope     = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_epsilon", WLP_KEY_REQUIRED_F32);
  return keys.code;
}
