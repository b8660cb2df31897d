/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "phi-params.h"

int
phi_params_read (const struct wlp_metadata *metadata, struct phi_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys = { metadata, error, 0 };
  struct phi_params *p = ret_params;

  memset (p, 0, sizeof *p);
  p->is_parallel = wlp_keys_architecture_is (&keys, "phi2");
  p->dims        = wlp_keys_dims (&keys);
  p->rope        = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->norm_eps =
      wlp_keys_f32 (&keys, p->is_parallel ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                    WLP_KEY_REQUIRED_F32);
  if (wlp_keys_architecture_is (&keys, "phimoe")) {
    p->experts      = wlp_keys_experts_required (&keys, &p->dims);
    p->experts.n_ff = p->dims.n_ff;
  }
  if (keys.code != 0 || p->is_parallel)
    return keys.code;
  wlp_keys_windows (&keys, p->dims.n_layer, 0, 0, &p->windows);
  if (p->windows.window >= p->dims.n_ctx) /* then a layer sees all there is */
    memset (&p->windows, 0, sizeof p->windows);
  return keys.code;
}
