/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From nodes to steps.  Between two steps all threads meet, so the fewer the better: row nodes that are ready share a
 * step and go through the cache row by row (norm and quantise), linear layers that are ready share a step (q, k and v;
 * gate and up).  What goes on with a part of a linear layer's result by itself follows in the step of that layer, part
 * by part: a head's norm, rotation and storing, an activation and its quantising.  The gated activation and its
 * quantising go into the step of gate and up.  Unfused, every node has a step of its own, in the program's order.
 */
#include "cpu-ops.h"

#include <errno.h>
#include <stdlib.h>

#define PART_ROWS 512u /* most rows of a linear layer that one thread computes for what follows */

struct schedule {
  struct wlp_model *model;
  struct cpu_plan *plan;
  uint32_t *n_missing; /* [n_resources] nodes that write it and are in no complete step */
  uint32_t *n_untaken; /* [n_resources] nodes that write it and are in no step, complete or not */
  uint32_t n_done;
};

static bool
is_row_node (const struct cpu_node *node)
{
  return node->kind <= CPU_NODE_LAST_ROW;
}

static bool
is_ready (const struct schedule *s, const struct cpu_node *node, bool with_pending)
{
  uint32_t i;

  for (i = 0; i < CPU_NODE_READS; i++) {
    const uint32_t read = node->reads[i];

    if (read != WLP_NONE && (with_pending ? s->n_untaken[read] : s->n_missing[read]) > 0)
      return false;
  }
  return true;
}

static void
take (struct schedule *s, struct cpu_step *step, uint32_t index)
{
  struct cpu_node *node = &s->plan->nodes[index];
  uint32_t i;

  if (step->n_nodes == 0) {
    step->first_node = s->n_done;
    step->domain     = node->domain;
    step->layer      = node->layer;
  }
  s->plan->order[s->n_done++] = index;
  step->n_nodes++;
  node->done = true;
  for (i = 0; i < CPU_NODE_WRITES; i++)
    if (node->writes[i] != WLP_NONE)
      s->n_untaken[node->writes[i]]--;
}

/* The step is complete: what it wrote can be read by the ones behind it. */
static void
close_step (struct schedule *s, struct cpu_step *step, enum cpu_step_kind kind)
{
  uint32_t i, j;

  step->kind = kind;
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (s->plan, step, i);

    for (j = 0; j < CPU_NODE_WRITES; j++)
      if (node->writes[j] != WLP_NONE)
        s->n_missing[node->writes[j]]--;
  }
  s->plan->n_steps++;
}

static enum cpu_step_kind
step_kind_of (enum cpu_node_kind kind)
{
  switch (kind) {
  case CPU_NODE_LINEAR:
    return CPU_STEP_LINEAR;
  case CPU_NODE_GROUP:
    return CPU_STEP_GROUP;
  case CPU_NODE_EXPERTS:
    return CPU_STEP_EXPERTS;
  case CPU_NODE_ATTENTION:
    return CPU_STEP_ATTENTION;
  case CPU_NODE_POOL:
    return CPU_STEP_POOL;
  case CPU_NODE_STATE:
    return CPU_STEP_STATE;
  default:
    return CPU_STEP_ROWS;
  }
}

/* Every row node of @domain that can run now, or behind the others of this step on the same row. */
static bool
schedule_rows (struct schedule *s, enum cpu_domain domain)
{
  struct cpu_step *step = &s->plan->steps[s->plan->n_steps];
  uint32_t i;

  for (i = 0; i < s->plan->n_nodes; i++) {
    const struct cpu_node *node = &s->plan->nodes[i];

    if (!node->done && is_row_node (node) && node->domain == domain && is_ready (s, node, true))
      take (s, step, i);
  }
  if (step->n_nodes > 0)
    close_step (s, step, CPU_STEP_ROWS);
  return step->n_nodes > 0;
}

