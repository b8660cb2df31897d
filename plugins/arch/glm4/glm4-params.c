/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "glm4-params.h"

int
glm4_params_read (const struct wlp_metadata *metadata, struct glm4_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys = { metadata, error, 0 }; /* keeps the first error, so nothing is checked in between */

  ret_params->dims     = wlp_keys_dims (&keys);
  ret_params->rope     = wlp_keys_rope (&keys, &ret_params->dims, WLP_ROPE_NORM);
  ret_params->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_rms_epsilon", WLP_KEY_REQUIRED_F32);
  for (uint32_t i = 0; keys.code == 0 && i < 3; i++)
    if (wlp_keys_u32_of_layer (&keys, "rope.dimension_sections", i, 0) != 0)
      wlp_keys_fail (&keys, -ENOTSUP, "a model of this family with sections of rope, for images, is not known");
  wlp_keys_leave_guessing (&keys, &ret_params->dims);
  return keys.code;
}
