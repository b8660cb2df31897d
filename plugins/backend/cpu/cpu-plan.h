/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The planner's language.
 *
 * A program becomes nodes (cpu-nodes.c: what is to be computed, for which rows), nodes become steps (cpu-schedule.c:
 * what runs side by side between two barriers), and what they read and write gets its place in the arena
 * (cpu-arena.c).  All of it once, when the model is loaded.
 *
 * Domains: a node runs for every token of a batch or for the wanted rows only.  Rows of a resource in the domain TOKENS
 * are found from the domain ROWS by way of the batch's list of rows.
 */
#pragma once

#include "cpu-cache.h"
#include "kernels/linear.h"
#include "woolly-plugin/backend.h"

#include <stdbool.h>

#define CPU_NODE_READS  5
#define CPU_NODE_WRITES 2

#define CPU_STATE_MAX_WIDTH 64 /* rows that a convolution sees */

enum cpu_domain {
  CPU_DOMAIN_NONE   = 0, /* nobody needs it */
  CPU_DOMAIN_ROWS   = 1, /* the wanted rows */
  CPU_DOMAIN_TOKENS = 2,
};

enum cpu_node_kind {
  /* Row nodes compute one row from the same row of what they read; several of them can share a step. */
  CPU_NODE_INPUT,      /* the rows of embeddings that come in at a cut */
  CPU_NODE_TABLE,      /* sines and cosines of the token's positions; out: [n_dims / 2][cosine, sine] */
  CPU_NODE_QUANTISE,   /* an activation row for integer kernels, for each slot */
  CPU_NODE_STORE_KEYS, /* into the cache */
  CPU_NODE_STORE_VALUES,
  CPU_NODE_ROW,    /* an operator: embed, norm, rope, elementwise, route, sum over experts */
  CPU_NODE_OUTPUT, /* a row of the model's output */
  CPU_NODE_LAST_ROW = CPU_NODE_OUTPUT,
  /* Nodes with steps of their own. */
  CPU_NODE_LINEAR,
  CPU_NODE_GROUP,   /* sorts the rows by their experts */
  CPU_NODE_EXPERTS, /* a linear layer with an expert axis */
  CPU_NODE_ATTENTION,
  CPU_NODE_POOL,
  CPU_NODE_STATE, /* for all tokens, even where nobody wants the result */
};

/* What a node reads or writes: a value of the program, an activation matrix, a table … */
struct cpu_resource {
  enum cpu_domain domain;
  uint64_t row_bytes;   /* one row */
  uint64_t fixed_bytes; /* beside the rows */
  uint32_t first_step;  /* first and last step that touch it */
  uint32_t last_step;
  uint32_t alias; /* it shares the memory of this resource; its own number: it has memory of its own */
  bool is_output; /* the memory is the batch's output */
  bool is_inside; /* it never leaves its step, which has a place for it */
  bool used;
  struct cpu_cache_layout layout; /* keys and values of attention without a cache */
  uint8_t *memory;                /* at run time */
};

struct cpu_rope {
  struct wlp_rope_params params;
  wlp_weight factors;
  float scale;          /* of sine and cosine */
  double *frequencies;  /* [n_dims / 2]: angle of a pair at position 1 */
  uint8_t *position_of; /* [n_dims / 2]: which of a token's positions turns it */
  uint32_t table;       /* resource */
};

/* A linear layer's weight as the kernels see it. */
struct cpu_matrix {
  const struct linear_format *format;
  uint32_t type;
  const uint8_t *data; /* row first_row of expert 0 */
  uint64_t row_bytes;
  uint64_t expert_bytes; /* from one expert's row to the next one's */
  uint64_t n_experts;    /* 1 where there is no such axis */
  uint64_t k;
  uint64_t n_rows;
  uint64_t n_panels; /* of one expert */
  uint64_t unit; /* panels that one thread computes, for what goes on with them: whole heads, whole groups; else 1 */
  size_t panel_bytes;
  uint8_t *packed;    /* [n_experts][n_panels][panel_bytes], or NULL: it has no place in the arena of panels */
  uint8_t *is_packed; /* [n_experts][n_panels] */
  uint64_t n_packed;  /* (atomic) of these */
  uint64_t last_use;  /* number of the batch */
  bool has_room;      /* below the limit of what may be packed */
  bool is_mapped;     /* @data lies in the host's map of a file */
  bool source_idle;   /* the host was told that the file's bytes are not read for now */
  const float *bias;  /* NULL or [n_experts][bias_stride], from first_row on */
  uint64_t bias_stride;
};

