/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Time by operator: a clock is read behind each step, so the time of a step includes the wait for its slowest thread.
 */
#include "cpu-model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *
row_name (const struct cpu_node *node)
{
  switch (node->kind) {
  case CPU_NODE_QUANTISE:
    return "quantise";
  case CPU_NODE_STORE_KEYS:
  case CPU_NODE_STORE_VALUES:
    return "store";
  case CPU_NODE_TABLE:
    return "angles";
  case CPU_NODE_INPUT:
  case CPU_NODE_OUTPUT:
    return "copy";
  default:
    break;
  }
  switch (node->op->kind) {
  case WLP_OP_EMBED:
    return "embed";
  case WLP_OP_NORM:
    return "norm";
  case WLP_OP_ROPE:
    return "rope";
  case WLP_OP_GLU:
  case WLP_OP_ACTIVATE:
    return "activate";
  case WLP_OP_MOE_ROUTE:
    return "route";
  case WLP_OP_MOE_SUM:
    return "expert sum";
  default:
    return "element";
  }
}

/* "linear q4_k+q6_k": each type once; "norm+quantise" likewise. */
static void
append_part (char *name, size_t size, const char *part, const char *separator)
{
  const char *old = strstr (name, part);
  size_t used     = strlen (name);

  if (old != NULL || used + 1 >= size)
    return;
  snprintf (name + used, size - used, "%s%s", separator, part);
}

static void
name_step (const struct wlp_model *model, const struct cpu_step *step, char *name, size_t size)
{
  static const char *const kinds[] = {
    [CPU_STEP_ROWS] = "",       [CPU_STEP_LINEAR] = "linear",   [CPU_STEP_GLU] = "linear",
    [CPU_STEP_GROUP] = "group", [CPU_STEP_EXPERTS] = "experts", [CPU_STEP_ATTENTION] = "attention",
    [CPU_STEP_POOL] = "pool",   [CPU_STEP_STATE] = "state",
  };
  uint32_t i;

  snprintf (name, size, "%s", kinds[step->kind]);
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (node->kind == CPU_NODE_LINEAR || node->kind == CPU_NODE_EXPERTS)
      append_part (name, size, wlq_type_name (model->plan.matrices[node->matrix].type), i == 0 ? " " : "+");
  }
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (node->kind <= CPU_NODE_LAST_ROW)
      append_part (name, size, row_name (node), i == 0 ? "" : "+");
  }
}

int
cpu_profile_build (struct wlp_model *model)
{
  struct cpu_plan *plan = &model->plan;
  char name[sizeof model->profiles[0].name];
  uint32_t s, i;

  model->profiles = calloc (plan->n_steps + 1, sizeof model->profiles[0]);
  if (model->profiles == NULL)
    return -ENOMEM;
  for (s = 0; s < plan->n_steps; s++) {
    name_step (model, &plan->steps[s], name, sizeof name);
    for (i = 0; i < model->n_profiles && strcmp (model->profiles[i].name, name) != 0; i++) {
    }
    if (i == model->n_profiles)
      memcpy (model->profiles[model->n_profiles++].name, name, sizeof name);
    plan->steps[s].profile = i;
  }
  return 0;
}

static void
count_linear (struct wlp_model *model, const struct cpu_node *node, struct cpu_profile *profile)
{
  const struct cpu_matrix *matrix = &model->plan.matrices[node->matrix];
  const uint64_t n_rows           = cpu_run_rows (model, node->domain);
  uint64_t n_experts = 1, n_used = 1;

  if (n_rows == 0)
    return;
  if (node->kind == CPU_NODE_EXPERTS) {
    n_experts = *(const uint32_t *)(const void *)model->plan.resources[node->reads[CPU_READ_GROUPS]].memory;
    n_used    = node->op->p.linear.n_used;
  }
  profile->n_macs += n_rows * n_used * matrix->n_rows * matrix->k;
  profile->n_bytes += n_experts * matrix->n_rows * matrix->row_bytes;
}

/* Scores and weighted values of each query; keys and values of a sequence are read once for all its queries. */
static void
count_attention (struct wlp_model *model, const struct cpu_node *node, struct cpu_profile *profile)
{
  const struct wlp_attention_params *params = &node->op->p.attention;
  const struct wlp_batch *batch             = model->run.batch;
  const uint64_t width                      = (uint64_t)params->head_dim_k + params->head_dim_v;
  uint32_t i;

  for (i = 0; i < cpu_run_rows (model, node->domain); i++) {
    const uint32_t token = cpu_run_token (model, node->domain, i);
    uint64_t n_seen      = (uint64_t)(uint32_t)batch->positions[(size_t)token * batch->n_positions] + 1;

    if (params->window != 0 && n_seen > params->window)
      n_seen = params->window;
    profile->n_macs += n_seen * params->n_head * width;
  }
  for (i = 0; params->group != WLP_NONE && i < batch->n_sequences; i++) {
    const struct wlp_cache *cache = batch->sequences[i].caches[params->group];
    uint64_t n_seen               = (uint64_t)model->run.last_of_seq[i] + 1;

    if (params->window != 0 && n_seen > (uint64_t)params->window + model->run.n_of_seq[i])
      n_seen = (uint64_t)params->window + model->run.n_of_seq[i];
    profile->n_bytes += n_seen * cache->layout.layer_bytes / WLP_BLOCK_POSITIONS;
  }
}

void
cpu_profile_mark (const struct wlp_model *model, const char *name, uint64_t begin_ns, uint64_t end_ns)
{
  const struct wlp_services *services = model->services;

  if (services->version >= 3 && services->mark != NULL)
    services->mark (services->host, name, begin_ns, end_ns);
}

void
cpu_profile_add (struct wlp_model *model, const struct cpu_step *step, uint64_t begin_ns, uint64_t end_ns)
{
  struct cpu_profile *profile = &model->profiles[step->profile];
  uint32_t i;

  cpu_profile_mark (model, profile->name, begin_ns, end_ns);
  profile->n_calls++;
  profile->time_ns += end_ns - begin_ns;
  for (i = 0; i < step->n_nodes; i++) {
    const struct cpu_node *node = cpu_plan_node (&model->plan, step, i);

    if (node->kind == CPU_NODE_LINEAR || node->kind == CPU_NODE_EXPERTS)
      count_linear (model, node, profile);
    else if (node->kind == CPU_NODE_ATTENTION)
      count_attention (model, node, profile);
  }
}

int
cpu_profile_get (struct wlp_model *model, uint32_t index, struct wlp_profile_entry *ret_entry)
{
  const struct cpu_profile *profile;

  if (index >= model->n_profiles)
    return -ENOENT;
  profile = &model->profiles[index];
  memcpy (ret_entry->name, profile->name, sizeof ret_entry->name);
  ret_entry->n_calls = profile->n_calls;
  ret_entry->time_ns = profile->time_ns;
  ret_entry->n_macs  = profile->n_macs;
  ret_entry->n_bytes = profile->n_bytes;
  return 0;
}
