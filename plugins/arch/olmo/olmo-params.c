/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "olmo-params.h"

/* Layers with a window turn as they did before the context was made longer. */
static void
read_windows (struct wlp_keys *keys, struct olmo_params *p)
{
  wlp_keys_windows (keys, p->dims.n_layer, 0, 4, &p->windows);
  p->rope[1].freq_scale  = 1;
  p->rope[1].ext_factor  = 0;
  p->rope[1].attn_factor = 1;
}

int
olmo_params_read (const struct wlp_metadata *metadata, struct olmo_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys  = { metadata, error, 0 };
  struct olmo_params *p = ret_params;

  memset (p, 0, sizeof *p);
  p->kind    = wlp_keys_architecture_is (&keys, "olmo")    ? OLMO_1
               : wlp_keys_architecture_is (&keys, "olmo2") ? OLMO_2
                                                           : OLMO_E;
  p->dims    = wlp_keys_dims (&keys);
  p->rope[0] = wlp_keys_rope (&keys, &p->dims, p->kind == OLMO_1 ? WLP_ROPE_NORM : WLP_ROPE_NEOX);
  p->rope[1] = p->rope[0];
  p->clamp   = wlp_keys_f32 (&keys, "attention.clamp_kqv", 0);
  p->norm_eps =
      wlp_keys_f32 (&keys, p->kind == OLMO_1 ? "attention.layer_norm_epsilon" : "attention.layer_norm_rms_epsilon",
                    WLP_KEY_REQUIRED_F32);
  if (p->kind == OLMO_2 && keys.code == 0)
    read_windows (&keys, p);
  if (p->kind != OLMO_E)
    return keys.code;
  p->experts      = wlp_keys_experts_required (&keys, &p->dims);
  p->experts.n_ff = p->dims.n_ff;
  return keys.code;
}
