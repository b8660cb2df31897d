/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "llama-params.h"

#include <errno.h>
#include <math.h>

#define LLAMA_KEY_MAX 128

/* ---- keys ---- */

/* Everything that a reader needs; the first error is kept. */
struct reader {
  const struct wlp_metadata *metadata;
  struct wlp_error *error;
  int code;
};

static const char *
key_of (const struct reader *reader, const char *name, char key[LLAMA_KEY_MAX])
{
  snprintf (key, LLAMA_KEY_MAX, "%s.%s", reader->metadata->ops->architecture (reader->metadata), name);
  return key;
}

static void
wrong (struct reader *reader, const char *key, int code)
{
  if (reader->code != 0)
    return;
  reader->code = wlp_error_set (reader->error, code, "key %s %s", key,
                                code == -ENOENT ? "is missing" : "has a value that cannot be");
}

/* A number, or an array with the same number for each layer. */
static int
get_u32 (const struct wlp_metadata *metadata, const char *key, uint32_t *ret_value)
{
  uint64_t n;
  int code = metadata->ops->get_u32 (metadata, key, ret_value);

  if (code != -EINVAL || metadata->ops->get_array_length (metadata, key, &n) != 0 || n == 0 || n > LLAMA_MAX_LAYERS)
    return code;
  for (uint64_t i = 0; i < n; i++) {
    uint32_t value;

    code = metadata->ops->get_array_u32 (metadata, key, i, 1, &value);
    if (code != 0 || (i > 0 && value != *ret_value))
      return code != 0 ? code : -ENOTSUP;
    *ret_value = value;
  }
  return 0;
}

/* @least .. @most; where the key is missing, @fallback, of which 0 means that it must be there. */
static uint32_t
read_u32 (struct reader *reader, const char *name, uint32_t fallback, uint32_t least, uint32_t most)
{
  char key[LLAMA_KEY_MAX];
  uint32_t value = fallback;
  int code       = get_u32 (reader->metadata, key_of (reader, name, key), &value);

  if (code == -ENOENT && fallback != 0)
    return fallback;
  if (code == -ENOTSUP && reader->code == 0)
    reader->code = wlp_error_set (reader->error, -ENOTSUP, "key %s differs from layer to layer", key);
  else if (code != 0 || value < least || value > most)
    wrong (reader, key, code != 0 ? code : -EINVAL);
  return value;
}

static float
read_f32 (struct reader *reader, const char *name, float fallback)
{
  char key[LLAMA_KEY_MAX];
  float value = fallback;
  int code    = reader->metadata->ops->get_f32 (reader->metadata, key_of (reader, name, key), &value);

  if (code == -ENOENT)
    return fallback;
  if (code != 0 || !isfinite (value) || value < 0)
    wrong (reader, key, -EINVAL);
  return value;
}

/* ---- rope ---- */

/* How much YaRN sharpens the attention: arXiv 2309.00071, section 3.4; the multiplier is that of the file's author. */
static float
yarn_attention_factor (float factor, float log_multiplier)
{
  if (factor <= 1)
    return 1;
  if (log_multiplier != 0)
    return (0.1f * logf (factor) + 1) / (0.1f * log_multiplier * logf (factor) + 1);
  return 0.1f * logf (factor) + 1;
}

static void
read_yarn (struct reader *reader, struct wlp_rope_params *rope, float factor)
{
  rope->ext_factor = read_f32 (reader, "rope.scaling.yarn_ext_factor", 1);
  rope->beta_fast  = read_f32 (reader, "rope.scaling.yarn_beta_fast", 32);
  rope->beta_slow  = read_f32 (reader, "rope.scaling.yarn_beta_slow", 1);
  rope->attn_factor *= yarn_attention_factor (factor, read_f32 (reader, "rope.scaling.yarn_log_multiplier", 0));
}