/* How many rows a part of a linear layer in the next step may have: two for each thread must come of all layers. */
static uint64_t
largest_part (const struct schedule *s)
{
  uint64_t n_rows = 0;
  uint32_t i;

  for (i = 0; i < s->plan->n_nodes; i++) {
    const struct cpu_node *node = &s->plan->nodes[i];

    if (!node->done && node->kind == CPU_NODE_LINEAR && is_ready (s, node, false))
      n_rows += s->plan->matrices[node->matrix].n_rows;
  }
  n_rows /= 2 * (uint64_t)cpu_n_threads (s->model);
  return n_rows < PART_ROWS ? n_rows : PART_ROWS;
}

/* The least multiple of both that is @a or at most @most; 0: there is none. */
static uint64_t
common_multiple (uint64_t a, uint64_t b, uint64_t most)
{
  uint64_t n = a;

  while (n % b != 0) {
    n += a;
    if (n > most)
      return 0;
  }
  return n;
}

/* Whether the row node goes on with what number @at of the order, a linear layer, or one of its followers writes. */
static bool
can_follow (const struct schedule *s, uint32_t at, const struct cpu_node *node)
{
  uint32_t i;

  if (node->done || cpu_row_part (node) == 0 || node->domain != s->plan->nodes[s->plan->order[at]].domain)
    return false;
  for (i = 1; i < CPU_NODE_READS; i++)
    if (node->reads[i] != WLP_NONE && s->n_missing[node->reads[i]] > 0)
      return false;
  for (i = at; i < s->n_done; i++)
    if (s->plan->nodes[s->plan->order[i]].writes[0] == node->reads[0])
      return true;
  return false;
}

/* The row nodes that follow the linear layer that was taken last, in parts of at most @most rows. */
static void
take_followers (struct schedule *s, struct cpu_step *step, uint64_t most)
{
  const uint32_t at         = s->n_done - 1;
  struct cpu_node *linear   = &s->plan->nodes[s->plan->order[at]];
  struct cpu_matrix *matrix = &s->plan->matrices[linear->matrix];
  const unsigned rows       = s->model->linear->rows;
  uint32_t i;

  for (i = 0; i < s->plan->n_nodes; i++) {
    const struct cpu_node *node = &s->plan->nodes[i];
    uint64_t part;

    if (!can_follow (s, at, node))
      continue;
    part = common_multiple (matrix->unit * rows, cpu_row_part (node), most);
    if (part == 0)
      continue;
    matrix->unit = part / rows;
    linear->n_followers++;
    take (s, step, i);
  }
}

/* All ready nodes of a kind, or the first one where they cannot share a step. */
static bool
schedule_kind (struct schedule *s, enum cpu_node_kind kind, bool together)
{
  struct cpu_step *step = &s->plan->steps[s->plan->n_steps];
  const uint64_t most   = kind == CPU_NODE_LINEAR ? largest_part (s) : 0;
  uint32_t i;

  for (i = 0; i < s->plan->n_nodes && (together || step->n_nodes == 0); i++) {
    const struct cpu_node *node = &s->plan->nodes[i];

    if (node->done || node->kind != kind || !is_ready (s, node, false))
      continue;
    take (s, step, i);
    if (kind == CPU_NODE_LINEAR)
      take_followers (s, step, most);
  }
  if (step->n_nodes > 0)
    close_step (s, step, step_kind_of (kind));
  return step->n_nodes > 0;
}

static bool
schedule_next (struct schedule *s)
{
  return schedule_rows (s, CPU_DOMAIN_TOKENS) || schedule_rows (s, CPU_DOMAIN_ROWS)
         || schedule_kind (s, CPU_NODE_GROUP, false) || schedule_kind (s, CPU_NODE_LINEAR, true)
         || schedule_kind (s, CPU_NODE_EXPERTS, true) || schedule_kind (s, CPU_NODE_ATTENTION, false)
         || schedule_kind (s, CPU_NODE_STATE, false) || schedule_kind (s, CPU_NODE_POOL, false);
}

