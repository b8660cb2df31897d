/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "smallthinker-params.h"

/* The first of each four layers sees all, the others a window. */
static void
read_windows (struct wlp_keys *keys, struct smallthinker_params *p)
{
  struct wlp_windows *w = &p->windows;
  uint32_t period       = wlp_keys_u32 (keys, "attention.sliding_window_pattern", 4, 0, WLP_KEY_MAX_LAYERS);

  w->window = wlp_keys_u32 (keys, "attention.sliding_window", 0, 0, INT32_MAX);
  for (uint32_t i = 0; w->window > 0 && i < p->dims.n_layer; i++)
    w->is_windowed[i] = period == 0 || i % period != 0;
}

int
smallthinker_params_read (const struct wlp_metadata *metadata, struct smallthinker_params *ret_params,
                          struct wlp_error *error)
{
  struct wlp_keys keys = { metadata, error, 0 }; /* keeps the first error, so nothing is checked in between */

  ret_params->dims     = wlp_keys_dims (&keys);
  ret_params->rope     = wlp_keys_rope (&keys, &ret_params->dims, WLP_ROPE_NEOX);
  ret_params->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  ret_params->experts  = wlp_keys_experts_required (&keys, &ret_params->dims);
  ret_params->gating   = wlp_keys_gating (&keys, WLP_GATING_SIGMOID);
  memset (&ret_params->windows, 0, sizeof ret_params->windows);
  if (keys.code == 0)
    read_windows (&keys, ret_params);
  return keys.code;
}