struct cpu_node {
  enum cpu_node_kind kind;
  enum cpu_domain domain;
  const struct wlp_op *op; /* NULL for nodes that stand for none */
  uint32_t layer;
  uint32_t reads[CPU_NODE_READS]; /* resources, WLP_NONE: none */
  uint32_t writes[CPU_NODE_WRITES];
  uint32_t k;              /* QUANTISE: values of a slot */
  uint32_t n_slots;        /* QUANTISE */
  uint32_t rope;           /* ROPE, TABLE: number of the cpu_rope */
  uint32_t matrix;         /* LINEAR, EXPERTS */
  uint32_t n_followers;    /* LINEAR: row nodes behind it in the step that go on with its columns */
  const float *weights[2]; /* gains, biases, sinks as float32; NULL: none */
  bool done;               /* the scheduler's */
};

/* The roles of a node's reads, by kind.  ROW nodes read the operator's inputs in their order; a rope's table follows.
 */
enum {
  CPU_READ_X        = 0, /* LINEAR, EXPERTS: activation matrix, or float rows */
  CPU_READ_RESIDUAL = 1, /* LINEAR: added to the result */
  CPU_READ_GROUPS   = 1, /* EXPERTS: the sorted rows */
  CPU_READ_Q        = 0, /* ATTENTION */
  CPU_READ_STORED   = 1, /* ATTENTION: what both STORE nodes write */
  CPU_READ_TABLE    = 1, /* ROPE */
};

enum cpu_step_kind {
  CPU_STEP_ROWS,   /* row nodes of one domain, row by row */
  CPU_STEP_LINEAR, /* linear nodes, side by side, each with its followers behind it */
  CPU_STEP_GLU,    /* gate and up, and what becomes of them: [linear, linear, GLU, quantise or nothing] */
  CPU_STEP_GROUP,
  CPU_STEP_EXPERTS,
  CPU_STEP_ATTENTION,
  CPU_STEP_POOL,
  CPU_STEP_STATE,
};

struct cpu_step {
  enum cpu_step_kind kind;
  enum cpu_domain domain; /* ROWS, ATTENTION */
  uint32_t layer;
  uint32_t first_node; /* in plan->order */
  uint32_t n_nodes;
  uint32_t profile; /* entry */
};

struct cpu_plan {
  uint32_t n_resources, max_resources;
  uint32_t n_nodes, max_nodes;
  uint32_t n_steps;
  uint32_t n_ropes;
  uint32_t n_matrices;
  uint32_t output;                /* resource that is the output, WLP_NONE for pooling */
  struct cpu_resource *resources; /* the program's values first */
  struct cpu_node *nodes;
  uint32_t *order; /* nodes in the order of the steps */
  struct cpu_step *steps;
  struct cpu_rope *ropes;
  struct cpu_matrix *matrices;
  uint64_t arena_bytes;
};

/* Node @i of a step. */
static inline const struct cpu_node *
cpu_plan_node (const struct cpu_plan *plan, const struct cpu_step *step, uint32_t i)
{
  return &plan->nodes[plan->order[step->first_node + i]];
}

struct wlp_model;

/* Each fills its part of model->plan; 0 or a negative errno with @error. */
int cpu_nodes_build (struct wlp_model *model, struct wlp_error *error);
int cpu_schedule_build (struct wlp_model *model, struct wlp_error *error);
int cpu_arena_build (struct wlp_model *model, struct wlp_error *error);
void cpu_plan_finish (struct cpu_plan *plan);

/* 0, or -EINVAL / -ENOTSUP with @error: whether the operator's numbers fit each other and this backend. */
int cpu_check_op (const struct wlp_program *program, const struct wlp_op *op, const struct wlp_weight_source *sources,
                  struct wlp_error *error);
