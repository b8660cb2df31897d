/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * From the program's operators to nodes: which rows each is needed for, what is quantised, what is folded into a linear
 * layer's last step.
 */
#include "cpu-ops.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the analysis knows while nodes are built. */
struct build {
  struct wlp_model *model;
  struct cpu_plan *plan;
  const struct wlp_program *program;
  struct wlp_error *error;
  uint32_t *n_readers;        /* [n_values] */
  uint32_t *writer;           /* [n_values] operator, WLP_NONE */
  enum cpu_domain *op_domain; /* [n_ops] */
  bool *folded;               /* [n_ops] an ADD that its linear layer does */
  uint32_t *residual;         /* [n_ops] value that the linear layer adds, WLP_NONE */
};

static bool
is_in_range (const struct build *b, uint32_t i)
{
  return i >= b->model->request.first_op && i < b->model->request.end_op;
}

static void
need (struct build *b, wlp_value value, enum cpu_domain domain)
{
  struct cpu_resource *resource;

  if (value == WLP_NONE)
    return;
  resource = &b->plan->resources[value];
  if (resource->domain < domain)
    resource->domain = domain;
  b->n_readers[value]++;
}

static void
need_of_op (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];
  enum cpu_domain domain  = CPU_DOMAIN_NONE;
  unsigned j;

  for (j = 0; j < WLP_MAX_OUTPUTS; j++)
    if (op->out[j] != WLP_NONE && b->plan->resources[op->out[j]].domain > domain)
      domain = b->plan->resources[op->out[j]].domain;
  if (op->kind == WLP_OP_LOGITS || (op->kind == WLP_OP_POOL && op->p.pool.kind == WLP_POOL_NONE))
    domain = CPU_DOMAIN_ROWS;
  else if (op->kind == WLP_OP_POOL)
    domain = CPU_DOMAIN_TOKENS;
  if (op->kind == WLP_OP_STATE_CONV && op->out[0] != WLP_NONE) {
    domain                                = CPU_DOMAIN_TOKENS;
    b->plan->resources[op->out[0]].domain = domain;
  }
  b->op_domain[i] = domain;
  if (op->kind == WLP_OP_ATTENTION) {
    const bool store = domain != CPU_DOMAIN_NONE || op->p.attention.group != WLP_NONE;

    need (b, domain != CPU_DOMAIN_NONE ? op->in[0] : WLP_NONE, domain);
    need (b, store ? op->in[1] : WLP_NONE, CPU_DOMAIN_TOKENS);
    need (b, store ? op->in[2] : WLP_NONE, CPU_DOMAIN_TOKENS);
    return;
  }
  for (j = 0; j < WLP_MAX_INPUTS && domain != CPU_DOMAIN_NONE; j++)
    need (b, op->in[j], domain);
}

/* Backwards: for which rows each value is needed, and how often it is read. */
static int
find_domains (struct build *b)
{
  const struct wlp_plan_request *request = &b->model->request;
  uint32_t i, j;

  for (i = request->first_op; i < request->end_op; i++)
    for (j = 0; j < WLP_MAX_OUTPUTS; j++) {
      const wlp_value out = b->program->ops[i].out[j];

      if (out == WLP_NONE)
        continue;
      if (out >= b->program->n_values || b->writer[out] != WLP_NONE)
        return wlp_error_set (b->error, -EINVAL, "operator %u writes value %u, which is taken or out of range", i, out);
      b->writer[out] = i;
    }
  if (request->cut_out != WLP_NONE)
    need (b, request->cut_out, CPU_DOMAIN_ROWS);
  for (i = request->end_op; i > request->first_op; i--)
    need_of_op (b, i - 1);
  for (i = request->first_op; i < request->end_op; i++)
    for (j = 0; j < WLP_MAX_INPUTS; j++) {
      const wlp_value in = b->program->ops[i].in[j];

      if (in == WLP_NONE || in == request->cut_in)
        continue;
      if (in >= b->program->n_values || b->writer[in] == WLP_NONE || b->writer[in] >= i)
        return wlp_error_set (b->error, -EINVAL, "operator %u reads value %u, which nothing before it writes", i, in);
    }
  return 0;
}

