/* SPDX-License-Identifier: LGPL-2.1-or-later
 *
 * What a model is loaded with.
 */
#pragma once

#include "wly-model-info.h"
#include "wly-settings.h"

G_BEGIN_DECLS

/* Bytes that loading would book: weights, and the key-value cache's share; 0 where @info is NULL.  @ret_kv_bytes: the
 * latter. */
guint64 wly_model_load_estimate (const WlyModelInfo *info, WlySettings *settings, guint64 *ret_kv_bytes);

/* The arguments of Worker1.Load; @options are of scope LOAD, @pack_bytes what packed weights may use. (transfer
 * floating) */
GVariant *wly_model_load_parameters (GVariant *options, WlySettings *settings, guint64 kv_bytes, guint64 pack_bytes);

G_END_DECLS
