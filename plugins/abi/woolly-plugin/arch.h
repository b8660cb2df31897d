/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Architecture plugins: read a model's hyper-parameters, describe its network once.
 *
 * describe() calls the builder from the first operator to the last.  The builder checks every name, shape and width; it
 * keeps the first error, after which its calls do nothing and return WLP_NONE.  So a plugin writes straight down, and
 * need not look at any result until it returns.
 */
#pragma once

#include "metadata.h"
#include "program.h"

#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WLP_ARCH_VERSION    1u
#define WLP_BUILDER_VERSION 1u

struct wlp_builder;

enum wlp_weight_flags {
  WLP_WEIGHT_REQUIRED = 0,
  WLP_WEIGHT_OPTIONAL = 1u << 0, /* WLP_NONE where the file has none; a wrong shape is an error all the same */
};

struct wlp_builder_ops {
  uint32_t version; /* WLP_BUILDER_VERSION */
  /* The tensor @name with the extents @ne (innermost first); the type is the file's.  The same name again gives the
   * same weight.  The name is copied. */
  wlp_weight (*weight) (struct wlp_builder *builder, const char *name, uint32_t flags, uint32_t n_dims,
                        const uint64_t *ne);
  uint32_t (*cache_group) (struct wlp_builder *builder, const struct wlp_cache_group *group);
  void (*limits) (struct wlp_builder *builder, const struct wlp_limits *limits);
  /* Operators from here on belong to this layer, WLP_NONE: to none. */
  void (*layer) (struct wlp_builder *builder, uint32_t layer);
  /* Appends @op (its `layer` and `out` are filled in) and returns its first output, WLP_NONE where it has none; the
   * second one, where there is one, is the number that follows. */
  wlp_value (*op) (struct wlp_builder *builder, const struct wlp_op *op);
  /* Makes the description fail with this text. */
  void (*fail) (struct wlp_builder *builder, const char *message);
};

struct wlp_builder {
  const struct wlp_builder_ops *ops;
};

struct wlp_arch_ops {
  uint32_t version; /* WLP_ARCH_VERSION */
  /* The values of general.architecture that this plugin serves; ends with NULL. */
  const char *const *architectures;
  /* 0, or a negative errno with @error set.  -EINVAL: the file's keys make no sense. */
  int (*describe) (const struct wlp_metadata *metadata, struct wlp_builder *builder, struct wlp_error *error);
};

/* ---- sugar: one call for each operator ---- */

/* An operator of this kind with no inputs, weights and outputs yet. */
static inline struct wlp_op
wlp_op_make (enum wlp_op_kind kind, wlp_value x)
{
  struct wlp_op op;

  memset (&op, 0, sizeof op);
  memset (op.in, 0xff, sizeof op.in);
  memset (op.weight, 0xff, sizeof op.weight);
  memset (op.out, 0xff, sizeof op.out);
  op.kind  = kind;
  op.in[0] = x;
  return op;
}

static inline wlp_weight
wlp_weight_1d (struct wlp_builder *b, const char *name, uint32_t flags, uint64_t n)
{
  return b->ops->weight (b, name, flags, 1, &n);
}

static inline wlp_weight
wlp_weight_2d (struct wlp_builder *b, const char *name, uint32_t flags, uint64_t n_in, uint64_t n_out)
{
  const uint64_t ne[2] = { n_in, n_out };

  return b->ops->weight (b, name, flags, 2, ne);
}

static inline wlp_weight
wlp_weight_3d (struct wlp_builder *b, const char *name, uint32_t flags, uint64_t n_in, uint64_t n_out,
               uint64_t n_expert)
{
  const uint64_t ne[3] = { n_in, n_out, n_expert };

  return b->ops->weight (b, name, flags, 3, ne);
}

static inline wlp_value
wlp_embed (struct wlp_builder *b, wlp_weight tokens, float scale)
{
  struct wlp_op op = wlp_op_make (WLP_OP_EMBED, WLP_NONE);

  op.weight[0]     = tokens;
  op.p.embed.scale = scale;
  return b->ops->op (b, &op);
}

