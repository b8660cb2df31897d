/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Linear layers: the items of a step are groups of panels of all its weights.  A thread takes a few panels (packed
 * already, or packed into its scratch memory now) through all activation rows before it takes the next ones; what goes
 * on with their columns follows tile by tile.  Gate and up of a feed-forward layer go side by side, and what is made of
 * them follows at once: they never leave the cache.
 */
#include "cpu-ops.h"

#include <string.h>

/* Panels of a group together: they stay in the second-level cache while all activation rows go by. */
#define GROUP_BYTES  (256u << 10)
#define GROUP_PANELS 8u

#define EXPERT_PANELS 4u /* of one or more experts that are taken at once */

#define TILE_FLOATS (LINEAR_MAX_TOKENS * LINEAR_MAX_ROWS)

struct scratch {
  float y[TILE_FLOATS];
  float glu[GROUP_PANELS * TILE_FLOATS]; /* gate of the panels of a group, each [t][rows of a panel] */
  uint8_t panels[];                      /* at a multiple of 64 bytes */
};

static uint64_t
panels_of_group (const struct cpu_matrix *matrix)
{
  const uint64_t n = GROUP_BYTES / matrix->panel_bytes, most = n < GROUP_PANELS ? n : GROUP_PANELS;

  return most > matrix->unit ? most / matrix->unit * matrix->unit : matrix->unit;
}

static uint64_t
groups_of_matrix (const struct cpu_matrix *matrix)
{
  return (matrix->n_panels + panels_of_group (matrix) - 1) / panels_of_group (matrix);
}

