/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Row nodes: one row of one operator, or a part of a row where the operator can do that by itself.
 */
#include "cpu-ops.h"

#include <string.h>

/* Row @index of an embedding matrix, as floats. */
static void
embedding_row (const struct wlp_model *model, wlp_weight weight, uint64_t index, float *ret_row)
{
  const struct wlp_shape *shape = &model->request.sources[weight].shape;

  wlq_dequantize_row (shape->type, model->weights[weight].data + index * model->weights[weight].row_bytes, shape->ne[0],
                      ret_row);
}

/* Adds a row of another embedding matrix; a part at a time, for there is no room for a row of it. */
static void
add_embedding_row (const struct wlp_model *model, wlp_weight weight, uint64_t index, float *y)
{
  const struct wlp_shape *shape   = &model->request.sources[weight].shape;
  const struct wlq_traits *traits = wlq_traits (shape->type);
  const uint8_t *row              = model->weights[weight].data + index * model->weights[weight].row_bytes;
  float part[WLQ_MAX_BLOCK];
  uint64_t i, n, j;

  for (i = 0; i < shape->ne[0]; i += n) {
    n = shape->ne[0] - i < WLQ_MAX_BLOCK ? shape->ne[0] - i : WLQ_MAX_BLOCK;
    wlq_dequantize_row (shape->type, row + i / traits->block * traits->block_bytes, n, part);
    for (j = 0; j < n; j++)
      y[i + j] += part[j];
  }
}

static void
embed (struct wlp_model *model, const struct cpu_node *node, uint32_t row)
{
  const struct wlp_batch *batch = model->run.batch;
  const struct wlp_op *op       = node->op;
  const uint32_t token          = cpu_run_token (model, node->domain, row);
  const uint32_t width          = model->program->values[op->out[0]].width;
  float *y                      = cpu_run_row (model, node->writes[0], node->domain, row);
  uint32_t i;

  if (batch->embeddings != NULL) {
    memcpy (y, batch->embeddings + (size_t)token * width, width * sizeof (float));
  } else {
    embedding_row (model, op->weight[0], (uint32_t)batch->tokens[token], y);
    if (op->p.embed.scale != 0.0f && op->p.embed.scale != 1.0f)
      for (i = 0; i < width; i++)
        y[i] *= op->p.embed.scale;
  }
  if (op->weight[1] != WLP_NONE)
    add_embedding_row (model, op->weight[1], (uint32_t)batch->positions[(size_t)token * batch->n_positions], y);
  if (op->weight[2] != WLP_NONE)
    add_embedding_row (model, op->weight[2], 0, y);
}

static void
mul (uint32_t width, uint32_t factor_width, const float *x, const float *factor, float *y)
{
  uint32_t i;

  if (factor_width == 1) {
    const float scale = factor[0];

    for (i = 0; i < width; i++)
      y[i] = x[i] * scale;
  } else {
    for (i = 0; i < width; i++)
      y[i] = x[i] * factor[i];
  }
}

/* From one group's gain or bias to the next one's: 0 where all have the same. */
static uint32_t
norm_step (const struct wlp_model *model, const struct wlp_op *op, unsigned i)
{
  const struct wlp_shape *shape;

  if (op->weight[i] == WLP_NONE)
    return 0;
  shape = &model->request.sources[op->weight[i]].shape;
  return shape->n_dims > 1 && shape->ne[1] > 1 ? (uint32_t)shape->ne[0] : 0;
}

static void
norm (struct wlp_model *model, const struct cpu_node *node, uint32_t column, uint32_t n, const float *x, float *y)
{
  const struct wlp_norm_params *params = &node->op->p.norm;
  const uint32_t group                 = params->group != 0 ? params->group : n;
  const uint32_t gain_step = norm_step (model, node->op, 0), bias_step = norm_step (model, node->op, 1);
  const float *gain = node->weights[0], *bias = node->weights[1];
  uint32_t i;

  for (i = 0; i < n; i += group)
    model->vector->norm (params->kind, params->eps, group,
                         gain != NULL ? gain + (size_t)((column + i) / group) * gain_step : NULL,
                         bias != NULL ? bias + (size_t)((column + i) / group) * bias_step : NULL, x + i, y + i);
}

uint32_t
cpu_row_part (const struct cpu_node *node)
{
  switch (node->kind) {
  case CPU_NODE_QUANTISE:
    return LINEAR_GROUP;
  case CPU_NODE_STORE_KEYS:
    return node->op->p.attention.head_dim_k;
  case CPU_NODE_STORE_VALUES:
    return node->op->p.attention.head_dim_v;
  case CPU_NODE_ROW:
    break;
  default:
    return 0;
  }
  switch (node->op->kind) {
  case WLP_OP_NORM:
    return node->op->p.norm.group;
  case WLP_OP_ROPE:
    return node->op->p.rope.head_dim;
  case WLP_OP_ACTIVATE:
  case WLP_OP_SCALE:
  case WLP_OP_SOFTCAP:
  case WLP_OP_CLAMP:
    return 1;
  default:
    return 0;
  }
}