/* With learned positions and token types; WLP_NONE where there are none. */
static inline wlp_value
wlp_embed_all (struct wlp_builder *b, wlp_weight tokens, wlp_weight positions, wlp_weight types)
{
  struct wlp_op op = wlp_op_make (WLP_OP_EMBED, WLP_NONE);

  op.weight[0] = tokens;
  op.weight[1] = positions;
  op.weight[2] = types;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_norm (struct wlp_builder *b, enum wlp_norm kind, wlp_value x, wlp_weight gain, wlp_weight bias, uint32_t group,
          float eps)
{
  struct wlp_op op = wlp_op_make (WLP_OP_NORM, x);

  op.weight[0]    = gain;
  op.weight[1]    = bias;
  op.p.norm.kind  = kind;
  op.p.norm.group = group;
  op.p.norm.eps   = eps;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_linear (struct wlp_builder *b, wlp_value x, wlp_weight weight, wlp_weight bias)
{
  struct wlp_op op = wlp_op_make (WLP_OP_LINEAR, x);

  op.weight[0] = weight;
  op.weight[1] = bias;
  return b->ops->op (b, &op);
}

/* Rows @first_row .. @first_row + @n_rows - 1 of a fused weight. */
static inline wlp_value
wlp_linear_rows (struct wlp_builder *b, wlp_value x, wlp_weight weight, wlp_weight bias, uint64_t first_row,
                 uint64_t n_rows)
{
  struct wlp_op op = wlp_op_make (WLP_OP_LINEAR, x);

  op.weight[0]          = weight;
  op.weight[1]          = bias;
  op.p.linear.first_row = first_row;
  op.p.linear.n_rows    = n_rows;
  return b->ops->op (b, &op);
}

/* A linear layer of chosen experts; @ids as MOE_ROUTE gives them. */
static inline wlp_value
wlp_linear_experts (struct wlp_builder *b, wlp_value x, wlp_value ids, wlp_weight weight, wlp_weight bias,
                    uint32_t n_used, uint32_t per_slot)
{
  struct wlp_op op = wlp_op_make (WLP_OP_LINEAR, x);

  op.in[1]             = ids;
  op.weight[0]         = weight;
  op.weight[1]         = bias;
  op.p.linear.n_used   = n_used;
  op.p.linear.per_slot = per_slot;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_rope (struct wlp_builder *b, wlp_value x, wlp_weight factors, const struct wlp_rope_params *params)
{
  struct wlp_op op = wlp_op_make (WLP_OP_ROPE, x);

  op.weight[0] = factors;
  op.p.rope    = *params;
  return b->ops->op (b, &op);
}

/* With factors for contexts up to the original one, and others for longer ones (LongRoPE). */
static inline wlp_value
wlp_rope_by_context (struct wlp_builder *b, wlp_value x, const wlp_weight factors[2],
                     const struct wlp_rope_params *params)
{
  struct wlp_op op = wlp_op_make (WLP_OP_ROPE, x);

  op.weight[0] = factors[0];
  op.weight[1] = factors[1];
  op.p.rope    = *params;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_attention (struct wlp_builder *b, wlp_value q, wlp_value k, wlp_value v, wlp_weight sinks,
               const struct wlp_attention_params *params)
{
  struct wlp_op op = wlp_op_make (WLP_OP_ATTENTION, q);

  op.in[1]       = k;
  op.in[2]       = v;
  op.weight[0]   = sinks;
  op.p.attention = *params;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_glu (struct wlp_builder *b, enum wlp_act act, wlp_value gate, wlp_value up)
{
  struct wlp_op op = wlp_op_make (WLP_OP_GLU, gate);

  op.in[1]     = up;
  op.p.glu.act = act;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_activate (struct wlp_builder *b, enum wlp_act act, wlp_value x)
{
  struct wlp_op op = wlp_op_make (WLP_OP_ACTIVATE, x);

  op.p.glu.act = act;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_add (struct wlp_builder *b, wlp_value x, wlp_value y)
{
  struct wlp_op op = wlp_op_make (WLP_OP_ADD, x);

  op.in[1] = y;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_mul (struct wlp_builder *b, wlp_value x, wlp_value y)
{
  struct wlp_op op = wlp_op_make (WLP_OP_MUL, x);

  op.in[1] = y;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_scale (struct wlp_builder *b, wlp_value x, float scale)
{
  struct wlp_op op = wlp_op_make (WLP_OP_SCALE, x);

  op.p.scale.scale = scale;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_softcap (struct wlp_builder *b, wlp_value x, float cap)
{
  struct wlp_op op = wlp_op_make (WLP_OP_SOFTCAP, x);

  op.p.scale.scale = cap;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_clamp (struct wlp_builder *b, wlp_value x, float low, float high)
{
  struct wlp_op op = wlp_op_make (WLP_OP_CLAMP, x);

  op.p.clamp.low  = low;
  op.p.clamp.high = high;
  return b->ops->op (b, &op);
}

/* Returns the ids; the weights are the value that follows (ids + 1). */
static inline wlp_value
wlp_moe_route (struct wlp_builder *b, wlp_value scores, wlp_weight bias, const struct wlp_route_params *params)
{
  struct wlp_op op = wlp_op_make (WLP_OP_MOE_ROUTE, scores);

  op.weight[0] = bias;
  op.p.route   = *params;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_moe_sum (struct wlp_builder *b, wlp_value x, wlp_value weights)
{
  struct wlp_op op = wlp_op_make (WLP_OP_MOE_SUM, x);

  op.in[1] = weights;
  return b->ops->op (b, &op);
}

static inline wlp_value
wlp_state_conv (struct wlp_builder *b, wlp_value x, wlp_weight taps, wlp_weight bias,
                const struct wlp_state_conv_params *params)
{
  struct wlp_op op = wlp_op_make (WLP_OP_STATE_CONV, x);

  op.weight[0]    = taps;
  op.weight[1]    = bias;
  op.p.state_conv = *params;
  return b->ops->op (b, &op);
}

static inline void
wlp_logits (struct wlp_builder *b, wlp_value x)
{
  struct wlp_op op = wlp_op_make (WLP_OP_LOGITS, x);

  b->ops->op (b, &op);
}

static inline void
wlp_pool (struct wlp_builder *b, enum wlp_pool kind, wlp_value x, wlp_weight head, wlp_weight bias)
{
  struct wlp_op op = wlp_op_make (WLP_OP_POOL, x);

  op.weight[0]   = head;
  op.weight[1]   = bias;
  op.p.pool.kind = kind;
  b->ops->op (b, &op);
}

#ifdef __cplusplus
}
#endif
