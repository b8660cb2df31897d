/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * A program with its weights, planned for this machine.
 */
#include "cpu-model.h"

#include "cpu-cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TOKENS    (1u << 20)
#define MAX_SEQUENCES (1u << 16)

static int
parse_switch (const struct wlp_setting *setting, const char *off, const char *on, bool *ret_value,
              struct wlp_error *error)
{
  if (strcmp (setting->value, on) != 0 && strcmp (setting->value, off) != 0)
    return wlp_error_set (error, -EINVAL, "setting %s is \"%s\": \"%s\" or \"%s\" were expected", setting->key,
                          setting->value, off, on);
  *ret_value = strcmp (setting->value, on) == 0;
  return 0;
}

static int
parse_pack (struct wlp_model *model, const struct wlp_setting *setting, struct wlp_error *error)
{
  bool yes;
  int status;

  if (strcmp (setting->value, "auto") == 0)
    return 0;
  status      = parse_switch (setting, "0", "1", &yes, error);
  model->pack = yes ? CPU_PACK_LOAD : CPU_PACK_NO;
  return status;
}

static int
parse_bytes (const struct wlp_setting *setting, uint64_t *ret_bytes, struct wlp_error *error)
{
  char *end = NULL;

  errno      = 0;
  *ret_bytes = strtoull (setting->value, &end, 10);
  if (errno != 0 || setting->value[0] < '0' || setting->value[0] > '9' || *end != '\0')
    return wlp_error_set (error, -EINVAL, "setting %s is \"%s\": a number of bytes was expected", setting->key,
                          setting->value);
  return 0;
}

/* An instruction set of the matrix kernels may have no attention or row kernels of its own. */
static int
choose_kernels (struct wlp_model *model, const char *isa, struct wlp_error *error)
{
  const uint64_t features = model->services->cpu_features;

  model->linear    = linear_isa_choose (features, isa);
  model->attention = attention_isa_choose (features, isa);
  model->vector    = vector_isa_choose (features, isa);
  if (model->linear == NULL)
    return wlp_error_set (error, -EINVAL, "instruction set \"%s\" is unknown or not on this machine", isa);
  if (model->attention == NULL)
    model->attention = attention_isa_choose (features, NULL);
  if (model->vector == NULL)
    model->vector = vector_isa_choose (features, NULL);
  return 0;
}

static int
parse_settings (struct wlp_model *model, struct wlp_error *error)
{
  const struct wlp_plan_request *request = &model->request;
  const char *isa                        = NULL;
  uint32_t i;
  int status = 0;

  for (i = 0; i < request->n_settings && status == 0; i++) {
    const struct wlp_setting *setting = &request->settings[i];

    if (strcmp (setting->key, "activations") == 0)
      status = parse_switch (setting, "int8", "f32", &model->exact, error);
    else if (strcmp (setting->key, "fuse") == 0)
      status = parse_switch (setting, "0", "1", &model->fuse, error);
    else if (strcmp (setting->key, "pack") == 0)
      status = parse_pack (model, setting, error);
    else if (strcmp (setting->key, "pack-bytes") == 0)
      status = parse_bytes (setting, &model->panels.limit, error);
    else if (strcmp (setting->key, "isa") == 0)
      isa = setting->value;
    else
      status = wlp_error_set (
          error, -EINVAL, "the cpu backend has no setting \"%s\": it knows activations, fuse, isa, pack and pack-bytes",
          setting->key);
  }
  if (status != 0)
    return status;
  return choose_kernels (model, isa, error);
}

static int
check_request (const struct wlp_plan_request *request, struct wlp_error *error)
{
  const struct wlp_program *program = request->program;

  if (request->version < WLP_PLAN_VERSION || program == NULL || program->version < WLP_PROGRAM_VERSION)
    return wlp_error_set (error, -EINVAL, "the plan's version is unknown");
  if (request->device != 0)
    return wlp_error_set (error, -EINVAL, "device %u: the cpu backend has one", request->device);
  if (request->first_op >= request->end_op || request->end_op > program->n_ops || program->n_ops > MAX_TOKENS
      || program->n_values > MAX_TOKENS || program->n_groups > WLP_MAX_GROUPS)
    return wlp_error_set (error, -EINVAL, "operators %u to %u of %u cannot be planned", request->first_op,
                          request->end_op, program->n_ops);
  if ((request->cut_in != WLP_NONE && request->cut_in >= program->n_values)
      || (request->cut_out != WLP_NONE && request->cut_out >= program->n_values))
    return wlp_error_set (error, -EINVAL, "a cut at a value that the program does not have");
  if (request->max_tokens == 0 || request->max_tokens > MAX_TOKENS || request->max_rows > request->max_tokens
      || request->max_sequences == 0 || request->max_sequences > MAX_SEQUENCES || request->max_positions == 0
      || request->max_positions > INT32_MAX)
    return wlp_error_set (error, -EINVAL,
                          "batches of %u tokens, %u rows and %u sequences up to position %u cannot be planned",
                          request->max_tokens, request->max_rows, request->max_sequences, request->max_positions);
  return 0;
}

