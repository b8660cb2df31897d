/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"

#include "bench-engine.h"

#include "wly-error.h"

#include <glib/gi18n.h>
#include <string.h>

/* ---- plugins ---- */

static void
open_plugins (BenchEngine *engine)
{
  engine->files = wly_plugin_host_list ();
  for (guint i = 0; i < engine->files->len; i++) {
    WlyPluginFile *file = g_ptr_array_index (engine->files, i);

    if (!wly_plugin_file_open (file))
      g_debug ("%s is left alone: %s", file->path, file->reason);
  }
}

/* Keeps the backend where its device is wanted and better than what was found so far. */
static gboolean
take_device (BenchEngine *engine, const struct wlp_backend_ops *ops, struct wlp_backend *backend, const char *wanted)
{
  gboolean is_taken        = FALSE;
  struct wlp_device device = { .version = WLP_DEVICE_VERSION };

  for (guint i = 0; ops->device (backend, i, &device) == 0; i++) {
    gboolean is_wanted = wanted != NULL ? strcmp (device.id, wanted) == 0 : device.score > engine->device.score;

    if (is_wanted && device.score > 0) {
      engine->device        = device;
      engine->device_number = i;
      is_taken              = TRUE;
    }
    device = (struct wlp_device){ .version = WLP_DEVICE_VERSION };
  }
  return is_taken;
}

static void
close_backend (BenchEngine *engine)
{
  if (engine->backend != NULL)
    engine->ops->close (engine->backend);
  engine->backend = NULL;
}

static gboolean
open_backend (BenchEngine *engine, const char *wanted, GError **error)
{
  for (guint i = 0; i < engine->files->len; i++) {
    const WlyPluginFile *file   = g_ptr_array_index (engine->files, i);
    struct wlp_backend *backend = NULL;
    struct wlp_error fault      = { { 0 } };
    const struct wlp_backend_ops *ops;

    if (file->plugin == NULL || file->kind != WLP_KIND_BACKEND)
      continue;
    ops = file->plugin->ops;
    if (ops->open (wly_host_services_get (engine->services), &backend, &fault) != 0) {
      g_debug ("backend %s does not open: %s", file->name, fault.message);
      continue;
    }
    if (take_device (engine, ops, backend, wanted)) {
      close_backend (engine);
      engine->ops     = ops;
      engine->backend = backend;
    } else {
      ops->close (backend);
    }
  }
  if (engine->backend == NULL)
    g_set_error (
        error, WLY_ERROR, WLY_ERROR_NOT_FOUND,
        _ ("no backend plugin offers the device “%s”; WOOLLY_PLUGIN_PATH names the folders that are looked in"),
        wanted != NULL ? wanted : _ ("any"));
  return engine->backend != NULL;
}

/* ---- the network ---- */

static WlyProgram *
describe (BenchEngine *engine, WlyGguf *gguf, GError **error)
{
  const struct wlp_metadata *facts = wly_gguf_metadata (gguf);
  const char *architecture         = facts->ops->architecture (facts);
  const struct wlp_arch_ops *arch =
      wly_plugin_host_find_arch (engine->files, architecture, &engine->architecture_plugin);

  if (arch == NULL) {
    g_set_error (error, WLY_ERROR, WLY_ERROR_UNSUPPORTED_MODEL, _ ("no plugin serves the architecture “%s”"),
                 architecture);
    return NULL;
  }
  return wly_program_new (gguf, arch, error);
}

/* For each sequence its last block, the copy of one that is written to, and no block that is kept for nobody. */
static guint64
cache_bytes (const struct wlp_program *facts, enum wlp_type type, guint n_sequences, guint n_positions)
{
  return (guint64)n_sequences * (n_positions + 2 * WLP_BLOCK_POSITIONS)
         * MAX (wly_kv_cache_position_bytes (facts, type), 1);
}

static gboolean
load (BenchEngine *engine, WlyGguf *gguf, const BenchEngineOptions *options, GError **error)
{
  WlyProgram *program             = describe (engine, gguf, error);
  guint n_sequences               = MAX (options->max_sequences, 1);
  WlyNetworkOptions load_options  = { 0 };
  const struct wlp_program *facts = NULL;
  guint n_positions;

  if (program == NULL)
    return FALSE;
  facts        = wly_program_get (program);
  n_positions  = options->max_positions != 0 ? options->max_positions : facts->limits.n_ctx_train;
  load_options = (WlyNetworkOptions){
    .ops               = engine->ops,
    .backend           = engine->backend,
    .device            = engine->device_number,
    .float_activations = options->float_activations,
    .no_fusion         = options->no_fusion,
    .isa               = options->isa,
    .pack              = options->pack,
    .pack_bytes        = options->pack_bytes,
    .max_batch_tokens  = options->max_batch_tokens != 0 ? options->max_batch_tokens : n_positions,
    .max_sequences     = n_sequences,
    .max_rows          = options->max_rows,
    .max_positions     = n_positions,
    .kv_bytes = options->kv_bytes != 0 ? options->kv_bytes : cache_bytes (facts, options->kv, n_sequences, n_positions),
  };
  engine->network = wly_network_new (gguf, program, &load_options, error);
  return engine->network != NULL;
}

BenchEngine *
bench_engine_new (WlyGguf *gguf, const BenchEngineOptions *options, GError **error)
{
  g_autoptr (BenchEngine) engine = g_new0 (BenchEngine, 1);

  engine->services = wly_host_services_new (options->n_threads, 0, 0);
  open_plugins (engine);
  if (!open_backend (engine, options->device, error) || !load (engine, gguf, options, error))
    return NULL;
  return g_steal_pointer (&engine);
}

void
bench_engine_free (BenchEngine *engine)
{
  if (engine == NULL)
    return;
  wly_network_free (engine->network);
  close_backend (engine);
  wly_host_services_free (engine->services);
  g_ptr_array_unref (engine->files);
  g_free (engine);
}
