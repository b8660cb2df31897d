/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "contract-lab.h"

#include <math.h>
#include <string.h>

#define MAX_TOKENS 256

typedef struct {
  char name[32];
  float *data;
  struct wlp_weight_source source;
} Tensor;

/* ---- networks ---- */

static void
tensor_free (gpointer data)
{
  Tensor *tensor = data;

  g_free (tensor->data);
  g_free (tensor);
}

static gboolean
lookup (gpointer user_data, const char *name, struct wlp_weight_source *ret_source, const char **ret_name)
{
  const ContractNet *net = user_data;
  Tensor *tensor         = g_hash_table_lookup (net->tensors, name);

  if (tensor == NULL)
    return FALSE;
  *ret_source = tensor->source;
  *ret_name   = tensor->name;
  return TRUE;
}

void
contract_net_init (ContractNet *net, guint n_vocab, guint n_embd)
{
  const struct wlp_limits limits = {
    .n_vocab = n_vocab, .n_embd = n_embd, .n_layer = 2, .n_ctx_train = MAX_TOKENS, .n_positions = 1, .causal = 1
  };

  *net         = (ContractNet){ .random = { 23 } };
  net->tensors = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, tensor_free);
  net->builder = wly_program_builder_new (lookup, net);
  net->b       = &net->builder->base;
  net->b->ops->limits (net->b, &limits);
}

void
contract_net_clear (ContractNet *net)
{
  wly_program_builder_free (net->builder);
  g_hash_table_unref (net->tensors);
}

wlp_weight
contract_net_weight (ContractNet *net, guint64 n_in, guint64 n_out)
{
  Tensor *tensor = g_new0 (Tensor, 1);

  g_snprintf (tensor->name, sizeof tensor->name, "tensor-%u", g_hash_table_size (net->tensors));
  tensor->data = g_new (float, n_in *n_out);
  for (guint64 i = 0; i < n_in * n_out; i++)
    tensor->data[i] = wly_test_random_normal (&net->random) / sqrtf ((float)n_in);
  tensor->source = (struct wlp_weight_source){
    .shape   = { .n_dims = 2, .type = WLP_TYPE_F32, .ne = { n_in, n_out, 1, 1 } },
    .fd      = -1,
    .n_bytes = n_in * n_out * sizeof (float),
    .map     = tensor->data,
  };
  g_hash_table_insert (net->tensors, tensor->name, tensor);
  return wlp_weight_2d (net->b, tensor->name, WLP_WEIGHT_REQUIRED, n_in, n_out);
}

const float *
contract_net_floats (const ContractNet *net, wlp_weight weight)
{
  return net->sources[weight].map;
}

void
contract_net_finish (ContractNet *net)
{
  const WlyProgramBuilder *builder = net->builder;

  wly_program_builder_finish (net->builder);
  g_assert_no_error (builder->error);
  net->sources = (const struct wlp_weight_source *)(const void *)builder->sources->data;
  net->program = (struct wlp_program){
    .version      = WLP_PROGRAM_VERSION,
    .n_ops        = builder->ops->len,
    .n_values     = builder->values->len,
    .n_weights    = builder->weights->len,
    .n_groups     = builder->groups->len,
    .output_width = builder->output_width,
    .limits       = builder->limits,
    .ops          = (const struct wlp_op *)(const void *)builder->ops->data,
    .values       = (const struct wlp_value_info *)(const void *)builder->values->data,
    .weights      = (const struct wlp_weight_info *)(const void *)builder->weights->data,
    .groups       = (const struct wlp_cache_group *)(const void *)builder->groups->data,
  };
}

/* ---- devices ---- */

static const ContractDevice *
open_device (const char *name)
{
  static GPtrArray *files;
  static WlyHostServices *services;
  ContractDevice *device = g_new0 (ContractDevice, 1);

  if (files == NULL) {
    files    = wly_plugin_host_list ();
    services = wly_host_services_new (2, 0, 0);
  }
  for (guint i = 0; i < files->len; i++) {
    WlyPluginFile *file    = g_ptr_array_index (files, i);
    struct wlp_error fault = { { 0 } };

    if (file->kind != WLP_KIND_BACKEND || g_strcmp0 (file->name, name) != 0)
      continue;
    g_assert_true (wly_plugin_file_open (file));
    device->ops = file->plugin->ops;
    g_assert_cmpint (device->ops->open (wly_host_services_get (services), &device->backend, &fault), ==, 0);
  }
  g_assert_nonnull (device->backend);
  return device;
}