static void
schedule_unfused (struct schedule *s)
{
  uint32_t i;

  for (i = 0; i < s->plan->n_nodes; i++) {
    struct cpu_step *step = &s->plan->steps[s->plan->n_steps];

    take (s, step, i);
    close_step (s, step, step_kind_of (s->plan->nodes[i].kind));
  }
}

/* Whether @step is gate and up (in any order), and @next nothing but GLU of them, and the quantising of that. */
static bool
can_join_glu (const struct wlp_model *model, const struct cpu_step *step, const struct cpu_step *next)
{
  const struct cpu_plan *plan = &model->plan;
  const struct cpu_node *a, *b, *glu, *quantise;
  uint64_t n_rows;

  if (step->kind != CPU_STEP_LINEAR || step->n_nodes != 2 || next->kind != CPU_STEP_ROWS || next->n_nodes > 2)
    return false;
  a      = cpu_plan_node (plan, step, 0);
  b      = cpu_plan_node (plan, step, 1);
  glu    = cpu_plan_node (plan, next, 0);
  n_rows = plan->matrices[a->matrix].n_rows;
  if (b->kind != CPU_NODE_LINEAR || glu->kind != CPU_NODE_ROW || glu->op->kind != WLP_OP_GLU || a->domain != glu->domain
      || b->domain != glu->domain || plan->matrices[b->matrix].n_rows != n_rows || n_rows % LINEAR_GROUP != 0
      || LINEAR_GROUP % model->linear->rows != 0)
    return false;
  if (!(glu->reads[0] == a->writes[0] && glu->reads[1] == b->writes[0])
      && !(glu->reads[0] == b->writes[0] && glu->reads[1] == a->writes[0]))
    return false;
  if (next->n_nodes == 1)
    return true;
  quantise = cpu_plan_node (plan, next, 1);
  return quantise->kind == CPU_NODE_QUANTISE && quantise->reads[0] == glu->writes[0] && quantise->k == n_rows
         && quantise->n_slots == 1;
}

static void
join_glu (struct wlp_model *model)
{
  struct cpu_plan *plan = &model->plan;
  uint32_t from, to = 0;

  for (from = 0; from < plan->n_steps; from++) {
    plan->steps[to] = plan->steps[from];
    if (from + 1 < plan->n_steps && can_join_glu (model, &plan->steps[from], &plan->steps[from + 1])) {
      plan->steps[to].kind = CPU_STEP_GLU;
      plan->steps[to].n_nodes += plan->steps[++from].n_nodes;
    }
    to++;
  }
  plan->n_steps = to;
}

/* Values that no node writes (those of the other side of a cut) are there already. */
static void
count_writers (struct schedule *s)
{
  uint32_t i, j;

  for (i = 0; i < s->plan->n_nodes; i++)
    for (j = 0; j < CPU_NODE_WRITES; j++)
      if (s->plan->nodes[i].writes[j] != WLP_NONE) {
        s->n_missing[s->plan->nodes[i].writes[j]]++;
        s->n_untaken[s->plan->nodes[i].writes[j]]++;
      }
}

int
cpu_schedule_build (struct wlp_model *model, struct wlp_error *error)
{
  struct schedule s = { .model = model, .plan = &model->plan };
  int status        = 0;

  s.n_missing = calloc (s.plan->n_resources + 1, sizeof s.n_missing[0]);
  s.n_untaken = calloc (s.plan->n_resources + 1, sizeof s.n_untaken[0]);
  if (s.n_missing == NULL || s.n_untaken == NULL) {
    status = wlp_error_set (error, -ENOMEM, "no memory to schedule %u nodes", s.plan->n_nodes);
  } else {
    count_writers (&s);
    if (!model->fuse)
      schedule_unfused (&s);
    else
      while (s.n_done < s.plan->n_nodes && schedule_next (&s)) {
      }
    if (model->fuse)
      join_glu (model);
    if (s.n_done < s.plan->n_nodes)
      status = wlp_error_set (error, -EINVAL, "the program's operators wait for each other");
  }
  free (s.n_missing);
  free (s.n_untaken);
  return status;
}
