/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Sugar for architecture plugins: hyper-parameters from the keys "ARCHITECTURE.name" of a model file.
 *
 * A reader keeps its first error, after which the values that it gives mean nothing; so a plugin reads straight down
 * and looks at keys.code once.  Every message names the whole key.
 */
#pragma once

#include "metadata.h"
#include "program.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_KEY_MAX          128
#define WLP_KEY_REQUIRED     UINT32_MAX /* as a fallback: there is none */
#define WLP_KEY_REQUIRED_F32 NAN
#define WLP_KEY_MAX_LAYERS   1024u
#define WLP_KEY_MAX_WIDTH    (1u << 20)

struct wlp_keys {
  const struct wlp_metadata *metadata;
  struct wlp_error *error;
  int code; /* 0, or the first negative errno */
};

/* Sizes that nearly every network has. */
struct wlp_dims {
  uint32_t n_layer;
  uint32_t n_embd;
  uint32_t n_vocab; /* rows of token_embd.weight */
  uint32_t n_ctx;
  uint32_t n_ff;
  uint32_t n_head;
  uint32_t n_head_kv;
  uint32_t head_dim_k;
  uint32_t head_dim_v;
};

struct wlp_experts {
  uint32_t n_expert; /* 0: a dense network */
  uint32_t n_used;
  uint32_t n_ff;
  float scale;
};

/* Layers that see a window of the positions before them only. */
struct wlp_windows {
  uint32_t window; /* 0: every layer sees all */
  uint8_t is_windowed[WLP_KEY_MAX_LAYERS];
};

static inline void wlp_keys_fail (struct wlp_keys *keys, int code, const char *format, ...) WLP_PRINTF (3, 4);

/* Keeps the first error. */
static inline void
wlp_keys_fail (struct wlp_keys *keys, int code, const char *format, ...)
{
  va_list args;

  if (keys->code != 0)
    return;
  keys->code = code;
  if (keys->error == NULL)
    return;
  va_start (args, format);
  vsnprintf (keys->error->message, sizeof keys->error->message, format, args);
  va_end (args);
}

static inline int
wlp_keys_architecture_is (const struct wlp_keys *keys, const char *architecture)
{
  return strcmp (keys->metadata->ops->architecture (keys->metadata), architecture) == 0;
}

static inline const char *
wlp_keys_complete (const struct wlp_keys *keys, const char *name, char key[WLP_KEY_MAX])
{
  snprintf (key, WLP_KEY_MAX, "%s.%s", keys->metadata->ops->architecture (keys->metadata), name);
  return key;
}

static inline void
wlp_keys_wrong (struct wlp_keys *keys, const char *key, int code)
{
  wlp_keys_fail (keys, code, "key %s %s", key, code == -ENOENT ? "is missing" : "has a value that cannot be");
}

/* ---- one value ---- */

/* The value for @layer: the key is a number, or an array with one for each layer. */
static inline uint32_t
wlp_keys_u32_of_layer (struct wlp_keys *keys, const char *name, uint32_t layer, uint32_t fallback)
{
  char key[WLP_KEY_MAX];
  uint32_t value                     = fallback;
  const struct wlp_metadata_ops *ops = keys->metadata->ops;
  int code                           = ops->get_u32 (keys->metadata, wlp_keys_complete (keys, name, key), &value);

  if (code == -EINVAL)
    code = ops->get_array_u32 (keys->metadata, key, layer, 1, &value);
  if (code == -ENOENT && fallback != WLP_KEY_REQUIRED)
    return fallback;
  if (code != 0)
    wlp_keys_wrong (keys, key, code);
  return value;
}

