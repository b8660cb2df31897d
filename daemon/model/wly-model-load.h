/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a model is loaded with, how far that is, and what came of it.
 */
#pragma once

#include "wly-model-info.h"
#include "wly-settings.h"

G_BEGIN_DECLS

/* The load that a worker makes or has made; zeroed: none. */
typedef struct {
  GVariant *options; /* scope LOAD; NULL: the defaults, or none is made */
  guint64 done_bytes, total_bytes;
  guint64 pack_bytes; /* what the worker may use for packed weights */
  char *device;       /* NULL until the worker has said so */
} WlyModelLoad;

void wly_model_load_clear (WlyModelLoad *load);

/* Whether who wants it loaded with @options can have this one; NULL: any will do. */
gboolean wly_model_load_fits (const WlyModelLoad *load, GVariant *options);

/* The arguments of Worker1.Load. (transfer floating) */
GVariant *wly_model_load_parameters (const WlyModelLoad *load, WlySettings *settings, guint64 kv_bytes);

/* It is done: @info is what Worker1.Load gave.  Returns the bytes that the worker says it uses; 0: nobody can tell. */
guint64 wly_model_load_finish (WlyModelLoad *load, GVariant *info);

/* Bytes that loading would book: weights, and the key-value cache's share; 0 where @info is NULL.  @ret_kv_bytes: the
 * latter. */
guint64 wly_model_load_estimate (const WlyModelInfo *info, WlySettings *settings, guint64 *ret_kv_bytes);

G_END_DECLS