const ContractDevice *
contract_device (void)
{
  static const ContractDevice *device;

  if (device == NULL)
    device = open_device (g_getenv ("WOOLLY_TEST_DEVICE"));
  return device;
}

const ContractDevice *
contract_reference (void)
{
  static const ContractDevice *device;

  if (device == NULL)
    device = open_device ("fake");
  return device;
}

struct wlp_plan_request
contract_request (const ContractNet *net)
{
  static const struct wlp_setting settings[] = { { "activations", "f32" } };

  return (struct wlp_plan_request){
    .version       = WLP_PLAN_VERSION,
    .program       = &net->program,
    .sources       = net->sources,
    .end_op        = net->program.n_ops,
    .cut_in        = WLP_NONE,
    .cut_out       = WLP_NONE,
    .max_tokens    = MAX_TOKENS,
    .max_rows      = MAX_TOKENS,
    .max_sequences = 4,
    .max_positions = MAX_TOKENS,
    .n_settings    = G_N_ELEMENTS (settings),
    .settings      = settings,
  };
}

struct wlp_model *
contract_plan (const ContractDevice *device, const struct wlp_plan_request *request)
{
  struct wlp_model *model = NULL;
  struct wlp_error fault  = { { 0 } };

  for (guint i = request->first_op; i < request->end_op; i++)
    g_assert_true (
        device->ops->supports (device->backend, 0, request->program, &request->program->ops[i], request->sources));
  if (device->ops->plan (device->backend, request, &model, &fault) != 0)
    g_error ("plan: %s", fault.message);
  return model;
}

struct wlp_cache *
contract_cache (const ContractDevice *device, struct wlp_model *model, guint group, enum wlp_type type)
{
  struct wlp_cache *cache = NULL;
  struct wlp_error fault  = { { 0 } };

  if (device->ops->cache_create (model, group, type, 8, &cache, &fault) != 0)
    g_error ("cache: %s", fault.message);
  return cache;
}

/* ---- batches ---- */

void
contract_batch_init (ContractBatch *batch, const ContractNet *net, guint first, guint n)
{
  const guint32 blocks[8]   = { 5, 2, 7, 0, 1, 3, 4, 6 };
  const guint32 n_positions = net->program.limits.n_positions;
  WlyTestRandom random      = { 99 };

  memset (batch, 0, sizeof *batch);
  memcpy (batch->blocks, blocks, sizeof blocks);
  for (guint i = 0; i < first; i++)
    wly_test_random_below (&random, net->program.limits.n_vocab);
  for (guint i = 0; i < n; i++) {
    batch->tokens[i] = (gint32)wly_test_random_below (&random, net->program.limits.n_vocab);
    batch->rows[i]   = i;
    for (guint p = 0; p < n_positions; p++)
      batch->positions[i * n_positions + p] = (gint32)(first + i);
  }
  for (guint g = 0; g < net->program.n_groups; g++) {
    batch->sequences[0].blocks[g]   = batch->blocks;
    batch->sequences[0].n_blocks[g] = G_N_ELEMENTS (batch->blocks);
  }
  batch->batch = (struct wlp_batch){
    .version     = WLP_BATCH_VERSION,
    .n_tokens    = n,
    .n_positions = n_positions,
    .n_sequences = 1,
    .n_rows      = n,
    .tokens      = batch->tokens,
    .positions   = batch->positions,
    .sequence    = batch->sequence_of,
    .sequences   = batch->sequences,
    .rows        = batch->rows,
    .output      = batch->output,
  };
}

int
contract_run (const ContractDevice *device, struct wlp_model *model, ContractBatch *batch)
{
  struct wlp_error fault = { { 0 } };
  int code               = device->ops->submit (model, &batch->batch, &fault);

  if (code == 0)
    code = device->ops->wait (model, &fault);
  if (code != 0)
    g_test_message ("%s", fault.message);
  return code;
}
