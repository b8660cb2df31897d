/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The static program: one network, described once as coarse operators over symbolic sizes.
 *
 * A value is a matrix of float32 (or int32) with one row for each token of a batch and a fixed width; it is written by
 * one operator and read by later ones.  How many tokens a batch has is not known here, nor how operators are fused or
 * laid out: that is the backend's planner, which must give the same results however it fuses.
 */
#pragma once

#include "tensor.h"

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_PROGRAM_VERSION 1u
#define WLP_NONE            UINT32_MAX /* no value, no weight, no group */
#define WLP_CONTEXT_STEP    256u       /* contexts are counted in whole steps where a model asks how long one is */
#define WLP_MAX_INPUTS      4
#define WLP_MAX_WEIGHTS     4
#define WLP_MAX_OUTPUTS     2

typedef uint32_t wlp_value;
typedef uint32_t wlp_weight;

enum wlp_op_kind {
  /* in: none.  weight 0: token embeddings [n_embd, n_vocab]; weight 1 (optional): learned positions [n_embd, n_ctx];
   * weight 2 (optional): token types [n_embd, n_types], row 0 is added.  out: [n_embd] = row * scale (+ position +
   * type). A batch with embedding rows puts those in the place of the token's rows, unscaled. */
  WLP_OP_EMBED = 1,
  /* in: x.  weight 0 (optional): gain, weight 1 (optional): bias, both [group], or [group, n_groups] where each group
   * has its own.  The width of x is a multiple of `group`; each group of that many values is normalised by itself
   * (group 0: the whole width). */
  WLP_OP_NORM = 2,
  /* in: x [n_in], (optional) expert ids [n_used] int32.  weight 0: [n_in, n_out (, n_expert)], weight 1 (optional):
   * bias [n_out (, n_expert)].  out: y = W x + b, rows first_row .. first_row + n_rows - 1 of W (n_rows 0: all).
   * With ids: y has n_used slots of n_rows values, slot s made by expert ids[s]; x is shared by the slots, or has
   * n_used slots of n_in values where `per_slot` is set. */
  WLP_OP_LINEAR = 3,
  /* in: x [n_head * head_dim].  weight 0 (optional): factors that the frequencies are divided by [n_dims / 2]; weight 1
   * (optional): those in its place where the plan's positions of a sequence, rounded up to a multiple of
   * WLP_CONTEXT_STEP, are more than n_ctx_orig.  out: x rotated by the token's position. */
  WLP_OP_ROPE = 4,
  /* in: q [n_head * head_dim_k], k [n_head_kv * head_dim_k], v [n_head_kv * head_dim_v].  weight 0 (optional): sinks
   * [n_head].  out: [n_head * head_dim_v].  Keys and values are stored to the cache group first, rounded to the type of
   * the cache; a query reads what is stored.  Without a group the keys and values are those of the batch alone. */
  WLP_OP_ATTENTION = 5,
  /* in: gate, up (or one value with both, gate first, where up is WLP_NONE).  out: act (gate) * up. */
  WLP_OP_GLU = 6,
  /* in: x.  out: act (x). */
  WLP_OP_ACTIVATE = 7,
  /* in: a, b.  out: a + b. */
  WLP_OP_ADD = 8,
  /* in: a, b.  out: a * b; b may have the width 1, then it stands for all of a row. */
  WLP_OP_MUL = 9,
  /* in: x.  out: x * scale. */
  WLP_OP_SCALE = 10,
  /* in: x.  out: cap * tanh (x / cap). */
  WLP_OP_SOFTCAP = 11,
  /* in: scores [n_expert].  weight 0 (optional): bias for the choice only [n_expert].  out 0: ids [n_used] int32, by
   * falling score (ties: lower id first); out 1: weights [n_used]. */
  WLP_OP_MOE_ROUTE = 12,
  /* in: x [n_used * width], weights [n_used].  out: the weighted sum over the slots, added in rank order. */
  WLP_OP_MOE_SUM = 13,
  /* in: x.  Marks the model's output: for each row wanted by the batch, x as logits.  No out. */
  WLP_OP_LOGITS = 14,
  /* in: x.  Marks the model's output: one row for each sequence of the batch (or each wanted row for WLP_POOL_NONE).
   * weight 0, 1 (optional): a classification head and its bias.  No out. */
  WLP_OP_POOL = 15,
  /* in: x.  out: min (max (x, low), high). */
  WLP_OP_CLAMP = 16,
  /* A causal convolution over the last `width` rows of a sequence, for each channel by itself.  in: x [n].  weight 0:
   * taps [width, n], the newest row's last; weight 1 (optional): bias [n].  out: [n] = sum of tap j * row t - width + 1
   * + j, added in that order to the bias; rows before the first position are 0.  The state of a layer is the last
   * width - 1 rows, the oldest first: a group of kind WLP_CACHE_STATE with key_width = (width - 1) * n. */
  WLP_OP_STATE_CONV = 32,
  /* A selective scan, the place for state-space models; its parameters come with the first family that needs them, in
   * a newer minor version. */
  WLP_OP_STATE_SCAN = 33,
};