static void
find_groups (struct wlp_model *model)
{
  uint32_t i;

  for (i = 0; i < model->plan.n_nodes; i++) {
    const struct cpu_node *node = &model->plan.nodes[i];

    if (node->kind == CPU_NODE_STORE_KEYS && node->op->p.attention.group != WLP_NONE)
      model->uses_group[node->op->p.attention.group] = true;
    if (node->kind == CPU_NODE_STATE)
      model->uses_group[node->op->p.state_conv.group] = true;
  }
}

static int
check_ops (const struct wlp_plan_request *request, struct wlp_error *error)
{
  uint32_t i;
  int status = 0;

  for (i = request->first_op; i < request->end_op && status == 0; i++)
    status = cpu_check_op (request->program, &request->program->ops[i], request->sources, error);
  return status;
}

static int
build_model (struct wlp_model *model, struct wlp_error *error)
{
  int status = parse_settings (model, error);

  if (status == 0)
    status = check_ops (&model->request, error);
  if (status == 0 && model->backend->pool == NULL)
    status = cpu_pool_new (model->services, &model->backend->pool, error);
  if (status == 0)
    status = cpu_weights_open (model, error);
  if (status == 0)
    status = cpu_nodes_build (model, error);
  if (status == 0)
    status = cpu_schedule_build (model, error);
  if (status == 0)
    status = cpu_arena_build (model, error);
  if (status != 0)
    return status;
  find_groups (model);
  status = cpu_run_init (model, error);
  if (status == 0 && cpu_profile_build (model) != 0)
    status = wlp_error_set (error, -ENOMEM, "no memory for the profile");
  return status == 0 ? cpu_panels_open (model, error) : status;
}

int
cpu_model_plan (struct wlp_backend *backend, const struct wlp_plan_request *request, struct wlp_model **ret_model,
                struct wlp_error *error)
{
  struct wlp_model *model;
  int status = check_request (request, error);

  if (status != 0)
    return status;
  model = calloc (1, sizeof *model);
  if (model == NULL)
    return wlp_error_set (error, -ENOMEM, "no memory for a model");
  model->backend  = backend;
  model->services = backend->services;
  model->request  = *request;
  model->program  = request->program;
  model->fuse     = true;
  status          = build_model (model, error);
  if (status != 0) {
    cpu_model_free (model);
    return status;
  }
  model->request.progress   = NULL; /* its user is the plan's */
  model->request.n_settings = 0;
  model->request.settings   = NULL;
  *ret_model                = model;
  return 0;
}

void
cpu_model_free (struct wlp_model *model)
{
  if (model == NULL)
    return;
  cpu_run_finish (model);
  if (model->arena != NULL)
    model->services->free (model->services->host, model->arena, model->arena_bytes);
  cpu_panels_close (model);
  cpu_weights_close (model);
  cpu_plan_finish (&model->plan);
  free (model->profiles);
  free (model);
}

int
cpu_model_memory (struct wlp_model *model, struct wlp_memory *ret_memory)
{
  const struct wlp_cache *cache;

  /* two operators may read one weight */
  ret_memory->mapped_bytes =
      model->mapped_bytes > model->panels.idle_bytes ? model->mapped_bytes - model->panels.idle_bytes : 0;
  ret_memory->packed_bytes =
      model->owned_bytes + model->constant_bytes + __atomic_load_n (&model->panels.packed_bytes, __ATOMIC_RELAXED);
  ret_memory->scratch_bytes = model->arena_bytes + model->state_bytes
                              + (uint64_t)model->scratch_bytes * cpu_n_threads (model)
                              + (uint64_t)model->n_partials * sizeof (float);
  ret_memory->cache_bytes = 0;
  for (cache = model->caches; cache != NULL; cache = cache->next)
    ret_memory->cache_bytes += cpu_cache_bytes (cache);
  return 0;
}

int
cpu_model_cache_create (struct wlp_model *model, uint32_t group, enum wlp_type type, uint32_t n_blocks,
                        struct wlp_cache **ret_cache, struct wlp_error *error)
{
  const struct wlp_cache_group *info;
  int status;

  if (group >= model->program->n_groups)
    return wlp_error_set (error, -EINVAL, "cache group %u: the program has %u", group, model->program->n_groups);
  info = &model->program->groups[group];
  if (info->kind < WLP_CACHE_PAGED || info->kind > WLP_CACHE_STATE)
    return wlp_error_set (error, -ENOTSUP, "cache group %u is of unknown kind %u", group, info->kind);
  if (info->kind != WLP_CACHE_STATE
      && (info->head_dim_k == 0 || info->head_dim_v == 0 || info->key_width % info->head_dim_k != 0
          || info->value_width != (uint64_t)info->key_width / info->head_dim_k * info->head_dim_v))
    return wlp_error_set (error, -EINVAL, "cache group %u has no shape", group);
  status = cpu_cache_new (model, group, info, type, n_blocks, ret_cache, error);
  if (status != 0)
    return status;
  (*ret_cache)->next = model->caches;
  model->caches      = *ret_cache;
  return 0;
}

void
cpu_model_cache_free (struct wlp_cache *cache)
{
  struct wlp_cache **at;

  if (cache == NULL)
    return;
  for (at = &cache->model->caches; *at != cache; at = &(*at)->next) {
  }
  *at = cache->next;
  cpu_cache_free (cache);
}
