/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linear layers: the items of a step are the panels of all its weights.  A thread takes a few panels (packed
 * already, or packed into its scratch memory now) through all activation rows before it takes the next ones.
 */
#include "cpu-ops.h"

#include <string.h>

/* Panels of a group together: they stay in the second-level cache while all activation rows go by. */
#define GROUP_BYTES  (256u << 10)
#define GROUP_PANELS 8u

struct scratch {
  float y[LINEAR_MAX_TOKENS * LINEAR_MAX_ROWS];
  uint8_t panels[]; /* at a multiple of 64 bytes */
};

static uint64_t
panels_of_group (const struct cpu_matrix *matrix)
{
  const uint64_t n = GROUP_BYTES / matrix->panel_bytes;

  return n < 1 ? 1 : (n < GROUP_PANELS ? n : GROUP_PANELS);
}

size_t
cpu_linear_scratch_bytes (const struct wlp_model *model)
{
  size_t most = 0, n;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++) {
    n    = panels_of_group (&model->plan.matrices[i]) * model->plan.matrices[i].panel_bytes;
    most = n > most ? n : most;
  }
  return sizeof (struct scratch) + most;
}

static struct scratch *
scratch_of (struct wlp_model *model, unsigned thread)
{
  return (struct scratch *)(void *)(model->scratch + thread * model->scratch_bytes);
}

/* out = acc (+ bias) (+ residual): this order whether they are fused or not. */
static inline void
finish_rows (const float *acc, unsigned n, const float *bias, const float *residual, float *out)
{
  unsigned r;

  for (r = 0; r < n; r++) {
    float value = acc[r];

    if (bias != NULL)
      value += bias[r];
    if (residual != NULL)
      value += residual[r];
    out[r] = value;
  }
}

/* A panel times some activation rows; where the results go. */
struct tile {
  const struct cpu_matrix *matrix;
  const void *x[LINEAR_MAX_TOKENS];
  float *out[LINEAR_MAX_TOKENS];            /* row 0 of the matrix */
  const float *residual[LINEAR_MAX_TOKENS]; /* NULL: none */
  const float *bias;                        /* NULL: none */
  uint32_t n;
};

static void
run_tile (struct wlp_model *model, const struct tile *tile, const void *weights, uint64_t panel, float *y)
{
  const unsigned rows  = model->linear->rows;
  const uint64_t first = panel * rows, left = tile->matrix->n_rows - first;
  uint32_t t;

  tile->matrix->format->mm (weights, tile->matrix->k, tile->n, tile->x, y);
  for (t = 0; t < tile->n; t++)
    finish_rows (y + t * rows, left < rows ? (unsigned)left : rows, tile->bias != NULL ? tile->bias + first : NULL,
                 tile->residual[t] != NULL ? tile->residual[t] + first : NULL, tile->out[t] + first);
}

/* Panels @panel .. @panel + @n - 1 of one linear layer. */
static void
linear_group (struct wlp_model *model, const struct cpu_node *node, uint64_t panel, uint64_t n, unsigned thread)
{
  struct cpu_matrix *matrix = &model->plan.matrices[node->matrix];
  struct scratch *scratch   = scratch_of (model, thread);
  const uint32_t n_rows     = cpu_run_rows (model, node->domain);
  const uint8_t *weights    = cpu_panels_get (model, matrix, 0, panel, n, thread, scratch->panels);
  struct tile tile          = { .matrix = matrix, .bias = matrix->bias };
  uint32_t row, t;
  uint64_t i;

  for (row = 0; row < n_rows; row += tile.n) {
    tile.n = n_rows - row < model->linear->tokens ? n_rows - row : model->linear->tokens;
    for (t = 0; t < tile.n; t++) {
      tile.x[t]   = cpu_run_row (model, node->reads[CPU_READ_X], node->domain, row + t);
      tile.out[t] = cpu_run_row (model, node->writes[0], node->domain, row + t);
      if (node->reads[CPU_READ_RESIDUAL] != WLP_NONE)
        tile.residual[t] = cpu_run_row (model, node->reads[CPU_READ_RESIDUAL], node->domain, row + t);
    }
    for (i = 0; i < n; i++)
      run_tile (model, &tile, weights + i * matrix->panel_bytes, panel + i, scratch->y);
  }
}