size_t
cpu_linear_scratch_bytes (const struct wlp_model *model)
{
  const size_t unit = LINEAR_GROUP / model->linear->rows;
  size_t most       = 0, n;
  uint32_t i;

  for (i = 0; i < model->plan.n_matrices; i++) {
    n    = panels_of_group (&model->plan.matrices[i]);
    n    = (n > unit ? n : unit) * model->plan.matrices[i].panel_bytes;
    most = n > most ? n : most;
  }
  return sizeof (struct scratch) + 2 * most; /* gate and up */
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

/* Rows @row .. @row + n - 1 of what a node reads, as many as go together. */
static void
read_rows (const struct wlp_model *model, const struct cpu_node *node, uint32_t row, struct tile *tile)
{
  const uint32_t left = cpu_run_rows (model, node->domain) - row;
  uint32_t t;

  tile->n = left < LINEAR_MAX_TOKENS ? left : LINEAR_MAX_TOKENS;
  for (t = 0; t < tile->n; t++)
    tile->x[t] = cpu_run_row (model, node->reads[CPU_READ_X], node->domain, row + t);
}

/* What the results go to lies far apart, and is asked for while they are computed. */
static void
fetch_results (const struct tile *tile, uint64_t first)
{
  uint32_t t;

  for (t = 0; t < tile->n; t++) {
    __builtin_prefetch (tile->out[t] + first, 1);
    if (tile->residual[t] != NULL)
      __builtin_prefetch (tile->residual[t] + first);
  }
}

static void
run_tile (struct wlp_model *model, const struct tile *tile, const void *weights, uint64_t panel, float *y)
{
  const unsigned rows  = model->linear->rows;
  const uint64_t first = panel * rows, left = tile->matrix->n_rows - first;
  uint32_t t;

  fetch_results (tile, first);
  tile->matrix->format->mm (weights, tile->matrix->k, tile->n, tile->x, y);
  for (t = 0; t < tile->n; t++)
    finish_rows (y + t * rows, left < rows ? (unsigned)left : rows, tile->bias != NULL ? tile->bias + first : NULL,
                 tile->residual[t] != NULL ? tile->residual[t] + first : NULL, tile->out[t] + first);
}

/* What follows node @at of a step, in the columns of panels @panel .. @panel + @n - 1 of one row. */
static void
follow (struct wlp_model *model, const struct cpu_step *step, uint32_t at, uint64_t panel, uint64_t n, uint32_t row)
{
  const struct cpu_node *node = cpu_plan_node (&model->plan, step, at);
  const uint64_t first = panel * model->linear->rows, left = model->plan.matrices[node->matrix].n_rows - first;
  const uint64_t width = n * model->linear->rows < left ? n * model->linear->rows : left;
  uint32_t i;

  for (i = 1; i <= node->n_followers; i++)
    cpu_row_columns (model, cpu_plan_node (&model->plan, step, at + i), row, (uint32_t)first, (uint32_t)width);
}

/* Panels @panel .. @panel + @n - 1 of node @at of a step, whole units, and what follows. */
static void
linear_group (struct wlp_model *model, const struct cpu_step *step, uint32_t at, uint64_t panel, uint64_t n,
              unsigned thread)
{
  const struct cpu_node *node = cpu_plan_node (&model->plan, step, at);
  struct cpu_matrix *matrix   = &model->plan.matrices[node->matrix];
  struct scratch *scratch     = scratch_of (model, thread);
  const uint32_t n_rows       = cpu_run_rows (model, node->domain);
  const uint8_t *weights      = cpu_panels_get (model, matrix, 0, panel, n, thread, scratch->panels);
  struct tile tile            = { .matrix = matrix, .bias = matrix->bias };
  uint32_t row, t;
  uint64_t i;

  for (row = 0; row < n_rows; row += tile.n) {
    read_rows (model, node, row, &tile);
    for (t = 0; t < tile.n; t++) {
      tile.out[t] = cpu_run_row (model, node->writes[0], node->domain, row + t);
      if (node->reads[CPU_READ_RESIDUAL] != WLP_NONE)
        tile.residual[t] = cpu_run_row (model, node->reads[CPU_READ_RESIDUAL], node->domain, row + t);
    }
    for (i = 0; i < n; i++)
      run_tile (model, &tile, weights + i * matrix->panel_bytes, panel + i, scratch->y);
    for (t = 0; t < tile.n; t++)
      follow (model, step, at, panel, n, row + t);
  }
}

/* Groups of panels of all weights behind each other. */
uint64_t
cpu_linear_items (const struct wlp_model *model, const struct cpu_step *step)
{
  uint64_t n_items = 0;
  uint32_t i;

  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (node->kind == CPU_NODE_LINEAR && cpu_run_rows (model, node->domain) > 0)
      n_items += groups_of_matrix (&model->plan.matrices[node->matrix]);
  }
  return n_items;
}

void
cpu_step_linear (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  struct cpu_range range;
  uint64_t before;
  uint32_t i;

  while (cpu_pool_take (model->backend->pool, thread, &range))
    for (i = 0, before = 0; i < step->n_nodes && before < range.end; i++) {
      const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);
      const struct cpu_matrix *matrix;
      uint64_t first, each;

      if (node->kind != CPU_NODE_LINEAR || cpu_run_rows (model, node->domain) == 0)
        continue;
      matrix = &model->plan.matrices[node->matrix];
      each   = panels_of_group (matrix);
      first  = (range.first - before) * each;
      before += groups_of_matrix (matrix);
      if (range.first < before)
        linear_group (model, step, i, first, matrix->n_panels - first < each ? matrix->n_panels - first : each, thread);
    }
}

/* ---- gate and up ---- */

#define FEW_ROWS 8u /* whose results take little room beside the weights */

/* The nodes of the step. */
struct glu {
  const struct cpu_node *side[2]; /* gate, up */
  const struct cpu_node *glu;
  const struct cpu_node *quantise; /* NULL: none */
};

