/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * The engine with its plugins, in this process: what a worker puts together, without the worker.
 */
#pragma once

#include "plugin-host.h"
#include "run/network.h"

G_BEGIN_DECLS

typedef struct {
  const char *device; /* NULL: the one with the highest score */
  guint n_threads;    /* all of them for everything; 0: as the service has them */
  gboolean float_activations;
  gboolean no_fusion;
  const char *isa;  /* NULL: the best one */
  const char *pack; /* as of WlyNetworkOptions */
  guint64 pack_bytes;
  guint max_batch_tokens; /* 0: as max_positions */
  guint max_sequences;    /* 0: 1 */
  guint max_rows;         /* 0: one for each sequence */
  guint max_positions;    /* 0: as the model was trained */
  guint64 kv_bytes;       /* 0: max_positions of each sequence, in kv */
  enum wlp_type kv;       /* F32 (0) has room for any */
} BenchEngineOptions;

typedef struct {
  GPtrArray *files; /* of WlyPluginFile */
  WlyHostServices *services;
  const struct wlp_backend_ops *ops;
  struct wlp_backend *backend;
  struct wlp_device device;
  guint device_number;
  const char *architecture_plugin;
  WlyNetwork *network;
} BenchEngine;

/* Plugins of WOOLLY_PLUGIN_PATH, or the installed ones.  Errors: WLY_ERROR_NOT_FOUND (the device), and those of
 * wly_program_new() and wly_network_new(). */
BenchEngine *bench_engine_new (WlyGguf *gguf, const BenchEngineOptions *options, GError **error);
void bench_engine_free (BenchEngine *engine); /* its sequences are gone by then; NULL is fine */

G_DEFINE_AUTOPTR_CLEANUP_FUNC (BenchEngine, bench_engine_free)

G_END_DECLS
