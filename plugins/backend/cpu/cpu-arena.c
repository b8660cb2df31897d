/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Where what the nodes read and write lies in memory: one arena for the model, planned once.  Two resources share bytes
 * where their steps do not overlap; the result of a value-by-value operator takes over its operand where nobody else
 * needs that any more, and so the logits grow right in the batch's output.
 */
#include "cpu-model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ALIGNMENT 64u

static void
touch (struct cpu_plan *plan, uint32_t resource, uint32_t step)
{
  struct cpu_resource *r;

  if (resource == WLP_NONE)
    return;
  r = &plan->resources[resource];
  if (!r->used) {
    r->used       = true;
    r->first_step = step;
  }
  r->last_step = step;
}

static void
find_lifetimes (struct cpu_plan *plan)
{
  uint32_t s, i, j;

  for (s = 0; s < plan->n_steps; s++)
    for (i = 0; i < plan->steps[s].n_nodes; i++) {
      const struct cpu_node *node = &plan->nodes[plan->order[plan->steps[s].first_node + i]];

      for (j = 0; j < CPU_NODE_READS; j++)
        touch (plan, node->reads[j], s);
      for (j = 0; j < CPU_NODE_WRITES; j++)
        touch (plan, node->writes[j], s);
    }
}

/* Operators whose function may write over its first operand. */
static bool
works_in_place (const struct cpu_node *node)
{
  if (node->kind == CPU_NODE_OUTPUT)
    return true;
  if (node->kind != CPU_NODE_ROW)
    return false;
  switch (node->op->kind) {
  case WLP_OP_NORM:
  case WLP_OP_ROPE:
  case WLP_OP_ACTIVATE:
  case WLP_OP_GLU:
  case WLP_OP_ADD:
  case WLP_OP_MUL:
  case WLP_OP_SCALE:
  case WLP_OP_SOFTCAP:
  case WLP_OP_CLAMP:
    return true;
  default:
    return false;
  }
}

/* Whether a node behind number @at of the order, in this step or a later one, reads the resource, or @at does twice. */
static bool
is_read_again (const struct cpu_plan *plan, uint32_t resource, uint32_t at)
{
  uint32_t i, j, n = 0;

  for (j = 0; j < CPU_NODE_READS; j++)
    n += plan->nodes[plan->order[at]].reads[j] == resource;
  for (i = at + 1; i < plan->n_nodes; i++)
    for (j = 0; j < CPU_NODE_READS; j++)
      n += plan->nodes[plan->order[i]].reads[j] == resource;
  return n > 1;
}

static uint32_t
root_of (const struct cpu_plan *plan, uint32_t resource)
{
  while (plan->resources[resource].alias != resource)
    resource = plan->resources[resource].alias;
  return resource;
}

static void
find_aliases (struct cpu_plan *plan)
{
  uint32_t i;

  for (i = 0; i < plan->n_resources; i++)
    plan->resources[i].alias = i;
  for (i = 0; i < plan->n_nodes; i++) {
    const struct cpu_node *node = &plan->nodes[plan->order[i]];
    const uint32_t from = node->reads[0], to = node->writes[0];
    struct cpu_resource *root;

    if (from == WLP_NONE || to == WLP_NONE || !works_in_place (node)
        || plan->resources[from].domain != plan->resources[to].domain
        || plan->resources[from].row_bytes != plan->resources[to].row_bytes || is_read_again (plan, from, i))
      continue;
    root            = &plan->resources[root_of (plan, from)];
    root->is_output = root->is_output || plan->resources[to].is_output;
    if (plan->resources[to].last_step > root->last_step)
      root->last_step = plan->resources[to].last_step;
    plan->resources[to].alias = root_of (plan, from);
  }
}

/* Gate, up and GLU of them, where they are read in their step alone. */
static void
find_inside (struct cpu_plan *plan)
{
  uint32_t s, i;

  for (s = 0; s < plan->n_steps; s++)
    for (i = 0; plan->steps[s].kind == CPU_STEP_GLU && i < 3; i++) {
      struct cpu_resource *root = &plan->resources[root_of (plan, cpu_plan_node (plan, &plan->steps[s], i)->writes[0])];

      root->is_inside = !root->is_output && root->first_step == root->last_step;
    }
  for (i = 0; i < plan->n_resources; i++)
    plan->resources[i].is_inside = plan->resources[root_of (plan, i)].is_inside;
}