void
cpu_step_linear (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct cpu_plan *plan = &model->plan;
  uint64_t n_items = 0, before = 0, panel, end, n;
  struct cpu_range range;
  uint32_t i;

  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = &plan->nodes[plan->order[step->first_node + i]];

    if (cpu_run_rows (model, node->domain) > 0)
      n_items += plan->matrices[node->matrix].n_panels;
  }
  range = cpu_share (n_items, thread, cpu_n_threads (model));
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node     = &plan->nodes[plan->order[step->first_node + i]];
    const struct cpu_matrix *matrix = &plan->matrices[node->matrix];

    if (cpu_run_rows (model, node->domain) == 0)
      continue;
    panel = range.first > before ? range.first - before : 0;
    end   = range.end > before ? range.end - before : 0;
    end   = end < matrix->n_panels ? end : matrix->n_panels;
    for (; panel < end; panel += n) {
      n = end - panel < panels_of_group (matrix) ? end - panel : panels_of_group (matrix);
      linear_group (model, node, panel, n, thread);
    }
    before += matrix->n_panels;
  }
}

/* Pairs (row, slot) of one expert through one panel. */
static void
experts_panel (struct wlp_model *model, const struct cpu_node *node, const uint32_t *pairs, uint32_t n_pairs,
               uint32_t expert, uint64_t panel, unsigned thread)
{
  struct scratch *scratch                = scratch_of (model, thread);
  struct cpu_matrix *matrix              = &model->plan.matrices[node->matrix];
  const struct wlp_linear_params *params = &node->op->p.linear;
  const void *weights                    = cpu_panels_get (model, matrix, expert, panel, 1, thread, scratch->panels);
  struct tile tile                       = { .matrix = matrix };
  size_t slot_bytes                      = matrix->k * sizeof (float);
  uint32_t i, t;

  if (!matrix->format->is_float)
    slot_bytes = model->linear->activation_bytes (matrix->k);
  if (matrix->bias != NULL)
    tile.bias = matrix->bias + expert * matrix->bias_stride;
  for (i = 0; i < n_pairs; i += tile.n) {
    tile.n = n_pairs - i < model->linear->tokens ? n_pairs - i : model->linear->tokens;
    for (t = 0; t < tile.n; t++) {
      const uint32_t row = pairs[i + t] / params->n_used, slot = pairs[i + t] % params->n_used;
      const uint8_t *x = cpu_run_row (model, node->reads[CPU_READ_X], node->domain, row);
      float *out       = cpu_run_row (model, node->writes[0], node->domain, row);

      tile.x[t]   = x + (params->per_slot ? slot * slot_bytes : 0);
      tile.out[t] = out + slot * matrix->n_rows;
    }
    run_tile (model, &tile, weights, panel, scratch->y);
  }
}

static void
experts_node (struct wlp_model *model, const struct cpu_node *node, unsigned thread)
{
  const struct cpu_matrix *matrix   = &model->plan.matrices[node->matrix];
  const struct cpu_resource *groups = &model->plan.resources[node->reads[CPU_READ_GROUPS]];
  const uint32_t *memory            = (const uint32_t *)(const void *)groups->memory;
  const uint32_t n_active           = memory[0];
  const uint32_t *experts = memory + 1, *start = experts + matrix->n_experts, *pairs = start + matrix->n_experts + 1;
  const struct cpu_range range = cpu_share (n_active * matrix->n_panels, thread, cpu_n_threads (model));
  uint64_t item;

  for (item = range.first; item < range.end; item++) {
    const uint32_t active = (uint32_t)(item / matrix->n_panels);

    experts_panel (model, node, pairs + start[active], start[active + 1] - start[active], experts[active],
                   item % matrix->n_panels, thread);
  }
}

void
cpu_step_experts (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  uint32_t i;

  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = &model->plan.nodes[model->plan.order[step->first_node + i]];

    if (cpu_run_rows (model, node->domain) > 0)
      experts_node (model, node, thread);
  }
}