/* The linear layer without experts that writes @value for one reader only, WLP_NONE: there is none. */
static uint32_t
foldable_linear (const struct build *b, wlp_value value, enum cpu_domain domain)
{
  const uint32_t writer = b->writer[value];

  if (writer == WLP_NONE || b->n_readers[value] != 1 || b->program->ops[writer].kind != WLP_OP_LINEAR
      || b->program->ops[writer].p.linear.n_used != 0 || b->op_domain[writer] != domain
      || b->residual[writer] != WLP_NONE || b->plan->resources[value].domain != domain)
    return WLP_NONE;
  return writer;
}

/* x + W y: the sum is made where the linear layer stores its result. */
static void
fold_residuals (struct build *b)
{
  uint32_t i, linear, which;

  for (i = b->model->request.first_op; i < b->model->request.end_op; i++) {
    const struct wlp_op *op = &b->program->ops[i];

    if (op->kind != WLP_OP_ADD || op->in[0] == op->in[1] || b->op_domain[i] == CPU_DOMAIN_NONE)
      continue;
    for (which = 0; which < 2; which++) {
      linear = foldable_linear (b, op->in[1 - which], b->op_domain[i]);
      if (linear == WLP_NONE)
        continue;
      b->residual[linear] = op->in[which];
      b->folded[i]        = true;
      break;
    }
  }
}

static uint32_t
add_resource (struct build *b, enum cpu_domain domain, uint64_t row_bytes, uint64_t fixed_bytes)
{
  struct cpu_plan *plan = b->plan;

  plan->resources[plan->n_resources] =
      (struct cpu_resource){ .domain = domain, .row_bytes = row_bytes, .fixed_bytes = fixed_bytes };
  return plan->n_resources++;
}

static struct cpu_node *
add_node (struct build *b, enum cpu_node_kind kind, enum cpu_domain domain, const struct wlp_op *op, uint32_t layer)
{
  struct cpu_node *node = &b->plan->nodes[b->plan->n_nodes++];

  memset (node, 0, sizeof *node);
  memset (node->reads, 0xff, sizeof node->reads);
  memset (node->writes, 0xff, sizeof node->writes);
  node->kind   = kind;
  node->domain = domain;
  node->op     = op;
  node->layer  = layer;
  return node;
}

/* A weight as float32 in node->weights[i]. */
static int
use_floats (struct build *b, struct cpu_node *node, unsigned i, wlp_weight weight)
{
  if (weight == WLP_NONE)
    return 0;
  node->weights[i] = cpu_weights_floats (b->model, weight);
  if (node->weights[i] == NULL)
    return wlp_error_set (b->error, -ENOMEM, "no memory for %s", b->program->weights[weight].name);
  return 0;
}

static int
add_matrix (struct build *b, const struct wlp_op *op, uint32_t *ret_matrix)
{
  const struct wlp_weight_source *source = &b->model->request.sources[op->weight[0]];
  const struct cpu_weight *weight        = &b->model->weights[op->weight[0]];
  struct cpu_matrix *matrix              = &b->plan->matrices[b->plan->n_matrices];

  memset (matrix, 0, sizeof *matrix);
  matrix->format = b->model->linear->format (source->shape.type, b->model->exact);
  if (matrix->format == NULL)
    return wlp_error_set (b->error, -ENOTSUP, "%s has type %s, for which there is no kernel",
                          b->program->weights[op->weight[0]].name, wlq_type_name (source->shape.type));
  matrix->type         = source->shape.type;
  matrix->row_bytes    = weight->row_bytes;
  matrix->data         = weight->data + op->p.linear.first_row * weight->row_bytes;
  matrix->is_mapped    = source->map != NULL && source->fd >= 0;
  matrix->n_experts    = source->shape.n_dims > 2 ? source->shape.ne[2] : 1;
  matrix->bias_stride  = source->shape.n_dims > 1 ? source->shape.ne[1] : 1;
  matrix->expert_bytes = matrix->bias_stride * weight->row_bytes;
  matrix->k            = source->shape.ne[0];
  matrix->n_rows       = op->p.linear.n_rows != 0 ? op->p.linear.n_rows : matrix->bias_stride;
  matrix->n_panels     = (matrix->n_rows + b->model->linear->rows - 1) / b->model->linear->rows;
  matrix->unit         = 1;
  matrix->panel_bytes  = (matrix->format->panel_bytes (matrix->type, matrix->k) + 63) / 64 * 64;
  if (op->weight[1] != WLP_NONE) {
    matrix->bias = cpu_weights_floats (b->model, op->weight[1]);
    if (matrix->bias == NULL)
      return wlp_error_set (b->error, -ENOMEM, "no memory for %s", b->program->weights[op->weight[1]].name);
    matrix->bias += op->p.linear.first_row;
  }
  *ret_matrix = b->plan->n_matrices++;
  return 0;
}

