/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * Open, Load, GetMemory.
 */
#include "wly-worker-private.h"

#include "wly-embed.h"
#include "wly-error.h"
#include "wly-options.h"

#define POOLED_TOKENS_MAX    2048
#define MAX_SEQUENCES        64 /* in one batch */
#define PROGRESS_INTERVAL_US (100 * 1000)

/* ---- Open ---- */

typedef struct {
  WlyCall call;
  int *fds;
  gsize n_fds;
  WlyOpened *opened;
} OpenCall;

static void
open_work (gpointer data)
{
  OpenCall *open = data;

  open->opened = wly_opened_new (open->fds, (guint)open->n_fds, open->call.worker->plugins, &open->call.error);
}

static void
open_done (gpointer data)
{
  OpenCall *open    = data;
  WlyWorker *worker = open->call.worker;

  if (open->opened == NULL) {
    worker->stage = WLY_WORKER_EMPTY;
    wly_worker_refuse (open->call.invocation, g_steal_pointer (&open->call.error));
  } else {
    worker->stage  = WLY_WORKER_OPENED;
    worker->opened = open->opened;
    wly_rpc_worker1_complete_open (worker->skeleton, open->call.invocation, NULL, wly_opened_info (worker->opened));
  }
  wly_call_clear (&open->call);
  g_free (open->fds);
  g_free (open);
}