/* @least .. @most, or @fallback where the key is missing.  An array will do that has the same number for each layer. */
static inline uint32_t
wlp_keys_u32 (struct wlp_keys *keys, const char *name, uint32_t fallback, uint32_t least, uint32_t most)
{
  char key[WLP_KEY_MAX];
  uint32_t value = wlp_keys_u32_of_layer (keys, name, 0, fallback);
  uint64_t n     = 0;

  wlp_keys_complete (keys, name, key);
  if (keys->code == 0 && keys->metadata->ops->get_array_length (keys->metadata, key, &n) == 0 && n > WLP_KEY_MAX_LAYERS)
    wlp_keys_wrong (keys, key, -EINVAL);
  for (uint64_t i = 1; keys->code == 0 && i < n; i++)
    if (wlp_keys_u32_of_layer (keys, name, (uint32_t)i, WLP_KEY_REQUIRED) != value)
      wlp_keys_fail (keys, -ENOTSUP, "key %s differs from layer to layer", key);
  /* a fallback may lie outside; the number that stands for "there is none" is none when a file says it */
  if (keys->code == 0 && (value != fallback || fallback == WLP_KEY_REQUIRED) && (value < least || value > most))
    wlp_keys_fail (keys, -EINVAL, "key %s is %u; wanted is %u to %u", key, value, least, most);
  return value;
}

/* 1 .. @most, or @fallback where the key is missing or 0. */
static inline uint32_t
wlp_keys_u32_or (struct wlp_keys *keys, const char *name, uint32_t fallback, uint32_t most)
{
  uint32_t value = wlp_keys_u32 (keys, name, 0, 0, most);

  return value != 0 ? value : fallback;
}

/* A finite number, or @fallback where the key is missing. */
static inline float
wlp_keys_f32 (struct wlp_keys *keys, const char *name, float fallback)
{
  char key[WLP_KEY_MAX];
  float value = fallback;
  int code    = keys->metadata->ops->get_f32 (keys->metadata, wlp_keys_complete (keys, name, key), &value);

  if (code == -ENOENT && !isnan (fallback))
    return fallback;
  if (code != 0 || !isfinite (value))
    wlp_keys_wrong (keys, key, code == -ENOENT ? -ENOENT : -EINVAL);
  return value;
}

/* The same where 0 stands for "as usual". */
static inline float
wlp_keys_f32_or (struct wlp_keys *keys, const char *name, float fallback)
{
  float value = wlp_keys_f32 (keys, name, fallback);

  return value != 0 ? value : fallback;
}

static inline int
wlp_keys_bool (struct wlp_keys *keys, const char *name, int fallback)
{
  char key[WLP_KEY_MAX];
  int value = fallback;
  int code  = keys->metadata->ops->get_bool (keys->metadata, wlp_keys_complete (keys, name, key), &value);

  if (code != 0 && code != -ENOENT)
    wlp_keys_wrong (keys, key, -EINVAL);
  return code == 0 ? value : fallback;
}

/* ---- several at once ---- */

/* All but the heads, which are 0. */
static inline struct wlp_dims
wlp_keys_sizes (struct wlp_keys *keys)
{
  const char *tensor      = "token_embd.weight";
  struct wlp_shape tokens = { 0, 0, { 0, 0, 0, 0 } };
  struct wlp_dims d;

  memset (&d, 0, sizeof d);
  d.n_layer = wlp_keys_u32 (keys, "block_count", WLP_KEY_REQUIRED, 1, WLP_KEY_MAX_LAYERS);
  d.n_embd  = wlp_keys_u32 (keys, "embedding_length", WLP_KEY_REQUIRED, 1, WLP_KEY_MAX_WIDTH);
  d.n_ctx   = wlp_keys_u32 (keys, "context_length", WLP_KEY_REQUIRED, 1, INT32_MAX);
  d.n_ff    = wlp_keys_u32 (keys, "feed_forward_length", WLP_KEY_REQUIRED, 1, WLP_KEY_MAX_WIDTH);
  if (keys->metadata->ops->get_tensor (keys->metadata, tensor, &tokens) != 0 || tokens.ne[1] > INT32_MAX)
    wlp_keys_fail (keys, -EINVAL, "tensor %s is missing, or too large", tensor);
  d.n_vocab = (uint32_t)tokens.ne[1];
  return d;
}

/* The sizes of a head, where n_head is known. */
static inline void
wlp_keys_head_dims (struct wlp_keys *keys, struct wlp_dims *dims)
{
  dims->head_dim_k =
      wlp_keys_u32 (keys, "attention.key_length", dims->n_embd / (dims->n_head | !dims->n_head), 2, 65536);
  dims->head_dim_v = wlp_keys_u32 (keys, "attention.value_length", dims->head_dim_k, 1, 65536);
}