/* The activation matrix of a value: an earlier node's where fusing shares it, or a new QUANTISE node. */
static uint32_t
quantised (struct build *b, uint32_t value, enum cpu_domain domain, uint32_t k, uint32_t n_slots, uint32_t layer)
{
  struct cpu_node *node;
  uint32_t i;

  for (i = 0; b->model->fuse && i < b->plan->n_nodes; i++) {
    node = &b->plan->nodes[i];
    if (node->kind == CPU_NODE_QUANTISE && node->reads[0] == value && node->domain == domain && node->k == k)
      return node->writes[0];
  }
  node            = add_node (b, CPU_NODE_QUANTISE, domain, NULL, layer);
  node->reads[0]  = value;
  node->k         = k;
  node->n_slots   = n_slots;
  node->writes[0] = add_resource (b, domain, linear_activation_bytes (k) * n_slots, 0);
  return node->writes[0];
}

/* The rows sorted by expert, shared by all layers that use the same ids. */
static uint32_t
grouped (struct build *b, const struct wlp_op *op, enum cpu_domain domain, uint64_t n_experts)
{
  const uint32_t n_used = op->p.linear.n_used;
  struct cpu_node *node;
  uint32_t i;

  for (i = 0; i < b->plan->n_nodes; i++) {
    node = &b->plan->nodes[i];
    if (node->kind == CPU_NODE_GROUP && node->reads[0] == op->in[1] && node->domain == domain && node->k == n_experts)
      return node->writes[0];
  }
  node            = add_node (b, CPU_NODE_GROUP, domain, NULL, op->layer);
  node->reads[0]  = op->in[1];
  node->k         = (uint32_t)n_experts;
  node->n_slots   = n_used;
  node->writes[0] = add_resource (b, CPU_DOMAIN_NONE, 0,
                                  cpu_group_bytes ((uint64_t)b->model->request.max_tokens * n_used, n_experts));
  return node->writes[0];
}

static int
add_linear (struct build *b, uint32_t i)
{
  const struct wlp_op *op      = &b->program->ops[i];
  const enum cpu_domain domain = b->op_domain[i];
  const uint32_t n_used        = op->p.linear.n_used;
  const struct cpu_matrix *matrix;
  struct cpu_node *node;
  uint32_t x = op->in[0], groups = WLP_NONE, number = 0;
  int status = add_matrix (b, op, &number);

  if (status != 0)
    return status;
  matrix = &b->plan->matrices[number];
  if (!matrix->format->is_float)
    x = quantised (b, x, domain, (uint32_t)matrix->k, n_used != 0 && op->p.linear.per_slot ? n_used : 1, op->layer);
  if (n_used != 0)
    groups = grouped (b, op, domain, matrix->n_experts);
  node                    = add_node (b, n_used != 0 ? CPU_NODE_EXPERTS : CPU_NODE_LINEAR, domain, op, op->layer);
  node->matrix            = number;
  node->reads[CPU_READ_X] = x;
  node->writes[0]         = op->out[0];
  if (n_used != 0)
    node->reads[CPU_READ_GROUPS] = groups;
  else if (b->residual[i] != WLP_NONE) {
    node->reads[CPU_READ_RESIDUAL] = b->residual[i];
    for (i = 0; i < b->program->n_ops; i++) /* the sum's value, whose operator is folded in here */
      if (b->folded[i] && (b->program->ops[i].in[0] == op->out[0] || b->program->ops[i].in[1] == op->out[0]))
        node->writes[0] = b->program->ops[i].out[0];
  }
  return 0;
}