static int
size_of (const struct wlp_model *model, const struct cpu_resource *r, uint64_t *ret_bytes)
{
  const uint64_t n_rows = r->domain == CPU_DOMAIN_TOKENS ? model->request.max_tokens
                                                         : (r->domain == CPU_DOMAIN_ROWS ? model->request.max_rows : 0);
  uint64_t n;

  if (__builtin_mul_overflow (n_rows, r->row_bytes, &n) || __builtin_add_overflow (n, r->fixed_bytes, &n)
      || __builtin_add_overflow (n, ALIGNMENT - 1, &n))
    return -EOVERFLOW;
  *ret_bytes = n / ALIGNMENT * ALIGNMENT;
  return 0;
}

struct place {
  uint32_t resource;
  uint64_t offset;
  uint64_t n_bytes;
};

static int
compare_places (const void *a, const void *b)
{
  const struct place *p = a, *q = b;

  return p->offset < q->offset ? -1 : p->offset > q->offset;
}

static bool
overlap (const struct cpu_resource *a, const struct cpu_resource *b)
{
  return a->first_step <= b->last_step && b->first_step <= a->last_step;
}

/* The lowest gap that is free for the whole life of the resource; @busy has room for all that are placed. */
static uint64_t
find_gap (const struct cpu_plan *plan, const struct place *places, uint32_t n_places, struct place *busy,
          const struct place *wanted)
{
  uint64_t offset = 0;
  uint32_t i, n = 0;

  for (i = 0; i < n_places; i++)
    if (overlap (&plan->resources[places[i].resource], &plan->resources[wanted->resource]))
      busy[n++] = places[i];
  qsort (busy, n, sizeof busy[0], compare_places);
  for (i = 0; i < n; i++) {
    if (busy[i].offset >= offset && busy[i].offset - offset >= wanted->n_bytes)
      break;
    if (busy[i].offset + busy[i].n_bytes > offset)
      offset = busy[i].offset + busy[i].n_bytes;
  }
  return offset;
}

static int
place_all (struct wlp_model *model, struct place *places, struct place *busy, struct wlp_error *error)
{
  struct cpu_plan *plan = &model->plan;
  uint32_t i, n = 0;

  for (i = 0; i < plan->n_resources; i++) {
    const struct cpu_resource *r = &plan->resources[i];

    if (!r->used || r->alias != i || r->is_output || r->is_inside)
      continue;
    places[n].resource = i;
    if (size_of (model, r, &places[n].n_bytes) != 0)
      return wlp_error_set (error, -EINVAL, "%u tokens in a batch need too much memory", model->request.max_tokens);
    places[n].offset = find_gap (plan, places, n, busy, &places[n]);
    if (__builtin_add_overflow (places[n].offset, places[n].n_bytes, &plan->arena_bytes)
        || plan->arena_bytes > SIZE_MAX / 4)
      return wlp_error_set (error, -EINVAL, "%u tokens in a batch need too much memory", model->request.max_tokens);
    n++;
  }
  plan->arena_bytes = ALIGNMENT;
  for (i = 0; i < n; i++)
    if (places[i].offset + places[i].n_bytes > plan->arena_bytes)
      plan->arena_bytes = places[i].offset + places[i].n_bytes;
  model->arena = model->services->alloc (model->services->host, plan->arena_bytes, 4096);
  if (model->arena == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for %llu bytes of activations",
                          (unsigned long long)plan->arena_bytes);
  model->arena_bytes = plan->arena_bytes;
  for (i = 0; i < n; i++)
    plan->resources[places[i].resource].memory = model->arena + places[i].offset;
  for (i = 0; i < plan->n_resources; i++)
    if (plan->resources[i].used)
      plan->resources[i].memory = plan->resources[root_of (plan, i)].memory;
  return 0;
}

int
cpu_arena_build (struct wlp_model *model, struct wlp_error *error)
{
  struct cpu_plan *plan = &model->plan;
  struct place *places, *busy;
  int status;

  find_lifetimes (plan);
  find_aliases (plan);
  find_inside (plan);
  places = calloc (2 * (size_t)plan->n_resources + 2, sizeof places[0]);
  if (places == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory to place %u resources", plan->n_resources);
  busy   = places + plan->n_resources + 1;
  status = place_all (model, places, busy, error);
  free (places);
  return status;
}
