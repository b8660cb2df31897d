/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake.h"
#include "quant.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- backend ---- */

static int64_t
read_fault (const char *text, const char *key)
{
  const char *at = text != NULL ? strstr (text, key) : NULL;

  return at != NULL ? strtoll (at + strlen (key), NULL, 10) : -1;
}

static int
fake_open (const struct wlp_services *services, struct wlp_backend **ret_backend, struct wlp_error *error)
{
  const char *faults = getenv ("WOOLLY_FAKE");
  struct wlp_backend *backend;

  if (services == NULL || services->version < 1 || services->n_threads < 1)
    return wlp_error_set (error, -EINVAL, "the services are not those of version 1");
  backend = services->alloc (services->host, sizeof *backend, 64);
  if (backend == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory");
  backend->services = services;
  backend->faults   = (struct fake_faults){ read_fault (faults, "crash:"), read_fault (faults, "lost:"),
                                            read_fault (faults, "nan:"), read_fault (faults, "slow:") };
  *ret_backend      = backend;
  return 0;
}

static void
fake_close (struct wlp_backend *backend)
{
  backend->services->free (backend->services->host, backend, sizeof *backend);
}

static int
fake_device (struct wlp_backend *backend, uint32_t index, struct wlp_device *ret_device)
{
  if (index > 0)
    return -ENOENT;
  if (ret_device->version < 1)
    return -EINVAL;
  snprintf (ret_device->id, sizeof ret_device->id, "fake");
  snprintf (ret_device->description, sizeof ret_device->description, "Reference in plain C, for tests");
  ret_device->score        = 1;
  ret_device->memory_total = (uint64_t)1 << 32;
  ret_device->memory_free  = (uint64_t)1 << 31;
  return 0;
}

static int
fake_supports (struct wlp_backend *backend, uint32_t device, const struct wlp_program *program, const struct wlp_op *op,
               const struct wlp_weight_source *sources)
{
  if (device != 0 || op->kind < WLP_OP_EMBED || (op->kind > WLP_OP_CLAMP && op->kind != WLP_OP_STATE_CONV))
    return 0;
  if (op->kind == WLP_OP_STATE_CONV
      && (uint64_t)op->p.state_conv.width * program->values[op->in[0]].width > FAKE_MAX_ROW)
    return 0;
  if (op->kind == WLP_OP_ATTENTION && (uint64_t)op->p.attention.n_head * op->p.attention.head_dim_v > FAKE_MAX_ROW)
    return 0;
  if (op->kind == WLP_OP_MOE_ROUTE && program->values[op->in[0]].width > FAKE_MAX_ROW / 3)
    return 0;
  for (int i = 0; i < WLP_MAX_WEIGHTS; i++)
    if (op->weight[i] != WLP_NONE && !wlq_is_supported (sources[op->weight[i]].shape.type))
      return 0;
  return 1;
}

/* ---- planning ---- */

static void *
take (struct wlp_model *model, uint64_t n_bytes, uint64_t *account)
{
  const struct wlp_services *services = model->backend->services;
  void *memory                        = services->alloc (services->host, n_bytes + 1, 64);

  if (memory != NULL)
    *account += n_bytes;
  return memory;
}

static void
give (struct wlp_model *model, void *memory, uint64_t n_bytes)
{
  model->backend->services->free (model->backend->services->host, memory, n_bytes + 1);
}

static uint64_t
value_bytes (const struct wlp_model *model, wlp_value value)
{
  return (uint64_t)model->plan.max_tokens * model->plan.program->values[value].width * sizeof (float);
}

static void
fake_model_free (struct wlp_model *model)
{
  const struct wlp_program *program;

  if (model == NULL)
    return;
  if (model->n_caches != 0)
    abort (); /* "its caches are gone by then" */
  program = model->plan.program;
  for (uint32_t i = 0; model->weights != NULL && i < program->n_weights; i++)
    give (model, model->weights[i].data, model->weights[i].n * sizeof (float));
  for (uint32_t i = 0; model->values != NULL && i < program->n_values; i++)
    give (model, model->values[i], value_bytes (model, i));
  give (model, model->weights, program->n_weights * sizeof *model->weights);
  give (model, model->values, program->n_values * sizeof *model->values);
  give (model, model->scores, model->n_scores * sizeof *model->scores);
  give (model, model->sums, (uint64_t)FAKE_MAX_ROW * sizeof *model->sums);
  give (model, model->head, (uint64_t)FAKE_MAX_ROW * sizeof (float));
  give (model, model, sizeof *model);
}

static int
read_weight (struct wlp_model *model, uint32_t index, struct wlp_error *error)
{
  const struct wlp_weight_source *source = &model->plan.sources[index];
  struct fake_weight *weight             = &model->weights[index];
  const uint64_t *ne                     = source->shape.ne;
  uint64_t n_rows                        = ne[1] * ne[2] * ne[3];
  uint64_t row_bytes;

  if (wlq_row_bytes (source->shape.type, ne[0], &row_bytes) != 0 || row_bytes * n_rows != source->n_bytes)
    return wlp_error_set (error, -EINVAL, "tensor %s: %llu bytes do not fit its shape",
                          model->plan.program->weights[index].name, (unsigned long long)source->n_bytes);
  if (source->map == NULL)
    return wlp_error_set (error, -ENOTSUP, "this backend reads mapped files only");
  weight->n    = ne[0] * n_rows;
  weight->data = take (model, weight->n * sizeof (float), &model->n_weight_bytes);
  if (weight->data == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for tensor %s", model->plan.program->weights[index].name);
  for (uint64_t r = 0; r < n_rows; r++) {
    int code = wlq_dequantize_row (source->shape.type, (const char *)source->map + r * row_bytes, ne[0],
                                   weight->data + r * ne[0]);

    if (code != 0)
      return wlp_error_set (error, code, "tensor %s cannot be unpacked", model->plan.program->weights[index].name);
  }
  return 0;
}

static int
read_weights (struct wlp_model *model, struct wlp_error *error)
{
  const struct wlp_plan_request *plan = &model->plan;
  uint64_t total                      = 0;
  uint64_t done                       = 0;
  int code                            = 0;

  for (uint32_t i = 0; i < plan->program->n_weights; i++)
    total += plan->sources[i].n_bytes;
  for (uint32_t i = 0; code == 0 && i < plan->program->n_weights; i++) {
    code = read_weight (model, i, error);
    done += plan->sources[i].n_bytes;
    if (code == 0 && plan->progress != NULL && plan->progress (plan->user, done, total) != 0)
      code = wlp_error_set (error, -ECANCELED, "loading was cancelled");
  }
  return code;
}

static int
check_plan (const struct wlp_plan_request *request, struct wlp_error *error)
{
  const struct wlp_program *program = request->program;

  if (request->version < 1 || program->version < 1 || request->device != 0)
    return wlp_error_set (error, -EINVAL, "a plan of version 1 for device 0 is wanted");
  if (request->first_op >= request->end_op || request->end_op > program->n_ops || request->max_tokens == 0
      || request->max_rows == 0 || request->max_sequences == 0 || request->max_positions == 0)
    return wlp_error_set (error, -EINVAL, "a plan for nothing");
  if ((request->first_op > 0) != (request->cut_in != WLP_NONE)
      || (request->end_op < program->n_ops) != (request->cut_out != WLP_NONE))
    return wlp_error_set (error, -EINVAL, "a cut program needs the values that go over, a whole one has none");
  for (uint32_t i = 0; i < request->n_settings; i++) {
    const struct wlp_setting *setting = &request->settings[i];

    if (strcmp (setting->key, "activations") != 0 && strcmp (setting->key, "fuse") != 0
        && strcmp (setting->key, "isa") != 0)
      return wlp_error_set (error, -EINVAL, "unknown setting %s", setting->key);
  }
  return 0;
}

/* A score for each head and each key that a query may see. */
static uint64_t
count_scores (const struct wlp_plan_request *plan)
{
  uint64_t n_keys = plan->max_positions > plan->max_tokens ? plan->max_positions : plan->max_tokens;
  uint32_t n_head = 1;

  for (uint32_t i = 0; i < plan->program->n_ops; i++) {
    const struct wlp_op *op = &plan->program->ops[i];

    if (op->kind == WLP_OP_ATTENTION && op->p.attention.n_head > n_head)
      n_head = op->p.attention.n_head;
  }
  return n_keys * n_head;
}

static int
alloc_values (struct wlp_model *model, struct wlp_error *error)
{
  const struct wlp_program *program = model->plan.program;

  model->weights  = take (model, program->n_weights * sizeof *model->weights, &model->n_scratch_bytes);
  model->values   = take (model, program->n_values * sizeof *model->values, &model->n_scratch_bytes);
  model->n_scores = count_scores (&model->plan);
  model->scores   = take (model, model->n_scores * sizeof *model->scores, &model->n_scratch_bytes);
  model->sums     = take (model, (uint64_t)FAKE_MAX_ROW * sizeof *model->sums, &model->n_scratch_bytes);
  model->head     = take (model, (uint64_t)FAKE_MAX_ROW * sizeof (float), &model->n_scratch_bytes);
  if (model->weights == NULL || model->values == NULL || model->scores == NULL || model->sums == NULL
      || model->head == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory");
  for (uint32_t i = 0; i < program->n_values; i++) {
    model->values[i] = take (model, value_bytes (model, i), &model->n_scratch_bytes);
    if (model->values[i] == NULL)
      return wlp_error_set (error, -ENOMEM, "no memory for value %u", i);
  }
  return 0;
}

static int
fake_plan (struct wlp_backend *backend, const struct wlp_plan_request *request, struct wlp_model **ret_model,
           struct wlp_error *error)
{
  struct wlp_model *model;
  int code = check_plan (request, error);

  if (code != 0)
    return code;
  model = backend->services->alloc (backend->services->host, sizeof *model + 1, 64);
  if (model == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory");
  model->backend = backend;
  model->plan    = *request;
  code           = alloc_values (model, error);
  if (code == 0)
    code = read_weights (model, error);
  if (code != 0) {
    fake_model_free (model);
    return code;
  }
  model->plan.progress = NULL;
  *ret_model           = model;
  return 0;
}

static int
fake_model_memory (struct wlp_model *model, struct wlp_memory *ret_memory)
{
  if (ret_memory->version < 1)
    return -EINVAL;
  ret_memory->packed_bytes  = model->n_weight_bytes;
  ret_memory->scratch_bytes = model->n_scratch_bytes;
  ret_memory->cache_bytes   = model->n_cache_bytes;
  return 0;
}

/* ---- the plugin ---- */

static const struct wlp_backend_ops fake_ops = {
  .version           = WLP_BACKEND_VERSION,
  .open              = fake_open,
  .close             = fake_close,
  .device            = fake_device,
  .supports          = fake_supports,
  .plan              = fake_plan,
  .model_free        = fake_model_free,
  .model_memory      = fake_model_memory,
  .cache_create      = fake_cache_create,
  .cache_free        = fake_cache_free,
  .cache_block_bytes = fake_cache_block_bytes,
  .cache_copy        = fake_cache_copy,
  .cache_discard     = fake_cache_discard,
  .cache_export      = fake_cache_export,
  .cache_import      = fake_cache_import,
  .submit            = fake_submit,
  .wait              = fake_wait,
};

static const struct wlp_plugin fake_plugin = {
  .version = WLP_PLUGIN_VERSION,
  .kind    = WLP_KIND_BACKEND,
  .name    = "fake",
  .release = "1",
  .summary = "Reference backend for tests",
  .license = "LGPL-2.1-or-later",
  .ops     = &fake_ops,
};

WLP_PLUGIN_NOTE (WLP_KIND_BACKEND, "fake");

const struct wlp_plugin *
wlp_plugin_enum (uint32_t index)
{
  return index == 0 ? &fake_plugin : NULL;
}