/* The factors for as many positions as the plan has room for. */
static wlp_weight
rope_factors (const struct build *b, const struct wlp_op *op)
{
  const uint64_t n_ctx =
      ((uint64_t)b->model->request.max_positions + WLP_CONTEXT_STEP - 1) / WLP_CONTEXT_STEP * WLP_CONTEXT_STEP;

  return n_ctx > op->p.rope.n_ctx_orig && op->weight[1] != WLP_NONE ? op->weight[1] : op->weight[0];
}

static bool
same_rope (const struct cpu_rope *rope, const struct wlp_op *op, wlp_weight factors)
{
  struct wlp_rope_params params = op->p.rope;

  params.head_dim = rope->params.head_dim; /* no matter for the angles */
  if ((params.kind == WLP_ROPE_MROPE) == (rope->params.kind == WLP_ROPE_MROPE))
    params.kind = rope->params.kind;
  return rope->factors == factors && memcmp (&rope->params, &params, sizeof params) == 0;
}

/* The table of sines and cosines, shared by all layers that turn in the same way. */
static int
add_rope (struct build *b, const struct wlp_op *op, uint32_t *ret_rope)
{
  struct cpu_plan *plan    = b->plan;
  const wlp_weight numbers = rope_factors (b, op);
  const float *factors     = NULL;
  struct cpu_node *node;
  struct cpu_rope *rope;
  uint32_t i;
  int status;

  for (i = 0; i < plan->n_ropes; i++)
    if (same_rope (&plan->ropes[i], op, numbers)) {
      *ret_rope = i;
      return 0;
    }
  if (numbers != WLP_NONE) {
    factors = cpu_weights_floats (b->model, numbers);
    if (factors == NULL)
      return wlp_error_set (b->error, -ENOMEM, "no memory for %s", b->program->weights[numbers].name);
  }
  *ret_rope     = plan->n_ropes++;
  rope          = &plan->ropes[*ret_rope];
  rope->factors = numbers;
  status        = cpu_rope_init (rope, &op->p.rope, factors,
                          b->program->limits.n_positions > 0 ? b->program->limits.n_positions : 1, b->error);
  if (status != 0)
    return status;
  node            = add_node (b, CPU_NODE_TABLE, CPU_DOMAIN_TOKENS, NULL, WLP_NONE);
  node->rope      = *ret_rope;
  rope->table     = add_resource (b, CPU_DOMAIN_TOKENS, (uint64_t)op->p.rope.n_dims * sizeof (float), 0);
  node->writes[0] = rope->table;
  return 0;
}

/* Room for the keys and values of one batch, for attention without a cache. */
static int
add_stored (struct build *b, const struct wlp_op *op, uint32_t *ret_stored)
{
  const struct wlp_attention_params *p = &op->p.attention;
  struct cpu_cache_layout layout;
  uint64_t n_blocks;
  int status;

  if (p->group != WLP_NONE) {
    *ret_stored = add_resource (b, CPU_DOMAIN_NONE, 0, 0);
    return 0;
  }
  status = cpu_cache_layout_init (&layout, WLP_TYPE_F32, 1, p->n_head_kv, p->head_dim_k, p->head_dim_v);
  if (status != 0)
    return wlp_error_set (b->error, status, "attention of layer %d: %u heads of %u and %u are out of range",
                          (int)op->layer, p->n_head_kv, p->head_dim_k, p->head_dim_v);
  n_blocks = b->model->request.max_tokens / WLP_BLOCK_POSITIONS + b->model->request.max_sequences;
  if (n_blocks > SIZE_MAX / 4 / layout.block_bytes)
    return wlp_error_set (b->error, -EINVAL, "attention of layer %d needs too much memory", (int)op->layer);
  *ret_stored                            = add_resource (b, CPU_DOMAIN_NONE, 0, n_blocks * layout.block_bytes);
  b->plan->resources[*ret_stored].layout = layout;
  return 0;
}