enum wlp_norm {
  WLP_NORM_RMS   = 1, /* x / sqrt (mean (x^2) + eps) */
  WLP_NORM_LAYER = 2, /* (x - mean) / sqrt (variance + eps) */
};

enum wlp_act {
  WLP_ACT_SILU       = 1, /* x / (1 + exp (-x)) */
  WLP_ACT_GELU       = 2, /* by erf */
  WLP_ACT_GELU_TANH  = 3,
  WLP_ACT_RELU       = 4,
  WLP_ACT_RELU2      = 5, /* max (x, 0)^2 */
  WLP_ACT_TANH       = 6,
  WLP_ACT_SIGMOID    = 7,
  WLP_ACT_SWIGLU_OAI = 8, /* GLU only: clamped gate * sigmoid (alpha * gate) * (up + 1), limit 7, alpha 1.702 */
  WLP_ACT_GELU_HALF  = 9, /* as GELU_TANH, argument and result rounded to float16 between -10 and 10; 0 and x beyond */
};

enum wlp_rope {
  WLP_ROPE_NORM  = 0, /* pairs (2i, 2i + 1) */
  WLP_ROPE_NEOX  = 1, /* pairs (i, i + n_dims / 2) */
  WLP_ROPE_MROPE = 2, /* neox pairs; which of several positions a pair uses is given by sections */
};

enum wlp_gating {
  WLP_GATING_SOFTMAX        = 1, /* softmax over all experts, then choose */
  WLP_GATING_SIGMOID        = 2,
  WLP_GATING_SOFTMAX_CHOSEN = 3, /* choose, then softmax over the chosen */
};

enum wlp_pool {
  WLP_POOL_NONE = 0,
  WLP_POOL_MEAN = 1,
  WLP_POOL_CLS  = 2, /* first token */
  WLP_POOL_LAST = 3,
  WLP_POOL_RANK = 4, /* cls through the classification head: a score */
};

struct wlp_embed_params {
  float scale; /* 0 reads as 1 */
};

struct wlp_norm_params {
  uint32_t kind; /* enum wlp_norm */
  uint32_t group;
  float eps;
};

struct wlp_linear_params {
  uint64_t first_row;
  uint64_t n_rows;
  uint32_t n_used;   /* slots; 0: no expert axis */
  uint32_t per_slot; /* x has a slice for each slot */
};

/* Frequency of pair i: f = base^(-2i / n_dims) / factor[i]; its angle at position p is p * f * freq_scale where
 * ext_factor is 0.  Else YaRN (arXiv 2309.00071): p * (f * freq_scale * (1 - mix) + f * mix), where
 *
 *   mix       = ext_factor * (1 - clamp ((i - low) / max (0.001, high - low), 0, 1))
 *   low, high = max (0, floor (dim (beta_fast))), min (n_dims - 1, ceil (dim (beta_slow)))
 *   dim (n)   = n_dims * ln (n_ctx_orig / (n * 2 pi)) / (2 ln (base))
 *
 * attn_factor is the whole factor of sine and cosine: a backend multiplies by nothing else.  So it is the architecture
 * plugin that puts YaRN's 1 + 0.1 ln (1 / freq_scale) into it, times whatever the file says on top.
 *
 * WLP_ROPE_MROPE: pair i uses section s where i modulo the sum of sections falls into it; its position is number s + 1
 * of the token's positions (number 0 orders the cache), or number 0 where a token has only that one. */
struct wlp_rope_params {
  uint32_t kind; /* enum wlp_rope */
  uint32_t head_dim;
  uint32_t n_dims; /* first dimensions of a head that rotate; even, <= head_dim */
  float base;
  float freq_scale; /* 1 / factor; 0 reads as 1 */
  float ext_factor;
  float attn_factor; /* multiplies sine and cosine, see above; 0 reads as 1 */
  float beta_fast;
  float beta_slow;
  uint32_t n_ctx_orig;
  uint32_t sections[4]; /* WLP_ROPE_MROPE: pairs of each section */
};

