/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linear layers: the items of a step are the panels of all its weights.  A thread takes a panel (packed already, or
 * packed into its scratch memory now) through all activation rows before it takes the next one.
 */
#include "cpu-ops.h"

#include <string.h>

struct scratch {
  float y[LINEAR_MAX_TOKENS * LINEAR_MAX_ROWS];
  uint8_t panel[];
};

size_t
cpu_linear_scratch_bytes (const struct wlp_model *model)
{
  size_t most = 0;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++)
    if (model->plan.matrices[i].panel_bytes > most)
      most = model->plan.matrices[i].panel_bytes;
  return sizeof (struct scratch) + most + 64;
}

static struct scratch *
scratch_of (struct wlp_model *model, unsigned thread)
{
  return (struct scratch *)(void *)(model->scratch + thread * model->scratch_bytes);
}

/* A panel of one expert, aligned to 64 bytes. */
static const void *
get_panel (struct wlp_model *model, const struct cpu_matrix *matrix, uint64_t expert, uint64_t panel,
           struct scratch *scratch)
{
  const unsigned rows  = model->linear->rows;
  const uint64_t first = panel * rows, left = matrix->n_rows - first;

  if (matrix->packed != NULL)
    return matrix->packed + (expert * matrix->n_panels + panel) * matrix->panel_bytes;
  matrix->format->pack (matrix->type, matrix->data + expert * matrix->expert_bytes + first * matrix->row_bytes,
                        matrix->row_bytes, left < rows ? (unsigned)left : rows, matrix->k, scratch->panel);
  return scratch->panel;
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

static void
linear_panel (struct wlp_model *model, const struct cpu_node *node, uint64_t panel, struct scratch *scratch)
{
  const struct cpu_matrix *matrix = &model->plan.matrices[node->matrix];
  const unsigned rows             = model->linear->rows;
  const uint64_t first            = panel * rows;
  const uint32_t n_rows           = cpu_run_rows (model, node->domain);
  const unsigned n_out            = matrix->n_rows - first < rows ? (unsigned)(matrix->n_rows - first) : rows;
  const float *bias               = matrix->bias != NULL ? matrix->bias + first : NULL;
  const void *weights             = get_panel (model, matrix, 0, panel, scratch);
  const void *x[LINEAR_MAX_TOKENS];
  uint32_t row, t, n;

  for (row = 0; row < n_rows; row += n) {
    n = n_rows - row < model->linear->tokens ? n_rows - row : model->linear->tokens;
    for (t = 0; t < n; t++)
      x[t] = cpu_run_row (model, node->reads[CPU_READ_X], node->domain, row + t);
    matrix->format->mm (weights, matrix->k, n, x, scratch->y);
    for (t = 0; t < n; t++) {
      const float *residual = NULL;

      if (node->reads[CPU_READ_RESIDUAL] != WLP_NONE)
        residual = (float *)cpu_run_row (model, node->reads[CPU_READ_RESIDUAL], node->domain, row + t) + first;
      finish_rows (scratch->y + t * rows, n_out, bias, residual,
                   (float *)cpu_run_row (model, node->writes[0], node->domain, row + t) + first);
    }
  }
}

void
cpu_step_linear (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct cpu_plan *plan = &model->plan;
  uint64_t n_items            = 0, before, panel;
  struct cpu_range range;
  uint32_t i;

  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = &plan->nodes[plan->order[step->first_node + i]];

    if (cpu_run_rows (model, node->domain) > 0)
      n_items += plan->matrices[node->matrix].n_panels;
  }
  range = cpu_share (n_items, thread, cpu_n_threads (model));
  for (i = 0, before = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = &plan->nodes[plan->order[step->first_node + i]];
    const uint64_t n_panels     = plan->matrices[node->matrix].n_panels;

    if (cpu_run_rows (model, node->domain) == 0)
      continue;
    for (panel = 0; panel < n_panels; panel++)
      if (before + panel >= range.first && before + panel < range.end)
        linear_panel (model, node, panel, scratch_of (model, thread));
    before += n_panels;
  }
}

/* Pairs (row, slot) of one expert through one panel. */
static void
experts_panel (struct wlp_model *model, const struct cpu_node *node, const uint32_t *pairs, uint32_t n_pairs,
               uint32_t expert, uint64_t panel, struct scratch *scratch)
{
  const struct cpu_matrix *matrix        = &model->plan.matrices[node->matrix];
  const struct wlp_linear_params *params = &node->op->p.linear;
  const unsigned rows                    = model->linear->rows;
  const uint64_t first                   = panel * rows;
  const unsigned n_out                   = matrix->n_rows - first < rows ? (unsigned)(matrix->n_rows - first) : rows;
  const size_t slot_bytes =
      matrix->format->is_float ? matrix->k * sizeof (float) : model->linear->activation_bytes (matrix->k);
  const float *bias   = matrix->bias != NULL ? matrix->bias + expert * matrix->bias_stride + first : NULL;
  const void *weights = get_panel (model, matrix, expert, panel, scratch);
  const void *x[LINEAR_MAX_TOKENS];
  uint32_t i, t, n;

  for (i = 0; i < n_pairs; i += n) {
    n = n_pairs - i < model->linear->tokens ? n_pairs - i : model->linear->tokens;
    for (t = 0; t < n; t++)
      x[t] = (uint8_t *)cpu_run_row (model, node->reads[CPU_READ_X], node->domain, pairs[i + t] / params->n_used)
             + (params->per_slot ? pairs[i + t] % params->n_used * slot_bytes : 0);
    matrix->format->mm (weights, matrix->k, n, x, scratch->y);
    for (t = 0; t < n; t++) {
      float *out = cpu_run_row (model, node->writes[0], node->domain, pairs[i + t] / params->n_used);

      finish_rows (scratch->y + t * rows, n_out, bias, NULL,
                   out + pairs[i + t] % params->n_used * matrix->n_rows + first);
    }
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
                   item % matrix->n_panels, scratch_of (model, thread));
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