static int
add_attention (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];
  struct cpu_node *node;
  uint32_t stored = WLP_NONE;
  int status;

  if (b->op_domain[i] == CPU_DOMAIN_NONE && op->p.attention.group == WLP_NONE)
    return 0;
  status = add_stored (b, op, &stored);
  if (status != 0)
    return status;
  node            = add_node (b, CPU_NODE_STORE_KEYS, CPU_DOMAIN_TOKENS, op, op->layer);
  node->reads[0]  = op->in[1];
  node->writes[0] = stored;
  node            = add_node (b, CPU_NODE_STORE_VALUES, CPU_DOMAIN_TOKENS, op, op->layer);
  node->reads[0]  = op->in[2];
  node->writes[0] = stored;
  if (b->op_domain[i] == CPU_DOMAIN_NONE)
    return 0;
  node                         = add_node (b, CPU_NODE_ATTENTION, b->op_domain[i], op, op->layer);
  node->reads[CPU_READ_Q]      = op->in[0];
  node->reads[CPU_READ_STORED] = stored;
  node->writes[0]              = op->out[0];
  return use_floats (b, node, 0, op->weight[0]);
}

/* A value that is the model's output. */
static int
add_output (struct build *b, wlp_value value, uint32_t layer)
{
  struct cpu_node *node;

  if (b->plan->output != WLP_NONE)
    return wlp_error_set (b->error, -EINVAL, "the program has two outputs");
  node = add_node (b, CPU_NODE_OUTPUT, CPU_DOMAIN_ROWS, NULL, layer);

  node->reads[0]  = value;
  b->plan->output = add_resource (b, CPU_DOMAIN_ROWS, (uint64_t)b->program->values[value].width * sizeof (float), 0);
  node->writes[0] = b->plan->output;
  b->plan->resources[b->plan->output].is_output = true;
  return 0;
}

static int
add_row (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];
  struct cpu_node *node;
  uint32_t rope = 0;
  unsigned j;
  int status;

  if (op->kind == WLP_OP_ROPE && (status = add_rope (b, op, &rope)) != 0)
    return status;
  node = add_node (b, CPU_NODE_ROW, b->op_domain[i], op, op->layer);
  for (j = 0; j < WLP_MAX_INPUTS; j++)
    node->reads[j] = op->in[j];
  for (j = 0; j < WLP_MAX_OUTPUTS; j++)
    node->writes[j] = op->out[j];
  node->rope = rope;
  if (op->kind == WLP_OP_ROPE) {
    node->reads[CPU_READ_TABLE] = b->plan->ropes[rope].table;
    return 0;
  }
  if (op->kind == WLP_OP_EMBED) /* its weights are read row by row */
    return 0;
  for (j = 0; j < 2; j++)
    if ((status = use_floats (b, node, j, op->weight[j])) != 0)
      return status;
  return 0;
}

static int
add_pool (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];
  struct cpu_node *node;
  unsigned j;
  int status;

  if (op->p.pool.kind == WLP_POOL_NONE && op->weight[0] == WLP_NONE)
    return add_output (b, op->in[0], op->layer);
  node           = add_node (b, CPU_NODE_POOL, b->op_domain[i], op, op->layer);
  node->reads[0] = op->in[0];
  for (j = 0; j < 2; j++)
    if ((status = use_floats (b, node, j, op->weight[j])) != 0)
      return status;
  return 0;
}

static int
add_state (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];
  struct cpu_node *node   = add_node (b, CPU_NODE_STATE, CPU_DOMAIN_TOKENS, op, op->layer);
  int status;

  node->reads[0]  = op->in[0];
  node->writes[0] = op->out[0];
  status          = use_floats (b, node, 0, op->weight[0]);
  return status == 0 ? use_floats (b, node, 1, op->weight[1]) : status;
}

static int
add_op (struct build *b, uint32_t i)
{
  const struct wlp_op *op = &b->program->ops[i];

  if (op->kind == WLP_OP_ATTENTION)
    return add_attention (b, i);
  if (b->op_domain[i] == CPU_DOMAIN_NONE || b->folded[i])
    return 0;
  switch (op->kind) {
  case WLP_OP_LINEAR:
    return add_linear (b, i);
  case WLP_OP_LOGITS:
    return add_output (b, op->in[0], op->layer);
  case WLP_OP_POOL:
    return add_pool (b, i);
  case WLP_OP_STATE_CONV:
    return add_state (b, i);
  default:
    return add_row (b, i);
  }
}

