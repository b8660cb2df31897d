/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "bert-params.h"

int
bert_params_read (const struct wlp_metadata *metadata, struct bert_params *ret_params, struct wlp_error *error)
{
  struct wlp_keys keys  = { metadata, error, 0 };
  struct bert_params *p = ret_params;

  *p          = (struct bert_params){ 0 };
  p->dims     = wlp_keys_dims (&keys);
  p->has_gate = wlp_keys_architecture_is (&keys, "nomic-bert");
  p->has_rope = p->has_gate || wlp_keys_architecture_is (&keys, "nomic-bert-moe");
  p->norm_eps = wlp_keys_f32 (&keys, "attention.layer_norm_epsilon", WLP_KEY_REQUIRED_F32);
  p->pooling  = wlp_keys_pooling (&keys, WLP_POOL_MEAN); /* what embeddings are made with where nobody says it */
  p->n_types  = wlp_keys_rows (&keys, "token_types.weight");
  p->n_scores = wlp_keys_rows (&keys, "cls.output.weight");
  if (p->has_rope)
    p->rope = wlp_keys_rope (&keys, &p->dims, WLP_ROPE_NEOX);
  p->moe_step = wlp_keys_u32 (&keys, "moe_every_n_layers", 0, 0, WLP_KEY_MAX_LAYERS);
  if (p->moe_step != 0)
    p->experts = wlp_keys_experts_required (&keys, &p->dims);
  return keys.code;
}