static struct glu
glu_of (const struct wlp_model *model, const struct cpu_step *step)
{
  const struct cpu_node *a = cpu_plan_node (&model->plan, step, 0), *b = cpu_plan_node (&model->plan, step, 1);
  struct glu glu = { { a, b }, cpu_plan_node (&model->plan, step, 2), NULL };

  if (glu.glu->reads[0] != a->writes[0]) {
    glu.side[0] = b;
    glu.side[1] = a;
  }
  if (step->n_nodes > 3)
    glu.quantise = cpu_plan_node (&model->plan, step, 3);
  return glu;
}

/* Panels of gate and up with the same number together, as many as make whole groups of activations and fit both.  Where
 * there are many activation rows, the panels of both stay in the second-level cache together. */
uint64_t
cpu_glu_items (const struct wlp_model *model, const struct cpu_step *step, uint64_t *ret_chunk)
{
  const struct cpu_node *node   = cpu_plan_node (&model->plan, step, 0);
  const struct cpu_matrix *gate = &model->plan.matrices[node->matrix];
  const struct cpu_matrix *up   = &model->plan.matrices[cpu_plan_node (&model->plan, step, 1)->matrix];
  const uint64_t unit           = LINEAR_GROUP / model->linear->rows;
  const uint32_t n_rows         = cpu_run_rows (model, node->domain);
  const uint64_t fitting        = panels_of_group (gate->panel_bytes > up->panel_bytes ? gate : up);
  const uint64_t most           = fitting / (n_rows > FEW_ROWS ? 2 : 1);

  *ret_chunk = most > unit ? most / unit * unit : unit;
  return n_rows > 0 ? gate->n_panels : 0;
}

/* One panel of one side: y[t][rows of a panel]. */
static void
glu_side (const struct wlp_model *model, const struct tile *tile, const void *weights, uint64_t panel, float *y)
{
  const unsigned rows = model->linear->rows;
  uint32_t t;

  tile->matrix->format->mm (weights, tile->matrix->k, tile->n, tile->x, y);
  for (t = 0; t < tile->n && tile->bias != NULL; t++)
    finish_rows (y + t * rows, rows, tile->bias + panel * rows, NULL, y + t * rows);
}

/* What came out of @n_panels panels from @panel on, to where it is read: columns of rows @row .. @row + @n - 1. */
static void
glu_finish (const struct wlp_model *model, const struct glu *glu, const float *results, uint64_t panel,
            uint64_t n_panels, uint32_t row, uint32_t n)
{
  const unsigned rows = model->linear->rows, unit = LINEAR_GROUP / rows;
  const bool inside = model->plan.resources[glu->glu->writes[0]].is_inside;
  float group[LINEAR_GROUP];
  uint64_t i;
  uint32_t t;
  unsigned part;

  for (t = 0; t < n; t++)
    for (i = 0; i < n_panels; i += unit) {
      const uint64_t column = (panel + i) * rows;

      for (part = 0; part < unit; part++)
        memcpy (group + part * rows, results + ((i + part) * LINEAR_MAX_TOKENS + t) * rows, rows * sizeof group[0]);
      if (!inside)
        memcpy ((float *)cpu_run_row (model, glu->glu->writes[0], glu->glu->domain, row + t) + column, group,
                sizeof group);
      if (glu->quantise != NULL)
        model->linear->quantise (
            group, LINEAR_GROUP,
            (struct linear_block *)cpu_run_row (model, glu->quantise->writes[0], glu->glu->domain, row + t)
                + column / LINEAR_GROUP);
    }
}

