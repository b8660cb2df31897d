/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Mixtures of experts: which expert computes which row, and the sum of what they say.
 */
#include "cpu-math.h"
#include "cpu-ops.h"

#include <string.h>

#define LEAST_SUM 6.103515625e-5f /* weights that vanish together are not blown up: 2^-14 */

static void
softmax (uint32_t n, const float *x, float *y)
{
  float lanes[CPU_LANES] = { 0.0f };
  float max              = x[0], inverse;
  uint32_t i;

  for (i = 1; i < n; i++)
    max = x[i] > max ? x[i] : max;
  for (i = 0; i < n; i++) {
    y[i] = cpu_exp (x[i] - max);
    lanes[i % CPU_LANES] += y[i];
  }
  inverse = 1.0f / cpu_lanes_sum (lanes);
  for (i = 0; i < n; i++)
    y[i] *= inverse;
}

/* What the choice is made by, expert by expert; a NaN is the smallest of all. */
static float
choice_score (const struct wlp_route_params *params, const float *scores, const float *bias, uint32_t expert,
              float softmax_max, float softmax_inverse)
{
  float score = scores[expert];

  if (params->gating == WLP_GATING_SIGMOID)
    score = cpu_sigmoid (score);
  else if (params->gating == WLP_GATING_SOFTMAX)
    score = cpu_exp (score - softmax_max) * softmax_inverse;
  if (bias != NULL)
    score += bias[expert];
  return score == score ? score : -__builtin_inff ();
}

struct choice {
  const struct wlp_route_params *params;
  uint32_t n_experts;
  const float *scores;
  const float *bias;
  float max; /* of the softmax over all experts */
  float inverse;
  const int32_t *ids; /* chosen already */
  uint32_t n_ids;
  uint64_t groups[16]; /* bit: experts of this group may be chosen */
};

static float
score_of (const struct choice *choice, uint32_t expert)
{
  return choice_score (choice->params, choice->scores, choice->bias, expert, choice->max, choice->inverse);
}

/* A group is as good as its two best experts together. */
static float
group_score (const struct choice *choice, uint32_t group)
{
  const uint32_t size = choice->n_experts / choice->params->n_groups;
  float best = -__builtin_inff (), second = -__builtin_inff (), score;
  uint32_t i;

  for (i = 0; i < size; i++) {
    score = score_of (choice, group * size + i);
    if (score > best) {
      second = best;
      best   = score;
    } else if (score > second) {
      second = score;
    }
  }
  return size > 1 ? best + second : best;
}

static void
choose_groups (struct choice *choice)
{
  const struct wlp_route_params *params = choice->params;
  uint32_t n, group, best;
  float score, best_score;

  for (n = 0; n < params->n_groups_used; n++) {
    best       = WLP_NONE;
    best_score = 0.0f;
    for (group = 0; group < params->n_groups; group++) {
      if ((choice->groups[group / 64] >> (group % 64) & 1) != 0)
        continue;
      score = group_score (choice, group);
      if (best == WLP_NONE || score > best_score) {
        best       = group;
        best_score = score;
      }
    }
    choice->groups[best / 64] |= UINT64_C (1) << (best % 64);
  }
}

static bool
may_choose (const struct choice *choice, uint32_t expert)
{
  const uint32_t n_groups = choice->params->n_groups;
  uint32_t i, group;

  for (i = 0; i < choice->n_ids; i++)
    if (choice->ids[i] == (int32_t)expert)
      return false;
  if (n_groups < 2)
    return true;
  group = expert / (choice->n_experts / n_groups);
  return (choice->groups[group / 64] >> (group % 64) & 1) != 0;
}

static uint32_t
choose_next (const struct choice *choice)
{
  uint32_t expert, best   = WLP_NONE;
  float score, best_score = 0.0f;

  for (expert = 0; expert < choice->n_experts; expert++) {
    if (!may_choose (choice, expert))
      continue;
    score = score_of (choice, expert);
    if (best == WLP_NONE || score > best_score) {
      best       = expert;
      best_score = score;
    }
  }
  return best;
}