static void
read_rope (struct reader *reader, struct llama_params *params)
{
  struct wlp_rope_params *rope = &params->rope;
  char key[LLAMA_KEY_MAX];
  char type[32] = "linear";
  float factor  = read_f32 (reader, "rope.scaling.factor", 0);
  int code      = reader->metadata->ops->get_string (reader->metadata, key_of (reader, "rope.scaling.type", key), type,
                                                     sizeof type);

  if (code != 0 && code != -ENOENT)
    wrong (reader, key, -EINVAL);
  if (factor == 0)
    factor = read_f32 (reader, "rope.scale_linear", 1); /* the key's older name */
  rope->kind        = WLP_ROPE_NORM;
  rope->head_dim    = params->head_dim_k;
  rope->n_dims      = read_u32 (reader, "rope.dimension_count", params->head_dim_k, 2, params->head_dim_k);
  rope->base        = read_f32 (reader, "rope.freq_base", 10000);
  rope->n_ctx_orig  = read_u32 (reader, "rope.scaling.original_context_length", params->n_ctx, 1, INT32_MAX);
  rope->attn_factor = read_f32 (reader, "rope.scaling.attn_factor", 1);
  rope->freq_scale  = strcmp (type, "none") != 0 && factor > 0 ? 1 / factor : 1;
  if (strcmp (type, "yarn") == 0)
    read_yarn (reader, rope, factor);
  else if (strcmp (type, "none") != 0 && strcmp (type, "linear") != 0 && reader->code == 0)
    reader->code =
        wlp_error_set (reader->error, -ENOTSUP, "%s is \"%s\"; this family knows none, linear and yarn", key, type);
}

/* ---- all ---- */

static void
read_sizes (struct reader *reader, struct llama_params *params)
{
  const uint32_t most      = 1u << 20;
  struct wlp_shape tokens  = { 0 };
  const char *token_tensor = "token_embd.weight";

  params->n_layer   = read_u32 (reader, "block_count", 0, 1, LLAMA_MAX_LAYERS);
  params->n_embd    = read_u32 (reader, "embedding_length", 0, 1, most);
  params->n_ctx     = read_u32 (reader, "context_length", 0, 1, INT32_MAX);
  params->n_ff      = read_u32 (reader, "feed_forward_length", 0, 1, most);
  params->n_head    = read_u32 (reader, "attention.head_count", 0, 1, most);
  params->n_head_kv = read_u32 (reader, "attention.head_count_kv", params->n_head, 1, params->n_head);
  params->head_dim_k =
      read_u32 (reader, "attention.key_length", params->n_embd / (params->n_head | !params->n_head), 2, 65536);
  params->head_dim_v = read_u32 (reader, "attention.value_length", params->head_dim_k, 1, 65536);
  if (reader->code == 0 && reader->metadata->ops->get_tensor (reader->metadata, token_tensor, &tokens) != 0)
    reader->code = wlp_error_set (reader->error, -EINVAL, "tensor %s is missing", token_tensor);
  params->n_vocab = tokens.ne[1] <= INT32_MAX ? (uint32_t)tokens.ne[1] : 0;
}

static void
read_experts (struct reader *reader, struct llama_params *params)
{
  char key[LLAMA_KEY_MAX];

  if (reader->metadata->ops->get_u32 (reader->metadata, key_of (reader, "expert_count", key), &params->n_expert) != 0)
    params->n_expert = 0;
  if (params->n_expert == 0)
    return;
  params->n_expert_used = read_u32 (reader, "expert_used_count", 0, 1, params->n_expert);
  params->expert_scale  = read_f32 (reader, "expert_weights_scale", 1);
}

/* The attention of Ministral 3 grows sharper with each multiple of the original context; below the first one the factor
 * is 1, so up to there, and not beyond, the network is what the program says. */
static void
read_temperature (struct reader *reader, struct llama_params *params)
{
  if (read_f32 (reader, "attention.temperature_scale", 0) != 0 && params->rope.n_ctx_orig < params->n_ctx)
    params->n_ctx = params->rope.n_ctx_orig;
}

int
llama_params_read (const struct wlp_metadata *metadata, struct llama_params *ret_params, struct wlp_error *error)
{
  struct reader reader = { metadata, error, 0 };
  float scale;

  *ret_params = (struct llama_params){ 0 };
  read_sizes (&reader, ret_params);
  read_rope (&reader, ret_params);
  read_experts (&reader, ret_params);
  read_temperature (&reader, ret_params);
  ret_params->norm_eps        = read_f32 (&reader, "attention.layer_norm_rms_epsilon", 1e-5f);
  scale                       = read_f32 (&reader, "attention.scale", 0);
  ret_params->attention_scale = scale != 0 ? scale : 1 / sqrtf ((float)ret_params->head_dim_k);
  return reader.code;
}
