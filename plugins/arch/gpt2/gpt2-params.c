/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpt2-params.h"

int
gpt2_params_read (const struct wlp_metadata *metadata, struct gpt2_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys  = { metadata, error, 0 };
  struct gpt2_params *p = ret_params;

  *p          = (struct gpt2_params){ 0 };
  p->dims     = wlp_keys_dims (&keys);
  p->has_rope = wlp_keys_architecture_is (&keys, "starcoder2");
  p->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_epsilon", WLP_KEY_REQUIRED_F32);
  if (p->has_rope)
    p->rope = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  return keys.code;
}