static inline struct wlp_dims
wlp_keys_dims (struct wlp_keys *keys)
{
  struct wlp_dims d = wlp_keys_sizes (keys);

  d.n_head    = wlp_keys_u32 (keys, "attention.head_count", WLP_KEY_REQUIRED, 1, WLP_KEY_MAX_WIDTH);
  d.n_head_kv = wlp_keys_u32 (keys, "attention.head_count_kv", d.n_head, 1, d.n_head);
  wlp_keys_head_dims (keys, &d);
  return d;
}

/* Leaves layers out that stand behind the last one and guess further tokens: the network is whole without them. */
static inline void
wlp_keys_leave_guessing (struct wlp_keys *keys, struct wlp_dims *dims)
{
  uint32_t n = wlp_keys_u32 (keys, "nextn_predict_layers", 0, 0, WLP_KEY_MAX_LAYERS);

  if (n >= dims->n_layer)
    wlp_keys_fail (keys, -EINVAL, "%u of %u layers guess further tokens", n, dims->n_layer);
  else
    dims->n_layer -= n;
}

/* Of a network with experts; n_expert is 0 for one without. */
static inline struct wlp_experts
wlp_keys_experts (struct wlp_keys *keys, const struct wlp_dims *dims)
{
  struct wlp_experts e = { 0, 0, 0, 0 };

  e.n_expert = wlp_keys_u32 (keys, "expert_count", 0, 0, 65536);
  if (e.n_expert == 0)
    return e;
  e.n_used = wlp_keys_u32 (keys, "expert_used_count", WLP_KEY_REQUIRED, 1, e.n_expert);
  e.n_ff   = wlp_keys_u32_or (keys, "expert_feed_forward_length", dims->n_ff, WLP_KEY_MAX_WIDTH);
  e.scale  = wlp_keys_f32_or (keys, "expert_weights_scale", 1);
  return e;
}

/* The same of a network that is none without experts. */
static inline struct wlp_experts
wlp_keys_experts_required (struct wlp_keys *keys, const struct wlp_dims *dims)
{
  struct wlp_experts e = wlp_keys_experts (keys, dims);

  if (e.n_expert == 0)
    wlp_keys_fail (keys, -EINVAL, "a network of this family has experts, but expert_count is missing or 0");
  return e;
}

/* How experts are weighed: expert_gating_func, enum wlp_gating; 0 stands for "as usual". */
static inline enum wlp_gating
wlp_keys_gating (struct wlp_keys *keys, enum wlp_gating fallback)
{
  uint32_t gating = wlp_keys_u32 (keys, "expert_gating_func", 0, 0, WLP_GATING_SOFTMAX_CHOSEN);

  return gating != 0 ? (enum wlp_gating)gating : fallback;
}

/* How many rows a tensor has; 0: there is none of the name. */
static inline uint32_t
wlp_keys_rows (const struct wlp_keys *keys, const char *tensor)
{
  struct wlp_shape shape = { 0, 0, { 0, 0, 0, 0 } };

  if (keys->metadata->ops->get_tensor (keys->metadata, tensor, &shape) != 0 || shape.ne[1] > WLP_KEY_MAX_WIDTH)
    return 0;
  return (uint32_t)shape.ne[1];
}

/* attention.sliding_window_pattern is a period n, of which the last layer sees all, or says it for each layer. */
static inline void
wlp_keys_windows (struct wlp_keys *keys, uint32_t n_layer, uint32_t window, uint32_t period,
                  struct wlp_windows *ret_windows)
{
  const char *name = "attention.sliding_window_pattern";
  char key[WLP_KEY_MAX];
  uint64_t n;
  int is_array;

  memset (ret_windows, 0, sizeof *ret_windows);
  ret_windows->window = wlp_keys_u32 (keys, "attention.sliding_window", window, 0, INT32_MAX);
  is_array = keys->metadata->ops->get_array_length (keys->metadata, wlp_keys_complete (keys, name, key), &n) == 0;
  if (!is_array)
    period = wlp_keys_u32 (keys, name, period, 0, WLP_KEY_MAX_LAYERS);
  for (uint32_t i = 0; keys->code == 0 && ret_windows->window > 0 && i < n_layer; i++)
    ret_windows->is_windowed[i] = is_array ? wlp_keys_u32_of_layer (keys, name, i, WLP_KEY_REQUIRED) != 0
                                           : period == 0 || i % period + 1 < period;
}

