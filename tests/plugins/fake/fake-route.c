/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Which experts a token goes to.
 */
#include "fake.h"

#include <math.h>

static void
softmax (double *x, uint32_t n)
{
  double largest = -INFINITY;
  double sum     = 0;

  for (uint32_t i = 0; i < n; i++)
    largest = fmax (largest, x[i]);
  for (uint32_t i = 0; i < n; i++)
    sum += x[i] = exp (x[i] - largest);
  for (uint32_t i = 0; i < n; i++)
    x[i] /= sum;
}

/* Index of the largest that is not taken yet (minus infinity); ties: the lower one. */
static uint32_t
take_largest (double *x, uint32_t n)
{
  uint32_t best = 0;

  for (uint32_t i = 1; i < n; i++)
    if (x[i] > x[best])
      best = i;
  x[best] = -INFINITY;
  return best;
}

/* A group is as good as its two best experts together; experts of the other groups are out. */
static void
drop_groups (const struct wlp_route_params *p, double *choice, double *group_score, uint32_t n_expert)
{
  uint32_t size = n_expert / p->n_groups;

  for (uint32_t g = 0; g < p->n_groups; g++) {
    double first  = -INFINITY;
    double second = -INFINITY;

    for (uint32_t i = g * size; i < (g + 1) * size; i++) {
      second = fmax (second, fmin (first, choice[i]));
      first  = fmax (first, choice[i]);
    }
    group_score[g] = first + (size > 1 ? second : 0);
  }
  for (uint32_t n = 0; n < p->n_groups_used; n++)
    take_largest (group_score, p->n_groups);
  for (uint32_t i = 0; i < n_expert; i++)
    if (group_score[i / size] != -INFINITY)
      choice[i] = -INFINITY;
}

static void
route_token (const struct wlp_route_params *p, const float *scores, const float *bias, uint32_t n_expert,
             double *scratch, int32_t *ids, float *weights)
{
  double *gate   = scratch;
  double *choice = scratch + n_expert;
  double *chosen = scratch + 2 * n_expert;
  double sum     = 0;

  for (uint32_t i = 0; i < n_expert; i++)
    gate[i] = p->gating == WLP_GATING_SIGMOID ? 1 / (1 + exp (-(double)scores[i])) : scores[i];
  if (p->gating == WLP_GATING_SOFTMAX)
    softmax (gate, n_expert);
  for (uint32_t i = 0; i < n_expert; i++)
    choice[i] = gate[i] + (bias != NULL ? bias[i] : 0);
  if (p->n_groups > 0)
    drop_groups (p, choice, chosen, n_expert);
  for (uint32_t s = 0; s < p->n_used; s++) {
    ids[s]    = (int32_t)take_largest (choice, n_expert);
    chosen[s] = gate[ids[s]];
  }
  if (p->gating == WLP_GATING_SOFTMAX_CHOSEN)
    softmax (chosen, p->n_used);
  for (uint32_t s = 0; s < p->n_used; s++)
    sum += chosen[s];
  for (uint32_t s = 0; s < p->n_used; s++)
    weights[s] = (float)(chosen[s] / (p->normalise ? fmax (sum, 0x1p-14) : 1) * (p->scale != 0 ? p->scale : 1));
}

void
fake_route_run (struct wlp_model *model, const struct wlp_op *op)
{
  const struct fake_weight *bias = op->weight[0] != WLP_NONE ? &model->weights[op->weight[0]] : NULL;
  uint32_t n_expert              = fake_width (model, op->in[0]);

  for (uint32_t t = 0; t < model->batch->n_tokens; t++)
    route_token (&op->p.route, fake_row (model, op->in[0], t), bias != NULL ? bias->data : NULL, n_expert, model->sums,
                 (int32_t *)(void *)fake_row (model, op->out[0], t), fake_row (model, op->out[1], t));
}
