/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "gpt-oss-params.h"

int
gpt_oss_params_read (const struct wlp_metadata *metadata, struct gpt_oss_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys     = { metadata, error, 0 };
  struct gpt_oss_params *p = ret_params;

  memset (p, 0, sizeof *p);
  p->dims         = wlp_keys_dims (&keys);
  p->experts      = wlp_keys_experts_required (&keys, &p->dims);
  p->norm_eps     = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  p->rope[0]      = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->rope[1]      = p->rope[0];
  p->rope[1].base = wlp_keys_f32 (&keys, "rope.freq_base_swa", p->rope[0].base);
  if (keys.code == 0)
    wlp_keys_windows (&keys, p->dims.n_layer, WLP_KEY_REQUIRED, 2, &p->windows);
  return keys.code;
}
