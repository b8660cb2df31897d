/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "network-private.h"
#include "program-builder.h"
#include "quant.h"
#include "wly-error.h"
#include "wly-trace.h"

#include <errno.h>

/* ---- what the device can run ---- */

/* " with tensor blk.0.attn_q.weight of type IQ1_S"; empty where there is no tensor; (transfer full). */
static char *
describe_weights (const struct wlp_program *program, const struct wlp_op *op)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < WLP_MAX_WEIGHTS; i++) {
    const struct wlp_weight_info *info = op->weight[i] != WLP_NONE ? &program->weights[op->weight[i]] : NULL;

    if (info != NULL)
      g_string_append_printf (text, "%s tensor %s of type %s", text->len > 0 ? " and" : " with", info->name,
                              wlq_type_name (info->shape.type));
  }
  return g_string_free (text, FALSE);
}

static gboolean
check_supported (const WlyNetworkOptions *options, const WlyProgram *self, GError **error)
{
  const struct wlp_program *program = wly_program_get (self);
  struct wlp_device device          = { .version = WLP_DEVICE_VERSION };

  if (options->ops->device (options->backend, options->device, &device) < 0) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_NOT_FOUND, "There is no device number %u", options->device);
    return FALSE;
  }
  for (guint i = 0; i < program->n_ops; i++) {
    const struct wlp_op *op    = &program->ops[i];
    g_autofree char *weights   = NULL;
    g_autofree char *the_layer = NULL;

    if (options->ops->supports (options->backend, options->device, program, op, wly_program_sources (self)))
      continue;
    weights   = describe_weights (program, op);
    the_layer = op->layer != WLP_NONE ? g_strdup_printf (" of layer %u", op->layer) : g_strdup ("");
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL, "Device %s cannot run operator %s%s%s", device.id,
                 wly_program_op_name (op->kind), the_layer, weights);
    return FALSE;
  }
  return TRUE;
}

/* ---- planning ---- */

static int
progress_cb (void *user, uint64_t done_bytes, uint64_t total_bytes)
{
  const WlyNetworkOptions *options = user;

  return options->progress (done_bytes, total_bytes, options->progress_data) ? 0 : -ECANCELED;
}

static gboolean
network_plan (WlyNetwork *self, const WlyNetworkOptions *options, GError **error)
{
  char pack_bytes[24];
  struct wlp_setting settings[5] = {
    /* with room for two that not every backend knows */
    { "activations", options->float_activations ? "f32" : "int8" },
    { "fuse", options->no_fusion ? "0" : "1" },
    { "isa", options->isa != NULL ? options->isa : "" },
  };
  struct wlp_plan_request request = {
    .version       = WLP_PLAN_VERSION,
    .device        = options->device,
    .program       = wly_program_get (self->program),
    .sources       = wly_program_sources (self->program),
    .end_op        = wly_program_get (self->program)->n_ops,
    .cut_in        = WLP_NONE,
    .cut_out       = WLP_NONE,
    .max_tokens    = self->max_tokens,
    .max_rows      = self->max_rows,
    .max_sequences = self->max_sequences,
    .max_positions = self->max_positions,
    .n_settings    = 3,
    .settings      = settings,
    .user          = (void *)options,
    .progress      = options->progress != NULL ? progress_cb : NULL,
  };
  struct wlp_error fault = { { 0 } };
  int code;

  if (options->pack != NULL)
    settings[request.n_settings++] = (struct wlp_setting){ "pack", options->pack };
  if (options->pack_bytes != 0 && self->ops->limit_packed != NULL) { /* else it packs nothing */
    g_snprintf (pack_bytes, sizeof pack_bytes, "%" G_GUINT64_FORMAT, options->pack_bytes);
    settings[request.n_settings++] = (struct wlp_setting){ "pack-bytes", pack_bytes };
  }
  code = self->ops->plan (options->backend, &request, &self->model, &fault);

  if (code == 0)
    return TRUE;
  self->model = NULL;
  g_set_error (error, WLY_ERROR, wly_error_from_errno (code), "The model cannot be loaded: %s",
               fault.message[0] != '\0' ? fault.message : g_strerror (-code));
  return FALSE;
}

/* ---- life ---- */

