/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a step does, by kind.  Each function computes what one thread can take of it.
 */
#pragma once

#include "cpu-model.h"

/* One row of a row node, @row counted in the node's domain. */
void cpu_row_node (struct wlp_model *model, const struct cpu_node *node, uint32_t row);
/* Values @column .. @column + @n - 1 of a row: whole parts as cpu_row_part() counts them. */
void cpu_row_columns (struct wlp_model *model, const struct cpu_node *node, uint32_t row, uint32_t column, uint32_t n);
/* How many values a row node can compute by themselves from as many of what it reads first, and any multiple of that;
 * 0: it needs the whole row. */
uint32_t cpu_row_part (const struct cpu_node *node);

/* cpu-ops-rope.c */
int cpu_rope_init (struct cpu_rope *rope, const struct wlp_rope_params *params, const float *factors,
                   uint32_t n_positions, struct wlp_error *error);
void cpu_rope_finish (struct cpu_rope *rope);
void cpu_op_rope_table (const struct cpu_rope *rope, const int32_t *positions, float *table);
void cpu_op_rope (const struct vector_isa *isa, const struct wlp_rope_params *params, uint32_t width,
                  const float *table, const float *x, float *y);
/* cpu-ops-route.c */
void cpu_op_route (const struct wlp_route_params *params, uint32_t n_experts, const float *scores, const float *bias,
                   int32_t *ids, float *weights);
void cpu_op_expert_sum (uint32_t n_used, uint32_t width, const float *x, const float *weights, float *y);
size_t cpu_group_bytes (uint64_t n_pairs, uint64_t n_experts);
/* One thread does it alone. */
void cpu_step_group (struct wlp_model *model, const struct cpu_step *step);
/* cpu-ops-linear.c */
/* Items of a step, and how many go together where that is not one. */
uint64_t cpu_linear_items (const struct wlp_model *model, const struct cpu_step *step);
uint64_t cpu_glu_items (const struct wlp_model *model, const struct cpu_step *step, uint64_t *ret_chunk);
uint64_t cpu_experts_items (const struct wlp_model *model, const struct cpu_step *step, uint64_t *ret_chunk);
void cpu_step_linear (struct wlp_model *model, const struct cpu_step *step, unsigned thread);
void cpu_step_glu (struct wlp_model *model, const struct cpu_step *step, unsigned thread);
void cpu_step_experts (struct wlp_model *model, const struct cpu_step *step, unsigned thread);
size_t cpu_linear_scratch_bytes (const struct wlp_model *model);
/* cpu-attention.c */
/* Shares the work out, too. */
uint64_t cpu_attention_items (struct wlp_model *model, const struct cpu_step *step);
void cpu_step_attention (struct wlp_model *model, const struct cpu_step *step, unsigned thread);
size_t cpu_attention_scratch_bytes (const struct wlp_attention_params *params);
/* Floats of partial results, where attention for one token of each sequence is split. */
size_t cpu_attention_partials (const struct wlp_model *model, const struct wlp_attention_params *params);
uint32_t cpu_attention_tile_tokens (const struct wlp_attention_params *params);
void cpu_op_store (struct wlp_model *model, const struct cpu_node *node, uint32_t row, uint32_t head, uint32_t end,
                   const float *x);
/* cpu-ops-pool.c */
void cpu_step_pool (struct wlp_model *model, const struct cpu_step *step, unsigned thread);
/* cpu-ops-state.c */
void cpu_step_state (struct wlp_model *model, const struct cpu_step *step, unsigned thread);

/* A list of row and slot pairs for each expert that is used, made by GROUP: in the resource's fixed memory. */
struct cpu_groups {
  uint32_t n_active;
  uint32_t *experts; /* [n_active] rising */
  uint32_t *start;   /* [n_active + 1] in pairs */
  uint32_t *pairs;   /* row * n_used + slot, rising for each expert */
};