void
cpu_row_columns (struct wlp_model *model, const struct cpu_node *node, uint32_t row, uint32_t column, uint32_t n)
{
  const struct wlp_op *op = node->op;
  const float *x          = (const float *)cpu_run_row (model, node->reads[0], node->domain, row) + column;
  float *y;
  uint32_t i;

  if (node->kind == CPU_NODE_STORE_KEYS || node->kind == CPU_NODE_STORE_VALUES) {
    cpu_op_store (model, node, row, column / cpu_row_part (node), (column + n) / cpu_row_part (node), x);
    return;
  }
  y = cpu_run_row (model, node->writes[0], node->domain, row);
  if (node->kind == CPU_NODE_QUANTISE) {
    model->linear->quantise (x, n, (struct linear_block *)(void *)y + column / LINEAR_GROUP);
    return;
  }
  y += column;
  switch (op->kind) {
  case WLP_OP_NORM:
    norm (model, node, column, n, x, y);
    break;
  case WLP_OP_ROPE:
    cpu_op_rope (model->vector, &op->p.rope, n, cpu_run_row (model, node->reads[CPU_READ_TABLE], node->domain, row), x,
                 y);
    break;
  case WLP_OP_ACTIVATE:
    model->vector->activate (op->p.glu.act, n, x, y);
    break;
  case WLP_OP_SCALE:
    for (i = 0; i < n; i++)
      y[i] = x[i] * op->p.scale.scale;
    break;
  case WLP_OP_SOFTCAP:
    model->vector->softcap (op->p.scale.scale, n, x, y);
    break;
  default: /* WLP_OP_CLAMP: cpu_check_op() lets no other one through */
    model->vector->clamp (&op->p.clamp, n, x, y);
    break;
  }
}

static void
operator_row (struct wlp_model *model, const struct cpu_node *node, uint32_t row)
{
  const struct wlp_op *op             = node->op;
  const struct wlp_value_info *values = model->program->values;
  const uint32_t width                = values[op->out[0]].width;
  void *in[2]                         = { NULL, NULL };
  float *y, *x;
  uint32_t i;

  if (op->kind == WLP_OP_EMBED) {
    embed (model, node, row);
    return;
  }
  for (i = 0; i < 2; i++)
    if (node->reads[i] != WLP_NONE)
      in[i] = cpu_run_row (model, node->reads[i], node->domain, row);
  x = in[0];
  y = cpu_run_row (model, node->writes[0], node->domain, row);
  switch (op->kind) {
  case WLP_OP_GLU:
    model->vector->glu (op->p.glu.act, width, x, in[1] != NULL ? in[1] : x + width, y);
    break;
  case WLP_OP_ADD:
    for (i = 0; i < width; i++)
      y[i] = x[i] + ((const float *)in[1])[i];
    break;
  case WLP_OP_MUL:
    mul (width, values[op->in[1]].width, x, in[1], y);
    break;
  case WLP_OP_MOE_ROUTE:
    cpu_op_route (&op->p.route, values[op->in[0]].width, x, node->weights[0], (int32_t *)(void *)y,
                  cpu_run_row (model, node->writes[1], node->domain, row));
    break;
  case WLP_OP_MOE_SUM:
    cpu_op_expert_sum (values[op->in[1]].width, width, x, in[1], y);
    break;
  default:
    cpu_row_columns (model, node, row, 0, width);
    break;
  }
}

void
cpu_row_node (struct wlp_model *model, const struct cpu_node *node, uint32_t row)
{
  const struct wlp_batch *batch = model->run.batch;
  const uint32_t token          = cpu_run_token (model, node->domain, row);
  const uint8_t *x;
  uint8_t *y;

  if (node->kind == CPU_NODE_ROW) {
    operator_row (model, node, row);
    return;
  }
  if (cpu_row_part (node) != 0) { /* quantising, storing */
    cpu_row_columns (model, node, row, 0, (uint32_t)(model->plan.resources[node->reads[0]].row_bytes / sizeof (float)));
    return;
  }
  y = cpu_run_row (model, node->writes[0], node->domain, row);
  switch (node->kind) {
  case CPU_NODE_INPUT:
    memcpy (y, (const uint8_t *)batch->embeddings + token * model->plan.resources[node->writes[0]].row_bytes,
            model->plan.resources[node->writes[0]].row_bytes);
    break;
  case CPU_NODE_TABLE:
    cpu_op_rope_table (&model->plan.ropes[node->rope], batch->positions + (size_t)token * batch->n_positions,
                       (float *)(void *)y);
    break;
  default: /* CPU_NODE_OUTPUT */
    x = cpu_run_row (model, node->reads[0], node->domain, row);
    if (x != y)
      memcpy (y, x, model->plan.resources[node->writes[0]].row_bytes);
    break;
  }
}