/* What one row of the output stands for; and whether rows of a learned table bound the positions. */
static void
network_read_program (WlyNetwork *self, guint max_positions)
{
  const struct wlp_program *program = wly_program_get (self->program);
  guint n_ctx_train                 = program->limits.n_ctx_train;

  self->max_positions = max_positions != 0 ? max_positions : n_ctx_train;
  for (guint i = 0; i < program->n_ops; i++) {
    const struct wlp_op *op = &program->ops[i];

    if (op->kind == WLP_OP_EMBED && op->weight[1] != WLP_NONE)
      self->max_positions = MIN (self->max_positions, n_ctx_train);
    if (op->kind == WLP_OP_POOL && op->p.pool.kind != WLP_POOL_NONE)
      self->one_row_each = TRUE;
  }
}

static gboolean
network_alloc_batch (WlyNetwork *self, GError **error)
{
  const struct wlp_program *program = wly_program_get (self->program);

  self->tokens      = g_try_new0 (gint32, self->max_tokens);
  self->positions   = g_try_new0 (gint32, (gsize)self->max_tokens * program->limits.n_positions);
  self->sequence_of = g_try_new0 (guint32, self->max_tokens);
  self->rows        = g_try_new0 (guint32, self->max_rows);
  self->sequences   = g_try_new0 (struct wlp_sequence, self->max_sequences);
  self->output      = g_try_new0 (float, (gsize)self->max_rows * program->output_width);
  if (self->tokens != NULL && self->positions != NULL && self->sequence_of != NULL && self->rows != NULL
      && self->sequences != NULL && self->output != NULL)
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_NO_MEMORY, "No memory for batches of %u tokens with %u outputs of %u values",
               self->max_tokens, self->max_rows, program->output_width);
  return FALSE;
}

WlyNetwork *
wly_network_new (WlyGguf *gguf, WlyProgram *program, const WlyNetworkOptions *options, GError **error)
{
  g_autoptr (WlyNetwork) self = g_new0 (WlyNetwork, 1);
  const guint64 begin_ns      = wly_trace_begin ();

  self->gguf          = wly_gguf_ref (gguf);
  self->program       = program;
  self->ops           = options->ops;
  self->max_tokens    = MAX (options->max_batch_tokens, 1);
  self->max_sequences = CLAMP (options->max_sequences, 1, self->max_tokens);
  self->max_rows      = CLAMP (options->max_rows, self->max_sequences, self->max_tokens);
  network_read_program (self, options->max_positions);
  if (!check_supported (options, program, error) || !network_alloc_batch (self, error)
      || !network_plan (self, options, error))
    return NULL;
  self->cache = wly_kv_cache_new (self->ops, self->model, wly_program_get (program), options->kv_bytes, error);
  wly_trace_end (begin_ns, "load", "%" G_GUINT64_FORMAT " bytes", wly_gguf_data_bytes (gguf));
  return self->cache != NULL ? g_steal_pointer (&self) : NULL;
}

void
wly_network_free (WlyNetwork *self)
{
  if (self == NULL)
    return;
  wly_kv_cache_free (self->cache);
  if (self->model != NULL)
    self->ops->model_free (self->model);
  wly_program_free (self->program);
  wly_gguf_unref (self->gguf);
  g_free (self->tokens);
  g_free (self->positions);
  g_free (self->sequence_of);
  g_free (self->rows);
  g_free (self->sequences);
  g_free (self->output);
  g_free (self);
}

/* ---- figures ---- */

const struct wlp_program *
wly_network_program (const WlyNetwork *network)
{
  return wly_program_get (network->program);
}

WlyKvCache *
wly_network_cache (WlyNetwork *network)
{
  return network->cache;
}

guint
wly_network_n_vocab (const WlyNetwork *network)
{
  return wly_network_program (network)->limits.n_vocab;
}

guint
wly_network_max_batch_tokens (const WlyNetwork *network)
{
  return network->max_tokens;
}

guint
wly_network_max_sequences (const WlyNetwork *network)
{
  return network->max_sequences;
}

guint
wly_network_max_positions (const WlyNetwork *network)
{
  return network->max_positions;
}

gboolean
wly_network_memory (WlyNetwork *network, struct wlp_memory *ret_memory)
{
  *ret_memory = (struct wlp_memory){ .version = WLP_MEMORY_VERSION };
  return network->ops->model_memory (network->model, ret_memory) == 0;
}

guint64
wly_network_limit_packed (WlyNetwork *network, guint64 n_bytes)
{
  return network->ops->limit_packed != NULL ? network->ops->limit_packed (network->model, n_bytes) : 0;
}

gboolean
wly_network_profile (WlyNetwork *network, guint index, struct wlp_profile_entry *ret_entry)
{
  return network->ops->profile != NULL && network->ops->profile (network->model, index, ret_entry) == 0;
}