struct wlp_attention_params {
  uint32_t group;       /* cache group, or WLP_NONE */
  uint32_t group_layer; /* which layer of that group */
  uint32_t n_head;
  uint32_t n_head_kv; /* divides n_head */
  uint32_t head_dim_k;
  uint32_t head_dim_v;
  uint32_t causal; /* 0: a query sees all of its sequence, what stands behind it in the batch, too */
  uint32_t window; /* positions p - window + 1 .. p are seen, without causal p - window / 2 .. p + window / 2; 0: all */
  float scale;     /* of the scores, first of all */
  float softcap;   /* then cap * tanh (score / cap); 0: none */
  float alibi; /* then - slope * |p - q|: slope of head h is 2^(-alibi (h + 1) / n), n the largest power of two that is
                * <= n_head, for h < n, else 2^(-alibi / 2 (2 (h - n) + 1) / n); 0: none */
  float temperature; /* the scale of a query at position p is scale * (1 + temperature * ln (1 + floor (p / n))), */
  uint32_t temperature_step; /* where n is this, > 0 with a temperature; 0: none.  Since minor version 3 */
};

struct wlp_state_conv_params {
  uint32_t group; /* cache group */
  uint32_t group_layer;
  uint32_t width; /* rows that a result is made of, >= 2 */
};

struct wlp_glu_params {
  uint32_t act; /* enum wlp_act */
};

struct wlp_scale_params {
  float scale; /* WLP_OP_SCALE: factor; WLP_OP_SOFTCAP: cap */
};

struct wlp_clamp_params {
  float low;
  float high; /* >= low */
};

struct wlp_route_params {
  uint32_t gating; /* enum wlp_gating */
  uint32_t n_used;
  uint32_t normalise; /* weights are divided by their sum, by 2^-14 where it is less */
  float scale;        /* factor on the weights; 0 reads as 1 */
  uint32_t n_groups;  /* experts are chosen inside the n_groups_used best groups, by their two best together; 0: none */
  uint32_t n_groups_used;
};

struct wlp_pool_params {
  uint32_t kind; /* enum wlp_pool */
};

struct wlp_op {
  uint32_t kind;  /* enum wlp_op_kind */
  uint32_t layer; /* WLP_NONE before the first and behind the last layer */
  wlp_value in[WLP_MAX_INPUTS];
  wlp_weight weight[WLP_MAX_WEIGHTS];
  wlp_value out[WLP_MAX_OUTPUTS];
  union {
    struct wlp_embed_params embed;
    struct wlp_norm_params norm;
    struct wlp_linear_params linear;
    struct wlp_rope_params rope;
    struct wlp_attention_params attention;
    struct wlp_glu_params glu; /* and WLP_OP_ACTIVATE */
    struct wlp_scale_params scale;
    struct wlp_route_params route;
    struct wlp_pool_params pool;
    struct wlp_clamp_params clamp;
    struct wlp_state_conv_params state_conv;
    uint64_t reserved[16];
  } p;
};

struct wlp_value_info {
  uint32_t width;
  uint32_t type; /* WLP_TYPE_F32 or WLP_TYPE_I32 */
};

struct wlp_weight_info {
  const char *name; /* the tensor's, "blk.0.attn_q.weight" */
  struct wlp_shape shape;
};

enum wlp_cache_kind {
  WLP_CACHE_PAGED  = 1, /* keys and values of all positions, in blocks of WLP_BLOCK_POSITIONS */
  WLP_CACHE_WINDOW = 2, /* as paged, but positions behind the window may be dropped */
  WLP_CACHE_STATE  = 3, /* float32, one state for each block: the one behind its last position that was computed */
};

#define WLP_BLOCK_POSITIONS 64u

/* Layers that share block tables. */
struct wlp_cache_group {
  uint32_t kind; /* enum wlp_cache_kind */
  uint32_t n_layers;
  uint32_t key_width;   /* n_head_kv * head_dim_k; for a state its float32 values for each layer */
  uint32_t value_width; /* n_head_kv * head_dim_v; for a state 0 */
  uint32_t head_dim_k;
  uint32_t head_dim_v;
  uint32_t window; /* positions; 0: all */
};

/* Facts about the model that the engine needs beside the program. */
struct wlp_limits {
  uint32_t n_vocab;
  uint32_t n_embd;
  uint32_t n_layer;
  uint32_t n_ctx_train;
  uint32_t n_positions; /* for each token: 1; M-RoPE: 1 more than it has sections; 0 reads as 1 */
  uint32_t pooling;     /* enum wlp_pool */
  uint32_t causal;
};

struct wlp_program {
  uint32_t version; /* WLP_PROGRAM_VERSION */
  uint32_t n_ops;
  uint32_t n_values;
  uint32_t n_weights;
  uint32_t n_groups;
  uint32_t output_width; /* of the rows that a batch gives */
  struct wlp_limits limits;
  const struct wlp_op *ops;
  const struct wlp_value_info *values;
  const struct wlp_weight_info *weights;
  const struct wlp_cache_group *groups;
};

#ifdef __cplusplus
}
#endif