/* The pooling that makes the model one of embeddings, enum wlp_pool; WLP_POOL_NONE for a language model. */
static inline uint32_t
wlp_keys_pooling (struct wlp_keys *keys, uint32_t fallback)
{
  uint32_t pooling = wlp_keys_u32_of_layer (keys, "pooling_type", 0, fallback);

  if (keys->code == 0 && pooling == UINT32_MAX) /* how some writers say that nothing was said */
    return fallback;
  return wlp_keys_u32 (keys, "pooling_type", fallback, WLP_POOL_NONE, WLP_POOL_RANK);
}

/* ---- rope ---- */

/* How much YaRN sharpens the attention: arXiv 2309.00071, section 3.4; the multiplier is that of the file's author. */
static inline float
wlp_keys_yarn_factor (float factor, float log_multiplier)
{
  if (factor <= 1)
    return 1;
  if (log_multiplier != 0)
    return (0.1f * logf (factor) + 1) / (0.1f * log_multiplier * logf (factor) + 1);
  return 0.1f * logf (factor) + 1;
}

static inline void
wlp_keys_yarn (struct wlp_keys *keys, struct wlp_rope_params *rope, float factor)
{
  rope->ext_factor = wlp_keys_f32 (keys, "rope.scaling.yarn_ext_factor", 1);
  if (rope->ext_factor < 0) /* as usual */
    rope->ext_factor = 1;
  rope->beta_fast = wlp_keys_f32 (keys, "rope.scaling.yarn_beta_fast", 32);
  rope->beta_slow = wlp_keys_f32 (keys, "rope.scaling.yarn_beta_slow", 1);
  rope->attn_factor *= wlp_keys_yarn_factor (factor, wlp_keys_f32 (keys, "rope.scaling.yarn_log_multiplier", 0));
}

/* Scaling none, linear, yarn and longrope; the factors of the latter are tensors. */
static inline struct wlp_rope_params
wlp_keys_rope (struct wlp_keys *keys, const struct wlp_dims *dims, enum wlp_rope kind)
{
  struct wlp_rope_params rope;
  char key[WLP_KEY_MAX];
  char type[32] = "linear";
  float factor  = wlp_keys_f32 (keys, "rope.scaling.factor", 0);
  int code = keys->metadata->ops->get_string (keys->metadata, wlp_keys_complete (keys, "rope.scaling.type", key), type,
                                              sizeof type);

  memset (&rope, 0, sizeof rope);
  if (code != 0 && code != -ENOENT)
    wlp_keys_wrong (keys, key, -EINVAL);
  if (factor == 0)
    factor = wlp_keys_f32 (keys, "rope.scale_linear", 1); /* the key's older name */
  rope.kind        = kind;
  rope.head_dim    = dims->head_dim_k;
  rope.n_dims      = wlp_keys_u32 (keys, "rope.dimension_count", dims->head_dim_k, 2, dims->head_dim_k);
  rope.base        = wlp_keys_f32 (keys, "rope.freq_base", 10000);
  rope.n_ctx_orig  = wlp_keys_u32 (keys, "rope.scaling.original_context_length", dims->n_ctx, 1, INT32_MAX);
  rope.attn_factor = wlp_keys_f32 (keys, "rope.scaling.attn_factor", 1);
  rope.freq_scale  = strcmp (type, "none") != 0 && factor > 0 ? 1 / factor : 1;
  if (strcmp (type, "yarn") == 0)
    wlp_keys_yarn (keys, &rope, factor);
  else if (strcmp (type, "none") != 0 && strcmp (type, "linear") != 0 && strcmp (type, "longrope") != 0)
    wlp_keys_fail (keys, -ENOTSUP, "%s is \"%s\"; known are none, linear, yarn and longrope", key, type);
  return rope;
}

#ifdef __cplusplus
}
#endif