static void
glu_group (struct wlp_model *model, const struct glu *glu, uint64_t panel, uint64_t n, unsigned thread)
{
  struct scratch *scratch = scratch_of (model, thread);
  const uint32_t n_rows   = cpu_run_rows (model, glu->glu->domain);
  const unsigned rows     = model->linear->rows;
  uint8_t *room           = scratch->panels;
  const uint8_t *weights[2];
  struct tile tiles[2] = { 0 };
  uint32_t row;
  uint64_t i;
  unsigned side;

  for (side = 0; side < 2; side++) {
    struct cpu_matrix *matrix = &model->plan.matrices[glu->side[side]->matrix];

    tiles[side].matrix = matrix;
    tiles[side].bias   = matrix->bias;
    weights[side]      = cpu_panels_get (model, matrix, 0, panel, n, thread, room);
    room += n * matrix->panel_bytes;
  }
  for (row = 0; row < n_rows; row += tiles[0].n) {
    for (side = 0; side < 2; side++)
      read_rows (model, glu->side[side], row, &tiles[side]);
    for (i = 0; i < n; i++) {
      float *results = scratch->glu + i * LINEAR_MAX_TOKENS * rows;

      for (side = 0; side < 2; side++)
        glu_side (model, &tiles[side], weights[side] + i * tiles[side].matrix->panel_bytes, panel + i,
                  side == 0 ? results : scratch->y);
      model->vector->glu (glu->glu->op->p.glu.act, tiles[0].n * rows, results, scratch->y, results);
    }
    glu_finish (model, glu, scratch->glu, panel, n, row, tiles[0].n);
  }
}

void
cpu_step_glu (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  const struct glu glu = glu_of (model, step);
  struct cpu_range range;

  while (cpu_pool_take (model->backend->pool, thread, &range))
    glu_group (model, &glu, range.first, range.end - range.first, thread);
}

/* ---- experts ---- */

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
    slot_bytes = linear_activation_bytes (matrix->k);
  if (matrix->bias != NULL)
    tile.bias = matrix->bias + expert * matrix->bias_stride;
  for (i = 0; i < n_pairs; i += tile.n) {
    tile.n = n_pairs - i < LINEAR_MAX_TOKENS ? n_pairs - i : LINEAR_MAX_TOKENS;
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

/* What GROUP made of the rows. */
static struct cpu_groups
groups_of (const struct wlp_model *model, const struct cpu_node *node)
{
  const uint64_t n_experts = model->plan.matrices[node->matrix].n_experts;
  uint32_t *memory         = (uint32_t *)(void *)model->plan.resources[node->reads[CPU_READ_GROUPS]].memory;

  return (struct cpu_groups){ memory[0], memory + 1, memory + 1 + n_experts, memory + 2 + 2 * n_experts };
}

/* Panels of all experts that are used, of all nodes. */
uint64_t
cpu_experts_items (const struct wlp_model *model, const struct cpu_step *step, uint64_t *ret_chunk)
{
  uint64_t n_items = 0;
  uint32_t i;

  *ret_chunk = EXPERT_PANELS;
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (cpu_run_rows (model, node->domain) > 0)
      n_items += groups_of (model, node).n_active * model->plan.matrices[node->matrix].n_panels;
  }
  return n_items;
}

static void
experts_items (struct wlp_model *model, const struct cpu_node *node, const struct cpu_groups *groups, uint64_t item,
               uint64_t end, unsigned thread)
{
  const uint64_t n_panels = model->plan.matrices[node->matrix].n_panels;

  for (; item < end; item++) {
    const uint32_t active = (uint32_t)(item / n_panels);

    experts_panel (model, node, groups->pairs + groups->start[active],
                   groups->start[active + 1] - groups->start[active], groups->experts[active], item % n_panels, thread);
  }
}

void
cpu_step_experts (struct wlp_model *model, const struct cpu_step *step, unsigned thread)
{
  struct cpu_range range;
  uint64_t before;
  uint32_t i;

  while (cpu_pool_take (model->backend->pool, thread, &range))
    for (i = 0, before = 0; i < step->n_nodes && before < range.end; i++) {
      const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);
      struct cpu_groups groups;
      uint64_t n_items, end;

      if (cpu_run_rows (model, node->domain) == 0)
        continue;
      groups  = groups_of (model, node);
      n_items = groups.n_active * model->plan.matrices[node->matrix].n_panels;
      end     = range.end - before < n_items ? range.end - before : n_items;
      experts_items (model, node, &groups, range.first > before ? range.first - before : 0, end, thread);
      before += n_items;
    }
}