static void
weigh (const struct choice *choice, float *weights)
{
  const struct wlp_route_params *params = choice->params;
  const uint32_t n                      = params->n_used;
  float sum                             = 0.0f;
  uint32_t i;

  for (i = 0; i < n; i++) {
    const float score = choice->scores[choice->ids[i]];

    if (params->gating == WLP_GATING_SOFTMAX)
      weights[i] = cpu_exp (score - choice->max) * choice->inverse;
    else
      weights[i] = params->gating == WLP_GATING_SIGMOID ? cpu_sigmoid (score) : score;
  }
  if (params->gating == WLP_GATING_SOFTMAX_CHOSEN)
    softmax (n, weights, weights);
  if (params->normalise) {
    for (i = 0; i < n; i++)
      sum += weights[i];
    sum = sum < LEAST_SUM ? LEAST_SUM : sum;
    for (i = 0; i < n; i++)
      weights[i] /= sum;
  }
  if (params->scale != 0.0f)
    for (i = 0; i < n; i++)
      weights[i] *= params->scale;
}

/* The softmax over all experts as its maximum and the inverse of its sum, so that no row of experts is stored. */
static void
prepare_softmax (struct choice *choice)
{
  float lanes[CPU_LANES] = { 0.0f };
  uint32_t i;

  choice->max = choice->scores[0];
  for (i = 1; i < choice->n_experts; i++)
    choice->max = choice->scores[i] > choice->max ? choice->scores[i] : choice->max;
  for (i = 0; i < choice->n_experts; i++)
    lanes[i % CPU_LANES] += cpu_exp (choice->scores[i] - choice->max);
  choice->inverse = 1.0f / cpu_lanes_sum (lanes);
}

void
cpu_op_route (const struct wlp_route_params *params, uint32_t n_experts, const float *scores, const float *bias,
              int32_t *ids, float *weights)
{
  struct choice choice = { .params = params, .n_experts = n_experts, .scores = scores, .bias = bias, .ids = ids };

  if (params->gating == WLP_GATING_SOFTMAX)
    prepare_softmax (&choice);
  if (params->n_groups > 1)
    choose_groups (&choice);
  for (; choice.n_ids < params->n_used; choice.n_ids++)
    ids[choice.n_ids] = (int32_t)choose_next (&choice);
  weigh (&choice, weights);
}

void
cpu_op_expert_sum (uint32_t n_used, uint32_t width, const float *x, const float *weights, float *y)
{
  uint32_t slot, i;

  for (i = 0; i < width; i++)
    y[i] = x[i] * weights[0];
  for (slot = 1; slot < n_used; slot++)
    for (i = 0; i < width; i++)
      y[i] += x[(size_t)slot * width + i] * weights[slot];
}

size_t
cpu_group_bytes (uint64_t n_pairs, uint64_t n_experts)
{
  return (1 + n_experts + n_experts + 1 + n_pairs) * sizeof (uint32_t);
}

/* Counting sort of the pairs by expert. */
void
cpu_step_group (struct wlp_model *model, const struct cpu_step *step)
{
  const struct cpu_node *node = cpu_plan_node (&model->plan, step, 0);
  const uint32_t n_rows       = cpu_run_rows (model, node->domain);
  const uint32_t n_experts = node->k, n_used = node->n_slots;
  uint32_t *memory  = (uint32_t *)(void *)model->plan.resources[node->writes[0]].memory;
  uint32_t *experts = memory + 1, *start = experts + n_experts, *pairs = start + n_experts + 1;
  uint32_t row, slot, expert, n_active = 0, at;

  memset (start, 0, (n_experts + 1) * sizeof start[0]);
  for (row = 0; row < n_rows; row++) {
    const int32_t *ids = cpu_run_row (model, node->reads[0], node->domain, row);

    for (slot = 0; slot < n_used; slot++)
      start[ids[slot] + 1]++;
  }
  for (expert = 0; expert < n_experts; expert++)
    start[expert + 1] += start[expert];
  for (row = 0; row < n_rows; row++) {
    const int32_t *ids = cpu_run_row (model, node->reads[0], node->domain, row);

    for (slot = 0; slot < n_used; slot++)
      pairs[start[ids[slot]]++] = row * n_used + slot;
  }
  /* start[e] is the end of expert e by now; keep those that have rows */
  for (expert = 0, at = 0; expert < n_experts; expert++) {
    const uint32_t end = start[expert];

    if (end == at)
      continue;
    experts[n_active] = expert;
    start[n_active++] = at;
    at                = end;
  }
  start[n_active] = at;
  memory[0]       = n_active;
}