static int
build_nodes (struct build *b)
{
  const struct wlp_plan_request *request = &b->model->request;
  struct cpu_node *node;
  uint32_t i;
  int status;

  status = find_domains (b);
  if (status != 0)
    return status;
  if (b->model->fuse)
    fold_residuals (b);
  if (request->cut_in != WLP_NONE && b->plan->resources[request->cut_in].domain != CPU_DOMAIN_NONE) {
    node            = add_node (b, CPU_NODE_INPUT, b->plan->resources[request->cut_in].domain, NULL, WLP_NONE);
    node->writes[0] = request->cut_in;
  }
  for (i = request->first_op; i < request->end_op; i++)
    if (is_in_range (b, i) && (status = add_op (b, i)) != 0)
      return status;
  return request->cut_out != WLP_NONE ? add_output (b, request->cut_out, WLP_NONE) : 0;
}

/* At most three nodes and resources for an operator, and those of the ends. */
static int
alloc_plan (struct build *b)
{
  const uint32_t n_ops  = b->program->n_ops;
  struct cpu_plan *plan = b->plan;
  uint32_t i;

  plan->max_nodes     = 3 * n_ops + 4;
  plan->max_resources = b->program->n_values + 3 * n_ops + 4;
  plan->output        = WLP_NONE;
  plan->resources     = calloc (plan->max_resources, sizeof plan->resources[0]);
  plan->nodes         = calloc (plan->max_nodes, sizeof plan->nodes[0]);
  plan->order         = calloc (plan->max_nodes, sizeof plan->order[0]);
  plan->steps         = calloc (plan->max_nodes, sizeof plan->steps[0]);
  plan->ropes         = calloc (n_ops + 1, sizeof plan->ropes[0]);
  plan->matrices      = calloc (n_ops + 1, sizeof plan->matrices[0]);
  b->n_readers        = calloc (b->program->n_values + 1, sizeof b->n_readers[0]);
  b->writer           = calloc (b->program->n_values + 1, sizeof b->writer[0]);
  b->op_domain        = calloc (n_ops + 1, sizeof b->op_domain[0]);
  b->folded           = calloc (n_ops + 1, sizeof b->folded[0]);
  b->residual         = calloc (n_ops + 1, sizeof b->residual[0]);
  if (plan->resources == NULL || plan->nodes == NULL || plan->order == NULL || plan->steps == NULL
      || plan->ropes == NULL || plan->matrices == NULL || b->n_readers == NULL || b->writer == NULL
      || b->op_domain == NULL || b->folded == NULL || b->residual == NULL)
    return wlp_error_set (b->error, -ENOMEM, "no memory to plan %u operators", n_ops);
  memset (b->writer, 0xff, b->program->n_values * sizeof b->writer[0]);
  memset (b->residual, 0xff, n_ops * sizeof b->residual[0]);
  plan->n_resources = b->program->n_values;
  for (i = 0; i < b->program->n_values; i++)
    plan->resources[i].row_bytes = (uint64_t)b->program->values[i].width * 4;
  return 0;
}

int
cpu_nodes_build (struct wlp_model *model, struct wlp_error *error)
{
  struct build b = { .model = model, .plan = &model->plan, .program = model->program, .error = error };
  int status     = alloc_plan (&b);

  if (status == 0)
    status = build_nodes (&b);
  free (b.n_readers);
  free (b.writer);
  free (b.op_domain);
  free (b.folded);
  free (b.residual);
  return status;
}

void
cpu_plan_finish (struct cpu_plan *plan)
{
  uint32_t i;

  for (i = 0; i < plan->n_ropes; i++)
    cpu_rope_finish (&plan->ropes[i]);
  free (plan->resources);
  free (plan->nodes);
  free (plan->order);
  free (plan->steps);
  free (plan->ropes);
  free (plan->matrices);
}