static gboolean
handle_open_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GUnixFDList *fd_list, GVariant *files,
                gpointer data)
{
  WlyWorker *worker = data;
  GError *error     = NULL;
  OpenCall *open;

  if (worker->stage != WLY_WORKER_EMPTY) {
    wly_worker_refuse (invocation, g_error_new_literal (WLY_ERROR, WLY_ERROR_FAILED, "A model is open already"));
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  open = g_new0 (OpenCall, 1);
  wly_call_init (&open->call, worker, invocation, fd_list);
  open->fds = wly_call_fds (&open->call, files, &open->n_fds, &error);
  if (open->fds != NULL && open->n_fds == 0)
    error = g_error_new_literal (WLY_ERROR, WLY_ERROR_INVALID_ARGS, "There is no file to open");
  if (error != NULL) {
    wly_worker_refuse (invocation, error);
    wly_call_clear (&open->call);
    g_free (open->fds);
    g_free (open);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  worker->stage = WLY_WORKER_OPENING;
  wly_lane_push (worker->text, 0, 0, open_work, open_done, open);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- Load ---- */

typedef struct {
  WlyCall call;
  WlyOpened *opened;
  WlyDeviceChoice device;
  char *device_id; /* as asked for */
  guint n_threads;
  gboolean float_activations;
  guint64 kv_bytes;
  guint64 pack_bytes;
  WlyBatchLimits limits;
  gint64 progress_us;
  GVariant *info;
} LoadCall;

typedef struct {
  WlyWorker *worker;
  guint64 done_bytes, total_bytes;
} Progress;

static gboolean
progress_cb (gpointer data)
{
  const Progress *progress = data;

  wly_rpc_worker1_emit_load_progress (progress->worker->skeleton, progress->done_bytes, progress->total_bytes);
  return G_SOURCE_REMOVE;
}

static gboolean
load_progress (guint64 done_bytes, guint64 total_bytes, gpointer data)
{
  LoadCall *load = data;
  gint64 now     = g_get_monotonic_time ();

  if (now - load->progress_us >= PROGRESS_INTERVAL_US) {
    Progress *progress = g_new (Progress, 1);

    load->progress_us = now;
    *progress         = (Progress){ load->call.worker, done_bytes, total_bytes };
    g_idle_add_full (G_PRIORITY_DEFAULT, progress_cb, progress, g_free);
  }
  return !wly_stepper_stopped (load->call.worker->stepper);
}

/* Positions of one session that the cache has room for, or that the model was trained for. */
static guint32
max_context (WlyNetwork *network)
{
  const struct wlp_program *program = wly_network_program (network);
  guint64 position_bytes            = wly_kv_cache_position_bytes (program, WLP_TYPE_F16);
  guint64 fits                      = G_MAXUINT32;

  if (position_bytes > 0)
    fits = wly_kv_cache_max_bytes (wly_network_cache (network)) / position_bytes / WLP_BLOCK_POSITIONS
           * WLP_BLOCK_POSITIONS;
  if (program->limits.n_ctx_train > 0)
    fits = MIN (fits, program->limits.n_ctx_train);
  return (guint32)MIN (fits, G_MAXINT32);
}

static GVariant *
load_info (const LoadCall *load, WlyNetwork *network)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "device", "s", load->device.id);
  g_variant_dict_insert (&dict, "features", "s", load->device.features);
  g_variant_dict_insert (&dict, "weights-bytes", "t", wly_gguf_data_bytes (wly_opened_gguf (load->opened)));
  g_variant_dict_insert (&dict, "kv-bytes", "t", wly_kv_cache_max_bytes (wly_network_cache (network)));
  g_variant_dict_insert (&dict, "max-context", "u", max_context (network));
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}

/* Tokens of the longest text that a model which pools takes. */
static guint
pooled_tokens (const struct wlp_program *program)
{
  return program->limits.n_ctx_train == 0 ? POOLED_TOKENS_MAX : MIN (program->limits.n_ctx_train, POOLED_TOKENS_MAX);
}

static WlyNetwork *
make_network (LoadCall *load, GError **error)
{
  WlyWorker *worker         = load->call.worker;
  WlyNetworkOptions options = { .float_activations = load->float_activations,
                                .max_batch_tokens  = load->limits.max_tokens,
                                .max_sequences     = load->limits.max_sequences,
                                .kv_bytes          = load->kv_bytes,
                                .pack_bytes        = load->pack_bytes,
                                .progress          = load_progress,
                                .progress_data     = load };
  WlyProgram *program;

  if (wly_opened_tokenizer (load->opened, error) == NULL
      || !wly_gguf_check_unchanged (wly_opened_gguf (load->opened), error))
    return NULL;
  program = wly_opened_program (load->opened, error);
  if (program == NULL)
    return NULL;
  if (!wly_devices_choose (worker->devices, load->device_id, load->n_threads, &load->device, error)) {
    wly_program_free (program);
    return NULL;
  }
  /* what is pooled is computed in one step, however long the text is */
  if (wly_program_get (program)->limits.pooling != WLP_POOL_NONE)
    options.max_batch_tokens = MAX (options.max_batch_tokens, pooled_tokens (wly_program_get (program)));
  options.ops     = load->device.ops;
  options.backend = load->device.backend;
  options.device  = load->device.index;
  return wly_network_new (wly_opened_gguf (load->opened), program, &options, error);
}

static gboolean
check_vocabulary (LoadCall *load, WlyNetwork *network, GError **error)
{
  guint n_tokens = wly_tokenizer_n_vocab (wly_opened_tokenizer (load->opened, NULL));

  if (wly_network_n_vocab (network) == n_tokens
      && (wly_embed_pooling (network) != WLP_POOL_NONE || wly_network_program (network)->output_width == n_tokens))
    return TRUE;
  g_set_error (error, WLY_ERROR, WLY_ERROR_INVALID_MODEL,
               "The vocabulary has %u tokens, but the network takes %u and gives %u", n_tokens,
               wly_network_n_vocab (network), wly_network_program (network)->output_width);
  return FALSE;
}

static void
load_work (gpointer data)
{
  LoadCall *load                 = data;
  g_autoptr (WlyNetwork) network = make_network (load, &load->call.error);

  if (network == NULL || !check_vocabulary (load, network, &load->call.error))
    return;
  load->info = load_info (load, network);
  wly_stepper_set_network (load->call.worker->stepper, g_steal_pointer (&network), &load->limits);
}

static void
load_done (gpointer data)
{
  LoadCall *load    = data;
  WlyWorker *worker = load->call.worker;

  worker->stage = load->info != NULL ? WLY_WORKER_LOADED : WLY_WORKER_OPENED;
  if (load->info != NULL) {
    worker->device = load->device;
    wly_rpc_worker1_complete_load (worker->skeleton, load->call.invocation, load->info);
    g_variant_unref (load->info);
  } else {
    wly_worker_refuse (load->call.invocation, g_steal_pointer (&load->call.error));
  }
  wly_opened_unref (load->opened);
  wly_call_clear (&load->call);
  g_free (load->device_id);
  g_free (load);
}

static void
read_load_options (LoadCall *load, GVariant *options)
{
  g_autofree char *activations = wly_options_dup_string (WLY_SCOPE_WORKER, options, "activations");

  load->device_id            = wly_options_dup_string (WLY_SCOPE_WORKER, options, "device");
  load->n_threads            = wly_options_get_uint32 (WLY_SCOPE_WORKER, options, "threads");
  load->float_activations    = g_str_equal (activations, "f32");
  load->kv_bytes             = wly_options_get_uint64 (WLY_SCOPE_WORKER, options, "kv-bytes");
  load->pack_bytes           = wly_options_get_uint64 (WLY_SCOPE_WORKER, options, "pack-bytes");
  load->limits.max_tokens    = wly_options_get_uint32 (WLY_SCOPE_WORKER, options, "batch-tokens");
  load->limits.prefill_chunk = wly_options_get_uint32 (WLY_SCOPE_WORKER, options, "prefill-chunk");
  load->limits.max_sequences = MIN (MAX_SEQUENCES, load->limits.max_tokens);
}

static gboolean
handle_load_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, GVariant *options, gpointer data)
{
  WlyWorker *worker = data;
  GError *error     = NULL;
  LoadCall *load;

  if (!wly_worker_require (worker, WLY_WORKER_OPENED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  if (worker->stage != WLY_WORKER_OPENED)
    error = g_error_new_literal (WLY_ERROR, WLY_ERROR_BUSY, "The model is loaded, or being loaded, already");
  else
    wly_options_check (1u << WLY_SCOPE_WORKER, options, &error);
  if (error != NULL) {
    wly_worker_refuse (invocation, error);
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  }
  worker->stage = WLY_WORKER_LOADING;
  load          = g_new0 (LoadCall, 1);
  wly_call_init (&load->call, worker, invocation, NULL);
  load->opened = wly_opened_ref (worker->opened);
  read_load_options (load, options);
  wly_stepper_push (worker->stepper, load_work, load_done, load);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- LimitWeights ---- */

typedef struct {
  WlyCall call;
  guint64 n_bytes;
  guint64 released_bytes;
} LimitCall;

/* Between two steps, so generations go on. */
static void
limit_work (gpointer data)
{
  LimitCall *limit    = data;
  WlyNetwork *network = wly_stepper_network (limit->call.worker->stepper);

  if (network != NULL)
    limit->released_bytes = wly_network_limit_packed (network, limit->n_bytes);
}

static void
limit_done (gpointer data)
{
  LimitCall *limit = data;

  wly_rpc_worker1_complete_limit_weights (limit->call.worker->skeleton, limit->call.invocation, limit->released_bytes);
  wly_call_clear (&limit->call);
  g_free (limit);
}

static gboolean
handle_limit_weights_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, guint64 n_bytes, gpointer data)
{
  WlyWorker *worker = data;
  LimitCall *limit;

  if (!wly_worker_require (worker, WLY_WORKER_LOADED, invocation))
    return G_DBUS_METHOD_INVOCATION_HANDLED;
  limit          = g_new0 (LimitCall, 1);
  limit->n_bytes = n_bytes;
  wly_call_init (&limit->call, worker, invocation, NULL);
  wly_stepper_push (worker->stepper, limit_work, limit_done, limit);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

/* ---- GetMemory ---- */

typedef struct {
  WlyCall call;
  struct wlp_memory memory;
  guint64 kv_bytes;
} MemoryCall;

static void
memory_work (gpointer data)
{
  MemoryCall *memory  = data;
  WlyNetwork *network = wly_stepper_network (memory->call.worker->stepper);

  memory->memory.version = WLP_MEMORY_VERSION;
  if (network == NULL)
    return;
  wly_network_memory (network, &memory->memory);
  memory->kv_bytes = wly_kv_cache_bytes (wly_network_cache (network));
}

static void
memory_done (gpointer data)
{
  MemoryCall *memory         = data;
  WlyOpened *opened          = memory->call.worker->opened;
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "mapped-bytes", "t", (guint64)memory->memory.mapped_bytes);
  g_variant_dict_insert (&dict, "packed-bytes", "t", (guint64)memory->memory.packed_bytes);
  g_variant_dict_insert (&dict, "scratch-bytes", "t", (guint64)memory->memory.scratch_bytes);
  g_variant_dict_insert (&dict, "kv-bytes", "t", memory->kv_bytes);
  g_variant_dict_insert (&dict, "grammar-bytes", "t",
                         opened != NULL ? (guint64)wly_grammar_cache_bytes (wly_opened_grammars (opened)) : 0);
  wly_rpc_worker1_complete_get_memory (memory->call.worker->skeleton, memory->call.invocation,
                                       g_variant_dict_end (&dict));
  wly_call_clear (&memory->call);
  g_free (memory);
}

static gboolean
handle_get_memory_cb (WlyRpcWorker1 *skeleton, GDBusMethodInvocation *invocation, gpointer data)
{
  WlyWorker *worker  = data;
  MemoryCall *memory = g_new0 (MemoryCall, 1);

  wly_call_init (&memory->call, worker, invocation, NULL);
  wly_stepper_push (worker->stepper, memory_work, memory_done, memory);
  return G_DBUS_METHOD_INVOCATION_HANDLED;
}

void
wly_worker_connect_model (WlyWorker *worker)
{
  g_signal_connect (worker->skeleton, "handle-open", G_CALLBACK (handle_open_cb), worker);
  g_signal_connect (worker->skeleton, "handle-load", G_CALLBACK (handle_load_cb), worker);
  g_signal_connect (worker->skeleton, "handle-limit-weights", G_CALLBACK (handle_limit_weights_cb), worker);
  g_signal_connect (worker->skeleton, "handle-get-memory", G_CALLBACK (handle_get_memory_cb), worker);
}
